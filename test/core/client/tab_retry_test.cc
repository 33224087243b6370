// Goal: a retry makes a mutation of the inbox again as its code asks: under which id, with which others, or not
// at all. Method: scripted windows (tab_fixture.h).
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

TEST_CASE("retries with a mutation what is in the inbox because of it, in their order") {
  Pair world;
  const std::string first = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  const std::string second = world.A().Do(kInc, kGroupTable, "g", One("count", 2));
  const std::string third = world.A().Do(kInc, kGroupTable, "g", One("count", 4));
  world.A().Do(kInc, kGroupTable, "g", One("count", 8));
  world.A().Settle();
  world.A().Hear(
      Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1, 2, 3, 4}, {})}});
  world.A().Settle();
  auto& inbox = world.storage.conflicts;
  REQUIRE_EQ(inbox.size(), 4);
  auto entry = inbox.begin();
  const uint64_t target = (entry++)->first;
  (entry++)->second.Set("dependsOn", first);
  (entry++)->second.Set("dependsOn", second);
  world.A().Event(Data::Object{{"type", "resolve"}, {"id", target}, {"how", "retry"}});
  world.A().Settle();
  CHECK_EQ(inbox.size(), 1);
  CHECK_EQ(Count(world.A()), 7);
  Vector<std::string> again;
  for (const auto& [key, record] : world.storage.mutations)
    again.push_back(record["id"].as_string());
  CHECK(again == Vector<std::string>{first, second, third});
}

TEST_CASE("retries what was applied in vain under a new action id") {
  for (const char* code : {"parent_deleted", "row_deleted"}) {
    CAPTURE(code);
    Pair world;
    const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
    world.A().Settle();
    world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
    world.A().Settle();
    REQUIRE_EQ(world.storage.conflicts.size(), 1);
    const uint64_t entry = world.storage.conflicts.begin()->first;
    world.storage.conflicts.begin()->second.Set("code", code);
    world.A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}});
    world.A().Settle();
    CHECK(world.storage.conflicts.empty());
    REQUIRE_EQ(world.storage.mutations.size(), 1);
    const std::string& again = world.storage.mutations.begin()->second["id"].as_string();
    CHECK_FALSE(again.empty());
    CHECK_NE(again, id);
    CHECK_EQ(Count(world.A()), 1);
  }
}

TEST_CASE("makes again by itself, once, what a rule failed over under an earlier release") {
  struct Case {
    uint64_t refused_under;  // 0: it does not say
    uint64_t opened_under;
    bool is_made_again;
  };
  const Case cases[] = {{1, 1, false}, {1, 2, true}, {2, 1, false}, {0, 2, false}};
  for (const Case& one : cases) {
    CAPTURE(one.refused_under);
    CAPTURE(one.opened_under);
    Pair world;
    const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
    world.A().Settle();
    world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
    world.A().Settle();
    REQUIRE_EQ(world.storage.conflicts.size(), 1);
    Data& entry = world.storage.conflicts.begin()->second;
    entry.Set("code", "internal");
    if (one.refused_under > 0) entry.Set("schema", one.refused_under);
    Data schema = SchemaData();
    world.A().Reopen(schema.Set("version", one.opened_under));
    world.A().Settle();
    CHECK_EQ(world.storage.conflicts.empty(), one.is_made_again);
    REQUIRE_EQ(world.storage.mutations.size(), one.is_made_again ? 1 : 0);
    if (one.is_made_again) CHECK_EQ(world.storage.mutations.begin()->second["id"].as_string(), id);
  }
}

TEST_CASE("retries nothing into a unique value that is still taken") {
  Pair world;
  world.A().Do(kCreate, kHandleTable, "mine", One("tag", "x"));
  world.A().Settle();
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
  world.A().Settle();
  REQUIRE_EQ(world.storage.conflicts.size(), 1);
  const uint64_t entry = world.storage.conflicts.begin()->first;
  world.A().Do(kCreate, kHandleTable, "theirs", One("tag", "x"));
  world.A().Settle();
  const auto retry = [&] {
    world.A().notes.clear();
    world.A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}});
    world.A().Settle();
    for (const Data& note : world.A().notes) {
      if (note["type"].Is("resolved")) return note["error"]["code"].as_string();
    }
    return std::string("no answer");
  };
  CHECK_EQ(retry(), "unique");
  CHECK_EQ(world.storage.conflicts.size(), 1);
  world.A().Do(kUpdate, kHandleTable, "theirs", One("tag", nullptr));
  CHECK_EQ(retry(), "");
  CHECK(world.storage.conflicts.empty());
  CHECK_EQ(world.A().See(kHandleTable, "mine")->props[0].text(), "x");
}

TEST_CASE("retries under its id and time what may have been applied, on a new base") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
  world.A().Settle();
  const uint64_t entry = world.storage.conflicts.begin()->first;
  Data& record = world.storage.conflicts.begin()->second;
  const double before = record["mutation"]["at"].as_number();
  record.Set("code", "outcome_unknown");
  world.A().Event(
      Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}, {"now", before + 5000}});
  world.A().Settle();
  REQUIRE_EQ(world.storage.mutations.size(), 1);
  const Data& again = world.storage.mutations.begin()->second;
  CHECK_EQ(again["id"].as_string(), id);
  CHECK_EQ(again["at"].as_number(), before);
  CHECK_EQ(Count(world.A()), 1);
}

}  // namespace skerry::client_test
