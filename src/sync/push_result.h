// The results in the answer to a push (docs/protocol.md), one for each update that was sent. A
// member that is missing or has a wrong type counts as empty: the update then still awaits its
// answer.
#ifndef SKERRY_SYNC_PUSH_RESULT_H_
#define SKERRY_SYNC_PUSH_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "log/message.h"
#include "log/op.h"
#include "log/outbox_record.h"
#include "log/wire/update_result.h"

namespace skerry {

// Why an op, or the whole update, was rejected.
struct PushRejection {
  Vector<std::string> actions;  // those that are at fault; empty: any of the update
  std::optional<std::string> code;
  std::string detail;
  std::optional<uint64_t> op;  // its index in the update
  Data theirs;                 // the present state at the server, if the answer has it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("actions", self.actions);
    member("code", self.code);
    member("detail", self.detail);
    member("op", self.op);
    member("theirs", self.theirs);
  }
};

// The revisions at which the log has an action already: by realm, or, of an update of one realm,
// the bare number.
struct KnownAt {
  std::optional<uint64_t> bare;
  Revisions by_realm;
};
inline bool CanRead(const Data&, const KnownAt*) { return true; }
void FromData(Data&& data, KnownAt* out);
Data ToData(const KnownAt& at);

struct PushResult {
  std::string id;  // of the update
  PushStatus status = PushStatus::kOther;
  Revisions revisions;  // at which it was applied
  LostOps lost;
  Vector<PushRejection> rejected;
  Map<std::string, KnownAt> known;  // by action

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member.Text("status", self.status, kPushStatuses);
    member("revisions", self.revisions);
    LostOps::Each(self.lost, member);
    member("rejected", self.rejected);
    member("known", self.known);
  }
};

using PushResults = Vector<PushResult>;

// The `results` of an answer; none if it has no such list.
std::optional<PushResults> ReadPushResults(Data answer);

// Removes from the ops of an update what the server has not stored. REQUIRES: the ops are those that
// were pushed, under the schema.
void RemoveDropped(const Schema& schema, const Vector<DroppedOp>& dropped, Vector<Op>* ops);

// For a request with one update that was refused as a whole (400, 413, 422): the results as if that
// update had been rejected.
PushResults RejectedWhole(const std::string& id, const std::string& code,
                          const std::string& detail);

}  // namespace skerry

#endif  // SKERRY_SYNC_PUSH_RESULT_H_
