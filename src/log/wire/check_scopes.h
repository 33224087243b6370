// What the server asks the authority about the scopes of a socket (docs/authority.md, section 6).
#ifndef SKERRY_LOG_WIRE_CHECK_SCOPES_H_
#define SKERRY_LOG_WIRE_CHECK_SCOPES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/vector.h"
#include "log/members.h"
#include "log/wire/place.h"
#include "log/wire/pull_request.h"

namespace skerry::wire {

struct CheckedScopes {
  Vector<PulledScope> scopes;
  std::optional<uint64_t> schema;  // the client's version; none: the server's

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("scopes", self.scopes).Require(IsListOf<Data>);
    member.Optional("schema", self.schema);
  }
};

struct TablesOfScope {
  Scope scope;
  Vector<std::string> tables;  // of whose changes the scope is notified

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    Scope::Each(self.scope, member);
    member("tables", self.tables);
  }
};

struct ScopeTables {
  Vector<TablesOfScope> scopes;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("scopes", self.scopes);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_CHECK_SCOPES_H_
