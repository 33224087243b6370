#include "sync/lease_record.h"

#include "sync/records.h"

namespace skerry {

bool Observe(const Data& record, double mono_ms, double look_ms, double timeout_ms,
             Observation* seen) {
  const uint64_t epoch = record["epoch"].as_u64();
  const uint64_t beat = record["beat"].as_u64();
  const bool late = seen->any && mono_ms - seen->last_ms > 2 * look_ms;
  if (!seen->any || late || epoch != seen->epoch || beat != seen->beat) {
    *seen = {true, epoch, beat, mono_ms, mono_ms, 1};
    return false;
  }
  seen->last_ms = mono_ms;
  ++seen->looks;
  return seen->looks >= 2 && mono_ms - seen->since_ms >= timeout_ms;
}

bool MayClaim(const Data& record, std::string_view owner, ClaimGround ground,
              const Observation* timed_out) {
  if (IsNewer(record)) return false;
  const Data& holder = record["owner"];
  if (holder.is_null() || holder.as_string() == owner || ground == ClaimGround::kLockGranted)
    return true;
  return timed_out != nullptr && timed_out->any && timed_out->epoch == record["epoch"].as_u64() &&
         timed_out->beat == record["beat"].as_u64();
}

Data ClaimedRecord(const Data& record, std::string_view owner, std::string_view job, double now) {
  Data claimed = Data::MakeObject();
  claimed.Set("v", kRecordVersion).Set("owner", owner);
  claimed.Set("epoch", record["epoch"].as_u64() + 1).Set("beat", 0);
  claimed.Set("claimedAt", now).Set("beatAt", now).Set("job", job);
  return claimed;
}

Data BeatenRecord(const Data& record, std::string_view job, double now) {
  Data beaten = record;
  beaten.Set("beat", record["beat"].as_u64() + 1).Set("beatAt", now).Set("job", job);
  return beaten;
}

Data ReleasedRecord(const Data& record, std::string_view owner, uint64_t epoch, double now) {
  if (!Holds(record, owner, epoch)) return nullptr;
  Data released = record;
  released.Set("owner", nullptr).Set("beatAt", now).Set("job", nullptr);
  return released;
}

bool Holds(const Data& record, std::string_view owner, uint64_t epoch) {
  return !IsNewer(record) && record["owner"].is_string() && record["owner"].as_string() == owner &&
         record["epoch"].as_u64() == epoch;
}

}  // namespace skerry
