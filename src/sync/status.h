// Status: what windows show about the sync worker (docs/sync-worker.md, section 7). Other workers
// read it, too: those that do not work show the phase of the one that does.
#ifndef SKERRY_SYNC_STATUS_H_
#define SKERRY_SYNC_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "log/kinds.h"
#include "log/members.h"
#include "log/sync_record.h"
#include "sync/sync_error.h"

namespace skerry {

class SyncJob;
struct WorkerState;

enum class StatusMode : uint8_t { kLease, kServiceWorker };
enum class WorkerRole : uint8_t { kNone, kHidden, kHolder, kWaiter };

// kNone: in a status of another version, or of no worker.
enum class Phase : uint8_t {
  kNone,
  kOpening,
  kFilling,
  kIdle,
  kPulling,
  kPushing,
  kWaiting,
  kOffline,
  kPaused,
  kBlocked,
};
inline bool IsWork(Phase phase) {
  return phase == Phase::kFilling || phase == Phase::kPulling || phase == Phase::kPushing;
}
// kOpening: it was just started, and has found no work yet.
inline bool IsRest(Phase phase) { return phase == Phase::kIdle || phase == Phase::kOpening; }

// Of the bytes of a fill.
struct Progress {
  double done = 0;
  double total = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("done", self.done);
    member("total", self.total);
  }
};

// The lease `push`, as it was last seen.
struct StatusLease {
  std::optional<std::string> owner;
  uint64_t epoch = 0;
  uint64_t heartbeat = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("owner", self.owner);
    member("epoch", self.epoch);
    member("beat", self.heartbeat);
  }
};

struct StatusRecord {
  WorkerRole role = WorkerRole::kNone;
  std::optional<StatusLease> lease;
  Phase phase = Phase::kNone;
  uint64_t n = 0;
  double pending = 0;
  double conflicts = 0;
  std::optional<double> last_synced_at;
  std::optional<double> next_try_at;
  std::optional<Progress> progress;
  SyncError error;
  bool needs_auth = false;
  std::optional<Vector<SyncScope>> scopes;
  StatusMode mode = StatusMode::kLease;
  std::string mode_reason;
  std::optional<std::string> instance;  // the id of the service worker that reports
  bool online = false;
  bool connected = false;               // the server can be reached now (sync/reach.h)
  std::optional<double> last_heard_at;  // when it last answered or sent a message
  double clock_offset_ms = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kRoles[] = {"none", "hidden", "holder", "waiter"};
    static constexpr const char* kPhases[] = {"",        "opening", "filling", "idle",   "pulling",
                                              "pushing", "waiting", "offline", "paused", "blocked"};
    static constexpr const char* kModes[] = {"lease", "service-worker"};
    member.Text("role", self.role, kRoles);
    member("lease", self.lease);
    member.Text("phase", self.phase, kPhases);
    member("n", self.n);
    member("pending", self.pending);
    member("conflicts", self.conflicts);
    member("lastSyncedAt", self.last_synced_at);
    member("nextTryAt", self.next_try_at);
    member("progress", self.progress);
    member("error", self.error);
    member("needsAuth", self.needs_auth);
    member("scopes", self.scopes);
    member.Text("mode", self.mode, kModes);
    member("modeReason", self.mode_reason);
    member.Optional("instance", self.instance);
    member("online", self.online);
    member("connected", self.connected);
    member("lastHeardAt", self.last_heard_at);
    member("clockOffsetMs", self.clock_offset_ms);
  }
};

namespace effect {
struct ShowStatus {
  static constexpr const char* kType = "status";
  DataOf<StatusRecord> status;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("status", self.status);
  }
};
}  // namespace effect

// `shared`: the phase that the holder of the lease reported, if this worker is not the holder;
// kNone: none was reported. `now`: wall clock, ms.
StatusRecord MakeStatus(const WorkerState& state, const SyncJob& job, Phase shared, double now);

}  // namespace skerry

#endif  // SKERRY_SYNC_STATUS_H_
