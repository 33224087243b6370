// When the worker's status is told, and to whom.
#include <utility>

#include "sync/status.h"
#include "sync/sync_worker.h"

namespace skerry {

void SyncWorker::EmitStatus(Turn* turn) {
  const bool active = job_.active();
  const bool helps = state_->connection.mode() == Mode::kHelper;
  if ((active || job_.resting_after_failure()) && !helps) shared_phase_ = Phase::kNone;
  // A service worker answers wakes once it has started.
  if (state_->connection.mode() == Mode::kService && !state_->connection.started()) return;
  const StatusRecord status = MakeStatus(*state_, job_, shared_phase_, turn->now);
  Data written = ToData(status);
  const bool changed = !(written == shown_status_);
  const bool is_service = state_->connection.mode() == Mode::kService;
  if (changed || status_reply_due_) {
    // The worker that works reports to the others, and once more when it rests. A service worker
    // always reports, even failures that only it has.
    if (job_.lease().held() || was_holder_ || is_service) {
      StatusMessage message{status, state_->seen.record().n};
      if (!is_service) message.shared.error = state_->reported.error();
      turn->Broadcast(message);
    }
    turn->ShowStatus(written);
    shown_status_ = std::move(written);
  }
  status_reply_due_ = false;
  was_holder_ = job_.lease().held();
}

// The socket is that of the worker with the lease `listen`.
void SyncWorker::CheckSocket(Revisions brought, Turn* turn) {
  if (listen_.held()) return socket_.Check(brought, turn);
  turn->Broadcast(CheckSocketMessage{std::move(brought)});
}

// What this worker has seen of the server in this turn, and what follows for the socket.
void SyncWorker::NoteReach(Turn* turn) {
  Reach& reach = state_->reach;
  if (Revisions brought = job_.TakeBrought(); !brought.empty())
    CheckSocket(std::move(brought), turn);
  reach.SetSocket(listen_.held(), socket_.reach());
  if (std::optional<ReachMessage> news = reach.TakeNews(); news.has_value()) {
    if (!news->reached) socket_.Probe(turn);
    turn->Broadcast(*news);
  }
  if (socket_.TakeLook()) Wake(WakeReason::kTimer, turn);
  // The status changes when the last answer no longer proves anything.
  if (!reach.holds_by_answer() || awaits_proof_ || state_->connection.mode() == Mode::kService)
    return;
  const double left_ms =
      reach.heard_at().value_or(turn->now) + state_->setup.times.proof_ms() - turn->now;
  if (left_ms <= 0) return;
  awaits_proof_ = true;
  turn->Timer(WorkerTimer::kProof, left_ms);
}

}  // namespace skerry
