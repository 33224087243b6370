// SyncJob: how a job ends, and the pause until the next one.
#include <algorithm>
#include <utility>

#include "sync/sync_job.h"

namespace skerry {

void SyncJob::Leave(Turn* turn) {
  TakeOver(&asked_, &answering_);
  const SyncError error{"offline",
                        "Syncing stopped: the page is hidden, offline, paused or closing.", true};
  AnswerAsked(error, turn);
  if (active_) {
    loop_.WantPull();
    loop_.WantPush();
  }
  active_ = false;
  Drop(turn);
  turn->Cancel(WorkerTimer::kLoop);
  state_->reported.SetNextTry({});
  retrying_ = false;
  lease_.Unwant(LeaseOutcome::kLeft, turn);
}

void SyncJob::BeginHelping(Turn* turn) {
  if (!fill_.active() || fill_.is_dropped) return Leave(turn);
  DropRequest(turn);
  loop_.ForgetPush();
}

void SyncJob::Finish(Turn* turn) {
  if (!run_.refusal.code.empty()) return Fail(std::move(run_.refusal), turn);
  state_->reported.ForgetErrors();
  AnswerAsked({}, turn);
  if (!asked_.empty()) {
    // These sync.now() calls were made during this round, so only another round can answer them.
    std::swap(answering_, asked_);
    loop_.WantPull();
    loop_.WantPush();
    Advance(turn);
    return;
  }
  state_->connection.ForgetPokes();
  // A job that found nothing to send does not put off the next pull: mutations may wait for long,
  // and cause such a job again and again.
  const double delay_ms = loop_.Rest(state_->connection.listening(), &state_->random);
  const double left_ms = due_ms_ - turn->mono;
  const double rested_ms = rested_ms_;
  const bool goes_on = !run_.pulled && left_ms > 0;
  Rest(LeaseOutcome::kDone, goes_on ? std::min(delay_ms, left_ms) : delay_ms, turn);
  if (goes_on) rested_ms_ = rested_ms;
}

void SyncJob::Fail(SyncError error, Turn* turn) {
  state_->reported.SetError(std::move(error));
  if (!active_) return;
  TakeOver(&asked_, &answering_);
  AnswerAsked(state_->reported.error(), turn);
  loop_.WantPull();
  loop_.WantPush();
  retrying_ = true;
  const bool refused = state_->sign_in.is_needed() && state_->sign_in.refusals() > 0;
  const bool missing = state_->sign_in.is_needed() && !refused;
  Rest(LeaseOutcome::kFailed,
       refused ? loop_.Rest(true, &state_->random)
               : loop_.Retry(state_->reported.error().retry_after_ms, &state_->random),
       turn);
  if (!missing) return;
  // The application will report when it has one.
  state_->reported.SetNextTry({});
  turn->Cancel(WorkerTimer::kLoop);
}

void SyncJob::Rest(LeaseOutcome outcome, double delay_ms, Turn* turn) {
  active_ = false;
  state_->reported.EndRound();
  Drop(turn);
  lease_.Unwant(outcome, turn);
  due_ms_ = turn->mono + delay_ms;
  rested_ms_ = turn->mono;
  // A helper sets no timer: the service worker pulls next, and sends `fill` if there are images.
  if (helps() && !retrying_) return;
  if (!helps()) state_->reported.SetNextTry(turn->now + delay_ms);
  // A service worker without work is woken by its windows; there may be none, so it sets no timer.
  if (state_->connection.mode() == Mode::kService && !retrying_)
    return turn->Cancel(WorkerTimer::kLoop);
  turn->Timer(WorkerTimer::kLoop, delay_ms);
}

bool SyncJob::Timer(WorkerTimer timer, Turn* turn) {
  if (timer == WorkerTimer::kLoop) {
    // The socket was opened since the pause began, so polls are not needed.
    const double rested = turn->mono - rested_ms_;
    if (!retrying_ && !active_ && state_->connection.listening() && !loop_.wants_anything() &&
        rested < state_->setup.times.idle_listening_ms / 2) {
      turn->Timer(WorkerTimer::kLoop, state_->setup.times.idle_listening_ms - rested);
      return true;
    }
    retrying_ = false;
    due_ms_ = turn->mono;  // timers may fire a fraction early
    Wake(helps() ? WakeReason::kFill : WakeReason::kTimer, turn);
    return true;
  }
  if (timer == WorkerTimer::kValidate) {
    judged_n_ = std::max(judged_n_, asked_n_);
    Advance(turn);
    return true;
  }
  return lease_.Timer(timer, turn);
}

// Another window has released the lease: perhaps no work is left.
void SyncJob::Heard(const LeaseMessage& message, Turn* turn) {
  const LeaseOutcome outcome = message.outcome;
  lease_.Heard(message, turn);
  if (message.lease.owner.has_value() || outcome == LeaseOutcome::kLeft) return;
  if (!active_) {
    // It has just polled; another poll at once would only double the requests.
    if (outcome == LeaseOutcome::kDone && !retrying_ && !helps() && state_->connection.CanRun())
      turn->Timer(WorkerTimer::kLoop, loop_.Rest(state_->connection.listening(), &state_->random));
    return;
  }
  if (lease_.held() || step() != SyncStep::kNone || !asked_.empty()) return;
  Data::Array reads{GetRead(Store::kSync, kSyncKey), CountRead(Store::kMutations),
                    CountRead(Store::kConflicts)};
  loop_.Pushing();
  Enter(CheckStage{turn->Transact({Store::kSync, Store::kMutations, Store::kConflicts},
                                  TransactionMode::kRead, std::move(reads))});
}

ReadReply SyncJob::ReadCheck(CheckStage* check, const Data::Array& read, Turn* turn) {
  ReadReply reply;
  reply.abort = check->saw_newer = IsNewer(read[0]);
  if (reply.abort) return reply;
  state_->seen.See(state_->seen.Repair(read[0], turn->now));
  state_->reported.SetCounts(read[1].as_number(), read[2].as_number());
  return reply;
}

void SyncJob::DoneCheck(Turn* turn) {
  // The check may not have seen what was reported since it began.
  if (lease_.held() || !asked_.empty() || loop_.push_again()) return Advance(turn);
  for (const auto& [realm, revision] : state_->connection.poked()) {
    if (CursorRevision(state_->seen.record().cursors, realm) < revision) return;
  }
  if (state_->reported.pending() > 0 || (loop_.wants_pull() && state_->connection.poked().empty()))
    return;
  state_->connection.ForgetPokes();
  loop_.Forget();
  state_->reported.SetError({});  // another window has succeeded where this one failed
  Rest(LeaseOutcome::kDone, loop_.Rest(state_->connection.listening(), &state_->random), turn);
}

}  // namespace skerry
