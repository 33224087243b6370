#include "sync/lease_rules.h"

#include <utility>

namespace skerry {

bool Observe(const LeaseRecord& record, double mono_ms, double look_ms, double timeout_ms,
             Observation* seen) {
  const uint64_t epoch = record.epoch;
  const uint64_t heartbeat = record.heartbeat;
  const bool late = seen->any && mono_ms - seen->last_ms > 2 * look_ms;
  if (!seen->any || late || epoch != seen->epoch || heartbeat != seen->heartbeat) {
    *seen = {true, epoch, heartbeat, mono_ms, mono_ms, 1};
    return false;
  }
  seen->last_ms = mono_ms;
  ++seen->looks;
  return seen->looks >= 2 && mono_ms - seen->since_ms >= timeout_ms;
}

bool MayClaim(const LeaseRecord& record, std::string_view owner, ClaimGround ground,
              const Observation* timed_out) {
  if (IsNewer(record)) return false;
  if (!record.owner.has_value() || *record.owner == owner || ground == ClaimGround::kLockGranted)
    return true;
  return timed_out != nullptr && timed_out->any && timed_out->epoch == record.epoch &&
         timed_out->heartbeat == record.heartbeat;
}

LeaseRecord ClaimedRecord(const LeaseRecord& record, std::string_view owner, std::string_view job,
                          double now) {
  LeaseRecord claimed;
  claimed.owner = owner;
  claimed.epoch = record.epoch + 1;
  claimed.claimed_at = claimed.heartbeat_at = now;
  claimed.job = job;
  return claimed;
}

LeaseRecord HeartbeatRecord(LeaseRecord record, std::string_view job, double now) {
  ++record.heartbeat;
  record.heartbeat_at = now;
  record.job = job;
  return record;
}

std::optional<LeaseRecord> ReleasedRecord(LeaseRecord record, std::string_view owner,
                                          uint64_t epoch, double now) {
  if (!Holds(record, owner, epoch)) return std::nullopt;
  record.owner.reset();
  record.heartbeat_at = now;
  record.job.reset();
  return record;
}

LeaseRecord UnreadRelease(std::string_view owner, uint64_t epoch, double now) {
  LeaseRecord held;
  held.owner = owner;
  held.epoch = epoch;
  held.claimed_at = now;
  return *ReleasedRecord(std::move(held), owner, epoch, now);
}

bool Holds(const LeaseRecord& record, std::string_view owner, uint64_t epoch) {
  return !IsNewer(record) && record.owner == owner && record.epoch == epoch;
}

}  // namespace skerry
