// Goal: the whole sync worker shows windows, storage and the network the right state. Method:
// workers against the real authority.
#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("is not idle before the first round has ended") {
  SyncWorld world;
  const auto begins = [](const SyncHost& host) {
    REQUIRE(host.phases.size() > 1);
    CHECK(host.phases[0] == "opening");
    CHECK(host.phases.back() == "idle");
    for (size_t i = 0; i + 1 < host.phases.size(); ++i) CHECK(host.phases[i] != "idle");
  };
  SUBCASE("of a new database") {
    world.Open();
    world.Settle();
    begins(world.host(0));
  }
  SUBCASE("of one that was in step before: there may be much news") {
    world.Open();
    world.Settle();
    world.host(0).Crash();
    world.Open();
    world.Settle();
    begins(world.host(1));
  }
  SUBCASE("with a service worker, a window's") {
    world.OpenService();
    world.Open(true, Json(R"({"mode":"helper"})"));
    world.Settle();
    begins(world.host(1));
  }
  SUBCASE("with a server that cannot be reached: it waits") {
    world.network.down = true;
    world.Open();
    world.Run(20'000);
    for (const std::string& phase : world.host(0).phases) CHECK(phase != "idle");
    CHECK(world.host(0).status["phase"].Is("waiting"));
    world.network.down = false;
    world.Run(120'000);
    CHECK(world.host(0).status["phase"].Is("idle"));
  }
}

TEST_CASE("shows no work of a holder that ended in it: another window does it") {
  SyncWorld world;
  world.Open();
  world.Open();
  world.Run(10'000);
  world.network.hold_answers = true;
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.host(1).status["phase"].Is("pulling"));
  world.Run(3'000);
  CHECK(world.host(1).status["phase"].Is("pulling"));
  world.host(0).Crash();
  world.network.hold_answers = false;
  world.Run(12'000);
  CHECK(world.host(1).status["phase"].Is("idle"));
}

TEST_CASE("clears the error of scopes that storage refused once it has stored them") {
  SyncWorld world;
  world.Open();
  world.Settle();
  const Data scopes = Json(R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})");
  const auto error = [&] { return world.host(0).status["error"]["code"]; };
  world.storage.FailNextWrite("QuotaExceededError");
  world.host(0).Post(scopes);
  world.Settle();
  CHECK(error().Is("quota"));
  SUBCASE("before anything was pulled") {
    world.network.hold_answers = true;
    world.host(0).Post(scopes);
    world.Settle();
    CHECK(error().is_null());
  }
  SUBCASE("while other windows have never heard of it") {
    world.Open();
    world.storage.FailWrites("QuotaExceededError");
    world.network.hold_answers = true;
    world.host(0).Post(scopes);
    world.Settle();
    world.storage.FailWrites("");
    world.host(0).Post(scopes);
    world.network.hold_answers = false;
    world.Release();
    world.Settle();
    CHECK(world.host(1).status["error"].is_null());
  }
  SUBCASE("not while the round waits because of them") {
    world.storage.FailWrites("QuotaExceededError");
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    CHECK(world.host(0).status["phase"].Is("waiting"));
    world.host(0).Post(Json(R"({"type":"scopes","add":[]})"));
    world.Settle();
    CHECK(error().Is("quota"));
    world.storage.FailWrites("");
    world.Run(600'000);
    CHECK(error().is_null());
  }
}

TEST_CASE("clears a window's error when another window has done its work") {
  SyncWorld world(/*locks=*/false);
  world.Open();
  world.Open();
  world.Run(10'000);
  SyncHost& one = world.host(0);
  SyncHost& other = world.host(1);
  const auto error = [&] { return other.status["error"]["code"]; };
  world.storage.FailNextWrite("QuotaExceededError");
  const Data looked_at = Json(R"({"type":"wake","reason":"visible"})");
  other.Post(looked_at);
  world.Settle();
  CHECK(error().Is("quota"));
  // A poke makes both try at once; one of them is first and does all the work.
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1, "one")});
  one.Post(Json(R"({"type":"sync","id":1})"));
  other.Post(looked_at);
  other.Post(Json(R"({"type":"wake","reason":"poke","realm":"A","revision":1})"));
  world.Settle();
  CHECK(one.status["role"].Is("holder"));
  CHECK(other.status["role"].Is("waiter"));
  CHECK(error().Is("quota"));
  world.network.hold_answers = false;
  world.Release();
  // It ends after it reported that the lease is free, and nothing else.
  for (int step = 0; step < 200 && !other.status["role"].Is("none"); ++step) {
    one.StepOnce();
    other.StepOnce();
  }
  other.ForgetMessages();
  one.Crash();
  world.Settle();
  CHECK(other.status["role"].Is("none"));
  CHECK(error().is_null());
}

TEST_CASE("pushes a mutation, confirms it and folds it into storage") {
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

TEST_CASE("keeps the stored schema version when an older application version opens") {
  SyncWorld world;
  world.storage.Put("sync", "sync", Json(R"({"v":1,"schema":9})"));
  world.Open();
  world.Settle();
  CHECK(world.sync()["schema"].as_number() == 9);
  CHECK(world.sync()["client"].is_string());
}

}  // namespace
}  // namespace skerry::sync_test
