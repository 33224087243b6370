// Goal: a live query in a locale's order equals the query from scratch, and asks the collator
// nothing about rows that did not change. Method: random transactions.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "base/vector.h"
#include "test/core/client/live_world.h"

namespace skerry {
namespace {

TEST_CASE("gives live results in a locale's order equal to their query from scratch") {
  const char* kQueries[] = {
      R"({"table":"cities","order":[["name","asc","fold"]]})",
      R"({"table":"cities","order":[["country","desc","back"]],"limit":5})",
      R"({"table":"cities","where":[">","population",3],"order":[["name","asc","fold"],["country","desc","fold"]],
          "offset":2,"limit":6})",
      R"({"table":"cities","order":[["capital","asc"],["name","desc","fold"]],"limit":10})",
      R"({"table":"cities","order":[["name","asc","fold"]],"after":"c4","limit":9})",
      R"({"table":"people","order":[["name","asc","back"]],"include":[{"name":"visits","kind":"back","table":"visits"}]})",
      R"({"table":"cities","limit":30,"include":[{"name":"people","kind":"back","table":"people",
          "query":{"order":[["name","asc","fold"]],"limit":2}}]})"};
  Random random("live by locale");
  LiveWorld lived;
  for (int i = 0; i < 250; ++i) lived.Change(&random);
  Vector<std::unique_ptr<Observer>> observers;
  for (const char* text : kQueries)
    observers.push_back(std::make_unique<Observer>(&lived.world, &lived.live, text));
  lived.Flush();
  size_t moved = 0;
  for (int step = 0; step < 600; ++step) {
    for (uint64_t n = random.Below(step % 10 == 9 ? 40 : 4) + 1; n > 0; --n) lived.Change(&random);
    if (step % 50 == 20) {
      lived.live.WillReset();
      for (int i = 0; i < 5; ++i) lived.Change(&random);
    }
    const auto deltas = lived.Flush();
    for (const auto& [live, delta] : deltas) moved += delta.moved.size();
    for (const auto& observer : observers) {
      CAPTURE(step);
      // After a reset, a row's includes count as changed.
      if (step % 50 == 20) {
        observer->shown = observer->Look();
        Vector<uint32_t> rows;
        lived.live.Render(observer->id, &rows);
        REQUIRE(rows == NaiveQuery(&lived.world).Run(observer->query));
      } else {
        CheckObserver(&lived, observer.get(), deltas);
      }
    }
  }
  CHECK(moved > 200);
}

TEST_CASE("asks the collator about a row of a live query only when its text has changed") {
  Random random("asked again");
  LiveWorld lived;
  constexpr int kRows = 400;
  for (int i = 0; i < kRows; ++i) {
    Row row = RandomRow(&random, kCities, 60, 40);
    row.props[0] = Value::String(std::to_string(random.Below(1'000'000)));
    lived.Put(kCities, "c" + std::to_string(i), row);
  }
  Observer top(&lived.world, &lived.live,
               R"({"table":"cities","order":[["name","asc","fold"]],"limit":50})");
  Observer all(&lived.world, &lived.live, R"({"table":"cities","order":[["name","desc","fold"]]})");
  lived.Flush();
  const auto put = [&](const std::string& id, size_t prop, Value value) {
    Row row = lived.world.store(kCities).Get(lived.world.store(kCities).Find(id));
    row.props[prop] = std::move(value);
    lived.Put(kCities, id, row);
    const uint64_t before = collator_count.calls;
    const auto deltas = lived.Flush();
    const uint64_t calls = collator_count.calls - before;
    CheckObserver(&lived, &top, deltas);
    CheckObserver(&lived, &all, deltas);
    return calls;
  };
  for (int i = 0; i < 50; ++i) {
    const std::string id = "c" + std::to_string(random.Below(kRows));
    CHECK(put(id, 3, Value::Number(1000 + i)) == 0);
    CHECK(put(id, 0, Value::String(std::to_string(random.Below(1'000'000)))) <= 10);
  }
  // The look-ahead drains: the query that then reads the stores again has the ranks.
  const uint64_t before = collator_count.calls;
  for (int i = 0; i < 200; ++i) {
    Vector<uint32_t> rows;
    lived.live.Render(top.id, &rows);
    lived.Erase(kCities, lived.world.store(kCities).Id(rows[1]));
    const auto deltas = lived.Flush();
    CheckObserver(&lived, &top, deltas);
    CheckObserver(&lived, &all, deltas);
  }
  CHECK(lived.live.requeries() > 0);
  CHECK(collator_count.calls == before);
}

}  // namespace
}  // namespace skerry
