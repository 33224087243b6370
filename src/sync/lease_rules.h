// The rules of a lease's record (docs/design.md, "The lease"), as pure functions. No decision here
// uses a wall clock. A missing record counts as an empty one.
#ifndef SKERRY_SYNC_LEASE_RULES_H_
#define SKERRY_SYNC_LEASE_RULES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "log/lease_record.h"

namespace skerry {

// What a waiter has seen of a lease. Times are those of the waiter's own monotonic clock.
struct Observation {
  bool any = false;
  uint64_t epoch = 0;
  uint64_t heartbeat = 0;
  double since_ms = 0;  // the first look that found this (epoch, heartbeat)
  double last_ms = 0;   // the most recent look
  uint32_t looks = 0;
};

// Takes in one look at the record. Returns whether the holder has timed out: (epoch, heartbeat) was
// unchanged for timeout_ms, over at least two looks. If a look comes more than twice too late
// (sleep, throttling), the observation starts again: this window may have slept longer than the
// holder.
bool Observe(const LeaseRecord& record, double mono_ms, double look_ms, double timeout_ms,
             Observation* seen);

// How the waiter came to be allowed to claim.
enum class ClaimGround {
  kLockGranted,  // the Web Lock, granted as usual: the owner in the record is dead
  kLockStolen,   // the Web Lock, stolen: this proves nothing about the holder
  kNoLocks,      // the engine has no Web Locks
};

// Whether a claim may be written over this record. `timed_out`: the observation that timed out, or
// null. It counts only while the record still shows the same (epoch, heartbeat).
bool MayClaim(const LeaseRecord& record, std::string_view owner, ClaimGround ground,
              const Observation* timed_out);

LeaseRecord ClaimedRecord(const LeaseRecord& record, std::string_view owner, std::string_view job,
                          double now);
LeaseRecord HeartbeatRecord(LeaseRecord record, std::string_view job, double now);
// The record to write for a release; none if (owner, epoch) no longer holds the lease.
std::optional<LeaseRecord> ReleasedRecord(LeaseRecord record, std::string_view owner,
                                          uint64_t epoch, double now);

// The record that a window writes to release a lease of its worker, without reading it first. It
// knows no more of the lease than this.
LeaseRecord UnreadRelease(std::string_view owner, uint64_t epoch, double now);

// The fence: whether a writer under (owner, epoch) may write.
bool Holds(const LeaseRecord& record, std::string_view owner, uint64_t epoch);

}  // namespace skerry

#endif  // SKERRY_SYNC_LEASE_RULES_H_
