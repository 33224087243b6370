#include "sync/worker_state.h"

#include <algorithm>
#include <utility>

#include "sync/records.h"

namespace skerry {

SyncRecord WorkerState::Sound(const Data& stored, double now) {
  if (IsNewer(stored)) return SyncRecord::Read(stored);
  const bool whole = Is<SyncProgress>(stored);
  must_report_damage = must_report_damage || (!whole && !loss_reported);
  loss_reported = !whole;
  const std::string client = sync.client.empty() ? ids.Next(now) : sync.client;
  SyncRecord sound = CompleteSyncRecord(stored, client, schema.version());
  NoteDefaults(schema, &sound);
  if (whole) return sound;
  sound.n = std::max(sound.n, sync.n);
  // The base rows of realms without a cursor are dropped when the realms are pulled again.
  for (const auto& [realm, cursor] : sync.cursors) {
    if (!sound.cursors.contains(realm) && !Contains(sound.refill, realm))
      sound.refill.push_back(realm);
  }
  return sound;
}

}  // namespace skerry
