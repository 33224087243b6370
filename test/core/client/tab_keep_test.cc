// Goal: changes that an application makes in its page's last moments are stored before the page is
// frozen, and only once. Method: scripted windows (tab_fixture.h).
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

TEST_CASE("stores changes at once while a page freezes, and notifies the other windows") {
  Pair world;
  std::string id;
  SUBCASE("changed in the handlers of its last events") {
    world.B().Event(Data::Object{{"type", "freeze"}});
    id = world.B().Do(kInc, kGroupTable, "g", One("count", 10));
    world.B().Do(kInc, kGroupTable, "g", One("count", 20));
  }
  SUBCASE("changed before them, with no commit begun") {
    id = world.B().Do(kInc, kGroupTable, "g", One("count", 10));
    world.B().Do(kInc, kGroupTable, "g", One("count", 20));
    world.B().Event(Data::Object{{"type", "freeze"}});
  }
  SUBCASE("changed before them, behind a commit with an unknown outcome") {
    id = world.B().Do(kInc, kGroupTable, "g", One("count", 10));
    world.B().Run();
    world.B().Do(kInc, kGroupTable, "g", One("count", 20));
    world.B().Event(Data::Object{{"type", "freeze"}});
  }
  CHECK_EQ(world.storage.mutations.size(), 2);
  world.B().FailAll();
  CHECK(world.B().sent.empty());
  world.B().Event(Data::Object{{"type", "still"}});
  // The other windows are notified only after it is stored: an engine drops a page from bfcache
  // if they wait for it.
  REQUIRE_EQ(world.B().sent.size(), 1);
  world.A().Hear(Message(world.B(), "kept"));
  CHECK_FALSE(world.A().CanRun());
  world.A().posted.clear();
  Fire(world.A(), "kept");
  world.A().Settle();
  CHECK_EQ(Count(world.A()), 30);
  REQUIRE_EQ(world.A().posted.size(), 1);
  CHECK(world.A().posted[0]["type"].Is("mutated"));
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 30);
  CHECK_EQ(Stage(world.B(), id, "durable"), "ok");
  CHECK_EQ(world.storage.mutations.size(), 2);
}

TEST_CASE("stores changes at once while a page ends; other windows read them at once") {
  Pair world;
  world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  world.B().Event(Data::Object{{"type", "freeze"}, {"ends", true}});
  world.B().Do(kInc, kGroupTable, "g", One("count", 20));
  world.B().Run();  // the commit that was under way: it has been kept
  world.B().Notify();
  CHECK_EQ(world.storage.mutations.size(), 2);
  world.B().Event(Data::Object{{"type", "still"}});
  world.A().Hear(Message(world.B(), "left"));
  world.A().Settle();
  CHECK_EQ(Count(world.A()), 30);
}

TEST_CASE("stores on resume what could not be stored while a page was frozen") {
  Pair world;
  SUBCASE("the connection was gone") {
    world.B().keeps = false;
    world.B().Event(Data::Object{{"type", "freeze"}});
  }
  SUBCASE("the page was frozen already") {
    world.B().Event(Data::Object{{"type", "freeze"}});
    world.B().Event(Data::Object{{"type", "still"}});
  }
  SUBCASE("an earlier commit had failed, and comes first") {
    world.B().Do(kInc, kGroupTable, "g", One("count", 5));
    world.B().Run(Outcome::kFailed);
    world.B().Notify();
    world.B().Event(Data::Object{{"type", "freeze"}});
  }
  const std::string id = world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  CHECK(world.storage.mutations.empty());
  world.B().FailAll();
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Settle();
  REQUIRE_FALSE(world.storage.mutations.empty());
  CHECK_EQ(world.storage.mutations.rbegin()->second["id"].as_string(), id);
  CHECK_EQ(Stage(world.B(), id, "durable"), "ok");
}

namespace {

// Window b is frozen, and has kept a change of a group that both windows have. Returns its id.
std::string KeepOne(LocalPair* world) {
  world->a.Do(kCreate, kGroupTable, "g", One("count", 0));
  world->a.Settle();
  world->b.Hear(Message(world->a, "record"));
  world->b.Event(Data::Object{{"type", "freeze"}});
  return world->b.Do(kInc, kGroupTable, "g", One("count", 10));
}

}  // namespace

TEST_CASE("logs a change kept during a freeze once, without a remote") {
  LocalPair world;
  auto& [storage, a, b] = world;
  const std::string id = KeepOne(&world);
  CHECK_EQ(storage.mutations.size(), 1);
  b.Event(Data::Object{{"type", "still"}});
  SUBCASE("by this window on resume") {
    b.Event(Data::Object{{"type", "resume"}});
    b.Settle();
    CHECK_EQ(Stage(b, id, "confirmed"), "ok");
  }
  SUBCASE("by this window on resume, together with a new change") {
    b.Event(Data::Object{{"type", "resume"}});
    b.Do(kCreate, kGroupTable, "h", One("count", 1));
    b.Settle();
    CHECK_EQ(Stage(b, id, "confirmed"), "ok");
  }
  SUBCASE("by another window that was notified, with its own next change") {
    a.Hear(Message(b, "kept"));
    Fire(a, "kept");
    a.Settle();
    CHECK_EQ(Count(a), 10);
    a.Do(kCreate, kGroupTable, "h", One("count", 1));
    a.Settle();
    b.Event(Data::Object{{"type", "resume"}});
    b.Settle();
    CHECK_EQ(Stage(b, id, "confirmed"), "ok");
  }
  CHECK(storage.mutations.empty());
  // A window that opens later folds nothing twice.
  Window late(&storage, "c", false);
  late.Settle();
  CHECK_EQ(Count(late), 10);
  CHECK_EQ(Count(b), 10);
}

TEST_CASE("settles all stages of a kept change together without a remote") {
  LocalPair world;
  auto& [storage, a, b] = world;
  const std::string id = KeepOne(&world);
  // The window reads this record, and its own kept change with it, before it can log the change.
  a.Do(kCreate, kGroupTable, "h", One("count", 1));
  a.Settle();
  b.Event(Data::Object{{"type", "resume"}});
  while (b.CanRun()) {
    Next(b);
    CHECK_EQ(Stage(b, id, "durable"), Stage(b, id, "confirmed"));
  }
  CHECK_EQ(Stage(b, id, "confirmed"), "ok");
}

}  // namespace skerry::client_test
