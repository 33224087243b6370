// Goal: a service worker that does not reach the server is given up, and taken back (sync/helper.h).
#include "base/json.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

// The service worker is host 0, the window's Worker host 1. The network is down, and the change "a" is pending.
struct CutOff : SyncWorld {
  CutOff() {
    OpenService();
    Open(true, Json(R"({"mode":"helper","reason":"it is registered"})"));
    Settle();
    network.down = true;
    Change("a");
  }
  // As the window does, which wakes the service worker itself.
  void Change(const char* id) {
    storage.Add("mutations", MutationRecord(SyncUuid(++last_), {CreateItem(id, "A", 1)}, 1));
    host(0).Post(Json(R"({"type":"wake","reason":"mutation"})"));
    host(1).Post(Json(R"({"type":"mutated"})"));
  }

 private:
  uint64_t last_ = 5000;
};

TEST_CASE("does not count the machine's sleep as time without the server") {
  CutOff world;
  world.Run(20'000);
  world.mono += 3'600'000;
  for (size_t i : {0, 1}) world.host(i).FireTimers();
  world.Run(20'000);
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  world.network.down = false;
  world.Run(61'000);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.host(1).push_times.empty());
}

TEST_CASE("goes back to a service worker that was given up, when its window says so") {
  CutOff world;
  world.Run(200'000);
  REQUIRE(world.host(1).status["mode"].as_string() == "lease");
  world.network.down = false;
  world.host(1).Post(Json(R"({"type":"service","active":true,"reason":"it is back"})"));
  world.Run(1'000);
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  CHECK(world.host(1).status["modeReason"].as_string() == "it is back");
  world.Change("b");
  world.Run(1'000);
  CHECK(world.server.rows().count("b") == 1);
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
}

}  // namespace
}  // namespace skerry::sync_test
