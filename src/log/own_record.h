// A change of this client that the log has, as it is kept in the store `own` for a while: so that a pull
// can tell whether somebody has overwritten it without having seen it (sync/own_changes.h), and what of
// it a restored server has lost (client/lost_changes.h). Its key is its position in the order of confirmations.
#ifndef SKERRY_LOG_OWN_RECORD_H_
#define SKERRY_LOG_OWN_RECORD_H_

#include <optional>
#include <string>

#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/record_version.h"

namespace skerry {

struct OwnRecord {
  double version = kRecordVersion;
  std::string id;  // of its action
  std::string name;
  double at = 0;                      // ms, when it was made
  double confirmed = 0;               // ms, when a pull confirmed it
  Revisions revisions;                // in the log
  std::optional<Times> times;         // of these entries, as far as they are known
  Vector<std::string> keys;           // of the objects that it changed, as in MutationRecord
  std::string body;                   // of EncodeMutation
  std::optional<std::string> before;  // of EncodeRowsBefore
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("id", self.id);
    member("name", self.name);
    member("at", self.at);
    member("confirmed", self.confirmed);
    member("revisions", self.revisions);
    member.Optional("times", self.times);
    member("keys", self.keys);
    member.Bytes("body", self.body);
    member.Bytes("before", self.before);
  }
  static OwnRecord Read(Data stored);
  Data Write() const;
};

}  // namespace skerry

#endif  // SKERRY_LOG_OWN_RECORD_H_
