#include "sync/sync_job.h"

#include <algorithm>
#include <utility>

namespace skerry {

SyncJob::SyncJob(WorkerState* state, LeaseConfig lease)
    : state_(state), lease_(std::move(lease)), loop_(state->setup.times) {}

bool SyncJob::pushing() const {
  return step() == SyncStep::kPushAsk || step() == SyncStep::kPushFetch ||
         step() == SyncStep::kPushAnswer || step() == SyncStep::kQuarantine;
}

bool SyncJob::pulling() const {
  return step() == SyncStep::kPullAsk || step() == SyncStep::kPullFetch ||
         step() == SyncStep::kPullStates || step() == SyncStep::kPullFold ||
         step() == SyncStep::kRefill;
}

void SyncJob::Wake(WakeReason reason, Turn* turn) {
  if (reason == WakeReason::kDue && (active_ || turn->mono < due_ms_)) return;
  const bool gentle = reason == WakeReason::kMutation || reason == WakeReason::kPoke;
  loop_.WantPush();
  // A poke names the revision that a pull must have; all else may have come too late for it.
  const bool is_mutation = reason == WakeReason::kMutation;
  if (reason == WakeReason::kPoke || (is_mutation && PullsFirst())) {
    loop_.WantPull();
  } else if (!is_mutation) {
    loop_.WantAnotherPull();
  }
  has_explicit_wake_ = has_explicit_wake_ || (!gentle && reason != WakeReason::kDue);
  if (!state_->connection.CanRun() || (retrying_ && gentle)) return;
  if (state_->sign_in.is_needed() && !MayAskForToken(reason, turn)) return;
  other_let_in_ = false;
  state_->sign_in.SetNeeded(false);
  if (retrying_) state_->reported.SetNextTry({});
  retrying_ = false;
  if (!active_) {
    active_ = true;
    loop_.Begin();
    run_ = {};
    turn->Cancel(WorkerTimer::kLoop);
  }
  Advance(turn);
}

// What is in an update cannot be held back any more, and an update is made before the request, which
// may fail: without a network, for instance. So where there are rules a push comes after a pull, unless
// a socket says that the server is there, and would have told of a change.
bool SyncJob::PullsFirst() const {
  // A service worker hears of the windows' sockets only later.
  const Connection& connection = state_->connection;
  const bool is_listening = connection.mode() == Mode::kLease && connection.listening();
  return state_->setup.schema.validates() && !is_listening;
}

// If the application gave no token, it reports when it has one. A token that was refused may be
// accepted later (a server that changes its keys), or the next token may be: retry when the user
// looks at the page, and at long intervals.
bool SyncJob::MayAskForToken(WakeReason reason, const Turn* turn) const {
  if (reason == WakeReason::kApplication || reason == WakeReason::kToken) return true;
  if (other_let_in_ && turn->mono >= due_ms_) return true;
  if (state_->sign_in.refusals() == 0) return false;
  return reason == WakeReason::kVisible || reason == WakeReason::kOnline || turn->mono >= due_ms_;
}

// The server has accepted another window's token, so this window's application may have one by now.
// It is asked once its pause is over, not after each pull of the other window.
void SyncJob::OtherWindowAccepted(Turn* turn) {
  if (active_ || other_let_in_) return;
  other_let_in_ = true;
  turn->Timer(WorkerTimer::kLoop, std::max(0.0, due_ms_ - turn->mono));
}

void SyncJob::Ask(const Data& id, Turn* turn) {
  asked_.push_back(id);
  const bool never = state_->connection.stopped() || !state_->connection.visible() ||
                     !state_->connection.online() || state_->connection.paused();
  if (never) return Leave(turn);
  Wake(WakeReason::kApplication, turn);
}

Data::Array SyncJob::TakeAsked() {
  TakeOver(&asked_, &answering_);
  return std::exchange(answering_, {});
}

// The state as after two refusals: the window is asked for another token at the next wake on
// purpose; that is now, if this worker was started by one. Otherwise when the pause is over.
void SyncJob::RefusedBefore(double rest_ms, Turn* turn) {
  state_->sign_in.RefusedBefore();
  if (has_explicit_wake_) return;
  state_->sign_in.Need();
  state_->reported.SetError({"unauthenticated", "The server has refused the token.", true});
  retrying_ = true;
  due_ms_ = turn->mono + rest_ms;
  state_->reported.SetNextTry(turn->now + rest_ms);
  turn->Timer(WorkerTimer::kLoop, rest_ms);
}

void SyncJob::BeginWanted(Turn* turn) {
  if (loop_.wants_pull()) return Wake(WakeReason::kTimer, turn);
  if (loop_.wants_push()) Wake(WakeReason::kMutation, turn);
}

void SyncJob::AnswerAsked(const SyncError& error, Turn* turn) {
  for (const Data& id : answering_) turn->Post(SyncedMessage{id, error});
  answering_.clear();
}

void SyncJob::TakeOver(Data::Array* from, Data::Array* to) {
  for (Data& id : *from) to->push_back(std::move(id));
  from->clear();
}

void SyncJob::Advance(Turn* turn) {
  if (!active_ || !state_->connection.CanRun() || state_->sign_in.is_needed()) return;
  const int refusals = state_->sign_in.refusals();
  const TokenNeed need = refusals == 0   ? TokenNeed::kStart
                         : refusals == 1 ? TokenNeed::kExpired
                                         : TokenNeed::kRefused;
  if (!state_->sign_in.Ensure(need, turn)) {
    // The token is given to the newest version of the service worker, which may be another one.
    if (!lease_.persisted()) lease_.Unwant(LeaseOutcome::kLeft, turn);
    return;
  }
  if (!lease_.held()) {
    lease_.Want("pull", turn);
    return;
  }
  if (step() != SyncStep::kNone) return;
  LoopStep next = loop_.Next(fill_.active());
  if (next == LoopStep::kPush && helps()) {
    loop_.ForgetPush();
    loop_.Pushed(false, false);
    next = loop_.Next(fill_.active());
  }
  switch (next) {
    case LoopStep::kPull:
      lease_.set_job("pull");
      PullAsk(turn);
      break;
    case LoopStep::kPush:
      lease_.set_job("push");
      if (WaitsForValidation(turn)) return;
      loop_.Pushing();
      PushAsk(turn);
      break;
    case LoopStep::kWait:
      break;
    case LoopStep::kDone:
      Finish(turn);
      break;
  }
}

// What others did may have made a mutation wrong that was right when it was made: what a pull has
// brought is judged by a window before more is pushed, if one lives.
bool SyncJob::WaitsForValidation(Turn* turn) {
  const uint64_t n = state_->seen.record().n;
  if (!state_->setup.schema.validates() || judged_n_ >= n) return false;
  if (state_->reported.pending() == 0) return false;
  if (asked_n_ == n) return true;
  asked_n_ = n;
  turn->Broadcast(ValidateMessage{n});
  turn->Timer(WorkerTimer::kValidate, state_->setup.times.validate_ms);
  return true;
}

void SyncJob::Heard(const ValidatedMessage& message, Turn* turn) {
  const bool is_earlier = message.version < state_->setup.schema.version();
  if (is_earlier || message.n < asked_n_ || judged_n_ >= asked_n_) return;
  judged_n_ = message.n;
  turn->Cancel(WorkerTimer::kValidate);
  Advance(turn);
}

void SyncJob::LeaseEventHappened(LeaseEvent event, Turn* turn) {
  switch (event) {
    case LeaseEvent::kHeld:
      loop_.Begin();
      TakeOver(&asked_, &answering_);
      Advance(turn);
      break;
    case LeaseEvent::kLost:
      Lost(turn);
      break;
    case LeaseEvent::kFailed:
      Fail(StorageError(lease_.error()), turn);
      break;
    case LeaseEvent::kReleased:
    case LeaseEvent::kSeen:
    case LeaseEvent::kNone:
      break;
  }
}

// Gives up a request in flight: its answer will be ignored. A transaction in flight is finished,
// because it may already be written, and the windows must then be notified. Its epoch is checked
// like any other's.
void SyncJob::Drop(Turn* turn) {
  DropRequest(turn);
  DropFill(turn);
}

void SyncJob::DropRequest(Turn* turn) {
  const RequestStage* request = RequestOf(&stage_);
  if (request == nullptr) return;
  if (pulling() && request->fetch != 0) turn->AbortFetch(request->fetch);
  End();
}

void SyncJob::Lost(Turn* turn) {
  // A request on the wire may finish, but nothing more is written under this epoch. The remaining
  // work is requested again.
  if (!active_) return;
  TakeOver(&answering_, &asked_);
  loop_.WantPull();
  loop_.WantPush();
  Drop(turn);
  if (Work()) lease_.Want("pull", turn);
}

bool SyncJob::Owns(uint64_t id) const {
  return lease_.Owns(id) || (id != 0 && (id == InFlight(stage_) || id == fill_.transaction.id()));
}

ReadReply SyncJob::Read(uint64_t id, const Data& results, Turn* turn) {
  ReadReply reply;
  if (lease_.Owns(id)) {
    reply.writes = lease_.Read(results, turn);
    return reply;
  }
  const bool fills = id == fill_.transaction.id();
  if (step() == SyncStep::kCheck && !fills)
    return ReadCheck(&In<CheckStage>(), results.items(), turn);
  FencedTransaction* transaction = fills ? &fill_.transaction : TransactionOf(&stage_);
  std::optional<FencedRound> round;
  if (transaction != nullptr) round = transaction->Read(results, turn);
  if (!round.has_value()) {
    reply.abort = true;
    return reply;
  }
  if (fills) return ReadFill(std::move(round->sync), turn);
  switch (step()) {
    case SyncStep::kPullAsk:
      return ReadPullAsk(&In<PullAskStage>(), std::move(*round));
    case SyncStep::kPullFold:
      return ReadPullFold(&In<PullFoldStage>(), std::move(*round));
    case SyncStep::kRefill:
      return ReadRefill(std::move(round->sync));
    case SyncStep::kPushAsk:
      return ReadPushAsk(&In<PushAskStage>(), std::move(*round), turn);
    case SyncStep::kPushAnswer:
      return ReadPushAnswer(&In<PushAnswerStage>(), std::move(*round));
    case SyncStep::kQuarantine:
      return ReadQuarantine(&In<QuarantineStage>(), std::move(*round));
    case SyncStep::kNone:
    case SyncStep::kPullFetch:
    case SyncStep::kPullStates:
    case SyncStep::kPushFetch:
    case SyncStep::kCheck:
      break;
  }
  return reply;
}

void SyncJob::Done(uint64_t id, Turn* turn) {
  if (lease_.Owns(id)) return LeaseEventHappened(lease_.Done(turn), turn);
  if (id == fill_.transaction.id()) return DoneFill(turn);
  if (step() == SyncStep::kCheck) {
    End();
    return DoneCheck(turn);
  }
  // Windows learn of refused mutations by a record; of ops that were applied without effect
  // (AddDeletedToInbox) they learn only by this message.
  const FencedTransaction* transaction = TransactionOf(&stage_);
  if (transaction != nullptr && transaction->inbox_changed()) turn->Broadcast(ConflictsMessage());
  const SyncStep done = step();
  DoneStage(turn);
  if (step() == done) End();  // no other stage has followed
  Advance(turn);
}

void SyncJob::DoneStage(Turn* turn) {
  switch (step()) {
    case SyncStep::kPullAsk:
      return DonePullAsk(&In<PullAskStage>(), turn);
    case SyncStep::kPullFold:
      return DonePullFold(&In<PullFoldStage>(), turn);
    case SyncStep::kRefill:
      return loop_.WantPull();
    case SyncStep::kPushAsk:
      return DonePushAsk(&In<PushAskStage>(), turn);
    case SyncStep::kPushAnswer:
      return DonePushAnswer(&In<PushAnswerStage>(), turn);
    case SyncStep::kQuarantine:
      return BroadcastRecord(In<QuarantineStage>().record, turn);
    case SyncStep::kCheck:
    case SyncStep::kNone:
    case SyncStep::kPullFetch:
    case SyncStep::kPullStates:
    case SyncStep::kPushFetch:
      break;
  }
}

void SyncJob::Failed(uint64_t id, const HostError& error, Turn* turn) {
  if (lease_.Owns(id)) return LeaseEventHappened(lease_.Failed(error, turn), turn);
  if (id == fill_.transaction.id()) return FailedFill(error, turn);
  if (step() == SyncStep::kCheck) {
    const bool saw_newer = In<CheckStage>().saw_newer;
    End();
    return saw_newer ? Fail(NewerTabError(), turn) : Advance(turn);
  }
  const FencedTransaction* transaction = TransactionOf(&stage_);
  if (transaction == nullptr) return;
  const FencedTransaction failed = *transaction;
  End();
  if (!failed.is_fenced_out()) return Fail(failed.ErrorOf(error), turn);
  LeaseEventHappened(lease_.Lose(turn), turn);
  Advance(turn);
}

void SyncJob::Unauthenticated(const SyncError& error, Turn* turn) {
  state_->sign_in.NoteRefused(token_);
  // There may be another token by now, because the socket's was refused first.
  if (state_->sign_in.Refused(token_)) return Advance(turn);
  if (state_->sign_in.CountRefusal() == 1 && state_->sign_in.uses_tokens()) {
    state_->sign_in.Ensure(TokenNeed::kExpired,
                           turn);  // the job goes on once the window has answered
    return;
  }
  state_->sign_in.Need();
  Fail(error, turn);
}

void SyncJob::TokenLate(Turn* turn) {
  SyncError error{"needs_auth", "token() did not answer in time.", true};
  if (active_) {
    Fail(std::move(error), turn);
  } else {
    state_->reported.SetError(std::move(error));
  }
}

void SyncJob::TokenMissing(Turn* turn) {
  state_->sign_in.NeedFirst();
  SyncError error{"unauthenticated", "The application returned no token.", true};
  if (active_) {
    Fail(std::move(error), turn);
  } else {
    state_->reported.SetError(std::move(error));
  }
}

void SyncJob::Answered() { state_->sign_in.ForgetRefusals(); }

void SyncJob::BroadcastRecord(const std::optional<UpdateRecord>& record, Turn* turn) {
  if (record.has_value()) turn->Broadcast(RecordMessage{*record});
}

uint64_t SyncJob::Fetch(const char* path, std::string body, Turn* turn) {
  token_ = state_->sign_in.token();
  return turn->Fetch({path, std::move(body), token_, state_->setup.times.fetch_ms, false});
}

bool SyncJob::Response(const ResponseEvent& event, Turn* turn) {
  RequestStage* request = RequestOf(&stage_);
  if (request == nullptr || event.id != request->fetch) return false;
  request->fetch = 0;
  const SyncStep answered = step();
  if (answered == SyncStep::kPullFetch) {
    PullResponse(event, turn);
  } else if (answered == SyncStep::kPullStates) {
    StateResponse(event, turn);
  } else {
    PushResponse(event, turn);
  }
  // No other stage has followed, nor another request of this one.
  if (step() == answered && InFlight(stage_) == 0) End();
  return true;
}

}  // namespace skerry
