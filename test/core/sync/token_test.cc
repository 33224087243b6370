// Tokens: asked for, refused, missing, and given again (docs/sync-worker.md, section 8).
#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("an expired token is asked for anew; refused again, syncing waits") {
  SyncWorld world;
  world.Open(true, Json(R"({"auth":true})"));
  world.Settle();
  CHECK(world.host(0).token_whys == Vector<String>{"start"});
  const auto refuse = [&world] {
    world.network.scripted.push_back(
        Scripted(401, R"({"code":"unauthenticated"})", "application/problem+json"));
  };
  refuse();
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.host(0).token_whys.back() == "expired");
  CHECK(world.storage.Count("mutations") == 0);
  refuse();
  refuse();
  world.Mutate({CreateItem("b", "A", 1)});
  world.Settle();
  CHECK(world.host(0).status["needsAuth"].as_bool());
  CHECK(world.host(0).status["phase"].as_string() == "blocked");
  const size_t requests = world.push_bodies.size() + world.pull_bodies.size();
  world.Run(200'000);
  CHECK(world.push_bodies.size() + world.pull_bodies.size() == requests);
  CHECK(world.storage.Count("mutations") == 1);
  SUBCASE("who brings a token") {
    world.host(0).Deliver(Json(R"({"type":"token","token":"fresh"})"));
    world.Settle();
  }
  SUBCASE("who looks: the next token may be taken") {
    world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
    world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
    world.Settle();
    CHECK(world.host(0).token_whys.back() == "refused");
  }
  SUBCASE("or some minutes, for nobody may come to look; until then it says so") {
    refuse();
    bool told = true;
    for (int i = 0; i < 400; ++i) {
      world.Run(1'000);
      told = told &&
             (world.host(0).status["needsAuth"].as_bool() || world.storage.Count("mutations") == 0);
    }
    CHECK(told);
    CHECK(world.push_bodies.size() + world.pull_bodies.size() >= requests + 1);
    world.Run(400'000);
  }
  SUBCASE("but not who has said that there is none") {
    world.token = nullptr;
    world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
    world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
    world.Settle();
    const size_t asked = world.host(0).token_whys.size();
    world.Run(900'000);
    CHECK(world.host(0).token_whys.size() == asked);
    CHECK(world.host(0).status["nextTryAt"].is_null());
    world.token = "token";
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
  }
  CHECK(world.storage.Count("mutations") == 0);
  CHECK_FALSE(world.host(0).status["needsAuth"].as_bool());
}

TEST_CASE(
    "a token refused by the socket and by a request is asked for once, and what came is kept") {
  for (const bool socket_first : {false, true}) {
    CAPTURE(socket_first);
    SyncWorld world;
    world.token = "old";
    SyncHost& host = world.Open(true, Json(R"({"auth":true,"socket":true})"));
    world.Settle();
    host.Deliver(Json(R"({"type":"socket","state":"open"})"));
    world.Settle();
    REQUIRE(host.sent_texts.size() == 1);
    world.token = "fresh";
    world.network.hold_answers = true;
    world.Mutate({CreateItem("a", "A", 1)});
    world.Settle();
    REQUIRE(world.held.size() == 1);
    // The server refused the request instead.
    Data refused = Scripted(401, R"({"code":"unauthenticated"})", "application/problem+json");
    refused.Set("type", "response").Set("id", world.held[0].second["id"]);
    world.held[0].second = std::move(refused);
    const auto close = [&] {
      host.Deliver(Json(R"({"type":"socket","state":"closed","code":4401})"));
      world.Settle();
    };
    if (socket_first) close();
    world.network.hold_answers = false;
    world.Release();
    world.Settle();
    if (!socket_first) close();
    CHECK(host.token_whys == Vector<String>{"start", "expired"});
    CHECK(world.storage.Count("mutations") == 0);
    CHECK_FALSE(host.status["needsAuth"].as_bool());
  }
}

TEST_CASE("a token that comes while the page is hidden is gone on with when it is seen again") {
  SyncWorld world;
  world.token = nullptr;
  world.Open(true, Json(R"({"auth":true})"));
  world.Settle();
  REQUIRE(world.host(0).status["needsAuth"].as_bool());
  world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
  Data event = Json(R"({"type":"token","token":"fresh"})");
  world.host(0).Deliver(event);
  world.Settle();
  CHECK(world.pull_bodies.empty());
  world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
  world.Settle();
  CHECK_FALSE(world.host(0).status["needsAuth"].as_bool());
  CHECK_FALSE(world.pull_bodies.empty());
}

TEST_CASE("without a token nothing is sent, and the application is told") {
  SyncWorld world;
  world.token = nullptr;
  world.Open(true, Json(R"({"auth":true})"));
  world.Run(100000);
  CHECK(world.pull_bodies.empty());
  CHECK(world.host(0).status["needsAuth"].as_bool());
}

}  // namespace
}  // namespace skerry::sync_test
