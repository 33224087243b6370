// Goal: each live result is what its definition gives, each delta is the exact difference, and a
// change outside of filter and result visits no other row. Method: thousands of random
// transactions; after each, every live query is compared with the query from scratch.
#include "client/live_query.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "base/vector.h"
#include "test/core/client/live_world.h"
#include "test/core/rounds.h"

namespace skerry {
namespace {

using Ids = Vector<std::string>;

TEST_CASE("keeps live results and deltas equal to queries from scratch") {
  Random random("live equals scratch");
  const uint64_t rounds = test::Rounds(16, 4);
  uint64_t notified = 0;
  uint64_t silent = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    LiveWorld lived;
    if (round % 2 == 1) {
      lived.cities = 6;
      lived.people = 3;
    }
    for (int i = 0; i < 200; ++i) lived.Change(&random);
    Vector<std::pair<std::string, std::unique_ptr<Observer>>> observers;
    for (int i = 0; i < 10; ++i) {
      const auto table = static_cast<TableIndex>(random.Below(3));
      const int depth = round % 2 == 1 && i < 5 ? -1 : 0;
      const std::string text = RandomQuery(&random, table, depth, lived.world.store(table).size());
      observers.emplace_back(text, std::make_unique<Observer>(&lived.world, &lived.live, text));
    }
    lived.Flush();
    for (int step = 0; step < 60; ++step) {
      // The tables grow, stay, and shrink, repeatedly.
      if (step % 20 == 0) lived.erased = Vector<uint64_t>{4, 20, 50}[random.Below(3)];
      for (uint64_t n = random.Below(step % 10 == 9 ? 40 : 4) + 1; n > 0; --n)
        lived.Change(&random);
      const auto deltas = lived.Flush();
      notified += deltas.size();
      silent += observers.size() - deltas.size();
      for (auto& [text, observer] : observers) {
        CAPTURE(text);
        CheckObserver(&lived, observer.get(), deltas);
      }
    }
    for (auto& [text, observer] : observers) lived.live.Close(observer->id);
    CHECK(lived.live.size() == 0);
    CHECK_FALSE(lived.live.Reads(kCities));
  }
  CHECK(notified > 90 * rounds);
  CHECK(silent > 90 * rounds);
}

TEST_CASE("reports no change that its transaction takes back, and no mere revision") {
  Random random("net nothing");
  LiveWorld lived;
  for (int i = 0; i < 200; ++i) lived.Change(&random);
  const Row row = RandomRow(&random, kCities, 60, 40);
  lived.Put(kCities, "c1000", row);
  lived.Flush();
  Observer observer(&lived.world, &lived.live, R"({"table":"cities"})");
  Row other = row;
  other.props[0] = Value::String("a server's value that a newer local change overlaps");
  lived.Put(kCities, "c1000", other);
  lived.Put(kCities, "c1000", row);
  lived.Put(kCities, "c1001", row);
  lived.Erase(kCities, "c1001");
  CHECK(lived.Flush().empty());
  other = row;
  other.revision += 7;
  lived.Put(kCities, "c1000", other);
  CHECK(lived.Flush().empty());
}

// 10,000 cities of two countries.
void FillCities(LiveWorld* lived, Random* random) {
  for (uint64_t i = 0; i < 10'000; ++i) {
    Row row = RandomRow(random, kCities, 100, 100);
    row.props[1] = Value::String(i % 2 ? "SE" : "NO");
    row.props[2] = Value::Number(static_cast<double>(random->Below(10'000'000)) + 1000);
    lived->Put(kCities, "c" + std::to_string(i), row);
  }
}

TEST_CASE("visits no other row for a change outside of a live query's filter and result") {
  Random random("outside");
  LiveWorld lived;
  FillCities(&lived, &random);
  Observer all(&lived.world, &lived.live, R"({"table":"cities","where":["=","country","SE"]})");
  Observer top(
      &lived.world, &lived.live,
      R"({"table":"cities","where":["=","country","SE"],"order":[["population","desc"]],"limit":50})");
  Observer exists(&lived.world, &lived.live,
                  R"({"table":"cities","where":["exists","visits",[">","stars",3]]})");
  Observer includes(&lived.world, &lived.live,
                    R"({"table":"cities","order":[["population","desc"]],"limit":20,
                        "include":[{"name":"visits","kind":"back","table":"visits","prop":"city","query":{"where":[">","stars",3]}}]})");
  lived.Flush();
  const uint64_t before = lived.live.rows_visited();
  for (int i = 0; i < 500; ++i) {
    // Norwegian cities are added, removed and changed, and so are visits with few stars.
    Row row = RandomRow(&random, kCities, 100, 100);
    row.props[1] = Value::String("NO");
    row.props[2] = Value::Number(static_cast<double>(i % 100));
    lived.Put(kCities, "n" + std::to_string(random.Below(100)), row);
    lived.Erase(kCities, "n" + std::to_string(random.Below(100)));
    Row visit = RandomRow(&random, kVisits, 100, 40);
    visit.props[2] = Value::Number(1);
    lived.Put(kVisits, Uuid7(kVisits, random.Below(100)), visit);
    CHECK(lived.Flush().empty());
  }
  // The two queries without a country compare each added row with their last row, once.
  CHECK(lived.live.rows_visited() - before <= uint64_t{500} * 4);
  lived.live.Close(includes.id);
  lived.live.Close(exists.id);
  const uint64_t strict = lived.live.rows_visited();
  for (int i = 0; i < 500; ++i) {
    Row row = RandomRow(&random, kCities, 100, 100);
    row.props[1] = Value::String("NO");
    lived.Put(kCities, "n" + std::to_string(random.Below(100)), row);
    CHECK(lived.Flush().empty());
  }
  CHECK(lived.live.rows_visited() == strict);
  CHECK(lived.live.requeries() == 0);
}

TEST_CASE("visits a few rows, not all, for a change inside of a result") {
  Random random("inside");
  LiveWorld lived;
  FillCities(&lived, &random);
  Observer all(
      &lived.world, &lived.live,
      R"({"table":"cities","where":["=","country","SE"],"order":[["population","desc"]]})");
  lived.Flush();
  const uint64_t before = lived.live.rows_visited();
  for (int i = 0; i < 100; ++i) {
    const std::string id = "c" + std::to_string(random.Below(5000) * 2 + 1);
    Row row = lived.world.store(kCities).Get(lived.world.store(kCities).Find(id));
    row.props[2] = Value::Number(static_cast<double>(random.Below(10'000'000)));
    lived.Put(kCities, id, row);
    const auto deltas = lived.Flush();
    REQUIRE(deltas.size() == 1);
    CHECK(deltas.begin()->second.changed == Ids{id});
  }
  CHECK(lived.live.rows_visited() - before < uint64_t{100} * 40);
  CHECK(lived.live.requeries() == 0);
}

TEST_CASE("fills a window from its look-ahead, and queries again only when that is empty") {
  Random random("look-ahead");
  LiveWorld lived;
  FillCities(&lived, &random);
  Observer top(&lived.world, &lived.live,
               R"({"table":"cities","order":[["population","desc"]],"limit":10})");
  lived.Flush();
  for (int i = 0; i < 48; ++i) {
    Vector<uint32_t> rows;
    lived.live.Render(top.id, &rows);
    lived.Erase(kCities, lived.world.store(kCities).Id(rows[1]));
    const auto deltas = lived.Flush();
    REQUIRE(deltas.size() == 1);
    CHECK(deltas.begin()->second.added.size() == 1);
    CHECK(deltas.begin()->second.removed.size() == 1);
    rows.clear();
    lived.live.Render(top.id, &rows);
    if (i % 8 == 7) CHECK(rows == NaiveQuery(&lived.world).Run(top.query));
  }
  CHECK(lived.live.requeries() >= 1);
  CHECK(lived.live.requeries() <= 48 / 16);
}

TEST_CASE("keeps windows right at the far end of their look-ahead") {
  Random random("far end of a window");
  LiveWorld lived;
  const auto change = [&](uint64_t n) {
    const std::string id = CityId(n);
    if (random.Below(3) == 0) {
      lived.Erase(kCities, id);
      return;
    }
    Row row = RandomRow(&random, kCities, 60, 40);
    row.props[2] = Value::Number(static_cast<double>(random.Below(200)));
    lived.Put(kCities, id, row);
  };
  for (uint64_t n = 0; n < 300; ++n) change(n);
  lived.Flush();
  Vector<std::unique_ptr<Observer>> observers;
  for (const char* text :
       {R"({"table":"cities","order":[["population","asc"]],"limit":3})",
        R"({"table":"cities","order":[["population","desc"],["name","asc"]],"limit":5,"offset":2})",
        R"({"table":"cities","where":["!=","country",null],"limit":4})"}) {
    observers.push_back(std::make_unique<Observer>(&lived.world, &lived.live, text));
  }
  for (int step = 0; step < 400; ++step) {
    Vector<uint32_t> shown;
    lived.live.Render(observers[static_cast<size_t>(step) % 3]->id, &shown);
    // Rows at the beginning are removed, so that look-aheads drain; rows far after them change
    // places.
    if (shown[0] > 0 && step % 2) {
      const std::string first = lived.world.store(kCities).Id(shown[1]);
      lived.Erase(kCities, first);
    }
    for (int i = 0; i < 3; ++i) change(random.Below(300));
    lived.Flush();
    for (const auto& observer : observers) {
      Vector<uint32_t> rows;
      lived.live.Render(observer->id, &rows);
      REQUIRE(rows == NaiveQuery(&lived.world).Run(observer->query));
    }
  }
  CHECK(lived.live.requeries() > 0);
}

TEST_CASE("updates exists and includes when rows of other tables change") {
  Random random("concern");
  LiveWorld lived;
  FillCities(&lived, &random);
  for (const char* id : {"c1", "c2", "c3"}) {
    Row city = RandomRow(&random, kCities, 100, 40);
    city.realm = "public";
    lived.Erase(kCities, id);
    lived.Put(kCities, id, city);
  }
  Observer exists(&lived.world, &lived.live,
                  R"({"table":"cities","where":["exists","visits",[">","stars",3]]})");
  Observer includes(
      &lived.world, &lived.live,
      R"({"table":"cities","where":["in","id",["c1","c2"]],"include":[{"name":"visits","kind":"back","table":"visits","prop":"city"}]})");
  lived.Flush();
  Row visit = RandomRow(&random, kVisits, 100, 40);
  visit.realm = "public";
  visit.props[1] = Value::String("c1");
  visit.props[2] = Value::Number(5);
  const uint64_t before = lived.live.rows_visited();
  lived.Put(kVisits, Uuid7(kVisits, 1), visit);
  auto deltas = lived.Flush();
  CHECK(deltas.at(exists.id).added == Ids{"c1"});
  CHECK(deltas.at(includes.id).changed == Ids{"c1"});
  CHECK(deltas.at(includes.id).added.empty());
  visit.props[1] = Value::String("c2");
  lived.Put(kVisits, Uuid7(kVisits, 1), visit);
  deltas = lived.Flush();
  CHECK(deltas.at(exists.id).added == Ids{"c2"});
  CHECK(deltas.at(exists.id).removed == Ids{"c1"});
  CHECK(deltas.at(includes.id).changed == Ids{"c1", "c2"});
  visit.props[1] = Value::String("c3");
  visit.props[2] = Value::Number(0);
  lived.Put(kVisits, Uuid7(kVisits, 1), visit);
  deltas = lived.Flush();
  CHECK(deltas.at(exists.id).removed == Ids{"c2"});
  CHECK(deltas.at(includes.id).changed == Ids{"c2"});
  CHECK(lived.live.rows_visited() - before < 40);
}

TEST_CASE("gives the net difference when stores are replaced as a whole") {
  Random random("reset");
  LiveWorld lived;
  for (int i = 0; i < 200; ++i) lived.Change(&random);
  lived.Flush();
  Vector<std::unique_ptr<Observer>> observers;
  for (int i = 0; i < 12; ++i) {
    observers.push_back(std::make_unique<Observer>(
        &lived.world, &lived.live,
        RandomQuery(&random, static_cast<TableIndex>(random.Below(3)), 2)));
  }
  for (int step = 0; step < 60; ++step) {
    for (uint64_t n = random.Below(4); n > 0; --n)
      lived.Change(&random);  // before it, in the same transaction
    lived.live.WillReset();
    for (TableIndex table = 0; table < 3; ++table) {
      RowStore& store = lived.world.store(table);
      std::string bytes;
      store.Save(&bytes);
      store.Clear();
      const SharedBytes image(bytes);
      REQUIRE(store.Load(image.view(), image).ok());
    }
    lived.live.WillReset();
    for (uint64_t n = random.Below(4); n > 0; --n) lived.Change(&random);
    const auto deltas = lived.Flush();
    for (auto& observer : observers) {
      Vector<uint32_t> rows;
      lived.live.Render(observer->id, &rows);
      REQUIRE(rows == NaiveQuery(&lived.world).Run(observer->query));
      // Slots may differ; ids and contents count.
      Vector<Shown> before = observer->shown;
      Vector<Shown> after = observer->Look();
      for (auto* shown : {&before, &after}) {
        for (Shown& row : *shown) row.content = row.content.substr(row.content.find(':'));
      }
      observer->shown = observer->Look();
      const LiveDelta expected = Difference(before, after);
      const auto found = deltas.find(observer->id);
      if (found == deltas.end()) {
        REQUIRE((expected.added.empty() && expected.removed.empty() && expected.changed.empty()));
        continue;
      }
      REQUIRE(found->second.added == expected.added);
      REQUIRE(found->second.removed == expected.removed);
      REQUIRE(found->second.changed == expected.changed);
      REQUIRE(found->second.rows == rows);
    }
  }
}

TEST_CASE("reports only later changes to a live query opened during a transaction") {
  Random random("in the middle");
  LiveWorld lived;
  FillCities(&lived, &random);
  Observer first(&lived.world, &lived.live, R"({"table":"cities","where":["=","country","SE"]})");
  lived.Flush();
  const Row row = lived.world.store(kCities).Get(lived.world.store(kCities).Find("c1"));
  lived.Put(kCities, "x1", row);
  Observer second(&lived.world, &lived.live, R"({"table":"cities","where":["=","country","SE"]})");
  lived.Put(kCities, "x2", row);
  lived.Erase(kCities, "c1");
  const auto deltas = lived.Flush();
  CHECK(deltas.at(first.id).added == Ids{"x1", "x2"});
  CHECK(deltas.at(second.id).added == Ids{"x2"});
  CHECK(deltas.at(second.id).removed == Ids{"c1"});
}

}  // namespace
}  // namespace skerry
