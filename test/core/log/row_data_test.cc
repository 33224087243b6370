// Goal: rows round-trip through their plain form, which people can read. Method: round trips, one
// row written out, and invalid rows.
#include "log/row_data.h"

#include "doctest/doctest.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

TEST_CASE("round-trips rows through plain objects, with bytes as bytes and as text") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    OpMaker maker(&random);
    const auto table = static_cast<TableIndex>(random.Below(4));
    const TableDef& def = LogSchema().table(table);
    const Row row = maker.AnyRow(table, "public");
    for (const bool base64 : {false, true}) {
      const Result<Row> read =
          RowFromPlain(def, PlainRow(def, maker.AnyId(table, false), row, base64));
      REQUIRE_MESSAGE(read.ok(), read.status().detail());
      REQUIRE(read.value() == row);
    }
  }
}

TEST_CASE("omits null props from a plain row") {
  const TableDef& tags = LogSchema().table(kTags);
  Row row;
  row.realm = "public";
  row.created_at = 1;
  row.modified_at = 2;
  row.revision = 3;
  row.props = {Value::String("x"), Value::Null(), Value::Null()};
  CHECK(
      WriteJson(PlainRow(tags, "se", row, true)) ==
      R"({"id":"se","realm":"public","createdAt":1,"modifiedAt":2,"revision":3,"props":{"label":"x"}})");
}

TEST_CASE("ignores a plain row's dropped props, and rejects values that do not fit") {
  const TableDef& tags = LogSchema().table(kTags);
  const auto read = [&](const char* text) { return RowFromPlain(tags, ParseJson(text).value()); };
  const Result<Row> row = read(
      R"({"id":"se","realm":"p","createdAt":1,"modifiedAt":2,"revision":3,"props":{"label":"x","old":1}})");
  REQUIRE(row.ok());
  CHECK(row.value().props[0] == Value::String("x"));
  CHECK_FALSE(
      read(
          R"({"id":"se","realm":"p","createdAt":1,"modifiedAt":2,"revision":3,"props":{"label":1}})")
          .ok());
  CHECK_FALSE(read(R"({"id":"se","realm":"p","createdAt":1,"modifiedAt":2,"revision":3})").ok());
  CHECK_FALSE(
      read(R"({"id":"","realm":"p","createdAt":1,"modifiedAt":2,"revision":3,"props":{}})").ok());
  CHECK_FALSE(
      read(R"({"id":"se","realm":"p","createdAt":"1","modifiedAt":2,"revision":3,"props":{}})")
          .ok());
  CHECK_FALSE(read("null").ok());
}

}  // namespace
}  // namespace skerry::test
