// SyncJob: what runs under the lease `push`: pulls, pushes, fills by image (docs/sync-worker.md,
// section 8). One thing is in flight at a time (a transaction or a request), and beside it at most
// one image fill. Every transaction checks the lease's epoch, so that nothing is written under an
// epoch that has been superseded.
//
// Parts: sync_job.cc (wakes, transactions), sync_job_rest.cc (how it ends, pauses),
// sync_job_pull.cc, sync_job_push.cc, sync_job_fill.cc.
#ifndef SKERRY_SYNC_SYNC_JOB_H_
#define SKERRY_SYNC_SYNC_JOB_H_

#include <memory>
#include <optional>
#include <string_view>

#include "base/data.h"
#include "base/string.h"
#include "base/vector.h"
#include "sync/fenced_transaction.h"
#include "sync/grouping.h"
#include "sync/image_draft.h"
#include "sync/lease.h"
#include "sync/loop.h"
#include "sync/pull.h"
#include "sync/push.h"
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
  enum class Step : uint8_t {
    kNone,
    kPullAsk,
    kPullFetch,
    kPullFold,
    kPushAsk,
    kPushFetch,
    kPushAnswer,
    kSetAside,
    kRefill,
    kCheck,
  };

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
  bool filling() const { return fill_.active; }
  bool pushing() const;
  bool pulling() const;
  Step step() const { return step_; }

 private:
  // The image fill, beside the step.
  struct Fill {
    bool active = false;
    ImageFill image;
    uint64_t scope_version = 0;  // that it was asked for with
    bool last = false;           // no other realm's image is outstanding
    FencedTransaction transaction;
    bool publishing = false;
    bool dropped = false;  // given up while its transaction was in flight
    bool stale = false;    // the pointer or the cursor has moved: nothing was written
    uint64_t job = 0;
    ImageDraft draft;
    bool roll = false;
    std::optional<UpdateRecord> record;
  };

  void LeaseEventHappened(LeaseEvent event, Turn* turn);
  void Begin(Step step, uint64_t id) { step_ = step, flight_ = id; }
  void Transact(Step step, std::initializer_list<Store> stores, TransactionMode mode,
                FencedReads reads, Turn* turn);
  void EndStep() { step_ = Step::kNone, flight_ = 0; }
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
  void Count(double mutations, double conflicts, const Data::Array& writes);
  void Count(const Data::Array& writes) {
    Count(transaction_.mutation_count(), transaction_.conflict_count(), writes);
  }
  void AnswerAsked(const SyncError* error, Turn* turn);
  void BroadcastRecord(const std::optional<UpdateRecord>& record, Turn* turn);
  uint64_t Fetch(std::string_view path, String body, Turn* turn);
  ReadReply ReadCheck(const Data::Array& read, Turn* turn);
  void DoneCheck(Turn* turn);
  void FailedCheck(Turn* turn);

  void PullAsk(Turn* turn);
  ReadReply ReadPullAsk(FencedRound round);
  void PullResponse(const Data& event, Turn* turn);
  void PullRefused(SyncError error, Turn* turn);
  ReadReply ReadPullFold(FencedRound round);
  void DonePullFold(Turn* turn);
  void FailUnconfirmed(Turn* turn);
  void TakeAnew(Turn* turn);
  void AskForLess(SyncError error, Turn* turn);
  ReadReply ReadRefill(SyncRecord sync);

  void PushAsk(Turn* turn);
  ReadReply ReadPushAsk(FencedRound round, Turn* turn);
  ReadReply FinishPushAsk(Turn* turn);
  void DonePushAsk(Turn* turn);
  void PushResponse(const Data& event, Turn* turn);
  void BeginPushAnswer(Data results, Turn* turn);
  void Rebind(Turn* turn);
  void FailBound(Turn* turn);
  SyncError WrongUser(const String& other) const;
  ReadReply ReadPushAnswer(FencedRound round);
  ReadReply FinishPushAnswer();
  void DonePushAnswer(Turn* turn);
  ReadReply ReadSetAside(FencedRound round);

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
  bool looked_ = false;             // woken by more than a mutation, a poke, or that it is due
  bool other_let_in_ = false;       // since this window had no token
  double due_ms_ = 0;               // monotonic: until then it rests
  double rested_ms_ = 0;            // since then
  Data asked_ = Data::MakeArray();  // sync.now() calls to be answered by the job that is to come
  Data answering_ = Data::MakeArray();  // and by the one that runs

  Step step_ = Step::kNone;
  uint64_t flight_ = 0;            // the transaction or request in flight
  FencedTransaction transaction_;  // the last one, but for the fill's
  bool check_saw_newer_ = false;
  Data token_;  // that the last request was sent with
  double sent_at_ = 0;

  std::unique_ptr<PullRequest> request_;
  std::unique_ptr<PullAnswer> answer_;
  std::unique_ptr<PullFold> fold_;
  bool discarded_ = false;
  int discards_ = 0;
  int resends_ = 0;
  SyncError refusal_;  // of a pull: the job fails with it once it has pushed
  enum class Rebinding : uint8_t { kNo, kAsked, kRefused, kDone };
  Rebinding rebinding_ = Rebinding::kNo;  // of an identity that the server says is another user's
  int fruitless_ = 0;        // pushes in a row after which everything was only grouped anew
  bool stale_pull_ = false;  // the last pull confirmed nothing of an outbox that is not empty
  double clock_offset_ = 0;
  uint64_t pull_limit_ = 0;  // where the answer to a greater one could not be read; 0: the usual
  bool took_anew_ = false;   // for that, and has not come to the heads since

  std::optional<LeaseRecord> counted_;  // the record of an epoch that is counted
  std::unique_ptr<Grouping> grouping_;
  Vector<OutboxRecord> outbox_;
  SyncRecord pushing_sync_;
  PushBatch batch_;
  String push_body_;
  size_t left_over_ = 0;
  bool set_apart_ = false;
  Vector<Key> damaged_;    // keys of outbox records that cannot be used
  bool was_full_ = false;  // the outbox, when a push was last asked for
  size_t push_most_ = 0;
  std::unique_ptr<PushAnswer> push_answer_;
  Vector<Unreadable> unreadable_;
  std::unique_ptr<SetAside> aside_;
  std::optional<UpdateRecord> aside_record_;
  Data::Array writes_;
  bool inbox_grew_ = false;  // by the transaction in flight

  Fill fill_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_JOB_H_
