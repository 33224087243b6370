// Goal: one worker at a time holds the lease, under clock steps, frozen holders and crashes at any
// point. Method: the rules of its record as pure functions, then several workers that race for it.
// The world checks at every claim that an epoch has one owner.
#include "sync/lease.h"

#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

constexpr double kDay = 24.0 * 3600 * 1000;

LeaseRecord LeaseOf(std::string_view owner, uint64_t epoch, uint64_t heartbeat) {
  LeaseRecord record;
  record.epoch = epoch;
  record.heartbeat = heartbeat;
  if (!owner.empty()) record.owner = owner;
  return record;
}

TEST_CASE("times a holder out after five seconds without a heartbeat, over several looks") {
  Observation seen;
  const LeaseRecord record = LeaseOf("x", 3, 7);
  CHECK_FALSE(Observe(record, 0, 1000, 5000, &seen));
  for (int look = 1; look < 5; ++look) CHECK_FALSE(Observe(record, look * 1000, 1000, 5000, &seen));
  CHECK(Observe(record, 5000, 1000, 5000, &seen));
}

TEST_CASE("restarts the observation at a heartbeat or another epoch") {
  Observation seen;
  for (int look = 0; look < 5; ++look)
    CHECK_FALSE(Observe(LeaseOf("x", 3, 7), look * 1000, 1000, 5000, &seen));
  for (int look = 5; look < 10; ++look)
    CHECK_FALSE(Observe(LeaseOf("x", 3, 8), look * 1000, 1000, 5000, &seen));
  for (int look = 10; look < 15; ++look)
    CHECK_FALSE(Observe(LeaseOf("x", 4, 8), look * 1000, 1000, 5000, &seen));
  CHECK(Observe(LeaseOf("x", 4, 8), 15000, 1000, 5000, &seen));
}

TEST_CASE("restarts the observation at a look that came more than twice too late") {
  Observation seen;
  const LeaseRecord record = LeaseOf("x", 3, 7);
  CHECK_FALSE(Observe(record, 0, 1000, 5000, &seen));
  CHECK_FALSE(Observe(record, kDay, 1000, 5000, &seen));  // this window slept
  for (int look = 1; look < 5; ++look)
    CHECK_FALSE(Observe(record, kDay + look * 1000, 1000, 5000, &seen));
  CHECK(Observe(record, kDay + 5000, 1000, 5000, &seen));
}

TEST_CASE("claims a stolen lock only at the observed epoch and heartbeat") {
  Observation seen;
  Observe(LeaseOf("x", 3, 7), 0, 1000, 5000, &seen);
  CHECK(MayClaim(LeaseOf("x", 3, 7), "me", ClaimGround::kLockStolen, &seen));
  CHECK_FALSE(MayClaim(LeaseOf("x", 3, 8), "me", ClaimGround::kLockStolen, &seen));
  CHECK_FALSE(MayClaim(LeaseOf("x", 3, 7), "me", ClaimGround::kLockStolen, nullptr));
  CHECK_FALSE(MayClaim(LeaseOf("x", 3, 7), "me", ClaimGround::kNoLocks, nullptr));
  CHECK(MayClaim(LeaseOf("x", 3, 7), "me", ClaimGround::kLockGranted, nullptr));
  CHECK(MayClaim(LeaseOf("", 3, 7), "me", ClaimGround::kNoLocks, nullptr));
  CHECK(MayClaim(LeaseOf("me", 3, 7), "me", ClaimGround::kNoLocks, nullptr));
}

TEST_CASE("releases a lease only with the right owner and epoch") {
  CHECK_FALSE(ReleasedRecord(LeaseOf("x", 3, 7), "x", 2, 0).has_value());
  CHECK_FALSE(ReleasedRecord(LeaseOf("x", 3, 7), "y", 3, 0).has_value());
  const Data released = ReleasedRecord(LeaseOf("x", 3, 7), "x", 3, 0)->Write();
  CHECK(released["owner"].is_null());
  CHECK(released["epoch"].as_number() == 3);
  const LeaseRecord held = ClaimedRecord(LeaseOf("", 2, 0), "x", "", 9);
  CHECK(UnreadRelease("x", 3, 9).Write() == ReleasedRecord(held, "x", 3, 9)->Write());
}

TEST_CASE("allows only the lease transitions of the diagram") {
  CHECK(ValidTransition(LeaseState::kClaiming, LeaseState::kHeld));
  CHECK_FALSE(ValidTransition(LeaseState::kIdle, LeaseState::kHeld));
  CHECK_FALSE(ValidTransition(LeaseState::kWaiting, LeaseState::kHeld));
  CHECK_FALSE(ValidTransition(LeaseState::kHeld, LeaseState::kIdle));
}

TEST_CASE("gives the lease to one of several windows; an idle client writes nothing") {
  for (const bool locks : {true, false}) {
    SyncWorld world(locks);
    for (int i = 0; i < 5; ++i) world.Open();
    world.Settle();
    for (int i = 0; i < 20; ++i) world.Mutate({IncItem("a", "A", 1)}, static_cast<size_t>(i % 5));
    world.Run(30000);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.lease()["owner"].is_null());
    const uint64_t before = world.storage.transactions();
    world.Run(20000);
    CHECK(world.storage.transactions() - before <= 5 * 10);  // at most a poll each
  }
}

// Two windows, of which the holder of the lease waits for the answer to a push. Returns the holder.
size_t HoldInPush(SyncWorld* world, double idle_ms = 0) {
  world->Open();
  world->Open();
  world->Settle();
  world->Run(idle_ms);
  world->network.hold_answers = true;
  world->Mutate({CreateItem("a", "A", 1)}, 0);
  world->Settle();
  REQUIRE(world->lease()["owner"].is_string());
  return world->lease()["owner"].as_string() == "tab-0" ? 0 : 1;
}

TEST_CASE("takes a crashed holder's lease at once with Web Locks, in the middle of a push") {
  SyncWorld world;
  const size_t holder = HoldInPush(&world);
  world.host(holder).Crash();
  world.network.hold_answers = false;
  world.Run(100);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.ActionCounts().begin()->second == 1);
  CHECK(world.lease()["epoch"].as_number() >= 2);
  CHECK(world.Converged());
}

TEST_CASE("takes a crashed holder's lease after a timeout without Web Locks") {
  SyncWorld world(false);
  const size_t holder = HoldInPush(&world, 5000);
  world.host(1 - holder).Post(Json(R"({"type":"wake","reason":"mutation"})"));
  world.Settle();
  world.network.hold_answers = false;
  world.host(holder).Crash();
  world.Run(4000);
  CHECK(world.storage.Count("mutations") == 1);
  world.Run(4000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

// Two windows, of which the holder of the lease is frozen in the middle of a push. Returns the
// holder.
size_t FreezeInPush(SyncWorld* world) {
  const size_t holder = HoldInPush(world);
  world->host(1).Post(Json(R"({"type":"wake","reason":"mutation"})"));
  world->Settle();
  world->host(holder).frozen = true;
  world->network.hold_answers = false;
  return holder;
}

TEST_CASE("steals a frozen holder's lock after a timeout; it writes nothing when it wakes") {
  SyncWorld world;
  const size_t holder = FreezeInPush(&world);
  const uint64_t epoch = world.lease()["epoch"].as_u64();
  world.Run(3000);
  CHECK(world.lease()["epoch"].as_u64() == epoch);
  world.Run(6000);
  CHECK(world.lease()["epoch"].as_u64() > epoch);
  CHECK(world.storage.Count("mutations") == 0);
  const Data before = world.sync();
  world.host(holder).frozen = false;
  world.Release();
  world.Settle();
  CHECK(world.sync()["n"] == before["n"]);  // its answer came too late, under a lost epoch
  CHECK(world.server.ActionCounts().begin()->second == 1);
  world.Run(120000);
  CHECK(world.Converged());
}

TEST_CASE("waits another timeout when the engine fails to steal the lock") {
  SyncWorld world;
  FreezeInPush(&world);
  const uint64_t epoch = world.lease()["epoch"].as_u64();
  world.refused_steals = 1;
  world.Run(9000);
  CHECK(world.refused_steals == 0);
  CHECK(world.lease()["epoch"].as_u64() == epoch);
  world.Run(9000);
  CHECK(world.lease()["epoch"].as_u64() > epoch);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("takes no live lease away when a clock steps by a day") {
  for (const double step : {kDay, -kDay}) {
    SyncWorld world(false);
    const size_t holder = HoldInPush(&world, 10000);
    const uint64_t epoch = world.lease()["epoch"].as_u64();
    world.host(1 - holder).wall_skew = step;
    world.host(1 - holder).Post(Json(R"({"type":"wake","reason":"mutation"})"));
    world.Run(20000);
    CHECK(world.lease()["epoch"].as_u64() == epoch);  // its heartbeat advances
    world.network.hold_answers = false;
    world.Release();
    world.Run(60000);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.Converged());
  }
}

TEST_CASE("takes a dead holder's lease although the observer's clock steps back") {
  for (const double step : {-kDay, -3000.0}) {
    SyncWorld world(false);
    const size_t holder = HoldInPush(&world, 10000);
    const uint64_t epoch = world.lease()["epoch"].as_u64();
    world.host(1 - holder).Post(Json(R"({"type":"wake","reason":"mutation"})"));
    world.Run(1500);
    world.host(holder).Crash();
    world.network.hold_answers = false;
    world.Run(2500);
    REQUIRE(world.lease()["epoch"].as_u64() == epoch);
    world.host(1 - holder).wall_skew = step;
    world.Run(4500);  // the timeout since its last heartbeat, and a look or two
    CHECK(world.lease()["epoch"].as_u64() > epoch);
  }
}

TEST_CASE("releases the lease when the window is hidden; the visible window continues") {
  SyncWorld world;
  world.Open();
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)}, 0);
  world.host(1).Post(Json(R"({"type":"wake","reason":"mutation"})"));
  world.Settle();
  const size_t holder = world.lease()["owner"].as_string() == "tab-0" ? 0 : 1;
  world.network.hold_answers = false;
  world.host(holder).Post(Json(R"({"type":"visible","visible":false})"));
  world.Run(50);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.host(holder).status["role"].as_string() == "hidden");
}

TEST_CASE("releases the lease when it is stopped in the middle of a job") {
  SyncWorld world(false);  // without Web Locks, which would be released with the worker
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)}, 0);
  world.Settle();
  REQUIRE(world.lease()["owner"].Is("tab-0"));
  world.host(0).Post(Json(R"({"type":"stop"})"));
  world.Settle();
  CHECK(world.lease()["owner"].is_null());
}

TEST_CASE("starts no job in a hidden window") {
  SyncWorld world;
  world.Open(false);
  world.Settle();
  world.Mutate({CreateItem("a", "A", 1)}, 0);
  world.Run(200000);
  CHECK(world.lease().is_null());
  CHECK(world.push_bodies.empty());
  world.host(0).Post(Json(R"({"type":"visible","visible":true})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("claims a tab's own lease again in its new worker, under a higher epoch") {
  SyncWorld world(false);
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)}, 0);
  world.Settle();
  const uint64_t epoch = world.lease()["epoch"].as_u64();
  world.host(0).Crash();  // terminated by its window in `freeze`
  world.network.hold_answers = false;
  Data extra = Data::MakeObject();
  world.Open(true, extra.Set("tab", "tab-0"));
  world.Settle();
  CHECK(world.lease()["epoch"].as_u64() == epoch + 1);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("finishes the work of a window that crashed after any transaction, exactly once") {
  for (int crash_after = 1; crash_after < 40; ++crash_after) {
    CAPTURE(crash_after);
    SyncWorld world;
    world.Open();
    world.Open();
    world.Settle();
    world.Mutate({CreateItem("a", "A", 1)}, 0);
    world.Mutate({IncItem("a", "A", 2)}, 0);
    for (int step = 0; step < crash_after; ++step) world.host(0).StepOnce();
    world.host(0).Crash();
    world.host(1).Post(Json(R"({"type":"wake","reason":"mutation"})"));
    world.Run(90000);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.storage.Count("outbox") == 0);
    for (const auto& [action, count] : world.server.ActionCounts()) CHECK(count == 1);
    REQUIRE(world.server.rows().count("a") == 1);
    CHECK(world.server.n("a") == 3);
    CHECK(world.Converged());
  }
}

}  // namespace
}  // namespace skerry::sync_test
