#include "sync/status.h"

#include <algorithm>
#include <utility>

namespace skerry {
namespace {

bool Unfilled(const SyncRecord& sync) {
  return std::any_of(sync.scopes.begin(), sync.scopes.end(),
                     [](const SyncScope& scope) { return !scope.filled.whole; });
}

const char* Role(const WorkerState& state, const SyncJob& job) {
  if (!state.visible) return "hidden";
  if (job.lease().held()) return "holder";
  return job.active() ? "waiter" : "none";
}

// Nothing was pulled yet, ever or since this worker started. An application that takes `idle` for
// "there is no more" must not see `idle` then. (A service worker is started for each piece of work;
// its start means nothing to its windows.)
bool Begins(const WorkerState& state) {
  if (!state.sync.last_synced_at.has_value()) return true;
  return !state.first_round_ended && state.mode != Mode::kService && state.CanRun();
}

std::string Phase(const WorkerState& state, const SyncJob& job, const std::string& shared_phase) {
  const SyncError& error = state.shown_error();
  const bool stuck = !error.code.empty() && !error.retryable;
  if (state.paused) return "paused";
  if (state.needs_auth || state.shows_needs_auth || (stuck && !job.active())) return "blocked";
  if (!state.started) return "opening";
  if (!state.online) return "offline";
  if (job.lease().held()) {
    if (job.filling() || (job.pulling() && Unfilled(state.sync))) return "filling";
    return job.pushing() ? "pushing" : "pulling";
  }
  if (job.resting_after_failure() && state.mode != Mode::kHelper) return "waiting";
  // Another worker that rests may know less, for example of an image that is fetched here.
  if (!shared_phase.empty() && shared_phase != "idle" && shared_phase != "opening")
    return shared_phase;
  return Begins(state) ? "opening" : "idle";
}

Data LeaseOf(const WorkerState& state, const SyncJob& job) {
  if (state.mode == Mode::kHelper && !job.lease().held() && state.service_lease.is_object())
    return state.service_lease;
  const LeaseRecord& record = job.lease().record();
  Data lease = Data::MakeObject();
  Data owner = ToData(record.owner);
  // A lease that is not persisted has no owner in storage. An owner that was found there is a
  // window, which reports its own status.
  if (state.mode == Mode::kService) owner = job.lease().held() ? Data(state.tab) : Data();
  lease.Set("owner", std::move(owner)).Set("epoch", record.epoch).Set("beat", record.heartbeat);
  return lease;
}

}  // namespace

Data MakeStatus(const WorkerState& state, const SyncJob& job, const std::string& shared_phase) {
  Data status = Data::MakeObject();
  status.Set("role", Role(state, job))
      .Set("lease", LeaseOf(state, job))
      .Set("phase", Phase(state, job, shared_phase));
  status.Set("n", state.sync.n);
  status.Set("pending", state.pending).Set("conflicts", state.conflicts);
  status.Set("lastSyncedAt", ToData(state.sync.last_synced_at)).Set("nextTryAt", state.next_try_at);
  status.Set("progress", state.progress)
      .Set("error", state.shown_error().ToData())
      .Set("needsAuth", state.needs_auth || state.shows_needs_auth);
  status.Set("scopes", ToData(state.sync.scopes));
  status.Set("mode", state.mode == Mode::kLease ? "lease" : "service-worker")
      .Set("modeReason", state.mode_reason);
  if (state.mode == Mode::kService) status.Set("instance", state.tab);
  status.Set("online", state.online).Set("clockOffsetMs", state.sync.clock_offset.value_or(0));
  return status;
}

}  // namespace skerry
