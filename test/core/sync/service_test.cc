// A service worker that pushes, and the windows' Workers that help it (sync/helper.h).
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
  // As the window does: it wakes the service worker itself.
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

TEST_CASE("the service worker pushes and pulls, without a lease in storage; the window does not") {
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

TEST_CASE("each job that pushes has an epoch of its own, for the server's records") {
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

TEST_CASE("windows that push as well keep their lease: it is not counted up from under them") {
  Serving world;
  const Data held = Json(R"({"v":1,"owner":"tab-9","epoch":7,"beat":3})");
  world.storage.Put("sync", "push", held);
  world.Change("a");
  world.Settle();
  CHECK(world.lease() == held);
  CHECK(Json(world.push_bodies[0])["epoch"].as_number() == 7);
  // The service worker rests, and does not say of them that they hold it still.
  CHECK(world.host(0).status["lease"]["owner"].is_null());
  CHECK(world.host(0).status["lease"]["epoch"].as_number() == 7);
}

TEST_CASE("two versions of the service worker do not overlap") {
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

TEST_CASE(
    "a pause after a failure is kept by the windows: the service worker may be stopped in it") {
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
  // Neither typing nor a window that looks too early cuts it short.
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

TEST_CASE("a service worker that does not answer is given up, and the window pushes") {
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

TEST_CASE(
    "a change of which the service worker did not hear is pushed within seconds all the same") {
  Serving world;
  world.Run(20'000);  // its next poll is half a minute away
  const int service = std::exchange(world.service, -1);
  world.Change("a");
  world.service = service;
  // It lives, and says that it has nothing to do: it does not know better.
  world.host(0).Post(Json(R"({"type":"wake","reason":"due","online":true,"listening":true})"));
  world.Run(100);
  CHECK(world.server.rows().count("a") == 0);
  world.Run(12'000);
  CHECK(world.server.rows().count("a") == 1);
}

TEST_CASE("a machine that slept does not take the service worker for dead") {
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

TEST_CASE("one that works on a slow answer gives signs of life, and is not given up") {
  Serving world;
  world.network.hold_answers = true;
  world.Change("a");
  world.Run(120'000);
  CHECK(world.host(1).status["mode"].as_string() == "service-worker");
  CHECK(world.host(1).push_times.empty());
}

TEST_CASE("one that lives but does not reach the server, for a minute, is given up") {
  Serving world;
  world.network.down = true;
  world.Change("a");
  world.Run(200'000);
  CHECK(world.host(1).status["mode"].as_string() == "lease");
  CHECK(world.host(1).status["modeReason"].as_string() ==
        "the service worker does not reach the server");
}

TEST_CASE("what the application asked for is answered, also when the service worker is stopped") {
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

TEST_CASE("what was asked of a service worker that is given up is answered by the window") {
  Serving world;
  world.host(0).frozen = true;
  world.host(1).Post(Json(R"({"type":"sync","id":7})"));
  world.Run(21'000);
  CHECK(Answer(world.host(1)) == Json(R"({"type":"synced","id":7,"error":null})"));
}

TEST_CASE("a window that goes over to a service worker in the middle takes what was asked along") {
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

TEST_CASE("tokens come from the windows, and are kept where that is allowed") {
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

TEST_CASE("a token that is refused is asked for anew by the window that is looked at") {
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

TEST_CASE("a service worker that has no token is let sleep until there is one") {
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

TEST_CASE("an old version that waits for a token does not keep the new one from pushing") {
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

TEST_CASE("what a service worker needs to start without a window is kept in storage") {
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

TEST_CASE("a log-out ends when the user is back, with a service worker or without one") {
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

TEST_CASE("what a paused window adds is not pushed for being heard of") {
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

TEST_CASE("with an open socket nobody polls, though others hear only later that it is open") {
  const Data window = Json(R"({"mode":"helper","socket":true})");
  SyncWorld world;
  world.OpenService();
  for (int i = 0; i < 2; ++i) world.Open(true, window);
  world.Run(20'000);
  const size_t holder = world.lease("listen")["owner"].Is("tab-1") ? 1 : 2;
  world.host(holder).Deliver(Json(R"({"type":"socket","state":"open"})"));
  world.Run(1'000);
  const size_t pulls = world.pull_bodies.size();
  world.Run(200'000);
  CHECK(world.pull_bodies.size() == pulls);
  world.Run(200'000);
  CHECK(world.pull_bodies.size() > pulls);
}

TEST_CASE("without a socket the service worker polls as its windows say, and never for itself") {
  Serving world;
  const size_t pulls = world.pull_bodies.size();
  world.Run(240'000);
  CHECK(world.pull_bodies.size() >= pulls + 3);
  world.host(1).Crash();
  const size_t then = world.pull_bodies.size();
  world.Run(240'000);
  CHECK(world.pull_bodies.size() == then);
}

TEST_CASE("a hidden window has what is pending pushed, and polls for nothing") {
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
