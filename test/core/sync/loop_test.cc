// Goal: the loop around pushes and pulls handles errors, pauses and pokes, and reports them to the
// application.
#include "base/json.h"
#include "base/limits.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("pushes pending mutations although the server refuses pulls") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.scripted.push_back(
      Scripted(400, R"({"code":"invalid","detail":"a scope"})", "application/problem+json"));
  SUBCASE("the server refuses once") {
    world.Log({CreateItem("a", "A", 1)});
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    CHECK(world.server.rows().count("a") == 1);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.host(0).status["phase"].Is("idle"));
  }
  SUBCASE("reports the error with nothing to push, and tries again") {
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    CHECK(world.host(0).status["phase"].Is("blocked"));
    CHECK(world.host(0).status["error"]["code"].Is("invalid"));
    world.Run(20'000);
    CHECK(world.host(0).status["phase"].Is("idle"));
  }
}

TEST_CASE("gives a typed error, pauses and loses nothing when an answer is not JSON") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.scripted.push_back(Scripted(200, "<html>please log in</html>", "text/html"));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "not_json");
  CHECK(world.host(0).status["phase"].as_string() == "waiting");
  CHECK(world.storage.Count("mutations") == 1);
  world.Run(10000);
  CHECK(world.host(0).status["error"].is_null());
  CHECK(world.storage.Count("mutations") == 0);
}

// A window that pushes one mutation in an update, and is paused with so many of them.
void PauseWithMutations(size_t count, SyncWorld* world) {
  world->Open(true, Json(R"({"limits":{"mutations":1}})"));
  world->Settle();
  world->host(0).Post(Json(R"({"type":"pause"})"));
  world->Settle();
  for (size_t i = 0; i < count; ++i) world->Mutate({CreateItem("i" + std::to_string(i), "A", 1)});
  world->Settle();
}

TEST_CASE("pushes the rest as soon as the full outbox has room, also after a failed push") {
  for (int kind = 0; kind < 3; ++kind) {
    CAPTURE(kind);
    SyncWorld world;
    PauseWithMutations(3 * kMaxOutboxUpdates, &world);
    world.network.lose_push_requests = kind == 1 ? 1 : 0;
    world.network.lose_push_answers = kind == 2 ? 1 : 0;
    world.host(0).Post(Json(R"({"type":"resume"})"));
    world.Run(SyncTimes().idle_ms * .9);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.storage.Count("outbox") == 0);
  }
}

TEST_CASE("pushes the rest when a later page of a pull confirms the full outbox") {
  SyncWorld world;
  world.server.Foreign("theirs", "A", "0");
  PauseWithMutations(2 * kMaxOutboxUpdates, &world);
  // There are twice as many pages of others' entries as are pulled in a row. So the second push
  // finds an outbox full of updates that wait for their confirmation, and sends nothing. They are
  // confirmed by fewer pages than are pulled in a row.
  world.server.entries_a_pull = kMaxOutboxUpdates / 2;
  for (size_t i = 1; i <= 2 * kMaxPullsInARow * world.server.entries_a_pull; ++i)
    world.server.Foreign("theirs", "A", std::to_string(i));
  world.host(0).Post(Json(R"({"type":"resume"})"));
  world.Run(SyncTimes().idle_ms * .5);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
}

TEST_CASE("uses no part of an answer with a wrong member") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"5@5"},"changes":[
    {"change":"create","table":"items","id":"b","realm":"A","set":{"n":1},"createdAt":1,"modifiedAt":2,"revision":5},
    {"change":"create","table":"items","id":"c","realm":"A","set":{},"createdAt":"x","modifiedAt":2,"revision":5}]})"));
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "bad_answer");
  CHECK(world.sync()["cursors"].members().empty());
  CHECK(world.storage.Count("updates") == 0);
}

TEST_CASE("pauses after failures for 5 s, doubling to 60 s with jitter, until online") {
  SyncWorld world;
  world.network.down = true;
  world.Open();
  world.Run(400000);
  const Vector<double>& times = world.host(0).pull_times;
  REQUIRE(times.size() >= 8);
  double least = 5000 * 0.75, most = 5000 * 1.25;
  for (size_t i = 1; i < times.size(); ++i) {
    const double pause = times[i] - times[i - 1];
    CHECK(pause >= least);
    CHECK(pause <= most);
    least = std::min(least * 2, 60000 * 0.75);
    most = std::min(most * 2, 60000 * 1.25);
  }
  const size_t before = times.size();
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(times.size() == before);  // mutations do not cut the pause short
  world.network.down = false;
  world.host(0).Post(Json(R"({"type":"online","online":false})"));
  world.host(0).Post(Json(R"({"type":"online","online":true})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("pauses for as long as the server asks, within a bound, and blocks nothing") {
  double seconds = 0, least_ms = 0, most_ms = 0;
  const char* status = R"({"status":429,"code":"rate_limited","detail":"slowly"})";
  SUBCASE("longer than our own pause") {
    seconds = 40;
    least_ms = 40'000;
    most_ms = 50'000;
  }
  SUBCASE("shorter: our own pause stays") {
    seconds = 1;
    least_ms = 5000 * 0.75;
    most_ms = 5000 * 1.25;
  }
  SUBCASE("for days: at most the bound") {
    seconds = 1e6;
    least_ms = 600'000;
    most_ms = 750'000;
  }
  SyncWorld world;
  world.Open();
  world.Settle();
  Data refusal = Scripted(429, status, "application/problem+json");
  world.network.scripted.push_back(std::move(refusal.Set("retryAfter", seconds)));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const Data shown = world.host(0).status;
  CHECK(shown["error"]["code"].as_string() == "rate_limited");
  CHECK(shown["error"]["retryable"].as_bool());
  CHECK(shown["phase"].as_string() == "waiting");
  const size_t before = world.push_bodies.size() + world.pull_bodies.size();
  world.Run(least_ms - 100);
  CHECK(world.push_bodies.size() + world.pull_bodies.size() == before);
  world.Run(most_ms - least_ms + 200);
  CHECK(world.push_bodies.size() + world.pull_bodies.size() > before);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.host(0).status["error"].is_null());
}

TEST_CASE("polls about once a minute while idle, and stops when paused") {
  SyncWorld world;
  world.Open();
  world.Settle();
  const size_t before = world.pull_bodies.size();
  world.Run(600000);
  const size_t polls = world.pull_bodies.size() - before;
  CHECK(polls >= 7);
  CHECK(polls <= 14);
  world.host(0).Post(Json(R"({"type":"pause"})"));
  world.Run(600000);
  CHECK(world.pull_bodies.size() == before + polls);
  CHECK(world.host(0).status["phase"].as_string() == "paused");
  world.Mutate({CreateItem("a", "A", 1)});
  world.Run(1000);
  CHECK(world.storage.Count("mutations") == 1);
  world.host(0).Post(Json(R"({"type":"resume"})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("answers sync.now() after a whole round, with the error if it failed") {
  SyncWorld world;
  world.Open();
  world.Settle();
  const auto answer = [&world](double id) {
    for (const Data& post : world.host(0).posts) {
      if (post["type"].as_string() == "synced" && post["id"].as_number() == id) return post;
    }
    return Data();
  };
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(answer(1).is_object());
  CHECK(answer(1)["error"].is_null());
  world.network.down = true;
  world.host(0).Post(Json(R"({"type":"sync","id":2})"));
  world.Settle();
  CHECK(answer(2)["error"]["code"].as_string() == "network");
  world.host(0).Post(Json(R"({"type":"online","online":false})"));
  world.host(0).Post(Json(R"({"type":"sync","id":3})"));
  world.Settle();
  CHECK(answer(3)["error"]["code"].as_string() == "offline");
}

TEST_CASE("opens one poke socket per client; pulls for a poke unless it is already here") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Open(true, Json(R"({"socket":true})"));
  world.Run(2000);
  const size_t holder = world.lease("listen")["owner"].as_string() == "tab-0" ? 0 : 1;
  CHECK(world.host(holder).socket == Vector<std::string>{"open"});
  CHECK(world.host(1 - holder).socket.empty());
  const auto deliver = [&](std::string_view event) { world.host(holder).Deliver(Json(event)); };
  deliver(R"({"type":"socket","state":"open"})");
  world.Settle();
  REQUIRE(world.host(holder).sent_texts.size() == 1);
  const Data hello = Json(world.host(holder).sent_texts[0]);
  CHECK(hello["type"].as_string() == "hello");
  CHECK(hello["client"] == world.sync()["client"]);
  CHECK(hello["scopes"].items().size() == 1);
  world.host(holder).Listens();
  world.Settle();
  world.server.Foreign("a", "A", "x");
  const size_t before = world.pull_bodies.size();
  deliver(
      R"({"type":"socket","state":"message","text":"{\"type\":\"poke\",\"realm\":\"A\",\"revision\":1,\"tables\":[\"items\"]}"})");
  world.Settle();
  CHECK(world.pull_bodies.size() == before + 1);
  CHECK(world.Converged());
  deliver(
      R"({"type":"socket","state":"message","text":"{\"type\":\"poke\",\"realm\":\"A\",\"revision\":1,\"tables\":[\"items\"]}"})");
  world.Settle();
  CHECK(world.pull_bodies.size() == before + 1);
  deliver(R"({"type":"socket","state":"closed","code":1006})");
  world.Run(1500);
  CHECK(world.host(holder).socket.back() == "open");
  world.host(holder).Post(Json(R"({"type":"visible","visible":false})"));
  world.Run(6000);
  CHECK(world.host(holder).socket.back() == "close");
  CHECK(world.host(1 - holder).socket.back() == "open");
}

TEST_CASE("pulls once the server listens, not when the socket opens") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Run(2000);
  const auto deliver = [&](std::string_view event) { world.host(0).Deliver(Json(event)); };
  const size_t before = world.pull_bodies.size();
  deliver(R"({"type":"socket","state":"open"})");
  world.Settle();
  CHECK(world.pull_bodies.size() == before);
  // The server checks the token while another client writes: no socket is poked.
  world.server.Foreign("a", "A", "x");
  world.host(0).Listens();
  world.Settle();
  CHECK(world.pull_bodies.size() == before + 1);
  CHECK(world.Converged());
}

TEST_CASE("connects again when the server does not answer the hello in time") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Run(2000);
  world.host(0).Deliver(Json(R"({"type":"socket","state":"open"})"));
  world.Run(9000);
  CHECK(world.host(0).socket.back() == "send");
  world.Run(1500);
  CHECK(world.host(0).socket.back() == "close");
  world.Run(2000);
  CHECK(world.host(0).socket.back() == "open");
}

TEST_CASE("follows a poke that comes during a pull in the same job") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Run(2000);
  const auto deliver = [&](std::string_view event) { world.host(0).Deliver(Json(event)); };
  deliver(R"({"type":"socket","state":"open"})");
  world.host(0).Listens();
  world.Settle();
  world.server.Foreign("a", "A", "x");
  world.network.hold_answers = true;
  deliver(
      R"({"type":"socket","state":"message","text":"{\"type\":\"poke\",\"realm\":\"A\",\"revision\":1,\"tables\":[\"items\"]}"})");
  world.Settle();
  REQUIRE(world.held.size() == 1);
  world.server.Foreign("b", "A", "x");
  deliver(
      R"({"type":"socket","state":"message","text":"{\"type\":\"poke\",\"realm\":\"A\",\"revision\":2,\"tables\":[\"items\"]}"})");
  world.Settle();
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.Converged());
}

// Found by a test in browsers: who was invited at that moment saw it minutes later.
TEST_CASE("pulls again for a sign without a revision that comes during a pull") {
  const char* sign = nullptr;
  SUBCASE("the server listens from now on") { sign = R"({\"type\":\"ready\"})"; }
  SUBCASE("the rights of the user have changed") {
    sign = R"({\"type\":\"poke\",\"realm\":\"user:a\",\"revision\":0,\"tables\":[]})";
  }
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Run(2000);
  const auto deliver = [&](std::string_view event) { world.host(0).Deliver(Json(event)); };
  const auto hear = [&](std::string_view text) {
    deliver(R"({"type":"socket","state":"message","text":")" + std::string(text) + R"("})");
  };
  deliver(R"({"type":"socket","state":"open"})");
  if (std::string_view(sign).find("ready") == std::string_view::npos) world.host(0).Listens();
  world.Settle();
  world.network.hold_answers = true;
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(world.held.size() == 1);
  world.server.Foreign("b", "A", "x");
  hear(sign);
  world.Settle();
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.Converged());
}

TEST_CASE("records a dropped scope under a new n; a scope that comes back is unfilled") {
  SyncWorld world;
  world.Open();
  world.Settle();
  REQUIRE(world.sync()["scopes"].items()[0]["filled"] == Data(true));
  const uint64_t version = world.sync()["scopeVersion"].as_u64();
  world.network.down = true;
  world.host(0).Post(
      Json(R"({"type":"scopes","add":[],"drop":[{"table":"items","where":["true"]}]})"));
  world.Settle();
  CHECK(world.storage.Get("updates", world.sync()["n"])["kind"].as_string() == "scopes");
  CHECK(world.sync()["scopeVersion"].as_u64() == version + 1);
  world.host(0).Post(Json(R"({"type":"scopes","add":[{"table":"items","where":["true"]}]})"));
  world.Settle();
  CHECK(world.sync()["scopes"].items()[0]["filled"] == Data(false));
}

TEST_CASE("leaves a record of a newer package version alone, and reports it") {
  SyncWorld world;
  Data newer = Json(R"({"v":2,"secret":true})");
  world.storage.Put("sync", "sync", newer);
  world.Open();
  world.Run(100000);
  CHECK(world.sync() == newer);
  CHECK(world.host(0).status["error"]["code"].as_string() == "newer_tab");
}

}  // namespace
}  // namespace skerry::sync_test
