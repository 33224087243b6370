// The rules of a lease's record `{v, owner, epoch, beat, claimedAt, beatAt, job}` (docs/design.md,
// "The lease"), as pure functions. Wall clocks decide nothing here: beatAt is for people.
#ifndef SKERRY_SYNC_LEASE_RECORD_H_
#define SKERRY_SYNC_LEASE_RECORD_H_

#include <cstdint>
#include <string_view>

#include "base/data.h"

namespace skerry {

// What a waiter has seen of a lease, by its own monotonic clock.
struct Observation {
  bool any = false;
  uint64_t epoch = 0;
  uint64_t beat = 0;
  double since_ms = 0;  // the first look at this (epoch, beat)
  double last_ms = 0;   // the last look
  uint32_t looks = 0;
};

// Takes one look in. Returns whether the holder has timed out: (epoch, beat) unchanged for
// timeout_ms over at least two looks. A look more than twice too late (sleep, throttling) starts
// anew, for this window may have slept longer than the holder.
bool Observe(const Data& record, double mono_ms, double look_ms, double timeout_ms,
             Observation* seen);

// How the right to claim came about.
enum class ClaimGround {
  kLockGranted,  // the Web Lock in the ordinary way: a claim that still stands is a dead holder's
  kLockStolen,   // by force: proves nothing
  kNoLocks,      // the engine has none
};

// Whether a claim may be written over this record (null: none yet). `timed_out` is what was
// observed, if anything: it counts only while the record still shows that very (epoch, beat).
bool MayClaim(const Data& record, std::string_view owner, ClaimGround ground,
              const Observation* timed_out);

Data ClaimedRecord(const Data& record, std::string_view owner, std::string_view job, double now);
Data BeatenRecord(const Data& record, std::string_view job, double now);
// The record to write for a release, or null where (owner, epoch) holds it no longer.
Data ReleasedRecord(const Data& record, std::string_view owner, uint64_t epoch, double now);

// The fence: whether a writer under (owner, epoch) may write.
bool Holds(const Data& record, std::string_view owner, uint64_t epoch);

}  // namespace skerry

#endif  // SKERRY_SYNC_LEASE_RECORD_H_
