#include "sync/sync_job.h"

#include <algorithm>
#include <utility>

namespace skerry {

SyncJob::SyncJob(WorkerState* state, LeaseConfig lease)
    : state_(state), lease_(std::move(lease)), loop_(state->times) {}

bool SyncJob::pushing() const {
  return step() == SyncStep::kPushAsk || step() == SyncStep::kPushFetch ||
         step() == SyncStep::kPushAnswer || step() == SyncStep::kSetAside;
}

bool SyncJob::pulling() const {
  return step() == SyncStep::kPullAsk || step() == SyncStep::kPullFetch ||
         step() == SyncStep::kPullFold || step() == SyncStep::kRefill;
}

void SyncJob::Wake(WakeReason reason, Turn* turn) {
  if (reason == WakeReason::kDue && (active_ || turn->mono < due_ms_)) return;
  const bool gentle = reason == WakeReason::kMutation || reason == WakeReason::kPoke;
  loop_.WantPush();
  if (reason != WakeReason::kMutation) loop_.WantPull();
  woken_on_purpose_ = woken_on_purpose_ || (!gentle && reason != WakeReason::kDue);
  if (!state_->CanRun() || (retrying_ && gentle)) return;
  if (state_->needs_auth && !MayAskForToken(reason, turn)) return;
  state_->needs_auth = other_let_in_ = false;
  if (retrying_) state_->next_try_at = nullptr;
  retrying_ = false;
  if (!active_) {
    active_ = true;
    loop_.Begin();
    run_ = {};
    turn->Cancel("loop");
  }
  Advance(turn);
}

// Where the application gave none it says when there is one. A token that was refused may be taken
// later (a server that changes its keys), or the next one be: tried when somebody looks, and now
// and then.
bool SyncJob::MayAskForToken(WakeReason reason, const Turn* turn) const {
  if (reason == WakeReason::kApplication || reason == WakeReason::kToken) return true;
  if (other_let_in_ && turn->mono >= due_ms_) return true;
  if (state_->token_refusals == 0) return false;
  return reason == WakeReason::kVisible || reason == WakeReason::kOnline || turn->mono >= due_ms_;
}

// The server has let another window in: this one's application may have a token by now. It is asked
// when this is due, not with every pull of the other.
void SyncJob::OtherLetIn(Turn* turn) {
  if (active_ || other_let_in_) return;
  other_let_in_ = true;
  turn->Timer("loop", std::max(0.0, due_ms_ - turn->mono));
}

void SyncJob::Ask(const Data& id, Turn* turn) {
  asked_.Push(id);
  const bool never = state_->stopped || !state_->visible || !state_->online || state_->paused;
  if (never) return Leave(turn);
  Wake(WakeReason::kApplication, turn);
}

Data::Array SyncJob::TakeAsked() {
  Data::Array taken = answering_.items();
  for (const Data& id : asked_.items()) taken.push_back(id);
  answering_ = Data::MakeArray();
  asked_ = Data::MakeArray();
  return taken;
}

// As after two refusals: the window is asked for another token when somebody looks, which is now if
// this worker was started for that; else when this is due.
void SyncJob::RefusedBefore(double rest_ms, Turn* turn) {
  state_->token_refusals = 2;
  if (woken_on_purpose_) return;
  state_->NeedAuth();
  state_->error = {"unauthenticated", "The server has refused the token.", true};
  retrying_ = true;
  due_ms_ = turn->mono + rest_ms;
  state_->next_try_at = turn->now + rest_ms;
  turn->Timer("loop", rest_ms);
}

void SyncJob::BeginWanted(Turn* turn) {
  if (loop_.wants_pull()) return Wake(WakeReason::kTimer, turn);
  if (loop_.wants_push()) Wake(WakeReason::kMutation, turn);
}

void SyncJob::AnswerAsked(const SyncError* error, Turn* turn) {
  for (const Data& id : answering_.items()) {
    Data reply = Message("synced");
    reply.Set("id", id).Set("error", error == nullptr ? Data() : error->ToData());
    turn->Post(std::move(reply));
  }
  answering_ = Data::MakeArray();
}

void SyncJob::Advance(Turn* turn) {
  if (!active_ || !state_->CanRun() || state_->needs_auth) return;
  const int refusals = state_->token_refusals;
  if (!state_->EnsureToken(refusals == 0 ? "start" : refusals == 1 ? "expired" : "refused", turn)) {
    // The token comes to the newest version of the service worker, which may be another.
    if (!lease_.persisted()) lease_.Unwant("left", turn);
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

void SyncJob::LeaseEventHappened(LeaseEvent event, Turn* turn) {
  switch (event) {
    case LeaseEvent::kHeld:
      loop_.Begin();
      for (const Data& id : asked_.items()) answering_.Push(id);
      asked_ = Data::MakeArray();
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

// Gives up a request in flight: its answer finds nobody. A transaction in flight is finished, for
// it may have been written already, and then the windows must hear of it; its epoch is checked like
// any other's.
void SyncJob::Drop(Turn* turn) {
  if (const RequestStage* request = RequestOf(&stage_); request != nullptr) {
    if (step() == SyncStep::kPullFetch && request->fetch != 0)
      turn->Emit(Message("abortFetch").Set("id", request->fetch));
    End();
  }
  DropFill(turn);
}

void SyncJob::Lost(Turn* turn) {
  // What is on the wire may finish; nothing more is written under this epoch. What is left to do is
  // wanted anew.
  if (!active_) return;
  for (const Data& id : answering_.items()) asked_.Push(id);
  answering_ = Data::MakeArray();
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
    case SyncStep::kSetAside:
      return ReadSetAside(&In<SetAsideStage>(), std::move(*round));
    case SyncStep::kNone:
    case SyncStep::kPullFetch:
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
  // A record tells windows what was refused; of what was applied in vain only this does.
  const FencedTransaction* transaction = TransactionOf(&stage_);
  if (transaction != nullptr && transaction->inbox_grew()) turn->Broadcast(Message("conflicts"));
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
    case SyncStep::kSetAside:
      return BroadcastRecord(In<SetAsideStage>().record, turn);
    case SyncStep::kCheck:
    case SyncStep::kNone:
    case SyncStep::kPullFetch:
    case SyncStep::kPushFetch:
      break;
  }
}

void SyncJob::Failed(uint64_t id, const Data& error, Turn* turn) {
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
  state_->refused_token = token_;
  // By the time of this answer there may be another, because the socket's was refused first.
  if (state_->TokenRefused(token_)) return Advance(turn);
  if (++state_->token_refusals == 1 && state_->auth) {
    state_->EnsureToken("expired", turn);  // goes on when the window has answered
    return;
  }
  state_->NeedAuth();
  Fail(error, turn);
}

void SyncJob::TokenMissing(Turn* turn) {
  state_->NeedAuth();
  state_->token_refusals = 0;  // whatever was refused before: now there is none
  SyncError error{"unauthenticated", "The application gave no token.", true};
  if (active_) {
    Fail(std::move(error), turn);
  } else {
    state_->error = std::move(error);
  }
}

void SyncJob::Answered() { state_->ForgetRefusals(); }

void SyncJob::BroadcastRecord(const std::optional<UpdateRecord>& record, Turn* turn) {
  if (record.has_value()) turn->Broadcast(Message("record").Set("record", record->Write()));
}

uint64_t SyncJob::Fetch(std::string_view path, std::string body, Turn* turn) {
  const uint64_t id = turn->NextId();
  Data effect = Message("fetch");
  effect.Set("id", id)
      .Set("method", "POST")
      .Set("path", path)
      .Set("body", Data::Bytes(std::move(body)));
  token_ = state_->token;
  effect.Set("token", token_).Set("timeoutMs", state_->times.fetch_ms);
  turn->Emit(std::move(effect));
  return id;
}

bool SyncJob::Response(const Data& event, Turn* turn) {
  RequestStage* request = RequestOf(&stage_);
  if (request == nullptr || event["id"].as_u64() != request->fetch) return false;
  request->fetch = 0;
  const SyncStep answered = step();
  if (answered == SyncStep::kPullFetch) {
    PullResponse(event, turn);
  } else {
    PushResponse(event, turn);
  }
  if (step() == answered) End();  // no other stage has followed
  return true;
}

}  // namespace skerry
