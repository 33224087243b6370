// Holes 19 and 21 (docs/design.md, "Holes that were closed"): pages that stand still and machines
// that sleep, while they hold the lease or wait for it.
#include "doctest/doctest.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

TEST_CASE("hole 19: a frozen page keeps its Web Lock, and wakes after its lease was taken") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& ben = story.OpenWindow("ben");

  // Anna's window stops just before it stores the answer to a push. Its worker has the lease, and
  // the Web Lock.
  anna.worker->Hold(Step::kPushAnswer);
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Settle();
  anna.worker->Hold(Step::kTransaction);
  anna.worker->Release(Step::kPushAnswer);
  story.Settle();
  anna.StandStill();
  CHECK(anna.worker->HoldsLease());
  ben.worker->Hold(Step::kPush);
  ben.page.Creates("items", "milk", {{"n", 1}});
  story.Pass(3'000);
  CHECK_FALSE(ben.worker->HoldsLease());
  // No heartbeat for five seconds: Ben's worker steals the lock, and takes the lease.
  story.Pass(6'000);
  CHECK(ben.worker->HoldsLease());

  // Anna's window goes on with its transaction, before it learns that it has lost lock and lease.
  // Nothing is written.
  ben.StandStill();
  anna.worker->Hold(Step::kLock);
  anna.worker->HoldMessage("lease");
  const std::string stored = story.device().Stored();
  anna.GoOn();
  anna.worker->Release(Step::kTransaction);
  story.Settle();
  CHECK(story.device().Stored() == stored);
  ben.GoOn();
  story.Converge();
  CHECK_EQ(story.server.Number("eggs"), 10);
  CHECK_EQ(story.server.Number("milk"), 1);
}

TEST_CASE("hole 21: a machine sleeps, and the first look afterwards finds an old heartbeat") {
  Story story;
  Window& anna = story.OpenWindow("anna");
  Window& ben = story.OpenWindow("ben");

  // Anna's worker waits for the server. Ben's worker watches its heartbeats.
  anna.worker->Hold(Step::kPushAnswer);
  ben.worker->Hold(Step::kPush);
  anna.page.Creates("items", "eggs", {{"n", 10}});
  story.Pass(3'000);
  CHECK(anna.worker->HoldsLease());
  // The machine sleeps for an hour. Ben's worker wakes first, and sees the heartbeat of before.
  story.Sleep(3'600'000);
  anna.StandStill();
  story.Pass(2'000);
  CHECK_FALSE(ben.worker->HoldsLease());
  anna.GoOn();
  story.Pass(20'000);
  CHECK(anna.worker->HoldsLease());
  CHECK_FALSE(ben.worker->HoldsLease());
  story.Converge();
}

}  // namespace skerry::spec
