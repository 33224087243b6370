// Goal: rows have a plain form, which people can read. Method: rows written out.
#include "log/row_data.h"

#include "doctest/doctest.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

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

}  // namespace
}  // namespace skerry::test
