// Goal: data stored under one schema are read under another as if they had always been written
// under it. Method: random schemas, made from the fixture's by dropping, adding, reordering and
// changing tables and props. An image, records over it, and records that were folded before the
// change must give the same rows, as the names of tables and props define them.
#include "log/convert.h"

#include <utility>

#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/image.h"
#include "test/core/log/log_fixture.h"
#include "test/core/log/row_map.h"

namespace skerry::test {
namespace {

void Shuffle(Random* random, Data::Array* items) {
  for (size_t i = items->size(); i > 1; --i) std::swap((*items)[i - 1], (*items)[random->Below(i)]);
}

// A prop as in a possible next version; null: it is dropped.
Data Changed(Random* random, Data prop) {
  if (random->Below(6) == 0) return {};
  if (prop["type"].Is("enum") && random->Below(2) == 0) {
    prop.Set("enum", ParseJson(R"({"type":null,"values":["l","xl","s"]})").value());
  } else if (prop["name"].Is("name") && random->Below(3) == 0) {
    prop.Set("type", "number").Set("default", 5);
  }
  return prop;
}

Data Added(const char* text) { return ParseJson(text).value(); }

Schema AnotherSchema(Random* random) {
  const Data description = DecodeData(LogSchema().description()).value();
  Data::Array tables;
  for (const Data& from : description["tables"].items()) {
    // Tables that refs name are kept.
    if (from["name"].Is("members") && random->Below(3) == 0) continue;
    Data::Array props;
    for (const Data& prop : from["props"].items()) {
      if (Data changed = Changed(random, prop); !changed.is_null()) props.push_back(changed);
    }
    if (random->Below(2) == 0)
      props.push_back(Added(R"({"name":"added","type":"string","default":"new"})"));
    if (random->Below(2) == 0)
      props.push_back(Added(R"({"name":"also","type":"number","optional":true,"default":7})"));
    Shuffle(random, &props);
    Data table = from;
    if (from["name"].Is("groups") && random->Below(4) == 0) table.Set("ids", "string");
    tables.push_back(std::move(table.Set("props", Data(std::move(props)))));
  }
  if (random->Below(2) == 0) tables.push_back(Added(R"({"name":"fresh","ids":"uuid","props":[]})"));
  Shuffle(random, &tables);
  Data other = Data::MakeObject();
  other.Set("version", 4).Set("tables", Data(std::move(tables)));
  Result<Schema> schema = Schema::Parse(other);
  REQUIRE_MESSAGE(schema.ok(), schema.status().detail());
  return std::move(schema.value());
}

// The rows under the other schema, by name, one value after the other, without the index tables of
// src/log.
std::map<std::pair<ObjectKey, std::string>, Row> Expected(const RowMap& rows, const Schema& other) {
  std::map<std::pair<ObjectKey, std::string>, Row> expected;
  for (const auto& [place, row] : rows.rows) {
    const TableDef& from = LogSchema().table(place.first.table);
    const TableIndex index = other.FindTable(from.name);
    if (index == kNone) continue;
    Row other_row = row;
    other_row.props.clear();
    for (const PropDef& prop : other.table(index).props) {
      Value value;
      for (size_t i = 0; i < from.props.size(); ++i) {
        if (from.props[i].name == prop.name && CheckValue(from, prop, row.props[i]).ok())
          value = row.props[i];
      }
      if (value.is_null() && !prop.optional && prop.has_default) value = prop.default_value;
      other_row.props.push_back(value);
    }
    expected[{{index, place.first.id}, place.second}] = other_row;
  }
  return expected;
}

Vector<Step> ChangesAndOps(Random* random) {
  OpMaker maker(random);
  Vector<Step> steps;
  for (uint64_t i = random->Below(8); i > 0; --i) {
    Step step;
    if (random->Below(2) == 0) {
      step.change = maker.AnyChange();
    } else {
      step.kind = StepKind::kOwnOps;
      step.realm = "public";
      step.at = 1.76e12;
      step.revision = 1 + random->Below(1000);
      step.ops = maker.AnyUpdate().ops;
      // Whether a value that no longer fits is the expected one cannot be known.
      for (Op& op : step.ops) op.was.clear();
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

TEST_CASE("reads images and records of one schema under another, in either order") {
  size_t lossy = 0;
  size_t whole = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    OpMaker maker(&random);
    const Schema other = AnotherSchema(&random);
    RowMap before;
    Base base(&LogSchema());
    for (uint64_t i = random.Below(12); i > 0; --i) {
      const auto table = static_cast<TableIndex>(random.Below(4));
      const ObjectKey key{table, maker.AnyId(table, false)};
      const Row row = maker.AnyRow(table, random.Below(3) == 0 ? "team-1" : "public");
      before.PutBase(key, row);
      base.PutBase(key, row);
    }
    const std::string image = EncodeImage(base, 7, {});
    bool left_out = false;
    Base loaded(&other);
    const Status status = LoadImage(image, &loaded, &left_out);
    REQUIRE_MESSAGE(status.ok(), status.detail());
    REQUIRE(AllRows(loaded, other) == Expected(before, other));

    const Vector<Step> steps = ChangesAndOps(&random);
    TouchedKeys touched;
    const std::string body = EncodeSteps(LogSchema(), steps);
    const Result<Vector<Step>> decoded = DecodeSteps(other, body, &left_out);
    REQUIRE_MESSAGE(decoded.ok(), decoded.status().detail());
    REQUIRE(ApplySteps(other, decoded.value(), &loaded, &touched).ok());
    REQUIRE(ApplySteps(LogSchema(), steps, &before, &touched).ok());
    REQUIRE(AllRows(loaded, other) == Expected(before, other));
    (left_out ? lossy : whole)++;
  }
  CHECK(lossy > 100);
  CHECK(whole > 20);
}

TEST_CASE("reports nothing as left out when the schema has a place for everything") {
  Random random(SeedText(3));
  OpMaker maker(&random);
  Base base(&LogSchema());
  for (uint32_t i = 0; i < 20; ++i)
    base.PutBase({kCities, TestUuid(i)}, maker.AnyRow(kCities, "A"));
  Data description = DecodeData(LogSchema().description()).value();
  Data::Array tables = description["tables"].items();
  for (Data& table : tables) {
    Data::Array props = table["props"].items();
    props.insert(props.begin(), Added(R"({"name":"added","type":"string","default":"new"})"));
    table.Set("props", Data(std::move(props)));
  }
  const Result<Schema> other = Schema::Parse(description.Set("tables", Data(std::move(tables))));
  REQUIRE(other.ok());
  bool left_out = false;
  Base loaded(&other.value());
  REQUIRE(LoadImage(EncodeImage(base, 7, {}), &loaded, &left_out).ok());
  CHECK_FALSE(left_out);
  CHECK(AllRows(loaded, other.value()).size() == 20);
  // And back: the added props are dropped.
  Base back(&LogSchema());
  REQUIRE(LoadImage(EncodeImage(loaded, 7, {}), &back, &left_out).ok());
  CHECK(left_out);
  CHECK(AllRows(back) == AllRows(base));
}

}  // namespace
}  // namespace skerry::test
