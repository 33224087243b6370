#include "sync/status.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sync/sync_job.h"
#include "sync/worker_state.h"

namespace skerry {
namespace {

bool Unfilled(const SyncRecord& sync) {
  return std::any_of(sync.scopes.begin(), sync.scopes.end(),
                     [](const SyncScope& scope) { return !scope.filled.whole; });
}

WorkerRole RoleOf(const WorkerState& state, const SyncJob& job) {
  if (!state.connection.visible()) return WorkerRole::kHidden;
  if (job.lease().held()) return WorkerRole::kHolder;
  return job.active() ? WorkerRole::kWaiter : WorkerRole::kNone;
}

// Nothing was pulled yet, ever or since this worker started. An application that takes `idle` for
// "there is no more" must not see `idle` then. (A service worker is started for each piece of work;
// its start means nothing to its windows.)
bool Begins(const WorkerState& state) {
  if (!state.seen.record().last_synced_at.has_value()) return true;
  return !state.reported.first_round_ended() && state.connection.mode() != Mode::kService &&
         state.connection.CanRun();
}

Phase PhaseOf(const WorkerState& state, const SyncJob& job, Phase shared) {
  const SyncError& error = state.reported.shown_error();
  const bool stuck = !error.code.empty() && !error.retryable;
  if (state.connection.paused()) return Phase::kPaused;
  if (state.sign_in.is_shown_as_needed() || (stuck && !job.active())) return Phase::kBlocked;
  if (!state.connection.started()) return Phase::kOpening;
  if (!state.connection.online()) return Phase::kOffline;
  if (job.lease().held()) {
    if (job.filling() || (job.pulling() && Unfilled(state.seen.record()))) return Phase::kFilling;
    return job.pushing() ? Phase::kPushing : Phase::kPulling;
  }
  if (job.resting_after_failure() && state.connection.mode() != Mode::kHelper)
    return Phase::kWaiting;
  // Another worker that rests may know less, for example of an image that is fetched here.
  if (shared != Phase::kNone && !IsRest(shared)) return shared;
  if (Begins(state)) return Phase::kOpening;
  // Nothing is left to do as far as is known here; but nothing could be known either. (A service
  // worker hears less of the server than its windows.)
  const bool is_cut_off =
      state.reach.lost() && state.connection.CanRun() && state.connection.mode() != Mode::kService;
  return is_cut_off ? Phase::kWaiting : Phase::kIdle;
}

// When the server is tried next: by a request, or by opening the lost socket. (A window that has heard
// of another one's poll may have a time that is over.)
std::optional<double> NextTryOf(const WorkerState& state, Phase phase, double now) {
  const std::optional<double>& retry = state.reach.retry_at();
  if (phase != Phase::kWaiting || !state.reach.lost() || !retry.has_value())
    return state.reported.next_try_at();
  const double planned = state.reported.next_try_at().value_or(*retry);
  return planned < now ? *retry : std::min(*retry, planned);
}

StatusLease LeaseOf(const WorkerState& state, const SyncJob& job) {
  if (state.connection.mode() == Mode::kHelper && !job.lease().held() &&
      state.reported.service_lease().has_value())
    return *state.reported.service_lease();
  const LeaseRecord& record = job.lease().record();
  StatusLease lease{record.owner, record.epoch, record.heartbeat};
  // A lease that is not persisted has no owner in storage. An owner that was found there is a
  // window, which reports its own status.
  if (state.connection.mode() == Mode::kService) {
    lease.owner.reset();
    if (job.lease().held()) lease.owner = state.setup.tab;
  }
  return lease;
}

}  // namespace

StatusRecord MakeStatus(const WorkerState& state, const SyncJob& job, Phase shared, double now) {
  StatusRecord status;
  status.role = RoleOf(state, job);
  status.lease = LeaseOf(state, job);
  status.phase = PhaseOf(state, job, shared);
  status.n = state.seen.record().n;
  status.pending = state.reported.pending();
  status.conflicts = state.reported.conflicts();
  status.last_synced_at = state.seen.record().last_synced_at;
  status.next_try_at = NextTryOf(state, status.phase, now);
  status.progress = state.reported.progress();
  status.error = state.reported.shown_error();
  status.needs_auth = state.sign_in.is_shown_as_needed();
  status.scopes = state.seen.record().scopes;
  if (state.connection.mode() != Mode::kLease) status.mode = StatusMode::kServiceWorker;
  status.mode_reason = state.connection.mode_reason();
  if (state.connection.mode() == Mode::kService) status.instance = state.setup.tab;
  status.online = state.connection.online();
  status.connected = state.connection.online() && !state.connection.paused() &&
                     state.reach.IsConnected(now, state.setup.times.proof_ms());
  status.last_heard_at = state.reach.heard_at();
  status.clock_offset_ms = state.seen.record().clock_offset.value_or(0);
  return status;
}

}  // namespace skerry
