// Goal: a worker pushes what windows have judged over the log as it has pulled it, waits for them no
// longer than it must, and leaves out what is held, with all that needs it. Method: one worker whose
// windows the test plays; grouping by itself.
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

Data Description(bool validates, uint64_t version) {
  Data description = SyncSchemaDescription();
  description.Set("version", version);
  return description.Set("validates", validates);
}

// A worker that is in step, and then has a mutation to push.
struct RuledWorld : SyncWorld {
  explicit RuledWorld(bool validates = true, bool socket = false) {
    Open(true, Data::Object{{"schema", Description(validates, 2)}, {"socket", socket}});
    Run(3'000);
    server.Foreign("theirs", "A", "x");
    messages.clear();
  }
  bool pushed() const { return server.rows().count("mine") == 1; }
  void Mutate() { SyncWorld::Mutate({CreateItem("mine", "A", 1)}); }
  // A pull and a push, as far as they go without time.
  void Sync() {
    Mutate();
    host(0).Post(Json(R"({"type":"sync","id":1})"));
    Settle();
  }
  // The n that windows are asked about; 0: they are not.
  uint64_t Asked() const {
    for (const Data& message : messages) {
      if (message["type"].Is("validate")) return message["n"].as_u64();
    }
    return 0;
  }
  void Validated(uint64_t n, uint64_t version) {
    host(0).Deliver(Data::Object{
        {"type", "message"},
        {"message", Data::Object{{"type", "validated"}, {"n", n}, {"version", version}}}});
    Settle();
  }
};

TEST_CASE("pushes when a window has judged what was pulled") {
  RuledWorld world;
  world.Sync();
  const uint64_t n = world.sync()["n"].as_u64();
  CHECK(world.Asked() == n);
  CHECK_FALSE(world.pushed());
  SUBCASE("a window does") {
    world.Validated(n, 2);
    CHECK(world.pushed());
  }
  SUBCASE("one of a later release does") {
    world.Validated(n, 3);
    CHECK(world.pushed());
  }
  SUBCASE("one of an earlier release, or of an earlier time, says nothing about it") {
    world.Validated(n, 1);
    world.Validated(n - 1, 2);
    CHECK_FALSE(world.pushed());
    world.Run(999);
    CHECK_FALSE(world.pushed());
  }
  SUBCASE("none lives: the worker waits for a second") {
    world.Run(998);
    CHECK_FALSE(world.pushed());
    world.Run(3);
    CHECK(world.pushed());
  }
  world.Run(5'000);
  CHECK(world.pushed());
  CHECK(world.Converged());
}

TEST_CASE("waits once for a record, and not for what its windows have made since") {
  RuledWorld world;
  world.Sync();
  world.Run(5'000);
  REQUIRE(world.pushed());
  world.Validated(world.sync()["n"].as_u64(), 2);
  world.messages.clear();
  // The confirmation of the push is a record, too.
  world.SyncWorld::Mutate({CreateItem("next", "A", 1)});
  world.Settle();
  const uint64_t asked = world.Asked();
  if (asked != 0) world.Validated(asked, 2);
  CHECK(world.server.rows().count("next") == 1);
}

TEST_CASE("makes no update without a network, where there are rules") {
  for (const bool validates : {true, false}) {
    CAPTURE(validates);
    RuledWorld world(validates);
    world.network.down = true;
    world.Mutate();
    world.Settle();
    world.Run(2'000);
    CHECK(world.storage.Count("outbox") == (validates ? 0 : 1));
    world.network.down = false;
    world.Run(120'000);
    CHECK(world.pushed());
    CHECK(world.Converged());
  }
}

TEST_CASE("pulls before it pushes, unless a socket listens") {
  for (const bool listens : {false, true}) {
    CAPTURE(listens);
    RuledWorld world(true, listens);
    if (listens) {
      world.host(0).Deliver(Json(R"({"type":"socket","state":"open"})"));
      world.host(0).Listens();
      world.Settle();
      world.Run(1'000);
    }
    world.push_bodies.clear();
    const size_t pulls = world.pull_bodies.size();
    world.network.hold_answers = true;
    world.Mutate();
    world.Settle();
    CHECK((world.pull_bodies.size() > pulls) == !listens);
    CHECK(world.push_bodies.empty() == !listens);
  }
}

// It hears of the windows' sockets from them, which may be late.
TEST_CASE("a service worker pulls before it pushes, whatever it was told of sockets") {
  SyncWorld world;
  world.OpenService(Data::Object{{"schema", Description(true, 2)}});
  SyncHost& host = world.host(0);
  host.Post(Json(R"({"type":"wake","reason":"due","online":true,"listening":true})"));
  world.Run(3'000);
  world.push_bodies.clear();
  const size_t pulls = world.pull_bodies.size();
  world.network.hold_answers = true;
  world.Log({CreateItem("mine", "A", 1)});
  host.Post(Json(R"({"type":"mutated"})"));
  world.Settle();
  CHECK(world.pull_bodies.size() > pulls);
  CHECK(world.push_bodies.empty());
}

TEST_CASE("asks no window where nothing is pending, or the schema has no rules") {
  SUBCASE("nothing is pending") {
    RuledWorld world;
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    CHECK(world.Asked() == 0);
    CHECK(world.host(0).status["phase"].Is("idle"));
  }
  SUBCASE("no rules") {
    RuledWorld world(false);
    world.Sync();
    CHECK(world.Asked() == 0);
    CHECK(world.pushed());
  }
}

// A window of an earlier release may still be open, and judge what this one's windows have made.
TEST_CASE("without rules it pushes what an earlier release has judged to be wrong") {
  const auto pushes = [](bool validates, std::optional<uint64_t> judged_by) {
    RuledWorld world(validates);
    const std::string id = world.Log({CreateItem("mine", "A", 1)});
    Data record = world.storage.store("mutations").begin()->second;
    record.Set("held", true);
    if (judged_by.has_value())
      record.Set("judged", Data::Object{{"version", *judged_by}, {"n", 1}, {"key", 1}});
    world.storage.Put("mutations", world.storage.store("mutations").begin()->first.ToData(),
                      std::move(record));
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Run(5'000);
    return world.pushed();
  };
  CHECK(pushes(false, 1));
  CHECK_FALSE(pushes(false, 2));
  CHECK_FALSE(pushes(false, 3));
  CHECK_FALSE(pushes(false, std::nullopt));
  CHECK_FALSE(pushes(true, 1));
}

TEST_CASE("a worker whose lease is lost while it waits leaves nothing behind") {
  RuledWorld world;
  world.Sync();
  CHECK_FALSE(world.pushed());
  world.host(0).Post(Json(R"({"type":"pause"})"));
  world.Run(5'000);
  CHECK_FALSE(world.pushed());
  world.host(0).Post(Json(R"({"type":"resume"})"));
  world.Run(5'000);
  CHECK(world.pushed());
}

}  // namespace
}  // namespace skerry::sync_test
