// SyncJob: what runs under the lease `push`: pulls, pushes, fills by image (docs/sync-worker.md,
// section 8). One thing is in flight at a time (a transaction or a request): the stage
// (sync_stage.h), which carries its own data. Beside it runs at most one image fill. Every
// transaction that writes checks the lease's epoch (fenced_transaction.h), so that nothing is
// written under an epoch that has been superseded.
//
// Parts: sync_job.cc (wakes, transactions), sync_job_rest.cc (how it ends, pauses),
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
  kDue,   // of a service worker: a pause may be over that nobody counted while it was stopped
  kFill,  // of a helper: the service worker's pull named images
};

class SyncJob {
 public:
  SyncJob(WorkerState* state, LeaseConfig lease);

  // Something may have to be done. A mutation and a poke do not cut short the pause after a
  // failure.
  void Wake(WakeReason reason, Turn* turn);
  // The application asked (sync.now()); `id` is answered when a whole round is done.
  void Ask(const Data& id, Turn* turn);
  // The server has taken another window's token, and this one has none.
  void OtherLetIn(Turn* turn);
  // What was asked and is not answered yet: another will answer it.
  Data::Array TakeAsked();
  // Before this worker was started the server has refused the token that is kept: it is not sent
  // again for so long, unless somebody looks.
  void RefusedBefore(double rest_ms, Turn* turn);
  // Goes on with what was wanted before the worker was ready.
  void BeginWanted(Turn* turn);
  // Hidden, offline, paused or stopped: lets go of everything.
  void Leave(Turn* turn);
  // Goes on, if nothing is in flight; to be called after every event.
  void Advance(Turn* turn);

  bool Owns(uint64_t id) const;
  ReadReply Read(uint64_t id, const Data& results, Turn* turn);
  void Done(uint64_t id, Turn* turn);
  void Failed(uint64_t id, const Data& error, Turn* turn);
  bool Response(const Data& event, Turn* turn);
  bool Image(const Data& event, Turn* turn);
  bool Timer(std::string_view name, Turn* turn);
  void Lock(std::string_view lock_state, Turn* turn) {
    LeaseEventHappened(lease_.Lock(lock_state, turn), turn);
  }
  void Heard(const Data& message, Turn* turn);  // a `lease` message about this lease
  void TokenMissing(Turn* turn);                // asked for, and there is none

  const Lease& lease() const { return lease_; }
  bool active() const { return active_; }
  bool resting_after_failure() const { return retrying_; }
  bool filling() const { return fill_.active(); }
  bool pushing() const;
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
  bool helps() const { return state_->mode == Mode::kHelper; }
  bool Work() const { return active_ && state_->CanRun(); }
  void Finish(Turn* turn);
  void Fail(SyncError error, Turn* turn);
  void Rest(std::string_view outcome, double delay_ms, Turn* turn);
  void Lost(Turn* turn);
  void Drop(Turn* turn);
  void Unauthenticated(const SyncError& error, Turn* turn);
  bool MayAskForToken(WakeReason reason, const Turn* turn) const;
  void Answered();
  void AnswerAsked(const SyncError* error, Turn* turn);
  void BroadcastRecord(const std::optional<UpdateRecord>& record, Turn* turn);
  uint64_t Fetch(std::string_view path, std::string body, Turn* turn);
  void DoneStage(Turn* turn);
  void FailedFill(const Data& error, Turn* turn);
  ReadReply ReadCheck(CheckStage* check, const Data::Array& read, Turn* turn);
  void DoneCheck(Turn* turn);

  void PullAsk(Turn* turn);
  ReadReply ReadPullAsk(PullAskStage* ask, FencedRound round);
  void DonePullAsk(PullAskStage* ask, Turn* turn);
  void PullResponse(const Data& event, Turn* turn);
  void PullRefused(SyncError error, Turn* turn);
  ReadReply ReadPullFold(PullFoldStage* stage, FencedRound round);
  void DonePullFold(PullFoldStage* stage, Turn* turn);
  void FailUnconfirmed(Turn* turn);
  void TakeAnew(Turn* turn);
  void AskForLess(SyncError error, Turn* turn);
  ReadReply ReadRefill(SyncRecord sync);

  void PushAsk(Turn* turn);
  ReadReply ReadPushAsk(PushAskStage* ask, FencedRound round, Turn* turn);
  ReadReply FinishPushAsk(PushAskStage* ask, Turn* turn);
  void DonePushAsk(PushAskStage* ask, Turn* turn);
  void BeginSetAside(const Vector<Unreadable>& unreadable, Turn* turn);
  void PushResponse(const Data& event, Turn* turn);
  void BeginPushAnswer(const Vector<std::string>& ids, Data results, size_t left_over, Turn* turn);
  void Rebind(Turn* turn);
  void FailBound(Turn* turn);
  SyncError WrongUser(const std::string& other) const;
  ReadReply ReadPushAnswer(PushAnswerStage* stage, FencedRound round);
  void DonePushAnswer(PushAnswerStage* stage, Turn* turn);
  ReadReply ReadSetAside(SetAsideStage* stage, FencedRound round);

  void BeginFill(const ImageFill& image, bool last, Turn* turn);
  ReadReply ReadFill(SyncRecord sync, Turn* turn);
  void PrepareFill(SyncRecord sync, Data::Array* writes, Turn* turn);
  void PublishFill(SyncRecord sync, Data::Array* writes);
  void DoneFill(Turn* turn);
  void DropFill(Turn* turn);

  WorkerState* state_;
  Lease lease_;
  Loop loop_;
  bool active_ = false;             // something is to be done
  bool retrying_ = false;           // pausing after a failure
  bool woken_on_purpose_ = false;   // woken by more than a mutation, a poke, or that it is due
  bool other_let_in_ = false;       // since this window had no token
  double due_ms_ = 0;               // monotonic: until then it rests
  double rested_ms_ = 0;            // since then
  Data asked_ = Data::MakeArray();  // sync.now() calls to be answered by the job that is to come
  Data answering_ = Data::MakeArray();  // and by the one that runs

  SyncStage stage_;
  Data token_;  // that the last request was sent with

  // Of the job that runs.
  struct Run {
    int discards = 0;  // answers to pulls, because another window had moved the cursors
    int resends = 0;
    SyncError refusal;  // of a pull: the job fails with it once it has pushed
    bool has_new_identity = false;
  };
  Run run_;

  // Of pulls and pushes, until one of them goes well.
  int fruitless_ = 0;        // pushes in a row after which everything was only grouped again
  bool stale_pull_ = false;  // the last pull confirmed nothing of an outbox that is not empty
  uint64_t pull_limit_ = 0;  // where the answer to a greater one could not be read; 0: the usual
  bool took_anew_ = false;   // for that, and has not come to the heads since
  bool was_full_ = false;    // the outbox, when a push was last asked for
  size_t push_most_ = kMaxOutboxUpdates;  // updates in a request

  Fill fill_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_JOB_H_
