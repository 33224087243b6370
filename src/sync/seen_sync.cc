#include "sync/seen_sync.h"

#include <algorithm>
#include <utility>

#include "sync/records.h"

namespace skerry {

void SeenSync::SeeRecord(const UpdateRecord& record, bool started) {
  const size_t bytes = record.body.has_value() ? record.body->size() : 0;
  const bool is_new = record.n > record_.n;
  if (is_new && record.revokes.value_or(false)) record_.revoked_at = record.n;
  // Its bytes count towards the next compaction.
  if (started) SeeLogged(record.n, record.cursors, record_.record_bytes + bytes);
}

void SeenSync::SeeLogged(uint64_t n, Cursors cursors, uint64_t record_bytes) {
  if (n <= record_.n) return;
  record_.n = n;
  record_.cursors = std::move(cursors);
  record_.record_bytes = record_bytes;
}

bool SeenSync::SeeStatus(const StatusRecord& status) {
  const bool synced = status.last_synced_at.value_or(0) > record_.last_synced_at.value_or(0);
  if (synced) record_.last_synced_at = status.last_synced_at;
  record_.clock_offset = status.clock_offset_ms;
  if (status.scopes.has_value()) record_.scopes = *status.scopes;
  return synced;
}

SyncRecord SeenSync::Complete(const Data& stored, double now) {
  must_report_damage_ = stored.is_object() && !Is<SyncProgress>(stored);
  return CompleteSyncRecord(stored, ids_->Next(now), *schema_);
}

SyncRecord SeenSync::Repair(const Data& stored, double now) {
  if (IsNewer(stored)) return SyncRecord::Read(stored);
  const bool whole = Is<SyncProgress>(stored);
  must_report_damage_ = must_report_damage_ || (!whole && !loss_reported_);
  loss_reported_ = !whole;
  const std::string client = record_.client.empty() ? ids_->Next(now) : record_.client;
  SyncRecord repaired = CompleteSyncRecord(stored, client, *schema_);
  NoteDefaults(*schema_, &repaired);
  if (whole) return repaired;
  repaired.n = std::max(repaired.n, record_.n);
  // The base rows of realms without a cursor are dropped when the realms are pulled again.
  for (const auto& [realm, cursor] : record_.cursors) {
    if (!repaired.cursors.contains(realm) && !Contains(repaired.refill, realm))
      repaired.refill.push_back(realm);
  }
  return repaired;
}

}  // namespace skerry
