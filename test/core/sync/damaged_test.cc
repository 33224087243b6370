// Goal: the worker replaces or removes records that another script of the origin has damaged, and
// everything else continues. Random damage is in test/fuzz.
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

// An update is in the outbox, and the server never saw it.
void Strand(SyncWorld* world) {
  world->Open();
  world->Run(1000);
  world->network.lose_push_requests = 1;
  world->Mutate({CreateItem("a", "A", 1, "stranded")});
  world->Run(50);
  REQUIRE(world->storage.Count("outbox") == 1);
  REQUIRE(world->server.rows().empty());
  world->damaged = true;
}

TEST_CASE("removes a damaged update from the outbox and sends its mutations again") {
  for (const char* damage :
       {"{}", R"({"v":1,"id":7,"mutations":[{"id":5}],"after":3})", R"("nonsense")", "null"}) {
    CAPTURE(damage);
    SyncWorld world;
    Strand(&world);
    for (auto& [key, value] : world.storage.store("outbox")) value = Json(damage);
    world.Run(200'000);
    CHECK(world.server.rows().contains("a"));
    CHECK(world.storage.Count("outbox") == 0);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.Converged());
  }
}

TEST_CASE("sends a mutation whose update is gone in another update") {
  SyncWorld world;
  Strand(&world);
  world.storage.store("outbox").clear();
  world.Run(200'000);
  CHECK(world.server.rows().contains("a"));
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("moves a mutation that no server can read to the inbox, and blocks no other") {
  SyncWorld world;
  world.damaged = true;
  world.Open();
  world.Run(1000);
  const Data damaged = MutationRecord("no uuid", {CreateItem("x", "A", 1)});
  world.storage.Add("mutations", damaged);
  world.Mutate({CreateItem("a", "A", 2)});
  world.Run(200'000);
  CHECK(world.push_bodies.size() < 10);
  CHECK(world.server.rows().contains("a"));
  CHECK(world.storage.Count("mutations") == 0);
  REQUIRE(world.storage.Count("conflicts") == 1);
  const Data& entry = world.storage.store("conflicts").begin()->second;
  CHECK(entry["code"].Is("unreadable"));
  CHECK(entry["mutation"]["body"] == damaged["body"]);
}

TEST_CASE("replaces a damaged sync record, notifies windows, and syncs all from the start") {
  for (const char* damage :
       {R"({"v":1,"n":"many","cursors":7,"known":5,"seen":"x","scopes":[3],"refill":{}})", "null",
        R"({"v":1,"n":-4,"chain":{"client":3,"links":{"A":9}},"image":{"n":2},"older":7})"}) {
    CAPTURE(damage);
    SyncWorld world;
    world.Open();
    world.Mutate({CreateItem("a", "A", 1)});
    world.Run(5000);
    world.server.Foreign("f", "A", "theirs");
    world.damaged = true;
    world.storage.Put("sync", "sync", Json(damage));
    world.Mutate({CreateItem("b", "A", 2)});
    world.Run(200'000);
    CHECK(world.server.rows().contains("b"));
    CHECK(world.storage.Count("mutations") == 0);
    bool notified = false;
    for (const Data& message : world.messages) notified = notified || message["damaged"].as_bool();
    CHECK(notified);
    CHECK(world.sync()["n"].is_number());
    CHECK(world.sync()["cursors"].Find("A") != nullptr);
    CHECK(world.host(0).status["error"].is_null());
  }
}

}  // namespace
}  // namespace skerry::sync_test
