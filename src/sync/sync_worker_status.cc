// When the worker's status is told, and to whom.
#include <utility>

#include "sync/status.h"
#include "sync/sync_worker.h"

namespace skerry {

void SyncWorker::EmitStatus(Turn* turn) {
  const bool active = job_.active();
  const bool helps = state_->mode == Mode::kHelper;
  if ((active || job_.resting_after_failure()) && !helps) shared_phase_ = Phase::kNone;
  // A service worker answers wakes once it has started.
  if (state_->mode == Mode::kService && !state_->started) return;
  const StatusRecord status = MakeStatus(*state_, job_, shared_phase_);
  Data written = ToData(status);
  const bool changed = !(written == shown_status_);
  const bool is_service = state_->mode == Mode::kService;
  if (changed || owes_status_) {
    // The worker that works reports to the others, and once more when it rests. A service worker
    // always reports, even failures that only it has.
    if (job_.lease().held() || was_holder_ || is_service) {
      StatusMessage message{status, state_->sync.n};
      if (!is_service) message.shared.error = state_->error;
      turn->Broadcast(message);
    }
    turn->ShowStatus(written);
    shown_status_ = std::move(written);
  }
  owes_status_ = false;
  was_holder_ = job_.lease().held();
}

}  // namespace skerry
