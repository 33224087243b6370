// SyncJob: the job under the lease `push`: pulls, pushes, and fills by image (docs/sync-worker.md,
// section 8). One thing is in flight at a time, a transaction or a request: the stage
// (sync_stage.h), which has its own data. Beside it runs at most one image fill. Every transaction
// that writes checks the lease's epoch (fenced_transaction.h), so nothing is written under an epoch
// that is over.
//
// Parts: sync_job.cc (wakes, transactions), sync_job_rest.cc (how a job ends, pauses),
// sync_job_pull.cc, sync_job_push.cc, sync_job_fill.cc.
#ifndef SKERRY_SYNC_SYNC_JOB_H_
#define SKERRY_SYNC_SYNC_JOB_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/data.h"
#include "base/limits.h"
#include "base/status.h"
#include "sync/fenced_transaction.h"
#include "sync/lease.h"
#include "sync/loop.h"
#include "sync/pull.h"
#include "sync/sync_stage.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

enum class WakeReason : uint8_t {
  kStart,
  kMutation,
  kPoke,
  kOnline,
  kVisible,
  kApplication,
  kTimer,
  kToken,
  kDue,   // of a service worker: a pause may be over, whose timer stopped together with the worker
  kFill,  // of a helper: a pull of the service worker named images
};

class SyncJob {
 public:
  SyncJob(WorkerState* state, LeaseConfig lease);

  // There may be work. A mutation or a poke does not shorten the pause after a failure.
  void Wake(WakeReason reason, Turn* turn);
  // The application called sync.now(). `id` is answered once a whole round is done.
  void Ask(const Data& id, Turn* turn);
  // The server has accepted another window's token, while this window has none.
  void OtherWindowAccepted(Turn* turn);
  // Takes the sync.now() calls that are not answered yet: another part will answer them.
  Data::Array TakeAsked();
  // The server refused the stored token before this worker was started. For `rest_ms` it is not
  // sent again, unless the user or the application causes a retry.
  void RefusedBefore(double rest_ms, Turn* turn);
  // Starts the work that was requested before the worker was ready.
  void BeginWanted(Turn* turn);
  // Hidden, offline, paused or stopped: gives up the work and releases the lease.
  void Leave(Turn* turn);
  // A service worker pushes from now on. Only a fill goes on: its image need not be fetched twice.
  void BeginHelping(Turn* turn);
  // Starts the next step if nothing is in flight. Call this after every event.
  void Advance(Turn* turn);

  bool Owns(uint64_t id) const;
  ReadReply Read(uint64_t id, const Data& results, Turn* turn);
  void Done(uint64_t id, Turn* turn);
  void Failed(uint64_t id, const HostError& error, Turn* turn);
  bool Response(const ResponseEvent& event, Turn* turn);
  bool Image(const ImageEvent& event, Turn* turn);
  bool Timer(WorkerTimer timer, Turn* turn);
  void Lock(LockState lock_state, Turn* turn) {
    LeaseEventHappened(lease_.Lock(lock_state, turn), turn);
  }
  void Heard(const LeaseMessage& message, Turn* turn);  // REQUIRES: it names this lease
  void Heard(const ValidatedMessage& message, Turn* turn);
  void TokenLate(Turn* turn);     // the window was asked for a token, and does not answer
  void TokenMissing(Turn* turn);  // the window was asked for a token, and has none

  const Lease& lease() const { return lease_; }
  bool active() const { return active_; }
  bool resting_after_failure() const { return retrying_; }
  bool filling() const { return fill_.active(); }
  bool pushing() const;
  // Others' changes that a pull has brought (CheckSocketMessage); empty if there was none since.
  Revisions TakeBrought() { return std::exchange(brought_, {}); }
  bool pulling() const;
  SyncStep step() const { return StepOf(stage_); }

 private:
  void LeaseEventHappened(LeaseEvent event, Turn* turn);
  // The one place where the stage changes.
  template <typename Stage>
  Stage& Enter(Stage stage) {
    SKERRY_CHECK(ValidTransition(step(), Stage::kStep));
    return stage_.template emplace<Stage>(std::move(stage));
  }
  void End() { Enter(NoStage()); }
  template <typename Stage>
  Stage& In() {  // REQUIRES: the stage is of this kind
    return *std::get_if<Stage>(&stage_);
  }
  FencedTransaction Transact(std::initializer_list<Store> stores, TransactionMode mode,
                             FencedReads reads, Turn* turn) {
    return {state_, &lease_, stores, mode, reads, turn};
  }
  bool PullsFirst() const;
  bool WaitsForValidation(Turn* turn);
  bool helps() const { return state_->connection.mode() == Mode::kHelper; }
  bool Work() const { return active_ && state_->connection.CanRun(); }
  void Finish(Turn* turn);
  void Fail(SyncError error, Turn* turn);
  void Rest(LeaseOutcome outcome, double delay_ms, Turn* turn);
  void Lost(Turn* turn);
  void Drop(Turn* turn);
  void DropRequest(Turn* turn);
  void Unauthenticated(const SyncError& error, Turn* turn);
  bool MayAskForToken(WakeReason reason, const Turn* turn) const;
  void Answered();
  void AnswerAsked(const SyncError& error, Turn* turn);  // no error: all was done
  void TakeOver(Data::Array* from, Data::Array* to);
  void BroadcastRecord(const std::optional<UpdateRecord>& record, Turn* turn);
  uint64_t Fetch(const char* path, std::string body, Turn* turn);
  void DoneStage(Turn* turn);
  void FailedFill(const HostError& error, Turn* turn);
  ReadReply ReadCheck(CheckStage* check, const Data::Array& read, Turn* turn);
  void DoneCheck(Turn* turn);

  void PullAsk(Turn* turn);
  ReadReply ReadPullAsk(PullAskStage* ask, FencedRound round);
  void DonePullAsk(PullAskStage* ask, Turn* turn);
  void PullResponse(const ResponseEvent& event, Turn* turn);
  bool FetchState(PullStatesStage* stage, Turn* turn);
  void StateResponse(const ResponseEvent& event, Turn* turn);
  void BeginPullFold(std::unique_ptr<PullRequest> request, std::unique_ptr<PullAnswer> answer,
                     double clock_offset, Turn* turn);
  void PullRefused(SyncError error, Turn* turn);
  ReadReply ReadPullFold(PullFoldStage* stage, FencedRound round);
  void DonePullFold(PullFoldStage* stage, Turn* turn);
  void FailUnconfirmed(Turn* turn);
  void RefillAll(Turn* turn);
  void ReducePullLimit(SyncError error, Turn* turn);
  ReadReply ReadRefill(SyncRecord sync);

  void PushAsk(Turn* turn);
  ReadReply ReadPushAsk(PushAskStage* ask, FencedRound round, Turn* turn);
  ReadReply FinishPushAsk(PushAskStage* ask, Turn* turn);
  void DonePushAsk(PushAskStage* ask, Turn* turn);
  void BeginQuarantine(const Vector<Unreadable>& unreadable, Turn* turn);
  void PushResponse(const ResponseEvent& event, Turn* turn);
  void BeginPushAnswer(PushBatch batch, PushResults results, size_t left_over, Turn* turn);
  void Rebind(Turn* turn);
  void FailBound(Turn* turn);
  SyncError WrongUser(const std::string& other) const;
  ReadReply ReadPushAnswer(PushAnswerStage* stage, FencedRound round);
  void DonePushAnswer(PushAnswerStage* stage, Turn* turn);
  ReadReply ReadQuarantine(QuarantineStage* stage, FencedRound round);

  void BeginFill(const wire::Image& image, bool last, Turn* turn);
  ReadReply ReadFill(SyncRecord sync, Turn* turn);
  void PrepareFill(SyncRecord sync, Data::Array* writes, Turn* turn);
  void PublishFill(SyncRecord sync, Data::Array* writes);
  bool AcceptsImages() const;
  void DoneFill(Turn* turn);
  void DropFill(Turn* turn);

  WorkerState* state_;
  Lease lease_;
  Loop loop_;
  bool active_ = false;             // there is work, under way or waiting for the lease
  bool retrying_ = false;           // pausing after a failure
  bool has_explicit_wake_ = false;  // woken by more than a mutation, a poke or a due pause
  bool other_let_in_ = false;       // OtherWindowAccepted was called since this window had no token
  double due_ms_ = 0;               // monotonic: the end of the pause
  double rested_ms_ = 0;            // monotonic: its start
  Data::Array asked_;               // the ids of sync.now() calls that the next job answers
  Data::Array answering_;           // those that the present job answers

  SyncStage stage_;
  Token token_;  // the token of the last request

  uint64_t asked_n_ = 0;   // windows were asked whether they have validated up to this record
  uint64_t judged_n_ = 0;  // they have, or did not answer in time

  // Data of the present job.
  struct Run {
    int unmoved = 0;   // answers in a row by which nothing moved
    int discards = 0;  // pull answers that were discarded: another window had moved the cursors
    int resends = 0;
    SyncError refusal;  // a pull was refused: the job fails with this once it has pushed
    bool has_new_identity = false;
    bool pulled = false;
  };
  Run run_;
  Revisions brought_;

  // These are kept from job to job, until a pull or a push succeeds.
  int regroup_only_pushes_ =
      0;                     // pushes in a row after which all mutations were only grouped again
  bool stale_pull_ = false;  // the last pull confirmed nothing, though the outbox is not empty
  // A smaller limit, because an answer could not be read; 0: the usual one.
  uint64_t pull_limit_ = 0;
  // Everything is pulled again for that reason, and has not reached the heads.
  bool refilled_all_ = false;
  int failed_fills_ = 0;   // in a row; no image is accepted after too many
  bool was_full_ = false;  // whether the outbox was full at the start of the last push
  size_t push_most_ = kMaxOutboxUpdates;  // the most updates in a request

  Fill fill_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_JOB_H_
