// What the server says of one update: in the answer to its push, and, of an update that was applied,
// again in the pull that confirms it (docs/protocol.md).
#ifndef SKERRY_LOG_WIRE_UPDATE_RESULT_H_
#define SKERRY_LOG_WIRE_UPDATE_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/vector.h"
#include "log/members.h"

namespace skerry {

// An op of the update that was applied without some of its props, because the server's release has
// no place for them; or not at all, if there are no `props`.
struct DroppedOp {
  uint64_t op = 0;
  std::optional<Vector<std::string>> props;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("op", self.op).Require(IsCount);
    member.Optional("props", self.props);
  }
};

// Ops of an update that was applied, by their indexes, which have had no effect, or not all of it.
struct LostOps {
  Vector<uint64_t> gone;     // the object was deleted at once, with its parent
  Vector<uint64_t> missing;  // there was no object: it had been deleted, or has moved out of sight
  Vector<DroppedOp> dropped;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("gone", self.gone);
    member.Optional("missing", self.missing);
    member.Optional("dropped", self.dropped);
  }
  bool empty() const { return gone.empty() && missing.empty() && dropped.empty(); }
};

}  // namespace skerry

#endif  // SKERRY_LOG_WIRE_UPDATE_RESULT_H_
