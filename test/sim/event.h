// Event: one entry of a run's list of choices. A run depends on its list and on nothing else. So a
// failing run can be replayed, and shrunk by leaving entries out.
#ifndef SKERRY_TEST_SIM_EVENT_H_
#define SKERRY_TEST_SIM_EVENT_H_

#include <cstdint>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"

namespace skerry::sim {

// Everything that can happen, in the order of kKinds in event.cc, which documents each kind.
enum class Kind : uint8_t {
  kRun,
  kMutate,
  kPassTime,
  kRunQuietly,
  kOpenTab,
  kCloseTab,
  kDuplicateTab,
  kHide,
  kShow,
  kResolve,
  kScopes,
  kFold,
  kSnapshot,
  kSetApart,
  kGrant,
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
  kForgetLog,
  kGone,
  kExpireTokens,
  kOldToken,
  kNoToken,
  kLogIn,
  kLosePoke,
  kDelayPoke,
  kCloseSocket,
  kSilenceSocket,
  kDeployNode,
  kDeployPages,
  kStopService,
  kMuteService,
  kUnmuteService,
  kUpdateService,
  kUnregister,
  kRegister,
  kSyncEvent,
  kForeignWrite,
  kCount
};
// The kinds from here to kFirstOfService occur only in runs with releases.
inline constexpr Kind kFirstOfReleases = Kind::kDeployNode;
// The kinds from here on occur only in runs with a service worker.
inline constexpr Kind kFirstOfService = Kind::kStopService;
// Comes on top of the others, in runs in which other programs write.
inline constexpr Kind kOnTop = Kind::kForeignWrite;

struct Event {
  Kind kind = Kind::kRun;
  uint32_t a = 0;  // which object: modulo the number of objects
  uint32_t b = 0;  // how, or how much: a seed of small choices
  friend bool operator==(const Event&, const Event&) = default;
};

struct KindInfo {
  const char* name;
  bool is_fault;    // a seed draws its weight: none, low or high
  uint32_t weight;  // the greatest; all weights together are about 1000
  const char* meaning;
};
const KindInfo& InfoOf(Kind kind);

// The optional parts of a world, as bits.
enum class Part : uint64_t {
  kImages = 1,
  kTokens = 2,
  kPokes = 4,
  kService = 8,
  kSmallAnswers = 16,
  kReleases = 32,  // two versions of the schema
  kRights = 64,    // several users, with realms that they found and share
  kStreams = 128,
  kRules = 256,   // windows have the application's rules
  kForeign = 512  // other programs write to the database
};
inline constexpr uint64_t kAllParts = 7;  // a seed draws each of these bits with even chances
// Greater seeds have a service worker that pushes.
inline constexpr uint64_t kServiceSeeds = 1'000'000'000;

struct Script {
  uint64_t setup = 0;  // of the world: number of profiles, scopes, with Web Locks or without
  uint64_t parts = 0;  // bits of Part
  Vector<Event> events;
};

// The list of a seed: at least 200 events. The weight of every fault is zero, low or high, by
// chance.
Script Generate(uint64_t seed);

// {"setup": n, "parts": n, "events": [["run", a, b], ..]}, as in test/spec.
Data ScriptToData(const Script& script);
Result<Script> ScriptFromData(const Data& data);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_EVENT_H_
