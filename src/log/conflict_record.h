// An entry of the inbox, as it is stored in `conflicts`: a mutation that was refused, with what the
// user needs to decide.
//
// Later mutations on the objects of a refused one, and those with a ref to an object that it
// created, go there with it (code `depends`). `parent_deleted`: the mutation was applied, but the
// object was deleted at once with the parent that it names. It is written when the push's answer or
// the confirming pull says so, whichever comes first.
#ifndef SKERRY_LOG_CONFLICT_RECORD_H_
#define SKERRY_LOG_CONFLICT_RECORD_H_

#include <optional>

#include "log/members.h"
#include "log/record_version.h"

namespace skerry {

// The mutation, for it to be made again.
struct InboxMutation {
  std::string id;
  std::string name;
  double at = 0;
  std::string body;  // of EncodeMutation
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("name", self.name);
    member("at", self.at);
    member.Bytes("body", self.body);
  }
  friend bool operator==(const InboxMutation&, const InboxMutation&) = default;
};

struct ConflictRecord {
  double version = kRecordVersion;
  std::optional<std::string> table;  // of the object; null, as its id: it is not known
  std::optional<std::string> id;
  std::string reason;  // "rejected" or "revoked"
  std::string code;
  std::string detail;
  Data base;    // the next three are plain rows, or null
  Data mine;    // what the mutation wanted
  Data theirs;  // as far as the server told
  double at = 0;
  InboxMutation mutation;
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("table", self.table);
    member("id", self.id);
    member("reason", self.reason);
    member("code", self.code);
    member("detail", self.detail);
    member("base", self.base);
    member("mine", self.mine);
    member("theirs", self.theirs);
    member("at", self.at);
    member("mutation", self.mutation);
  }
  static ConflictRecord Read(Data stored);
  Data Write() const;
};

}  // namespace skerry

#endif  // SKERRY_LOG_CONFLICT_RECORD_H_
