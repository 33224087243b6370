// ForgetLog: which entries of a realm's log a server forgets, and which it keeps because a client
// may still ask for their outcome (docs/design.md, "Compaction"). It does no I/O.
#ifndef SKERRY_AUTHORITY_LOG_FORGETTING_H_
#define SKERRY_AUTHORITY_LOG_FORGETTING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "authority/cursor.h"
#include "base/vector.h"

namespace skerry {

// An entry, with what is known of the client that pushed it.
struct OldEntry {
  uint64_t revision = 0;
  double at = 0;
  std::optional<uint64_t> seq;  // of its update among the client's in the realm; none: nobody asks
  uint64_t last = 0;            // the client's last seq in the realm
  uint64_t seen = 0;            // the highest seq of which the client has said that it has it
};

struct ForgottenLog {
  // The revision and time of the last entry that is old; 0 if there is none. Changes, tombstones and
  // action ids up to it are forgotten, and a client whose cursor is below it begins anew.
  uint64_t floor = 0;
  double floor_at = 0;
  Vector<uint64_t> gone;  // entries that are deleted, with the ids of their actions
  // Entries up to the floor that stay, without their contents: the realm's first, which names its
  // founder; the one at the floor, by which cursors are known; and those of which the client has
  // not said that it knows their outcome.
  Vector<uint64_t> kept;
};

// `entries`: ascending; a part of the log. Those that were made before `before` (ms) are old.
// `floor`: up to where the log was forgotten before.
ForgottenLog ForgetLog(const Vector<OldEntry>& entries, double before, Cursor floor);

// The same as JSON text (docs/authority.md, section 7).
std::string ForgetLogJson(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_LOG_FORGETTING_H_
