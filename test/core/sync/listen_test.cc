// Goal: one window holds the poke socket, under the lease `listen`. Its heartbeats go over the
// channel, so that an idle window writes nothing.
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

struct Listening : SyncWorld {
  explicit Listening(bool locks = true) : SyncWorld(locks) {
    for (int i = 0; i < 2; ++i) Open(true, Json(R"({"socket":true})"));
    Run(2'000);
    OpenSocket();
    Run(10'000);
  }
  size_t holder() { return lease("listen")["owner"].Is("tab-0") ? 0 : 1; }
  SyncHost& Holder() { return host(holder()); }
  SyncHost& Other() { return host(1 - holder()); }
  // The windows help from now on.
  void StartService() {
    OpenService();
    for (size_t i = 0; i < 2; ++i)
      host(i).Post(Json(R"({"type":"service","active":true,"reason":""})"));
    Run(30'000);
  }
  void OpenSocket() {
    Holder().Deliver(Json(R"({"type":"socket","state":"open"})"));
    Holder().Listens();
  }
};

TEST_CASE("writes nothing while windows are idle and one has an open socket") {
  Listening world;
  const uint64_t before = world.storage.transactions();
  const size_t pulls = world.pull_bodies.size();
  world.Run(120'000);
  CHECK(world.storage.transactions() <= before + 2);  // a look each minute, by one of them
  CHECK(world.pull_bodies.size() == pulls);
  // It still polls sometimes: a poke may be lost.
  world.Run(300'000);
  CHECK(world.pull_bodies.size() > pulls);
  CHECK(world.pull_bodies.size() <= pulls + 2);
  CHECK(world.Holder().socket == Vector<std::string>{"open", "send"});
  CHECK(world.Other().socket.empty());
}

TEST_CASE("pushes a mutation within two minutes after its window ended without a message") {
  Listening world;
  Data extra = Data::MakeObject();
  SUBCASE("by the holder of the lease") {}
  SUBCASE("by a service worker") { world.StartService(); }
  const size_t pulls = world.pull_bodies.size();
  world.Log({CreateItem("a", "A", 1)});
  world.Run(120'000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
  bool notified = false;
  for (const Data& message : world.messages) notified = notified || message["type"].Is("left");
  CHECK(notified);
  // Then nothing is written again.
  const size_t after = world.pull_bodies.size();
  CHECK(after <= pulls + 2);
  world.Run(120'000);
  CHECK(world.pull_bodies.size() == after);
}

TEST_CASE("polls as often while a mutation waits for a realm that the server has lost") {
  Listening world;
  SUBCASE("by the holder of the lease") {}
  SUBCASE("by a service worker") { world.StartService(); }
  Data sync = world.sync();
  world.storage.Put("sync", "sync", sync.Set("lost", Json(R"(["R"])")));
  world.Log({CreateItem("a", "R", 1)});
  world.Run(10 * 60'000);
  CHECK(world.storage.Count("mutations") == 1);
  const size_t pulls = world.pull_bodies.size();
  world.Run(30 * 60'000);
  CHECK(world.pull_bodies.size() >= pulls + 4);
  CHECK(world.pull_bodies.size() <= pulls + 8);
}

TEST_CASE("polls about once a minute while no window has an open socket") {
  Listening world;
  world.Holder().Deliver(Json(R"({"type":"socket","state":"closed","code":1006})"));
  world.Run(30'000);
  const size_t pulls = world.pull_bodies.size();
  world.Run(240'000);
  CHECK(world.pull_bodies.size() >= pulls + 3);
}

TEST_CASE("takes over from a frozen listener, which gives up the lease when it thaws") {
  bool locks = true;
  SUBCASE("with Web Locks") {}
  SUBCASE("without Web Locks") { locks = false; }
  Listening world(locks);
  const size_t old = world.holder();
  world.host(old).frozen = true;
  world.Run(20'000);
  CHECK(world.holder() == old);
  world.Run(20'000);
  CHECK(world.holder() == 1 - old);
  REQUIRE(!world.host(1 - old).socket.empty());
  CHECK(world.host(1 - old).socket[0] == "open");
  world.host(old).frozen = false;
  world.Run(6'000);
  CHECK(world.host(old).socket.back() == "close");
  CHECK(world.holder() == 1 - old);
}

TEST_CASE("notices through storage that another took over, though it missed all messages") {
  Listening world;
  const size_t old = world.holder();
  world.host(old).frozen = true;
  world.Run(40'000);
  REQUIRE(world.holder() == 1 - old);
  world.host(old).ForgetMessages();
  world.host(1 - old).frozen = true;  // so that it gets no heartbeat, either
  world.host(old).frozen = false;
  world.Run(6'000);
  CHECK(world.host(old).socket.back() == "close");
}

TEST_CASE("pauses after a claim that storage had no room for, and listens after the next") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Settle();
  REQUIRE(world.lease("listen")["owner"].is_string());
  world.host(0).Post(Json(R"({"type":"pause"})"));
  world.Settle();
  REQUIRE(world.lease("listen")["owner"].is_null());
  world.storage.FailWrites("QuotaExceededError");
  world.host(0).Post(Json(R"({"type":"resume"})"));
  const uint64_t before = world.storage.transactions();
  world.Run(60'000);
  CHECK(world.storage.transactions() - before < 100);
  world.storage.FailWrites("");
  world.Run(10'000);
  CHECK(world.lease("listen")["owner"].is_string());
}

}  // namespace
}  // namespace skerry::sync_test
