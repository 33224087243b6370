// What follows from writes of other programs (docs/authority.md, section 3).
#ifndef SKERRY_LOG_WIRE_OWED_H_
#define SKERRY_LOG_WIRE_OWED_H_

#include <string>
#include <tuple>

#include "base/vector.h"

namespace skerry::wire {

using RowKey = std::tuple<std::string, std::string, std::string>;  // realm, table, id

// What rows that other programs have written, deleted or moved still have to do to others by the cascade
// rules. It is done in nobody's name: no right is asked for.
struct OwedConsequences {
  std::string client;  // of the entries, and
  std::string user;
  std::string update;
  Vector<RowKey> rows;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("user", self.user);
    member("update", self.update);
    member("rows", self.rows);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_OWED_H_
