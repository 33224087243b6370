// Event: one entry of a run's list of choices. A run is a function of its list (and of nothing
// else), so that a failing one is replayed, and shrunk by leaving entries out.
#ifndef SKERRY_TEST_SIM_EVENT_H_
#define SKERRY_TEST_SIM_EVENT_H_

#include <cstdint>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"

namespace skerry::sim {

// What can happen. The order is that of kKinds in event.cc, which documents each.
enum class Kind : uint8_t {
  kRun,
  kMutate,
  kPass,
  kLive,
  kOpenTab,
  kCloseTab,
  kDuplicateTab,
  kHide,
  kShow,
  kResolve,
  kScopes,
  kSyncNow,
  kLoseRequest,
  kHangRequest,
  kCutBeforeCommit,
  kCutAfterCommit,
  kRepeatRequest,
  kDelayRequest,
  kReorderRequests,
  kReorderChannel,
  kDelayChannel,
  kUnavailable,
  kRestartNode,
  kOffline,
  kOnline,
  kCrashTab,
  kCrashWorker,
  kCrashBrowser,
  kFreeze,
  kThaw,
  kStall,
  kThrottle,
  kStepClock,
  kQuota,
  kStorageError,
  kLostCompletion,
  kDamageImage,
  kLoseImage,
  kBackUp,
  kRestore,
  kClone,
  kBackUpServer,
  kRestoreServer,
  kCutLog,
  kGone,
  kExpireTokens,
  kOldToken,
  kNoToken,
  kLogIn,
  kLosePoke,
  kDelayPoke,
  kCloseSocket,
  kDeployNode,
  kDeployPages,
  kStopService,
  kMuteService,
  kUnmuteService,
  kUpdateService,
  kUnregister,
  kRegister,
  kSyncEvent,
  kCount
};
// From here on, and up to the next: only where there are releases.
inline constexpr Kind kFirstOfReleases = Kind::kDeployNode;
// From here on: only where there is a service worker.
inline constexpr Kind kFirstOfService = Kind::kStopService;

struct Event {
  Kind kind = Kind::kRun;
  uint32_t a = 0;  // which one: taken modulo of what there is
  uint32_t b = 0;  // how, or how much: a seed of small choices
  friend bool operator==(const Event&, const Event&) = default;
};

struct KindInfo {
  const char* name;
  bool is_fault;    // its weight is one of the knobs that a seed draws
  uint32_t weight;  // at most, among 1000 or so
  const char* meaning;
};
const KindInfo& InfoOf(Kind kind);

// What a world may have, or not: bits.
enum class Part : uint64_t {
  kImages = 1,
  kTokens = 2,
  kPokes = 4,
  kService = 8,
  kSmallAnswers = 16,
  kReleases = 32  // two versions of the schema
};
inline constexpr uint64_t kAllParts = 7;  // that a seed chooses by chance, evenly
// Seeds above have a service worker that pushes.
inline constexpr uint64_t kServiceSeeds = 1'000'000'000;

struct Script {
  uint64_t setup = 0;  // of the world: how many profiles, which scopes, locks or none
  uint64_t parts = 0;  // bits of Part
  Vector<Event> events;
};

// The list of a seed: at least 200 events; every knob is off, low or high, by chance.
Script Generate(uint64_t seed);

// {"setup": n, "parts": n, "events": [["run", a, b], ..]}, as in test/spec.
Data ScriptToData(const Script& script);
Result<Script> ScriptFromData(const Data& data);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_EVENT_H_
