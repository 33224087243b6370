#include "sync/sync_job.h"

#include <algorithm>
#include <utility>

namespace skerry {
namespace {

double Removed(const Data::Array& writes, Store store) {
  double removed = 0;
  for (const Data& write : writes) {
    if (!write["store"].Is(NameOf(store))) continue;
    if (write.Find("delete") != nullptr) ++removed;
    if (write.Find("add") != nullptr) --removed;
  }
  return removed;
}

}  // namespace

SyncJob::SyncJob(WorkerState* state, LeaseConfig lease)
    : state_(state), lease_(std::move(lease)), loop_(state->times) {}

bool SyncJob::pushing() const {
  return step_ == Step::kPushAsk || step_ == Step::kPushFetch || step_ == Step::kPushAnswer ||
         step_ == Step::kSetAside;
}

bool SyncJob::pulling() const {
  return step_ == Step::kPullAsk || step_ == Step::kPullFetch || step_ == Step::kPullFold ||
         step_ == Step::kRefill;
}

void SyncJob::Wake(WakeReason reason, Turn* turn) {
  if (reason == WakeReason::kDue && (active_ || turn->mono < due_ms_)) return;
  const bool gentle = reason == WakeReason::kMutation || reason == WakeReason::kPoke;
  loop_.WantPush();
  if (reason != WakeReason::kMutation) loop_.WantPull();
  looked_ = looked_ || (!gentle && reason != WakeReason::kDue);
  if (!state_->CanRun() || (retrying_ && gentle)) return;
  if (state_->needs_auth && !MayAskForToken(reason, turn)) return;
  state_->needs_auth = other_let_in_ = false;
  if (retrying_) state_->next_try_at = nullptr;
  retrying_ = false;
  if (!active_) {
    active_ = true;
    loop_.Begin();
    resends_ = discards_ = 0;
    rebinding_ = Rebinding::kNo;
    refusal_ = {};
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
  if (looked_) return;
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
  if (step_ != Step::kNone) return;
  LoopStep next = loop_.Next(fill_.active);
  if (next == LoopStep::kPush && helps()) {
    loop_.ForgetPush();
    loop_.Pushed(false, false);
    next = loop_.Next(fill_.active);
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

void SyncJob::Transact(Step step, std::initializer_list<Store> stores, TransactionMode mode,
                       FencedReads reads, Turn* turn) {
  transaction_ = FencedTransaction(state_, &lease_, stores, mode, reads, turn);
  Begin(step, transaction_.id());
}

// Gives up a request in flight: its answer finds nobody. A transaction in flight is finished, for
// it may have been written already, and then the windows must hear of it; its epoch is checked like
// any other's.
void SyncJob::Drop(Turn* turn) {
  if (step_ == Step::kPullFetch) turn->Emit(Message("abortFetch").Set("id", flight_));
  if (step_ == Step::kPullFetch || step_ == Step::kPushFetch) EndStep();
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
  return lease_.Owns(id) || (id != 0 && (id == flight_ || id == fill_.transaction.id()));
}

ReadReply SyncJob::Read(uint64_t id, const Data& stored, Turn* turn) {
  ReadReply reply;
  if (lease_.Owns(id)) {
    reply.writes = lease_.Read(stored, turn);
    return reply;
  }
  const bool fills = id == fill_.transaction.id();
  if (step_ == Step::kCheck && !fills) return ReadCheck(stored.items(), turn);
  std::optional<FencedRound> read = (fills ? fill_.transaction : transaction_).Read(stored, turn);
  if (!read.has_value()) {
    reply.abort = true;
    return reply;
  }
  FencedRound& round = *read;
  if (fills) return ReadFill(std::move(round.sync), turn);
  switch (step_) {
    case Step::kPullAsk:
      return ReadPullAsk(std::move(round));
    case Step::kPullFold:
      return ReadPullFold(std::move(round));
    case Step::kRefill:
      return ReadRefill(std::move(round.sync));
    case Step::kPushAsk:
      return ReadPushAsk(std::move(round), turn);
    case Step::kPushAnswer:
      return ReadPushAnswer(std::move(round));
    case Step::kSetAside:
      return ReadSetAside(std::move(round));
    case Step::kCheck:
    case Step::kNone:
    case Step::kPullFetch:
    case Step::kPushFetch:
      break;
  }
  reply.abort = true;
  return reply;
}

void SyncJob::Done(uint64_t id, Turn* turn) {
  if (lease_.Owns(id)) return LeaseEventHappened(lease_.Done(turn), turn);
  if (id == fill_.transaction.id()) return DoneFill(turn);
  const Step step = step_;
  EndStep();
  // A record tells windows what was refused; of what was applied in vain only this does.
  if (inbox_grew_) turn->Broadcast(Message("conflicts"));
  inbox_grew_ = false;
  switch (step) {
    case Step::kPullAsk:
      if (!Work() || !lease_.held()) return;
      if (request_ == nullptr) return TakeAnew(turn);
      sent_at_ = turn->now;
      Begin(Step::kPullFetch, Fetch("/pull", std::move(request_->body), turn));
      return;
    case Step::kPullFold:
      DonePullFold(turn);
      break;
    case Step::kRefill:
      loop_.WantPull();
      break;
    case Step::kPushAsk:
      DonePushAsk(turn);
      break;
    case Step::kPushAnswer:
      DonePushAnswer(turn);
      break;
    case Step::kSetAside:
      BroadcastRecord(aside_record_, turn);
      break;
    case Step::kCheck:
      DoneCheck(turn);
      return;
    case Step::kNone:
    case Step::kPullFetch:
    case Step::kPushFetch:
      break;
  }
  Advance(turn);
}

void SyncJob::Failed(uint64_t id, const Data& error, Turn* turn) {
  if (lease_.Owns(id)) return LeaseEventHappened(lease_.Failed(error, turn), turn);
  if (id == fill_.transaction.id()) {
    const bool lost = fill_.transaction.is_fenced_out();
    const bool dropped = fill_.dropped;
    SyncError failure = fill_.transaction.ErrorOf(error);
    fill_.transaction = {};
    if (lost && fill_.publishing) fill_.draft.Discard(turn);
    DropFill(turn);
    if (dropped) return Advance(turn);
    if (lost) {
      LeaseEventHappened(lease_.Lose(turn), turn);
      return Advance(turn);
    }
    return Fail(std::move(failure), turn);
  }
  const bool check = step_ == Step::kCheck;
  EndStep();
  if (check) return FailedCheck(turn);
  if (!transaction_.is_fenced_out()) return Fail(transaction_.ErrorOf(error), turn);
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

void SyncJob::Count(double mutations, double conflicts, const Data::Array& writes) {
  state_->pending = mutations - Removed(writes, Store::kMutations);
  state_->conflicts = conflicts - Removed(writes, Store::kConflicts);
  inbox_grew_ = Removed(writes, Store::kConflicts) < 0;
}

void SyncJob::BroadcastRecord(const std::optional<UpdateRecord>& record, Turn* turn) {
  if (record.has_value()) turn->Broadcast(Message("record").Set("record", record->Write()));
}

uint64_t SyncJob::Fetch(std::string_view path, String body, Turn* turn) {
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
  if (flight_ == 0 || event["id"].as_u64() != flight_) return false;
  if (step_ == Step::kPullFetch) {
    PullResponse(event, turn);
  } else if (step_ == Step::kPushFetch) {
    PushResponse(event, turn);
  } else {
    return false;
  }
  return true;
}

}  // namespace skerry
