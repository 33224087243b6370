// Goal: a live query stays right when its result outgrows what it holds. Method: a small limit
// over sixty rows, and includes two levels deep where more rows refer to one target than are
// shown.
#include <doctest/doctest.h>

#include <string>

#include "client/live_query.h"
#include "test/core/client/live_world.h"

namespace skerry {
namespace {

Row City(Random* random, double population) {
  Row row = RandomRow(random, kCities, 4, 4);
  row.props[2] = Value::Number(population);
  return row;
}

TEST_CASE("fills a live list up to its limit, however far it grew and shrank") {
  Random random("grown");
  for (const char* order : {"asc", "desc"}) {
    LiveWorld lived;
    for (int i = 0; i < 10; ++i) lived.Put(kCities, "c" + std::to_string(i), City(&random, i));
    Observer three(
        &lived.world, &lived.live,
        std::string(R"({"table":"cities","limit":3,"order":[["population",")") + order + R"("]]})");
    Observer later(
        &lived.world, &lived.live,
        std::string(R"({"table":"cities","limit":2,"offset":2,"order":[["population",")") + order +
            R"("]]})");
    const auto check = [&] {
      const auto deltas = lived.Flush();
      CheckObserver(&lived, &three, deltas);
      CheckObserver(&lived, &later, deltas);
    };
    for (int i = 10; i < 60; ++i) {
      lived.Put(kCities, "c" + std::to_string(i), City(&random, i));
      check();
    }
    // Erases from the front of the list, so that the look-ahead is used up repeatedly.
    const bool ascending = std::string(order) == "asc";
    for (int i = 0; i < 60; ++i) {
      lived.Erase(kCities, "c" + std::to_string(ascending ? i : 59 - i));
      check();
    }
    CHECK(three.shown.empty());
  }
}

TEST_CASE("reports a changed row two includes down when more rows name it than are shown") {
  Random random("named by many");
  LiveWorld lived;
  for (int i = 0; i < 60; ++i) lived.Put(kCities, "c" + std::to_string(i), City(&random, i));
  const std::string anna = Uuid7(kPeople, 1);
  const std::string bert = Uuid7(kPeople, 2);
  for (const std::string& id : {anna, bert})
    lived.Put(kPeople, id, RandomRow(&random, kPeople, 4, 4));
  // A hundred visits of one person, all but the last few to a city that is not shown.
  for (uint64_t i = 0; i < 100; ++i) {
    Row visit = RandomRow(&random, kVisits, 4, 4);
    visit.props[0] = Value::String(i == 97 ? bert : anna);
    visit.props[1] = Value::String(i < 94 ? "c59" : "c" + std::to_string(i % 2));
    lived.Put(kVisits, Uuid7(kVisits, i), visit);
  }
  Observer two(&lived.world, &lived.live,
               R"({"table":"cities","limit":2,"order":[["population","asc"]],
        "include":[{"name":"visits","kind":"back","table":"visits","prop":"city","query":{
          "include":[{"name":"person","kind":"ref","prop":"person","query":null}]}}]})");
  lived.Flush();
  for (const std::string& id : {anna, bert, anna}) {
    Row row = lived.world.store(kPeople).Get(lived.world.store(kPeople).Find(id));
    row.props[0] = Value::String(row.props[0].text() + "!");
    lived.Put(kPeople, id, row);
    CheckObserver(&lived, &two, lived.Flush());
  }
}

TEST_CASE("moves an include with `after` when its first row moves, for every parent") {
  Random random("behind");
  LiveWorld lived;
  for (int i = 0; i < 3; ++i) lived.Put(kCities, "c" + std::to_string(i), City(&random, i));
  lived.Put(kPeople, Uuid7(kPeople, 1), RandomRow(&random, kPeople, 3, 2));
  const auto visit = [&](uint64_t i, double stars) {
    Row row = RandomRow(&random, kVisits, 3, 2);
    row.props[0] = Value::String(Uuid7(kPeople, 1));
    row.props[1] = Value::String("c" + std::to_string(i % 3));
    row.props[2] = Value::Number(stars);
    lived.Put(kVisits, Uuid7(kVisits, i), row);
  };
  for (uint64_t i = 0; i < 12; ++i) visit(i, static_cast<double>(i));
  const std::string description =
      R"({"table":"cities","include":[{"name":"visits","kind":"back","table":"visits","prop":"city",
      "query":{"order":[["stars","asc"]],"after":")" +
      Uuid7(kVisits, 6) + R"("}}]})";
  Observer behind(&lived.world, &lived.live, description);
  lived.Flush();
  // Visit 6 belongs to one city, and the lists of all three start after it.
  for (const double stars : {1.5, 9.5, 6.0}) {
    visit(6, stars);
    CheckObserver(&lived, &behind, lived.Flush());
  }
}

}  // namespace
}  // namespace skerry
