// Goal: a `sync` record that a newer build writes, at any moment, is never overwritten, and the
// job under way ends with the same error as a job that finds such a record at its start. Method: a
// world is stepped to each moment in turn; then a newer record is put in place.
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

// A newer build has opened the database, and has a window of its own.
Data PutNewer(SyncWorld* world) {
  Data newer = world->sync();
  newer.Set("v", 2).Set("secret", true);
  world->storage.Put("sync", "sync", newer);
  return newer;
}

bool StepOnce(SyncWorld* world) {
  bool any = false;
  for (size_t i = 0; i < world->size(); ++i) any = world->host(i).StepOnce() || any;
  return any;
}

// One window has pushes, pulls, fills by image and a compaction to do; runs the first `steps` steps
// of that. False: there were fewer steps.
bool RunTo(SyncWorld* world, int steps) {
  world->Open(true, Json(R"({"images":true,"limits":{"imageRecords":2}})"));
  world->Settle();
  for (int i = 0; i < 3; ++i) {
    world->Mutate({CreateItem("m" + std::to_string(i), "A", i)});
    world->server.Foreign("f" + std::to_string(i), "A", "theirs");
    while (StepOnce(world)) {
      if (--steps < 0) return true;
    }
    world->Run(100);
  }
  world->Run(2000);
  return steps <= 0;
}

TEST_CASE("never overwrites a sync record that a newer build writes, at any moment") {
  int steps = 0;
  for (bool more = true; more; ++steps) {
    CAPTURE(steps);
    SyncWorld world;
    more = RunTo(&world, steps);
    const Data newer = PutNewer(&world);
    world.Run(200'000);
    REQUIRE(world.sync() == newer);
    CHECK(world.host(0).status["error"]["code"].Is("newer_tab"));
    CHECK_FALSE(world.host(0).status["error"]["retryable"].as_bool(true));
  }
  CHECK(steps > 30);
}

TEST_CASE("writes nothing in a compaction that meets a newer build's sync record") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  for (int i = 0; i < 5; ++i) {
    world.Mutate({IncItem("a", "A", 1)});
    world.Run(100);
  }
  REQUIRE(world.sync()["n"].as_u64() >= 3);
  REQUIRE(world.host(0).image_jobs.empty());
  const Data newer = PutNewer(&world);
  world.Run(2000);
  CHECK(world.sync() == newer);
  CHECK(world.host(0).image_jobs.empty());
  CHECK(world.host(0).status["error"]["code"].Is("newer_tab"));
}

TEST_CASE("answers requests with newer_tab after a newer build has taken over") {
  SyncWorld world;
  world.Open();
  world.Run(1000);
  world.network.hold_answers = true;
  world.host(0).Post(Json(R"({"type":"sync","id":7})"));
  world.Settle();
  const Data newer = PutNewer(&world);
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.sync() == newer);
  std::string code;
  for (const Data& message : world.host(0).posts) {
    if (message["type"].Is("synced")) code = message["error"]["code"].as_string();
  }
  CHECK(code == "newer_tab");
}

}  // namespace
}  // namespace skerry::sync_test
