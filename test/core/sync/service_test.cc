// Goal: a service worker pushes and pulls, and the Workers of the windows help it and take over
// when it fails (sync/helper.h).
#include <utility>

#include "base/json.h"
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

// The service worker is host 0, the window's Worker host 1.
struct Serving : SyncWorld {
  explicit Serving(Data window = Data::MakeObject(), Data worker = Data::MakeObject()) {
    OpenService(std::move(worker));
    Open(true, window.Set("mode", "helper").Set("reason", "it is registered"));
    Settle();
  }
  // As the window does, which wakes the service worker itself.
  void Change(const char* id) {
    storage.Add("mutations", MutationRecord(SyncUuid(++last_), {CreateItem(id, "A", 1)}, 1));
    if (service >= 0)
      host(static_cast<size_t>(service)).Post(Json(R"({"type":"wake","reason":"mutation"})"));
    host(1).Post(Json(R"({"type":"mutated"})"));
  }
  void Stop() {
    host(0).Crash();
    service = -1;
  }

 private:
  uint64_t last_ = 5000;
};

Data Answer(const SyncHost& host) {
  for (const Data& post : host.posts) {
    if (post["type"].Is("synced")) return post;
  }
  return nullptr;
}

TEST_CASE("syncs in the service worker without a stored lease, and not in the window") {
  Serving world;
  const size_t pulls = world.host(0).pull_times.size();
  CHECK(pulls > 0);
  world.Change("a");
  world.Settle();
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.storage.Count("outbox") == 0);
  CHECK(world.Converged());
  CHECK(world.host(0).push_times.size() == 1);
  CHECK(world.host(1).push_times.empty());
  CHECK(world.host(1).pull_times.empty());
  CHECK(world.lease()["owner"].is_null());
  CHECK(world.claims.empty());
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  CHECK(world.host(1).status["modeReason"].as_string() == "it is registered");
  CHECK(world.host(1).status["phase"].as_string() == "idle");
}

TEST_CASE("uses a new epoch for each job that pushes, for the server's records") {
  Serving world;
  for (const char* id : {"a", "b"}) {
    world.Change(id);
    world.Settle();
  }
  REQUIRE(world.push_bodies.size() == 2);
  const double first = Json(world.push_bodies[0])["epoch"].as_number();
  CHECK(first > 0);
  CHECK(Json(world.push_bodies[1])["epoch"].as_number() == first + 1);
  CHECK(world.lease()["epoch"].as_number() == first + 1);
}

TEST_CASE("leaves the epoch alone while a window that pushes holds the lease") {
  Serving world;
  const Data held = Json(R"({"v":1,"owner":"tab-9","epoch":7,"beat":3})");
  world.storage.Put("sync", "push", held);
  world.Change("a");
  world.Settle();
  CHECK(world.lease() == held);
  CHECK(Json(world.push_bodies[0])["epoch"].as_number() == 7);
  // The service worker is idle, and does not report the window's lease as held.
  CHECK(world.host(0).status["lease"]["owner"].is_null());
  CHECK(world.host(0).status["lease"]["epoch"].as_number() == 7);
}

TEST_CASE("runs no two versions of the service worker at once") {
  Serving world;
  world.network.hold_answers = true;
  world.Change("a");
  world.Settle();
  REQUIRE(world.push_bodies.size() == 1);
  world.OpenService();
  world.Settle();
  world.Change("b");
  world.Settle();
  CHECK(world.host(2).push_times.empty());
  CHECK(world.host(2).pull_times.empty());
  world.host(0).Crash();
  world.network.hold_answers = false;
  world.Settle();
  CHECK(world.host(2).push_times.size() == 1);
  CHECK(world.server.rows().count("b") == 1);
}

TEST_CASE("keeps a pause after a failure although the service worker was stopped in it") {
  Serving world;
  world.network.down = true;
  world.Change("a");
  world.Settle();
  const auto requests = [&] {
    return world.host(0).push_times.size() + world.host(0).pull_times.size();
  };
  CHECK(world.host(0).push_times.size() == 1);
  const size_t tries = requests();
  CHECK(world.host(1).status["phase"].as_string() == "waiting");
  CHECK(world.host(1).status["nextTryAt"].is_number());
  // Neither mutations nor a window that looks too early cut it short.
  world.host(0).Post(Json(R"({"type":"wake","reason":"mutation"})"));
  world.host(0).Post(Json(R"({"type":"wake","reason":"due"})"));
  world.Settle();
  CHECK(requests() == tries);
  world.Stop();
  world.network.down = false;
  world.OpenService();
  world.Run(11'000);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.host(1).push_times.empty());
}

TEST_CASE("pushes in the window when the service worker does not answer") {
  Serving world;
  world.host(0).frozen = true;
  world.Change("a");
  world.Run(19'000);
  CHECK(world.server.rows().empty());
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  world.Run(2'000);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.host(1).status["mode"].as_string() == "lease");
  CHECK(world.host(1).status["modeReason"].as_string() == "the service worker does not answer");
}

TEST_CASE("pushes a change within seconds although the service worker missed its message") {
  Serving world;
  world.Run(20'000);  // its next poll is half a minute away
  const int service = std::exchange(world.service, -1);
  world.Change("a");
  world.service = service;
  // The service worker is alive and reports that it has nothing to do, as it missed the message.
  world.host(0).Post(Json(R"({"type":"wake","reason":"due","online":true,"listening":true})"));
  world.Run(100);
  CHECK(world.server.rows().count("a") == 0);
  world.Run(12'000);
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("does not give up the service worker after the machine slept") {
  Serving world;
  world.host(0).frozen = true;
  world.Change("a");
  world.Run(9'000);
  world.mono += 3'600'000;
  world.host(1).FireTimers();
  world.Settle();
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  world.host(0).frozen = false;
  world.Run(1'000);
  CHECK(world.host(0).push_times.size() == 1);
}

TEST_CASE("does not give up a service worker that sends heartbeats during a slow answer") {
  Serving world;
  world.network.hold_answers = true;
  world.Change("a");
  world.Run(120'000);
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  CHECK(world.host(1).push_times.empty());
}

TEST_CASE("gives up a live service worker that cannot reach the server for a minute") {
  Serving world;
  world.network.down = true;
  world.Change("a");
  world.Run(200'000);
  CHECK(world.host(1).status["mode"].as_string() == "lease");
  CHECK(world.host(1).status["modeReason"].as_string() ==
        "the service worker does not reach the server");
}

TEST_CASE("answers the application's requests although the service worker is stopped") {
  Serving world;
  world.network.hold_answers = true;
  world.host(1).Post(Json(R"({"type":"sync","id":7})"));
  world.Settle();
  CHECK(Answer(world.host(1)).is_null());
  world.Stop();
  world.network.hold_answers = false;
  world.OpenService();
  world.Run(20'000);
  CHECK(Answer(world.host(1)) == Json(R"({"type":"synced","id":7,"error":null})"));
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
}

TEST_CASE("answers the requests of a service worker that was given up, in the window") {
  Serving world;
  world.host(0).frozen = true;
  world.host(1).Post(Json(R"({"type":"sync","id":7})"));
  world.Run(21'000);
  CHECK(Answer(world.host(1)) == Json(R"({"type":"synced","id":7,"error":null})"));
}

TEST_CASE("hands requests over when a window switches to a service worker midway") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.host(0).Post(Json(R"({"type":"sync","id":7})"));
  world.Settle();
  world.OpenService();
  world.host(0).Post(Json(R"({"type":"service","active":true,"reason":"registered"})"));
  world.Settle();
  CHECK(world.lease()["owner"].is_null());
  world.network.hold_answers = false;
  world.Release();
  world.Run(1'000);
  CHECK(Answer(world.host(0)) == Json(R"({"type":"synced","id":7,"error":null})"));
  CHECK(world.host(0).status["mode"].as_string() == "service-worker");
  world.host(0).Post(Json(R"({"type":"service","active":false,"reason":"unregistered"})"));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.host(0).status["modeReason"].as_string() == "unregistered");
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("gets tokens from windows, and keeps them where that is allowed") {
  const Data auth = Json(R"({"auth":true})");
  Data keeps = Json(R"({"auth":true,"keepToken":true})");
  bool kept = false;
  SUBCASE("kept: a service worker without windows has it") { kept = true; }
  SUBCASE("not kept: it does not") { keeps.Set("keepToken", false); }
  Serving world(keeps, auth);
  world.Run(1'000);
  CHECK(world.host(1).token_whys.size() == 1);
  CHECK(world.host(0).pull_times.size() > 0);
  CHECK(world.storage.Get("sync", "token").is_object() == kept);
  world.Stop();
  world.host(1).Crash();
  world.OpenService(auth);
  world.host(2).Post(Json(R"({"type":"wake","reason":"sync"})"));
  world.Run(1'000);
  CHECK(world.host(2).pull_times.empty() == !kept);
}

TEST_CASE("asks the visible window for a new token when one is refused") {
  const Data auth = Json(R"({"auth":true})");
  Serving world(auth, auth);
  world.Run(1'000);
  world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})"));
  world.token = "fresh";
  world.Change("a");
  world.Run(1'000);
  CHECK(world.host(1).token_whys.back() == "expired");
  CHECK(world.server.rows().count("a") == 1);
  world.host(1).Post(Json(R"({"type":"visible","visible":false})"));
  const size_t asked = world.host(1).token_whys.size();
  world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})"));
  world.Change("b");
  world.Run(1'000);
  CHECK(world.host(1).token_whys.size() == asked);
}

TEST_CASE("lets a service worker without a token sleep until there is one") {
  const Data auth = Json(R"({"auth":true})");
  Serving world(auth, auth);
  world.Run(1'000);
  world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})"));
  world.token = nullptr;
  world.Change("a");
  world.Run(30'000);
  CHECK(world.host(1).status["needsAuth"].as_bool());
  const size_t wakes = world.host(1).wakes.size();
  world.Run(600'000);
  CHECK(world.host(1).wakes.size() <= wakes + 4);
  world.host(1).Deliver(Json(R"({"type":"token","token":"fresh"})"));
  world.Run(1'000);
  CHECK_FALSE(world.host(1).status["needsAuth"].as_bool());
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("lets the new version push while an old one waits for a token") {
  const Data auth = Json(R"({"auth":true})");
  Serving world(auth, auth);
  world.Run(1'000);
  world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})"));
  world.host(1).frozen = true;  // it gives no token
  world.Change("a");
  world.Settle();
  world.OpenService(auth);
  world.host(2).Post(Json(R"({"type":"token","token":"fresh"})"));
  world.host(2).Post(Json(R"({"type":"wake","reason":"mutation"})"));
  world.Settle();
  CHECK(world.host(2).push_times.size() == 1);
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("keeps in storage what a service worker needs to start without a window") {
  Serving world(Json(R"({"service":{"remote":{"url":"/v1"}}})"));
  const Data kept = world.storage.Get("sync", "service");
  CHECK(kept["remote"]["url"].as_string() == "/v1");
  CHECK(kept["schema"] == SyncSchemaDescription());
  const Data newer = Json(R"({"v":2,"remote":{"url":"/v2"}})");
  world.storage.Put("sync", "service", newer);
  world.Open(true, Json(R"({"mode":"helper","service":{"remote":{"url":"/v1"}}})"));
  world.Settle();
  CHECK(world.storage.Get("sync", "service") == newer);
}

TEST_CASE("ends a log-out when the user is back, with or without a service worker") {
  Serving world(Json(R"({"service":{"remote":{"url":"/v1"}}})"));
  const Data over = Json(R"({"v":1,"loggedOut":true})");
  world.storage.Put("sync", "service", over);
  world.Open(true, Json(R"({"mode":"helper","service":{"remote":{"url":"/v1"}}})"));
  world.Settle();
  CHECK(!world.storage.Get("sync", "service")["loggedOut"].as_bool());
  world.storage.Put("sync", "service", over);
  world.Open(true, Json(R"({"mode":"lease"})"));
  world.Settle();
  CHECK(world.storage.Get("sync", "service").is_null());
}

TEST_CASE("does not push a paused window's mutation when another window hears of it") {
  Serving world;
  world.host(1).Post(Json(R"({"type":"pause"})"));
  world.Settle();
  world.storage.Add("mutations", MutationRecord(SyncUuid(9000), {CreateItem("a", "A", 1)}, 1));
  world.Broadcast(1, Json(R"({"type":"added","tab":"tab-1","items":[]})"));
  world.host(1).Post(Json(R"({"type":"mutated"})"));
  world.Run(30'000);
  CHECK(world.server.rows().empty());
  world.host(1).Post(Json(R"({"type":"resume"})"));
  world.Run(1'000);
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("polls in no window while one has an open socket, though others hear of it later") {
  const Data window = Json(R"({"mode":"helper","socket":true})");
  SyncWorld world;
  world.OpenService();
  for (int i = 0; i < 2; ++i) world.Open(true, window);
  world.Run(20'000);
  const size_t holder = world.lease("listen")["owner"].Is("tab-1") ? 1 : 2;
  world.host(holder).Deliver(Json(R"({"type":"socket","state":"open"})"));
  world.host(holder).Listens();
  world.Run(1'000);
  const size_t pulls = world.pull_bodies.size();
  world.Run(200'000);
  CHECK(world.pull_bodies.size() == pulls);
  world.Run(200'000);
  CHECK(world.pull_bodies.size() > pulls);
}

TEST_CASE("polls in the service worker as its windows request, and never for itself") {
  Serving world;
  const size_t pulls = world.pull_bodies.size();
  world.Run(240'000);
  CHECK(world.pull_bodies.size() >= pulls + 3);
  world.host(1).Crash();
  const size_t then = world.pull_bodies.size();
  world.Run(240'000);
  CHECK(world.pull_bodies.size() == then);
}

TEST_CASE("pushes pending mutations of a hidden window, and polls for nothing") {
  Serving world;
  world.host(1).Post(Json(R"({"type":"visible","visible":false})"));
  world.Run(1'000);
  world.host(1).wakes.clear();
  world.Run(600'000);
  CHECK(world.host(1).wakes.empty());
  world.network.down = true;
  world.Change("a");
  world.Run(1'000);
  world.Stop();
  world.network.down = false;
  world.OpenService();
  world.Run(30'000);
  CHECK(world.server.rows().count("a") == 1);
}

}  // namespace
}  // namespace skerry::sync_test
