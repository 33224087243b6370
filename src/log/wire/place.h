// What several messages of the wire name: scopes, places in logs, and tests of their members.
#ifndef SKERRY_LOG_WIRE_PLACE_H_
#define SKERRY_LOG_WIRE_PLACE_H_

#include <cstdint>
#include <string>

#include "base/data.h"
#include "log/members.h"
#include "log/wire.h"

namespace skerry::wire {

inline bool IsTime(const Data& data) { return CheckTime(data).ok(); }
inline bool IsRevision(const Data& data) { return IsCount(data) && data.as_u64() > 0; }
inline bool IsUuid(const Data& data) { return CheckUuid(data).ok(); }
inline bool IsName(const Data& data) { return CheckName(data).ok(); }

// An entry of the log, or the place up to which a log is forgotten.
struct Place {
  uint64_t revision = 0;
  double at = 0;  // ms, of the entry

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("revision", self.revision);
    // The windows could not read a record with a time beyond all dates.
    member("at", self.at).Require(IsTime);
  }
};

struct Scope {
  std::string table;
  Data where;  // the filter

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table).Require(IsText);
    member("where", self.where).Require(IsListOf<Data>);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_PLACE_H_
