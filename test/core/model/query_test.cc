// Goal: queries equal their definition, their plans visit few rows, and wrong queries are
// rejected. Method: random rows and random queries against NaiveQuery.
#include "model/query.h"

#include <doctest/doctest.h>

#include <string>

#include "base/vector.h"
#include "model/prepared_query.h"
#include "test/core/model/naive_query.h"

namespace skerry {
namespace {

void ChangeRows(ModelWorld* world, Random* random, int steps) {
  for (int i = 0; i < steps; ++i) {
    const TableIndex table = static_cast<TableIndex>(random->Below(3));
    const std::string id = RandomId(random, table, 60);
    if (random->Below(3) == 0) {
      world->store(table).Erase(id);
    } else {
      world->store(table).Put(id, RandomRow(random, table, 60, 40));
    }
  }
}

TEST_CASE("gives for random queries with includes what their definition gives") {
  ModelWorld world;
  Random random("queries");
  QueryEngine engine(&world.schema(), &world);
  const NaiveQuery naive(&world);
  ChangeRows(&world, &random, 300);
  size_t rows = 0;
  for (int i = 0; i < 4000; ++i) {
    if (i % 20 == 0) ChangeRows(&world, &random, 20);
    const std::string text = RandomQuery(&random, static_cast<TableIndex>(random.Below(3)), 0);
    CAPTURE(text);
    Result<Query> query = ParseQuery(world.schema(), Json(text));
    REQUIRE(query.ok());
    Vector<uint32_t> stream;
    engine.Run(query.value(), &stream);
    const Vector<uint32_t> expected = naive.Run(query.value());
    REQUIRE(stream == expected);
    REQUIRE(engine.Count(query.value()) == expected[0]);
    rows += expected[0];
  }
  CHECK(rows > 20000);
}

TEST_CASE("gives totals over the rows of the query") {
  ModelWorld world;
  Random random("totals");
  QueryEngine engine(&world.schema(), &world);
  const NaiveQuery naive(&world);
  ChangeRows(&world, &random, 300);
  for (int i = 0; i < 500; ++i) {
    const Query query = ParseQuery(world.schema(), Json(RandomQuery(&random, kCities, 2))).value();
    double sum = 0;
    Value least;
    Value most;
    for (const Slot slot : naive.Rows(query, [](Slot) { return true; })) {
      const Value value = world.store(kCities).GetValue(slot, 2);
      if (value.is_null()) continue;
      sum += value.number();
      if (least.is_null() || CompareValues(value, least) < 0) least = value;
      if (most.is_null() || CompareValues(value, most) > 0) most = value;
    }
    REQUIRE(engine.Aggregate(query, AggregateKind::kSum, 2).value() == Value::Number(sum));
    REQUIRE(engine.Aggregate(query, AggregateKind::kMin, 2).value() == least);
    REQUIRE(engine.Aggregate(query, AggregateKind::kMax, 2).value() == most);
  }
  const Query all = ParseQuery(world.schema(), Json(R"({"table":"cities"})")).value();
  CHECK(engine.Aggregate(all, AggregateKind::kSum, 0).status().code() == Code::kWrongType);
  CHECK(engine.Aggregate(all, AggregateKind::kMin, 8).status().code() == Code::kWrongType);
  CHECK(engine.Aggregate(all, AggregateKind::kMin, 99).status().code() == Code::kUnknownProp);
  CHECK(engine.Aggregate(all, AggregateKind::kMin, kIdColumn).ok());
}

TEST_CASE("rejects a wrong query with a code") {
  ModelWorld world;
  const auto refused = [&](const std::string& text) {
    return ParseQuery(world.schema(), Json(text)).status().code();
  };
  CHECK(refused(R"({"table":"towns"})") == Code::kUnknownTable);
  CHECK(refused(R"({"table":"cities","order":[["nothing","asc"]]})") == Code::kUnknownProp);
  CHECK(refused(R"({"table":"cities","order":[["name","up"]]})") == Code::kInvalidArgument);
  CHECK(refused(R"({"table":"cities","order":[["extra","asc"]]})") == Code::kWrongType);
  CHECK(refused(R"({"table":"cities","limit":-1})") == Code::kInvalidArgument);
  CHECK(refused(R"({"table":"cities","limit":1.5})") == Code::kInvalidArgument);
  CHECK(refused(R"({"table":"cities","offset":"1"})") == Code::kInvalidArgument);
  CHECK(refused(R"({"table":"cities","where":["=","nothing",1]})") == Code::kUnknownProp);
  CHECK(refused(R"({"table":"cities","include":[{"kind":"ref","prop":"name"}]})") ==
        Code::kInvalidArgument);
  CHECK(refused(R"({"table":"cities","include":[{"kind":"ref","prop":"nothing"}]})") ==
        Code::kUnknownProp);
  CHECK(refused(R"({"table":"cities","include":[{"kind":"back","table":"x"}]})") ==
        Code::kUnknownTable);
  CHECK(
      refused(R"({"table":"cities","include":[{"kind":"back","table":"people","prop":"name"}]})") ==
      Code::kInvalidArgument);
  CHECK(refused(R"({"table":"cities","include":[{"kind":"sideways","prop":"twin"}]})") ==
        Code::kInvalidArgument);
  std::string deep = R"({"kind":"ref","prop":"twin"})";
  for (int i = 0; i < 8; ++i)
    deep = R"({"kind":"ref","prop":"twin","query":{"include":[)" + deep + "]}}";
  CHECK(refused(R"({"table":"cities","include":[)" + deep + "]}") == Code::kLimit);
}

// 20,000 cities in 200 countries of very different sizes.
void FillCities(ModelWorld* world, Random* random) {
  for (uint64_t i = 0; i < 20'000; ++i) {
    Row row = RandomRow(random, kCities, 100, 100);
    const double u = random->Unit();
    row.props[1] = Value::String("C" + std::to_string(static_cast<int>(u * u * u * 200)));
    row.props[2] = Value::Number(static_cast<double>(random->Below(10'000'000)));
    world->store(kCities).Put("c" + std::to_string(i), row);
  }
}

void BuildIndexes(ModelWorld* world) {
  for (PropIndex column = 0; column < world->schema().table(kCities).props.size(); ++column)
    if (world->store(kCities).IsIndexedBySchema(column)) world->store(kCities).GetIndex(column);
}

TEST_CASE("answers the first queries over many rows without a missing index") {
  ModelWorld world;
  Random random("first queries");
  FillCities(&world, &random);
  QueryEngine engine(&world.schema(), &world);
  const NaiveQuery naive(&world);
  const Query query =
      ParseQuery(
          world.schema(),
          Json(
              R"({"table":"cities","where":["=","country","C150"],"order":[["population","desc"]],"limit":5})"))
          .value();
  const size_t without = world.store(kCities).MemoryBytes();
  for (int i = 0; i < 8; ++i) {
    const uint64_t before = engine.rows_visited();
    Vector<uint32_t> stream;
    engine.Run(query, &stream);
    CHECK(stream == naive.Run(query));
    const uint64_t visited = engine.rows_visited() - before;
    if (i == 0) CHECK(world.store(kCities).MemoryBytes() == without);
    if (i == 0) CHECK(visited == 20'000);
    if (i == 7) CHECK(visited < 500);
  }
}

TEST_CASE("visits few rows by its plans") {
  ModelWorld world;
  Random random("plans");
  FillCities(&world, &random);
  BuildIndexes(&world);
  QueryEngine engine(&world.schema(), &world);
  const auto visits = [&](const char* text) {
    const Query query = ParseQuery(world.schema(), Json(text)).value();
    const uint64_t before = engine.rows_visited();
    Vector<uint32_t> stream;
    engine.Run(query, &stream);
    return engine.rows_visited() - before;
  };
  const char* count = R"({"table":"cities","where":["=","country","C0"]})";
  const size_t of_largest = engine.Count(ParseQuery(world.schema(), Json(count)).value());
  CHECK(engine.rows_visited() == 0);  // an equality on an index is counted by ranks
  REQUIRE(of_largest > 2000);
  CHECK(visits(R"({"table":"cities","where":["=","id","c77"]})") == 1);
  CHECK(visits(R"({"table":"cities","where":["in","id",["c77","c78","none"]]})") == 2);
  CHECK(visits(R"({"table":"cities","order":[["population","desc"]],"limit":50})") == 50);
  CHECK(visits(R"({"table":"cities","order":[["population","asc"]],"limit":50,"after":"c9"})") ==
        50);
  CHECK(visits(R"({"table":"cities","order":[["population","desc"]],"limit":50,"after":"c9"})") ==
        50);
  CHECK(
      visits(
          R"({"table":"cities","where":[">","population",9999000],"order":[["population","asc"]]})") <
      20);
  // A large country: walks along the order until enough rows are found. A small one: sorts its
  // rows.
  CHECK(
      visits(
          R"({"table":"cities","where":["=","country","C0"],"order":[["population","desc"]],"limit":50})") <
      700);
  CHECK(
      visits(
          R"({"table":"cities","where":["=","country","C199"],"order":[["population","desc"]],"limit":50})") <
      200);
  CHECK(
      visits(
          R"({"table":"cities","where":["and",["=","country","C0"],[">","population",9990000]]})") <
      100);
}

TEST_CASE("gives up a walk along the order when the matching rows are at its far end") {
  ModelWorld world;
  Random random("far end");
  FillCities(&world, &random);
  // All of one large country at the very end of the order.
  for (uint64_t i = 0; i < 3000; ++i) {
    Row row = RandomRow(&random, kCities, 100, 100);
    row.props[1] = Value::String("far");
    row.props[2] = Value::Number(-1.0 - static_cast<double>(i));
    world.store(kCities).Put("far" + std::to_string(i), row);
  }
  BuildIndexes(&world);
  QueryEngine engine(&world.schema(), &world);
  const NaiveQuery naive(&world);
  const Query query =
      ParseQuery(
          world.schema(),
          Json(
              R"({"table":"cities","where":["=","country","far"],"order":[["population","desc"]],"limit":20})"))
          .value();
  Vector<uint32_t> stream;
  engine.Run(query, &stream);
  CHECK(stream == naive.Run(query));
  CHECK(engine.rows_visited() <= 6001);
}

TEST_CASE("starts from few inner rows for exists and sub-selects") {
  ModelWorld world;
  Random random("inner first");
  FillCities(&world, &random);
  for (uint64_t i = 0; i < 500; ++i) {
    Row visit = RandomRow(&random, kVisits, 100, 40);
    visit.props[1] = Value::String("c" + std::to_string(i * 3));
    visit.props[2] = Value::Number(static_cast<double>(i % 100));
    world.store(kVisits).Put(Uuid7(kVisits, i), visit);
  }
  QueryEngine engine(&world.schema(), &world);
  for (const char* where :
       {R"(["exists","visits",["=","stars",99]])",
        R"(["in","id",{"table":"visits","select":"city","where":["=","stars",99]}])"}) {
    const Query query =
        ParseQuery(world.schema(), Json(std::string(R"({"table":"cities","where":)") + where + "}"))
            .value();
    const uint64_t before = engine.rows_visited();
    Vector<Slot> slots;
    engine.RunSlots(query, &slots);
    CHECK(slots.size() <= 5);
    CHECK(slots.size() >= 1);
    CHECK(engine.rows_visited() - before < 50);
  }
}

}  // namespace
}  // namespace skerry
