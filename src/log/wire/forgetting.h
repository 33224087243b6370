// Which entries of a log are forgotten: what the host gives, and the authority's answer
// (docs/authority.md, section 7).
#ifndef SKERRY_LOG_WIRE_FORGETTING_H_
#define SKERRY_LOG_WIRE_FORGETTING_H_

#include <cstdint>
#include <optional>

#include "base/vector.h"
#include "log/members.h"

namespace skerry {

// An entry, with what is known of the client that pushed it.
struct OldEntry {
  uint64_t revision = 0;
  double at = 0;                 // ms
  std::optional<uint64_t> seq;   // of its update among the client's in the realm; none: nobody asks
  std::optional<uint64_t> last;  // the client's last seq in the realm
  std::optional<uint64_t> seen;  // the highest seq of which the client has said that it has it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("revision", self.revision).Require(IsCount);
    member("at", self.at).Require(Is<double>);
    member("seq", self.seq);
    member("last", self.last);
    member("seen", self.seen);
  }
};

// A part of a log.
struct OldLog {
  double before = 0;         // ms: entries that were made before are old
  uint64_t floor = 0;        // up to where the log was forgotten before
  double floor_at = 0;       // ms
  Vector<OldEntry> entries;  // ascending

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("before", self.before).Require(Is<double>);
    member("floor", self.floor);
    member("floorAt", self.floor_at);
    member("entries", self.entries);
  }
};

struct ForgottenLog {
  // The revision and time of the last entry that is old; 0 if there is none. Changes, tombstones and
  // action ids up to it are forgotten, and a client whose cursor is below it begins anew.
  uint64_t floor = 0;
  double floor_at = 0;    // ms
  Vector<uint64_t> gone;  // entries that are deleted, with the ids of their actions
  // Entries up to the floor that stay, without their contents: the realm's first, which names its
  // founder; the one at the floor, by which cursors are known; and those of which the client has
  // not said that it knows their outcome.
  Vector<uint64_t> kept;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("floor", self.floor);
    member("floorAt", self.floor_at);
    member("gone", self.gone);
    member("kept", self.kept);
  }
};

}  // namespace skerry

#endif  // SKERRY_LOG_WIRE_FORGETTING_H_
