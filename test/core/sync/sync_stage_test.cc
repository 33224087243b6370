// Goal: the stages of a sync job follow each other only as in the diagram.
#include "sync/sync_stage.h"

#include "doctest/doctest.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("allows only the stages of a sync job that the diagram has") {
  CHECK(ValidTransition(SyncStep::kNone, SyncStep::kPullAsk));
  CHECK(ValidTransition(SyncStep::kPullFetch, SyncStep::kPullFold));
  CHECK(ValidTransition(SyncStep::kPullFetch, SyncStep::kPullStates));
  CHECK(ValidTransition(SyncStep::kPullStates, SyncStep::kPullFold));
  CHECK(ValidTransition(SyncStep::kPullFetch, SyncStep::kPushAnswer));
  CHECK_FALSE(ValidTransition(SyncStep::kNone, SyncStep::kNone));
  CHECK_FALSE(ValidTransition(SyncStep::kNone, SyncStep::kPullFold));
  CHECK_FALSE(ValidTransition(SyncStep::kPullFold, SyncStep::kPushAsk));
  CHECK_FALSE(ValidTransition(SyncStep::kPushAsk, SyncStep::kPushAnswer));
  CHECK_FALSE(ValidTransition(SyncStep::kCheck, SyncStep::kPullAsk));
}

TEST_CASE("has the stage's transaction or request in flight") {
  SyncStage stage;
  CHECK(InFlight(stage) == 0);
  CHECK(RequestOf(&stage) == nullptr);
  CHECK(TransactionOf(&stage) == nullptr);
  stage.emplace<PushFetchStage>().fetch = 7;
  CHECK(InFlight(stage) == 7);
  CHECK(RequestOf(&stage) != nullptr);
  CHECK(StepOf(stage) == SyncStep::kPushFetch);
  stage.emplace<CheckStage>().transaction = 8;
  CHECK(InFlight(stage) == 8);
  CHECK(TransactionOf(&stage) == nullptr);
  stage.emplace<RefillStage>();
  CHECK(TransactionOf(&stage) != nullptr);
}

}  // namespace
}  // namespace skerry::sync_test
