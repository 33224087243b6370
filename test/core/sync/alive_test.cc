// Goal: a socket that is open and dead is noticed and replaced within a minute, and every window shows
// whether the server can be reached now. Method: socket_world.h.
#include "doctest/doctest.h"
#include "test/core/sync/socket_world.h"

namespace skerry::sync_test {
namespace {

constexpr double kMinute = 60'000;

TEST_CASE("notices within a minute that a socket is open and dead, and replaces it") {
  bool service = false;
  SUBCASE("with the lease") {}
  SUBCASE("with a service worker") { service = true; }
  SocketWorld world(Line::kAnswers, service);
  const size_t opened = world.opened();
  world.line = Line::kSilent;
  world.server.Foreign("missed", "A", "x");
  world.Serve(45'000);
  world.line = Line::kAnswers;
  world.Serve(15'000);
  CHECK(world.opened() > opened);
  CHECK(world.Converged());
  world.CheckBoth(true, "idle");
}

TEST_CASE("asks a quiet socket every 19 to 32 s whether it is alive, and keeps it") {
  SocketWorld world;
  const size_t opened = world.opened(), pulls = world.pull_bodies.size(), pings = world.pings();
  world.Serve(4 * kMinute);
  CHECK(world.opened() == opened);
  CHECK(world.pull_bodies.size() <= pulls + 1);  // the poll of every five minutes
  CHECK(world.pings() - pings >= 7);
  CHECK(world.pings() - pings <= 13);
  world.CheckBoth(true, "idle");
  CHECK(world.Other().status["lastHeardAt"].as_number() > world.now() - 33'000);
}

TEST_CASE("polls every five minutes although its socket is heard of all the while") {
  bool service = false;
  SUBCASE("with the lease") {}
  SUBCASE("with a service worker") { service = true; }
  SocketWorld world(Line::kAnswers, service);
  const size_t pulls = world.pull_bodies.size();
  // Nothing announces it: a deployment has changed rows, or a poke was lost.
  world.server.Foreign("missed", "A", "x");
  world.Serve(3 * kMinute);
  CHECK(world.pull_bodies.size() == pulls);
  world.Serve(4 * kMinute);
  CHECK(world.pull_bodies.size() > pulls);
  CHECK(world.Converged());
}

TEST_CASE("does not ask a socket on which something is heard") {
  SocketWorld world;
  const size_t pings = world.pings();
  for (int i = 0; i < 12; ++i) {
    world.Announce(1);  // nothing new
    world.Serve(15'000);
  }
  CHECK(world.pings() == pings);
}

TEST_CASE("leaves the socket of a server that answers no pings, and sends none") {
  SocketWorld world(Line::kOlder);
  const size_t opened = world.opened();
  world.Serve(10 * kMinute);  // Answer() refuses pings
  CHECK(world.opened() == opened);
  world.CheckBoth(true, "idle");
}

TEST_CASE("asks once more after the machine slept, and takes a late answer") {
  SocketWorld world;
  const size_t opened = world.opened();
  size_t pings = world.pings();
  world.line = Line::kSilent;
  while (world.pings() == pings) world.Serve(250);
  pings = world.pings();
  world.mono += 3'600'000;
  world.Settle();
  world.Run(250);
  CHECK(world.pings() == pings + 1);
  CHECK(world.opened() == opened);
  world.Say(&world.Holder(), R"({"type":"pong"})");
  world.line = Line::kAnswers;
  world.Serve(kMinute);
  CHECK(world.opened() == opened);
}

TEST_CASE("replaces a socket that did not announce what a pull has brought") {
  Line line = Line::kAnswers;
  SUBCASE("of any server") {}
  SUBCASE("of a server that answers no pings") { line = Line::kOlder; }
  SocketWorld world(line);
  world.Serve(15'000);  // what the first pull brings was there before the socket
  const size_t opened = world.opened();
  const auto pull = [&] {
    world.Other().Post(Json(R"({"type":"wake","reason":"visible"})"));
    world.Serve(11'000);
  };
  world.server.Foreign("second", "A", "1");
  SUBCASE("announced: it stays") {
    world.Announce(2);
    pull();
    CHECK(world.opened() == opened);
  }
  SUBCASE("announced a little later: it stays") {
    world.Other().Post(Json(R"({"type":"wake","reason":"visible"})"));
    world.Serve(8'000);
    world.Announce(2);
    world.Serve(8'000);
    CHECK(world.opened() == opened);
  }
  SUBCASE("an own change needs no announcement") {
    world.Announce(2);
    world.Serve(2'000);
    world.Mutate({CreateItem("mine", "A", 1)}, 1 - world.holder());
    world.Serve(11'000);
    CHECK(world.opened() == opened);
  }
  SUBCASE("nor does one of a row that others have changed") {
    world.Mutate({IncItem("second", "A", 1)}, 1 - world.holder());
    world.Serve(2'000);
    world.Announce(2);
    world.Serve(11'000);
    CHECK(world.opened() == opened);
  }
  SUBCASE("not announced: it is replaced, once a minute at most") {
    pull();
    CHECK(world.opened() == opened + 1);
    for (uint64_t i = 2; i < 6; ++i) {
      world.server.Foreign("second", "A", std::to_string(i));
      pull();
    }
    CHECK(world.opened() <= opened + 2);
  }
  pull();
  CHECK(world.Converged());
}

TEST_CASE("checks the socket when the application calls sync.now()") {
  bool own = true;
  SUBCASE("in the window that has the socket") {}
  SUBCASE("in another window") { own = false; }
  SocketWorld world;
  world.Serve(12'000);
  const size_t opened = world.opened(), pings = world.pings();
  SyncHost& asking = own ? world.Holder() : world.Other();
  SUBCASE("alive: it stays") {
    asking.Post(Json(R"({"type":"sync","id":1})"));
    world.Serve(12'000);
    CHECK(world.pings() == pings + 1);
    CHECK(world.opened() == opened);
  }
  SUBCASE("heard just now: it is not asked") {
    world.Announce(1);
    world.Serve(1'000);
    asking.Post(Json(R"({"type":"sync","id":1})"));
    world.Serve(1'000);
    CHECK(world.pings() == pings);
  }
  SUBCASE("dead: it is replaced within seconds") {
    world.line = Line::kSilent;
    asking.Post(Json(R"({"type":"sync","id":1})"));
    world.Serve(9'000);
    world.line = Line::kAnswers;
    world.Serve(4'000);
    CHECK(world.opened() == opened + 1);
  }
}

TEST_CASE("checks the socket at once when a request fails") {
  SocketWorld world;
  const size_t pings = world.pings();
  world.network.down = true;
  world.Mutate({CreateItem("mine", "A", 1)}, 1 - world.holder());
  world.Serve(2'000);
  CHECK(world.pings() == pings + 1);
}

struct CutOff {
  const char* name;
  Line line;
  double close_code;  // 0: the socket is not closed, but silent
  int status;         // of all requests; 0: none is answered
  const char* body;
  bool offline;  // the browser says so
  const char* phase;
  bool connected;
};
constexpr CutOff kCutOff[] = {
    {"the server stops", Line::kRefuses, 1006, 0, "", false, "waiting", false},
    {"the server says that it stops", Line::kRefuses, 1001, 0, "", false, "waiting", false},
    {"nothing passes any more", Line::kSilent, 0, 0, "", false, "waiting", false},
    {"the wifi is off", Line::kRefuses, 1006, 0, "", true, "offline", false},
    {"a proxy without its server", Line::kRefuses, 1006, 502, "Bad gateway", false, "waiting",
     false},
    {"a captive portal", Line::kRefuses, 1006, 200, "<html>log in</html>", false, "waiting", false},
    {"a server without its database", Line::kRefuses, 1013, 503, R"({"code":"busy"})", false,
     "waiting", false},
    {"a server that asks for fewer requests", Line::kRefuses, 1006, 429,
     R"({"code":"rate_limited"})", false, "waiting", true},
    {"a network without web sockets", Line::kRefuses, 1006, 1, "", false, "idle", true},
};

TEST_CASE("shows in every window that the server cannot be reached, and that it can again") {
  bool service = false;
  SUBCASE("with the lease") {}
  SUBCASE("with a service worker") { service = true; }
  for (const CutOff& cut : kCutOff) {
    CAPTURE(cut.name);
    SocketWorld world(Line::kAnswers, service);
    world.CheckBoth(true, "idle");
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      world.line = cut.line;
      world.network.down = cut.status == 0;
      if (cut.status > 1) {
        for (int i = 0; i < 200; ++i)
          world.network.scripted.push_back(Scripted(cut.status, cut.body));
      }
      if (cut.close_code > 0) {
        world.Drop(cut.close_code);
        world.Settle();
        if (cut.status != 1) world.CheckBoth(false, "waiting");  // at once
        const double next = world.Other().status["nextTryAt"].as_number();
        CHECK(next >= world.now());
        CHECK(next <= world.now() + 2'000);
      }
      if (cut.offline) {
        for (size_t i = 0; i < 2; ++i)
          world.host(i).Post(Json(R"({"type":"online","online":false})"));
      }
      world.Serve(kMinute);
      // The holder of the lease works now and then; both rest in the same phase.
      for (int i = 0; i < 80 && !world.host(0).status["phase"].Is(cut.phase); ++i) world.Serve(250);
      world.CheckBoth(cut.connected, cut.phase);
      for (size_t i = 0; i < 2 && !cut.offline && !cut.connected; ++i) {
        const double next = world.host(i).status["nextTryAt"].as_number();
        CHECK(next >= world.now() - 500);
        CHECK(next <= world.now() + 76'000);
      }
      world.line = Line::kAnswers;
      world.network.down = false;
      world.network.scripted.clear();
      if (cut.offline) {
        for (size_t i = 0; i < 2; ++i)
          world.host(i).Post(Json(R"({"type":"online","online":true})"));
      }
      world.Serve(80'000);
      world.CheckBoth(true, "idle");
      CHECK(world.host(0).status["error"].is_null());
    }
  }
}

TEST_CASE("shows without a socket whether the last request was answered") {
  SyncWorld world;
  SyncHost& host = world.Open();
  CHECK_FALSE(host.status["connected"].as_bool());
  world.Run(2'000);
  CHECK(host.status["connected"].as_bool());
  world.network.down = true;
  world.Run(76'000);
  CHECK_FALSE(host.status["connected"].as_bool());
  CHECK(host.status["phase"].Is("waiting"));
  world.network.down = false;
  world.Run(76'000);
  CHECK(host.status["connected"].as_bool());
  CHECK(host.status["phase"].Is("idle"));
}

TEST_CASE("does not take an old answer for a connection while nothing is asked") {
  SocketWorld world;
  world.host(0).Post(Json(R"({"type":"visible","visible":false})"));
  world.host(1).Post(Json(R"({"type":"visible","visible":false})"));
  world.Run(10'000);
  for (size_t i = 0; i < 2; ++i) CHECK(world.host(i).status["connected"].as_bool());
  world.Run(2 * kMinute);
  for (size_t i = 0; i < 2; ++i) CHECK_FALSE(world.host(i).status["connected"].as_bool());
  world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
  world.Serve(2'000);
  for (size_t i = 0; i < 2; ++i) CHECK(world.host(i).status["connected"].as_bool());
}

TEST_CASE("is not connected while it is paused or has no token") {
  SyncWorld world;
  world.token = nullptr;
  SyncHost& host = world.Open(true, Json(R"({"auth":true})"));
  world.Run(1'000);
  CHECK_FALSE(host.status["connected"].as_bool());
  CHECK(host.status["phase"].Is("blocked"));
  world.host(0).Deliver(Json(R"({"type":"token","token":"fresh"})"));
  world.Run(1'000);
  CHECK(host.status["connected"].as_bool());
  host.Post(Json(R"({"type":"pause"})"));
  world.Run(1'000);
  CHECK_FALSE(host.status["connected"].as_bool());
}

TEST_CASE("stays connected when the server closes the socket of an expired token") {
  SocketWorld world;
  world.Drop(4401);
  world.Settle();
  world.CheckBoth(true, "idle");
  world.Serve(5'000);
  CHECK(world.Count("open") >= 2);
}

TEST_CASE("asks again after a window has not answered for a token in time") {
  SyncWorld world;
  world.answers_token = false;
  SyncHost& host = world.Open(true, Json(R"({"auth":true})"));
  world.Run(19'000);
  CHECK(host.token_whys.size() == 1);
  CHECK_FALSE(host.status["needsAuth"].as_bool());
  world.Run(2'000);
  CHECK(host.status["error"]["code"].Is("needs_auth"));
  CHECK(host.status["phase"].Is("waiting"));
  CHECK(host.status["nextTryAt"].is_number());
  world.answers_token = true;
  world.Run(8'000);
  CHECK(host.token_whys.size() == 2);
  CHECK(host.status["phase"].Is("idle"));
  CHECK(host.status["error"].is_null());
}

}  // namespace
}  // namespace skerry::sync_test
