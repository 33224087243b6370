#include "sync/worker_state.h"

#include <algorithm>
#include <utility>

#include "sync/records.h"
#include "sync/sound.h"

namespace skerry {

Data WorkerState::Sound(const Data& stored, double now) {
  if (IsNewer(stored)) return stored;
  const bool whole = KeepsPlace(stored);
  lost_place = lost_place || (!whole && !told_lost);
  told_lost = !whole;
  const String client = sync["client"].is_string() ? sync["client"].as_string() : ids.Next(now);
  Data sound = CompleteSyncRecord(stored, client, schema.version());
  if (whole) return sound;
  sound.Set("n", std::max(sound["n"].as_u64(), sync["n"].as_u64()));
  // What base holds of realms whose cursors are gone is dropped as they come anew.
  Data refill = sound["refill"];
  for (const auto& [realm, cursor] : sync["cursors"].members()) {
    if (sound["cursors"].Find(realm) == nullptr && !ContainsString(refill, realm))
      refill.Push(realm);
  }
  return sound.Set("refill", std::move(refill));
}

}  // namespace skerry
