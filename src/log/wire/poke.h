// The messages of a poke socket (docs/protocol.md, "`/v1/poke`").
#ifndef SKERRY_LOG_WIRE_POKE_H_
#define SKERRY_LOG_WIRE_POKE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/vector.h"
#include "log/kinds.h"
#include "log/members.h"
#include "log/wire/place.h"

namespace skerry::wire {

// From the client: whom it speaks for, and which changes concern it.
struct Hello {
  static constexpr const char* kType = "hello";
  std::optional<std::string> token;
  std::string client;
  uint64_t schema = 0;  // its version
  Vector<Scope> scopes;
  Vector<std::string> streams;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("token", self.token);
    member("client", self.client);
    member("schema", self.schema);
    member("scopes", self.scopes);
    member("streams", self.streams);
  }
};

// From the client, because a page sees no pings of the WebSocket protocol.
struct Ping {
  static constexpr const char* kType = "ping";
};

struct Pong {
  static constexpr const char* kType = "pong";
};

// From here on nothing is missed. `features`: what the server can do beyond the first version.
struct Ready {
  static constexpr const char* kType = "ready";
  Vector<std::string> features;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("features", self.features);
  }
};

// The log of a realm has grown. Revision 0: something has changed, anywhere.
struct Poke {
  static constexpr const char* kType = "poke";
  std::string realm;
  uint64_t revision = 0;
  Vector<std::string> tables;
  Vector<std::string> streams;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
    member("tables", self.tables);
    member("streams", self.streams);
  }
};

// The invitations of the user have changed: a pull brings them.
struct Invitations {
  static constexpr const char* kType = "invitations";
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_POKE_H_
