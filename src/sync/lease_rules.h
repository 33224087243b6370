// The rules of a lease's record (docs/design.md, "The lease"), as pure functions. Wall clocks
// decide nothing here. No record yet is an empty one.
#ifndef SKERRY_SYNC_LEASE_RULES_H_
#define SKERRY_SYNC_LEASE_RULES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "log/lease_record.h"

namespace skerry {

// What a waiter has seen of a lease, by its own monotonic clock.
struct Observation {
  bool any = false;
  uint64_t epoch = 0;
  uint64_t heartbeat = 0;
  double since_ms = 0;  // the first look at this (epoch, heartbeat)
  double last_ms = 0;   // the last look
  uint32_t looks = 0;
};

// Takes one look in. Returns whether the holder has timed out: (epoch, heartbeat) unchanged for
// timeout_ms over at least two looks. A look more than twice too late (sleep, throttling) starts
// anew, for this window may have slept longer than the holder.
bool Observe(const LeaseRecord& record, double mono_ms, double look_ms, double timeout_ms,
             Observation* seen);

// How the right to claim came about.
enum class ClaimGround {
  kLockGranted,  // the Web Lock in the ordinary way: a claim that still stands is a dead holder's
  kLockStolen,   // by force: proves nothing
  kNoLocks,      // the engine has none
};

// Whether a claim may be written over this record. `timed_out` is what was observed, if anything:
// it counts only while the record still shows that very (epoch, heartbeat).
bool MayClaim(const LeaseRecord& record, std::string_view owner, ClaimGround ground,
              const Observation* timed_out);

LeaseRecord ClaimedRecord(const LeaseRecord& record, std::string_view owner, std::string_view job,
                          double now);
LeaseRecord BeatenRecord(LeaseRecord record, std::string_view job, double now);
// The record to write for a release; none where (owner, epoch) holds it no longer.
std::optional<LeaseRecord> ReleasedRecord(LeaseRecord record, std::string_view owner,
                                          uint64_t epoch, double now);

// The fence: whether a writer under (owner, epoch) may write.
bool Holds(const LeaseRecord& record, std::string_view owner, uint64_t epoch);

}  // namespace skerry

#endif  // SKERRY_SYNC_LEASE_RULES_H_
