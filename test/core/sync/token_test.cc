// Goal: tokens are requested, refused, missing and renewed as docs/sync-worker.md, section 8,
// says.
#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("asks for another token when one expires; waits if that is refused, too") {
  SyncWorld world;
  world.Open(true, Json(R"({"auth":true})"));
  world.Settle();
  CHECK(world.host(0).token_whys == Vector<std::string>{"start"});
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
  SUBCASE("until the application brings a token") {
    world.host(0).Deliver(Json(R"({"type":"token","token":"fresh"})"));
    world.Settle();
  }
  SUBCASE("until the window is visible: the next token may be accepted") {
    world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
    world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
    world.Settle();
    CHECK(world.host(0).token_whys.back() == "refused");
  }
  SUBCASE("until some minutes have passed, as no user may look; it says so meanwhile") {
    refuse();
    bool notified = true;
    for (int i = 0; i < 400; ++i) {
      world.Run(1'000);
      notified = notified && (world.host(0).status["needsAuth"].as_bool() ||
                              world.storage.Count("mutations") == 0);
    }
    CHECK(notified);
    CHECK(world.push_bodies.size() + world.pull_bodies.size() >= requests + 1);
    world.Run(400'000);
  }
  SUBCASE("not for a visible window whose application says that there is none") {
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

TEST_CASE("asks once for a token that the socket and a request refused, and keeps it") {
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
    // The server refuses the request.
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
    CHECK(host.token_whys == Vector<std::string>{"start", "expired"});
    CHECK(world.storage.Count("mutations") == 0);
    CHECK_FALSE(host.status["needsAuth"].as_bool());
  }
}

TEST_CASE("continues with a token that came while the page was hidden once it is visible") {
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

TEST_CASE("asks for a token in a window without one when another window is accepted") {
  SyncWorld world;
  world.token = nullptr;
  for (int i = 0; i < 2; ++i) world.Open(true, Json(R"({"auth":true})"));
  world.Settle();
  const SyncHost& other = world.host(1);
  REQUIRE(other.status["needsAuth"].as_bool());
  const size_t asked = other.token_whys.size();
  SUBCASE("it continues with the new token") {
    world.token = "token";
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Run(60'000);
    CHECK(other.status["phase"].Is("idle"));
    CHECK(other.status["error"].is_null());
    CHECK(other.token_whys.size() == asked + 1);
  }
  SUBCASE("it still reports none, and does not ask at each pull of the other") {
    world.host(0).Deliver(Json(R"({"type":"token","token":"token"})"));
    for (int i = 0; i < 100; ++i) {
      world.host(0).Post(Json(R"({"type":"sync","id":1})"));
      world.Run(1'000);
    }
    CHECK(other.status["phase"].Is("blocked"));
    CHECK(other.status["error"]["code"].Is("unauthenticated"));
    CHECK(other.token_whys.size() > asked);
    CHECK(other.token_whys.size() < asked + 10);
  }
}

TEST_CASE("sends nothing without a token, and notifies the application") {
  SyncWorld world;
  world.token = nullptr;
  world.Open(true, Json(R"({"auth":true})"));
  world.Run(100000);
  CHECK(world.pull_bodies.empty());
  CHECK(world.host(0).status["needsAuth"].as_bool());
}

constexpr std::string_view kBound = R"({"code":"client_bound","detail":"another user's"})";

TEST_CASE("neither folds nor pushes after an answer to another user") {
  SyncWorld world;
  world.Open(true, Json(R"({"auth":true,"user":"xena"})"));
  world.Log({CreateItem("a", "A", 1)});
  for (int i = 0; i < 2; ++i)
    world.network.scripted.push_back(
        Scripted(200, R"({"time":1,"cursors":{"user:zed":"3@30"},"changes":[]})"));
  world.Settle();
  const SyncHost& host = world.host(0);
  CHECK(host.status["error"]["code"].Is("wrong_user"));
  CHECK(host.status["needsAuth"].as_bool());
  CHECK(host.status["phase"].Is("blocked"));
  CHECK(host.token_whys == Vector<std::string>{"start", "expired"});
  CHECK(world.push_bodies.empty());
  CHECK(world.sync()["cursors"].members().empty());
  // The server has bound the identity by then.
  const std::string client = world.sync()["client"].as_string();
  world.network.scripted.push_back(Scripted(403, kBound, "application/problem+json"));
  world.host(0).Deliver(Json(R"({"type":"token","token":"xena's"})"));
  world.Settle();
  CHECK(world.sync()["client"].as_string() != client);
  CHECK(host.status["error"].is_null());
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("replaces an identity bound to another user when nothing of it can be in the log") {
  SyncWorld world;
  world.network.down = true;
  world.Open();
  world.Log({CreateItem("a", "A", 1)});
  world.Settle();
  world.network.down = false;
  const auto refuse = [&world](int times) {
    for (int i = 0; i < times; ++i)
      world.network.scripted.push_back(Scripted(403, kBound, "application/problem+json"));
  };
  const std::string client = world.sync()["client"].as_string();
  SUBCASE("once a job: a server that rejects every identity is not asked forever") {
    refuse(2);
    world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
    world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
    world.Settle();
    CHECK(world.host(0).status["error"]["code"].Is("client_bound"));
    CHECK(world.network.scripted.empty());
  }
  SUBCASE("not with a sent update: the log may hold it as the other user's") {
    const std::string id = SyncUuid(1);
    Data sent = Json(R"({"v":1,"after":{"A":null},"base":{},"at":1,"state":"sent","epoch":1,
          "revisions":null,"confirmed":[],"mutations":[]})");
    sent.Set("id", id).Set("client", client).Set("body", Data::Bytes("{}"));
    world.storage.Put("outbox", Data(id), std::move(sent));
    refuse(1);
    world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
    world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
    world.Settle();
    CHECK(world.host(0).status["error"]["code"].Is("client_bound"));
    CHECK(world.host(0).status["error"]["message"].as_string().find("export(") !=
          std::string::npos);
    CHECK(world.host(0).status["phase"].Is("blocked"));
    CHECK(world.sync()["client"].as_string() == client);
    CHECK(world.storage.Count("outbox") == 1);
    return;
  }
  world.Run(120'000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.host(0).status["phase"].Is("idle"));
}

TEST_CASE("keeps this user's identity when a token of another user is refused") {
  SyncWorld world;
  world.Open(true, Json(R"({"auth":true,"user":"xena"})"));
  world.network.scripted.push_back(
      Scripted(200, R"({"time":1,"cursors":{"user:xena":"3@30"},"changes":[]})"));
  world.Settle();
  const std::string client = world.sync()["client"].as_string();
  for (int i = 0; i < 2; ++i)
    world.network.scripted.push_back(Scripted(403, kBound, "application/problem+json"));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].Is("wrong_user"));
  CHECK(world.host(0).status["needsAuth"].as_bool());
  CHECK(world.sync()["client"].as_string() == client);
  world.host(0).Deliver(Json(R"({"type":"token","token":"xena's"})"));
  world.Run(60'000);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.storage.Count("mutations") == 0);
}

}  // namespace
}  // namespace skerry::sync_test
