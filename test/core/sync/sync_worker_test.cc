// The whole sync worker against a naive server: what windows, storage and the network see of it.
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("a mutation is pushed, confirmed and folded into storage") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("a", "A", 1, "one")});
  world.Settle();
  CHECK(world.server.rows().size() == 1);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
  CHECK(world.Converged());
  CHECK(world.lease()["owner"].is_null());
  CHECK(world.host(0).status["phase"].as_string() == "idle");
}

TEST_CASE("an older version of the application does not lower the schema's version in storage") {
  SyncWorld world;
  world.storage.Put("sync", "sync", Json(R"({"v":1,"schema":9})"));
  world.Open();
  world.Settle();
  CHECK(world.sync()["schema"].as_number() == 9);
  CHECK(world.sync()["client"].is_string());
}

}  // namespace
}  // namespace skerry::sync_test
