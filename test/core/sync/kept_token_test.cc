// Goal: a restarted service worker knows what the one before it found out about its token. Method:
// service workers, started one after the other over one storage, and a server that refuses what a
// test says.
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

// How many pushes and pulls it has sent.
size_t Requests(const SyncHost& host) { return host.pull_times.size() + host.push_times.size(); }

}  // namespace

TEST_CASE("does not send a refused token again after the service worker restarts") {
  const Data auth = Json(R"({"auth":true})");
  SyncWorld world;
  world.OpenService(auth);
  world.Open(true,
             Json(R"({"auth":true,"keepToken":true,"mode":"helper","reason":"it is there"})"));
  world.Run(1'000);
  world.host(0).Crash();
  world.host(1).Crash();
  world.Log({CreateItem("a", "A", 1)});
  const auto refuse = [&] {
    world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})"));
  };
  const auto start = [&](const char* reason) -> SyncHost& {
    world.OpenService(auth);
    SyncHost& started = world.host(world.size() - 1);
    started.Post(Json(R"({"type":"wake"})").Set("reason", reason));
    world.Run(20'000);
    return started;
  };
  const auto stop = [&](SyncHost& started) {
    started.Crash();
    world.service = -1;
  };
  refuse();
  SyncHost& first = start("visible");
  CHECK(Requests(first) == 1);
  CHECK(world.storage.Get("sync", "token")["refusedAt"].is_number());
  stop(first);
  SyncHost& second = start("mutation");
  CHECK(Requests(second) == 0);
  CHECK(second.token_whys.empty());
  CHECK(second.status["needsAuth"].as_bool());
  CHECK(second.status["phase"].Is("blocked"));
  CHECK(second.status["error"]["code"].Is("unauthenticated"));
  SUBCASE("tries a new token at once") {
    second.Post(Json(R"({"type":"token","token":"fresh"})"));
    world.Run(1'000);
    CHECK(Requests(second) > 0);
    CHECK_FALSE(second.status["needsAuth"].as_bool());
  }
  SUBCASE("tries a token that a window kept meanwhile at the next start") {
    stop(second);
    world.storage.Put("sync", "token", Json(R"({"v":1,"token":"fresh"})"));
    CHECK(Requests(start("mutation")) > 0);
  }
  SUBCASE("tries it again when a user looks, and clears the refusal once it is accepted") {
    world.Open(true,
               Json(R"({"auth":true,"mode":"helper","reason":"it is there","keepToken":true})"));
    world.Run(5'000);
    CHECK(Requests(second) > 0);
    CHECK_FALSE(second.status["needsAuth"].as_bool());
    CHECK(world.storage.Get("sync", "token")["refusedAt"].is_null());
  }
  SUBCASE("tries it again when the service worker is started for a visible window") {
    stop(second);
    CHECK(start("visible").token_whys.size() == 1);
  }
  SUBCASE("tries it again after five minutes, and waits five more when it is refused") {
    stop(second);
    world.Run(300'000);
    refuse();
    SyncHost& third = start("mutation");
    CHECK(Requests(third) == 1);
    stop(third);
    CHECK(Requests(start("mutation")) == 0);
  }
}

TEST_CASE("tries a token that a window gives while the service worker starts") {
  SyncWorld world;
  world.storage.Put("sync", "token",
                    Json(R"({"v":1,"token":"old"})").Set("refusedAt", world.mono + 1'000'000));
  world.Log({CreateItem("a", "A", 1)});
  SyncHost& started = world.OpenService(Json(R"({"auth":true})"));
  SUBCASE("before it has read what the one before it found out") {}
  SUBCASE("after it has read that, and before the transaction is done") {
    started.StepOnce();  // its first event
    started.StepOnce();  // the transaction that reads
  }
  started.PostFirst(Json(R"({"type":"token","token":"fresh"})"));
  started.Post(Json(R"({"type":"wake","reason":"mutation"})"));
  world.Run(1'000);
  CHECK(Requests(started) > 0);
  CHECK_FALSE(started.status["needsAuth"].as_bool());
}

TEST_CASE("does not mark a newer token as refused for its predecessor") {
  SyncWorld world;
  world.storage.Put("sync", "token", Json(R"({"v":1,"token":"old"})"));
  world.OpenService(Json(R"({"auth":true})"));
  world.Run(100);
  world.storage.Put("sync", "token", Json(R"({"v":1,"token":"fresh"})"));
  world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})"));
  world.host(0).Post(Json(R"({"type":"wake","reason":"visible"})"));
  world.Run(1'000);
  CHECK(Requests(world.host(0)) == 1);
  CHECK(world.storage.Get("sync", "token")["token"].Is("fresh"));
  CHECK(world.storage.Get("sync", "token")["refusedAt"].is_null());
}

}  // namespace skerry::sync_test
