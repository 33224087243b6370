// The body of a push and its answer (docs/protocol.md, "`POST /v1/push`").
#ifndef SKERRY_LOG_WIRE_PUSH_H_
#define SKERRY_LOG_WIRE_PUSH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/wire/place.h"
#include "log/wire/update_result.h"

namespace skerry::wire {

// The identity that the client had when it made some of the mutations.
struct Former {
  std::string client;
  Revisions seen;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client).Require(IsUuid);
    member("seen", self.seen);
  }
};

struct PushRequest {
  std::string client;
  uint64_t schema = 0;  // its version
  uint64_t epoch = 0;   // of the lease under which the client pushes
  Revisions seen;       // by realm: the client's last update that it knows to be confirmed
  std::optional<Former> follows;
  // Updates with actions that may have been sent before, by id: a time of the server's clock, ms, that the client
  // knew already when it sent them first.
  std::optional<Times> sent;
  Data updates;  // a list (log/codec.h)

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client).Require(IsUuid);
    member("schema", self.schema).Require(IsCount);
    member("epoch", self.epoch);
    member("seen", self.seen);
    member.Optional("follows", self.follows);
    member.Optional("sent", self.sent);
    member("updates", self.updates).Require(IsListOf<Data>);
  }
};

struct PushAnswer {
  double time = 0;                     // ms, of the server
  std::optional<PushResults> results;  // in the order of the updates

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("time", self.time);
    member("results", self.results);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_PUSH_H_
