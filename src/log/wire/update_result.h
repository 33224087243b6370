// What the server says of one update: in the answer to its push, and, of an update that was applied,
// again in the pull that confirms it (docs/protocol.md).
#ifndef SKERRY_LOG_WIRE_UPDATE_RESULT_H_
#define SKERRY_LOG_WIRE_UPDATE_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/message.h"

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
  Vector<uint64_t> not_appended = {};  // the log does not have the action that they undo

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("gone", self.gone);
    member.Optional("missing", self.missing);
    member.Optional("dropped", self.dropped);
    member.Optional("notAppended", self.not_appended);
  }
  bool empty() const {
    return gone.empty() && missing.empty() && dropped.empty() && not_appended.empty();
  }
};

// Why an op, or the whole update, was rejected.
struct PushRejection {
  std::optional<uint64_t> op;   // its index in the update
  Vector<std::string> actions;  // those that are at fault; empty: any of the update
  std::optional<std::string> code;
  std::string detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("op", self.op);
    member("actions", self.actions);
    member("code", self.code);
    member("detail", self.detail);
  }
};

// The revisions at which the log has an action already: by realm, or, of an update of one realm,
// the bare number.
struct KnownAt {
  std::optional<uint64_t> bare;
  Revisions by_realm;
};
inline bool CanRead(const Data&, const KnownAt*) { return true; }
inline void FromData(Data&& data, KnownAt* out) {
  if (data.is_object()) {
    FromData(std::move(data), &out->by_realm);
  } else {
    out->bare = data.as_u64();
  }
}
inline Data ToData(const KnownAt& at) {
  return at.bare.has_value() ? Data(*at.bare) : ToData(at.by_realm);
}

// A member that is missing or has a wrong type counts as empty: the update then still awaits its
// answer.
struct PushResult {
  std::string id;  // of the update
  PushStatus status = PushStatus::kOther;
  Revisions revisions;     // at which it was applied
  double at = 0;           // of the commit that applied it, ms
  Vector<uint64_t> noops;  // ops that changed nothing
  LostOps lost;
  Vector<PushRejection> rejected;
  Map<std::string, KnownAt> known;  // by action

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member.Text("status", self.status, kPushStatuses);
    member.Optional("revisions", self.revisions);
    member.Optional("at", self.at);
    member.Optional("noops", self.noops);
    LostOps::Each(self.lost, member);
    member.Optional("rejected", self.rejected);
    member.Optional("known", self.known);
  }
};

using PushResults = Vector<PushResult>;

}  // namespace skerry

#endif  // SKERRY_LOG_WIRE_UPDATE_RESULT_H_
