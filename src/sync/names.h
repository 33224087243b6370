// The names by which a sync worker and its host speak of leases, locks, timers, and of why a token
// is needed. Each enumeration has one table of its texts, in its order; a text that is not there is
// read as the first.
#ifndef SKERRY_SYNC_NAMES_H_
#define SKERRY_SYNC_NAMES_H_

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "base/data.h"

namespace skerry {

// A lease, whose record has this name as its key, and its Web Lock. kService: only the Web Lock of
// the service worker.
enum class LeaseName : uint8_t { kNone, kPush, kListen, kImage, kService };
inline constexpr const char* kLeaseNames[] = {"", "push", "listen", "image", "service"};
static_assert(std::size(kLeaseNames) == static_cast<size_t>(LeaseName::kService) + 1);
inline const char* NameOf(LeaseName name) { return kLeaseNames[static_cast<uint8_t>(name)]; }

// Why a lease was released. kNone: it was not. kLeft: its window is hidden or closes, or the lease
// was lost.
enum class LeaseOutcome : uint8_t { kNone, kDone, kFailed, kLeft };
inline constexpr const char* kLeaseOutcomes[] = {"", "done", "failed", "left"};

// What became of a request for a Web Lock. kRefused: it stays queued. kLost: the lock was stolen.
enum class LockState : uint8_t { kNone, kGranted, kRefused, kLost };
inline constexpr const char* kLockStates[] = {"", "granted", "refused", "lost"};

enum class WorkerTimer : uint8_t {
  kNone,
  kStart,
  kScopes,
  kLook,
  kShared,
  kListenRetry,
  kToken,
  kLoop,
  kImageCalm,
  kImageRetry,
  kSocket,
  kPing,
  kAnnounced,
  kProof,
  kServiceWatch,
  kServiceLook,
  kHeartbeatPush,  // this and the next two: in the order of LeaseName
  kHeartbeatListen,
  kHeartbeatImage,
  kLookPush,  // likewise
  kLookListen,
  kLookImage,
  kValidate,
};
inline constexpr const char* kWorkerTimers[] = {"",
                                                "start",
                                                "scopes",
                                                "look",
                                                "shared",
                                                "listen-retry",
                                                "token",
                                                "loop",
                                                "image-calm",
                                                "image-retry",
                                                "socket",
                                                "ping",
                                                "announced",
                                                "proof",
                                                "service-watch",
                                                "service-look",
                                                "heartbeat:push",
                                                "heartbeat:listen",
                                                "heartbeat:image",
                                                "look:push",
                                                "look:listen",
                                                "look:image",
                                                "validate"};
static_assert(std::size(kWorkerTimers) == static_cast<size_t>(WorkerTimer::kValidate) + 1);
// REQUIRES: a lease.
constexpr WorkerTimer HeartbeatTimer(LeaseName name) {
  return static_cast<WorkerTimer>(static_cast<uint8_t>(WorkerTimer::kHeartbeatPush) +
                                  static_cast<uint8_t>(name) -
                                  static_cast<uint8_t>(LeaseName::kPush));
}
constexpr WorkerTimer LookTimer(LeaseName name) {
  return static_cast<WorkerTimer>(static_cast<uint8_t>(WorkerTimer::kLookPush) +
                                  static_cast<uint8_t>(name) -
                                  static_cast<uint8_t>(LeaseName::kPush));
}
static_assert(HeartbeatTimer(LeaseName::kImage) == WorkerTimer::kHeartbeatImage);
static_assert(LookTimer(LeaseName::kImage) == WorkerTimer::kLookImage);

// A server's token for its user; none: the application gave none.
using Token = std::optional<std::string>;

// Why the application is asked for a token. kExpired: the server refused the last one. kRefused: it
// did so again.
enum class TokenNeed : uint8_t { kExpired, kStart, kRefused };
inline constexpr const char* kTokenNeeds[] = {"expired", "start", "refused"};

}  // namespace skerry

#endif  // SKERRY_SYNC_NAMES_H_
