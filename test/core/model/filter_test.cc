// Goal: filters follow docs/design.md, "Filters". Method: each rule by example, filters that are
// rejected, and packed evaluation against decoded evaluation on random rows and filters.
#include "model/filter.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/vector.h"
#include "model/packed_filter.h"
#include "test/core/model/world.h"

namespace skerry {
namespace {

class FilterCase {
 public:
  FilterCase() {
    row_.realm = "public";
    row_.created_at = 10;
    row_.modified_at = 20;
    row_.props.resize(world_.schema().table(kCities).props.size());
    row_.props[0] = Value::String("Stockholm");
    row_.props[3] = Value::Number(59.3);
  }
  // 1 or 0; decoded and packed evaluation must agree. -1: the filter is rejected.
  int operator()(const std::string& text) {
    Result<Filter> filter =
        ParseFilter(world_.schema(), world_.schema().table(kCities), Json(text), true);
    if (!filter.ok()) return -1;
    RowStore& store = world_.store(kCities);
    store.Clear();
    const Slot slot = store.Put("c1", row_);
    QueryEngine engine(&world_.schema(), &world_);
    const bool decoded = Matches(filter.value(), "c1", row_, &engine);
    uint64_t visited = 0;
    CHECK(PackedFilter(&filter.value(), kCities, &world_, &visited).Matches(slot) == decoded);
    return decoded;
  }
  Code Refused(const std::string& text, bool allow_exists = true) {
    return ParseFilter(world_.schema(), world_.schema().table(kCities), Json(text), allow_exists)
        .status()
        .code();
  }
  Row row_;
  ModelWorld world_;
};

TEST_CASE("treats absent as null: only = null and != null are true for it") {
  FilterCase matches;
  CHECK(matches(R"(["=","population",null])") == 1);
  CHECK(matches(R"(["!=","population",null])") == 0);
  CHECK(matches(R"(["=","lat",null])") == 0);
  CHECK(matches(R"(["!=","lat",null])") == 1);
  for (const char* op : {"=", "!=", "<", "<=", ">", ">="}) {
    CHECK(matches(std::string("[\"") + op + R"(","population",5])") == 0);
    CHECK(matches(std::string("[\"not\",[\"") + op + R"(","population",5]])") == 1);
  }
  for (const char* op : {"<", "<=", ">", ">="}) {
    CHECK(matches(std::string("[\"") + op + R"(","lat",null])") == 0);
    CHECK(matches(std::string("[\"") + op + R"(","population",null])") == 0);
  }
  CHECK(matches(R"(["in","population",[null,5]])") == 0);
  CHECK(matches(R"(["in","lat",[null,59.3]])") == 1);
  CHECK(matches(R"(["like","country","%"])") == 0);
  CHECK(matches(R"(["=","extra",null])") == 1);
}

TEST_CASE("compares numbers, UTF-8 bytes and system columns") {
  FilterCase matches;
  matches.row_.props[2] = Value::Number(10);
  CHECK(matches(R"(["<","population",9])") == 0);
  CHECK(matches(R"([">","population",9])") == 1);
  CHECK(matches(R"(["<","name","Å"])") == 1);
  CHECK(matches(R"([">","name","STOCKHOLM"])") == 1);
  CHECK(matches(R"(["=","id","c1"])") == 1);
  CHECK(matches(R"(["in","id",["c0","c1"]])") == 1);
  CHECK(matches(R"(["=","realm","public"])") == 1);
  CHECK(matches(R"([">","modifiedAt",{"$type":"date","v":19}])") == 1);
  CHECK(matches(R"(["<=","createdAt",9])") == 0);
  matches.row_.props[4] = Value::Bool(false);
  CHECK(matches(R"(["<","capital",true])") == 1);
  CHECK(matches(R"(["=","capital",true])") == 0);
}

TEST_CASE("evaluates and, or, not and true, also empty") {
  FilterCase matches;
  CHECK(matches(R"(["true"])") == 1);
  CHECK(matches(R"(["and"])") == 1);
  CHECK(matches(R"(["or"])") == 0);
  CHECK(matches(R"(["and",["true"],["=","name","x"]])") == 0);
  CHECK(matches(R"(["or",["=","name","x"],["true"]])") == 1);
  CHECK(matches(R"(["not",["or"]])") == 1);
}

TEST_CASE("rejects a wrong filter with a code") {
  FilterCase matches;
  CHECK(matches.Refused(R"(["=","nothing",1])") == Code::kUnknownProp);
  CHECK(matches.Refused(R"(["=","name",1])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["=","population","1"])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["in","population",[1,"x"]])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["=","size","xl"])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["=","extra",1])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["like","population","1%"])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["like","name","a\\"])") == Code::kInvalidArgument);
  CHECK(matches.Refused(R"(["=","name","a\u0000"])") == Code::kWrongType);
  CHECK(matches.Refused(R"(["~","name","a"])") == Code::kInvalidArgument);
  CHECK(matches.Refused(R"(["=","name"])") == Code::kInvalidArgument);
  CHECK(matches.Refused(R"(["not"])") == Code::kInvalidArgument);
  CHECK(matches.Refused(R"({"=":1})") == Code::kInvalidArgument);
  CHECK(matches.Refused("[]") == Code::kInvalidArgument);
  CHECK(matches.Refused(R"(["in","id",{"table":"x","select":"y"}])") == Code::kUnknownTable);
  CHECK(matches.Refused(R"(["in","id",{"table":"visits","select":"y"}])") == Code::kUnknownProp);
  CHECK(matches.Refused(R"(["in","id",{"table":"visits","select":"stars"}])") == Code::kWrongType);
  CHECK(matches.Refused(
            R"(["in","id",{"table":"visits","select":"city","where":["exists","visits"]}])") ==
        Code::kInvalidArgument);
  CHECK(matches.Refused(R"(["exists","visits",["true"]])") == Code::kOk);
  CHECK(matches.Refused(R"(["exists","visits",["true"]])", false) == Code::kInvalidArgument);
  CHECK(matches.Refused(R"(["exists","visits",["true"],"person"])") == Code::kInvalidArgument);
}

TEST_CASE("accepts filters eight levels deep, and no deeper") {
  FilterCase matches;
  std::string text = R"(["true"])";
  for (int depth = 2; depth <= 8; ++depth) text = "[\"not\"," + text + "]";
  CHECK(matches.Refused(text) == Code::kOk);
  CHECK(matches.Refused("[\"not\"," + text + "]") == Code::kLimit);
}

TEST_CASE("restricts a sub-select to the outer row's realm") {
  FilterCase matches;
  matches.world_.store(kVisits).Put(Uuid7(kVisits, 1), [] {
    Row visit;
    visit.realm = "team";
    visit.props = {Value::String(Uuid7(kPeople, 1)), Value::String("c1"), Value::Number(5)};
    return visit;
  }());
  const std::string select =
      R"(["in","id",{"table":"visits","select":"city","where":[">","stars",3]}])";
  CHECK(matches(select) == 0);
  matches.row_.realm = "team";
  CHECK(matches(select) == 1);
  CHECK(matches(R"(["in","id",{"table":"visits","select":"city","where":[">","stars",5]}])") == 0);
  CHECK(matches(R"(["exists","visits",[">","stars",3]])") == 1);
  CHECK(matches(R"(["exists","visits",[">","stars",5]])") == 0);
}

TEST_CASE("evaluates random filters packed as decoded, while rows change") {
  ModelWorld world;
  Random random("packed equals decoded");
  QueryEngine engine(&world.schema(), &world);
  uint64_t visited = 0;
  int matched = 0;
  int evaluated = 0;
  for (int round = 0; round < 40; ++round) {
    Vector<Filter> filters;
    Vector<PackedFilter> packed;
    filters.reserve(60);
    for (int i = 0; i < 60; ++i) {
      const TableIndex table = static_cast<TableIndex>(i % 3);
      Result<Filter> filter = ParseFilter(world.schema(), world.schema().table(table),
                                          Json(RandomFilter(&random, table, 1, true)), true);
      REQUIRE(filter.ok());
      filters.push_back(std::move(filter.value()));
      packed.emplace_back(&filters.back(), table, &world, &visited);
    }
    // Rows are added and removed under the same packed filters: codes and keys are used again.
    for (int step = 0; step < 3; ++step) {
      for (int i = 0; i < 120; ++i) {
        const TableIndex table = static_cast<TableIndex>(random.Below(3));
        const std::string id = RandomId(&random, table, 60);
        if (random.Below(2)) {
          world.store(table).Erase(id);
        } else {
          world.store(table).Put(id, RandomRow(&random, table, 60, 40));
        }
      }
      for (size_t i = 0; i < filters.size(); ++i) {
        RowStore& store = world.store(static_cast<TableIndex>(i % 3));
        for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
          if (!store.IsLive(slot)) continue;
          const bool decoded = Matches(filters[i], store.Id(slot), store.Get(slot), &engine);
          REQUIRE(packed[i].Matches(slot) == decoded);
          matched += decoded;
          ++evaluated;
        }
      }
    }
  }
  CHECK(matched > evaluated / 10);
  CHECK(matched < evaluated * 9 / 10);
}

}  // namespace
}  // namespace skerry
