// Goal: the three state machines of a window's transactions (loading, committing, freezing) allow
// only the transitions of their diagrams.
#include "client/committing.h"
#include "client/loading.h"
#include "client/page_freeze.h"
#include "doctest/doctest.h"

namespace skerry {
namespace {

TEST_CASE("allows only the steps of loading that the diagram has") {
  CHECK(ValidTransition(LoadStep::kImage, LoadStep::kImage));
  CHECK(ValidTransition(LoadStep::kCatchUp, LoadStep::kPointer));
  CHECK_FALSE(ValidTransition(LoadStep::kNone, LoadStep::kImage));
  CHECK_FALSE(ValidTransition(LoadStep::kPointer, LoadStep::kPointer));
  CHECK_FALSE(ValidTransition(LoadStep::kPointer, LoadStep::kReset));
  CHECK_FALSE(ValidTransition(LoadStep::kReset, LoadStep::kCatchUp));
}

TEST_CASE("tries no image as the candidate after the only image, and then none other") {
  SyncRecord sync;
  sync.image.emplace().generation = "g";
  sync.image->parts.emplace_back();
  Loading loading;
  loading.Begin();
  loading.TakePointers(sync);
  loading.BeginCandidate();
  CHECK(loading.step() == LoadStep::kImage);
  CHECK_FALSE(loading.is_whole());
  REQUIRE(loading.TakePart() != nullptr);
  CHECK(loading.is_whole());
  CHECK(loading.TakePart() == nullptr);
  loading.PartFailed({Code::kVersion, ""});
  CHECK_FALSE(loading.is_whole());
  CHECK(loading.has_newer_part());
  REQUIRE(loading.NextCandidate());
  loading.BeginCandidate();
  CHECK(loading.step() == LoadStep::kCatchUp);
  CHECK_FALSE(loading.has_newer_part());
  CHECK_FALSE(loading.NextCandidate());
}

TEST_CASE("waits longer after each failed commit, and repeats it unchanged") {
  Committing committing;
  double pause_ms = 0;
  for (int i = 0; i < 20; ++i) {
    committing.Begin();
    committing.Failed(3);
    const double next_ms = committing.Wait();
    CHECK(next_ms >= pause_ms);
    pause_ms = next_ms;
    committing.Waited();
  }
  CHECK(pause_ms == kLastRetryMs);
  CHECK(committing.reads_first());
  CHECK(committing.group_limit() == 3);
  committing.Begin();
  CHECK(committing.Done(true));
  CHECK_FALSE(committing.reads_first());
  CHECK(committing.group_limit() == kMaxGroup);
  CHECK_FALSE(ValidTransition(CommitStep::kUnderWay, CommitStep::kUnderWay));
  CHECK_FALSE(ValidTransition(CommitStep::kWaiting, CommitStep::kUnderWay));
}

TEST_CASE("does not count a commit from before a freeze as one that read what was kept") {
  Committing committing;
  committing.Begin();
  committing.ReadFirst();
  CHECK_FALSE(committing.Done(false));
  CHECK(committing.reads_first());
  committing.Begin();
  CHECK_FALSE(committing.Done(true));
  CHECK_FALSE(committing.reads_first());
}

TEST_CASE("keeps each mutation of a freezing page once, and notifies windows at the end") {
  PageFreeze freeze;
  freeze.Begin(true, true);
  freeze.Note({"written"});
  CHECK(freeze.is_keeping());
  CHECK_FALSE(freeze.Keep("written"));
  CHECK(freeze.Keep("a"));
  CHECK_FALSE(freeze.Keep("a"));
  freeze.NoteKept();
  CHECK(freeze.StandStill() == PageFreeze::Notice::kLater);
  CHECK(freeze.StandStill() == PageFreeze::Notice::kNone);
  CHECK(freeze.is_frozen());
  CHECK_FALSE(freeze.is_keeping());
  freeze.End();
  CHECK(freeze.StandStill() == PageFreeze::Notice::kNone);
  freeze.Begin(false, true);
  CHECK_FALSE(freeze.is_keeping());
  CHECK(freeze.StandStill() == PageFreeze::Notice::kNow);
}

}  // namespace
}  // namespace skerry
