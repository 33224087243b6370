// The stores of streams. `actions` holds their confirmed actions: a row has actions of one stream,
// in the order of their places, under realm, stream and the revision of the first one. `streams`
// holds what is kept of a stream beside them. docs/design.md, "Streams", says what is kept for how
// long.
#ifndef SKERRY_LOG_STREAM_RECORD_H_
#define SKERRY_LOG_STREAM_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "log/members.h"
#include "log/record_version.h"
#include "log/stream_action.h"

namespace skerry {

// The most that a row of `actions` has, but for what one entry appends.
inline constexpr size_t kMaxRowActions = 100;
inline constexpr size_t kMaxRowActionBytes = 64u << 10;

// A row of `actions`.
struct ActionsRecord {
  double version = kRecordVersion;
  std::string body;  // by EncodeActions
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member.Bytes("body", self.body).Require(IsBytes);
  }
};

// A stream, under realm and stream, without a version of a reducer.
struct StreamRecord {
  double version = kRecordVersion;
  uint64_t floor = 0;  // the device does not have the actions at or below this revision
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("floor", self.floor).Require(IsCount);
  }
};

// The state of a reducer, under realm, stream and the reducer's version.
struct StateRecord {
  double version = kRecordVersion;
  uint64_t reducer = 0;   // its version
  uint64_t revision = 0;  // it holds the actions up to this revision
  std::string state;      // JSON text
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("reducer", self.reducer).Require(IsCount);
    member("revision", self.revision).Require(IsCount);
    member("state", self.state).Require(Is<std::string>);
  }
};

// Keys. Texts: names hold no U+0000, so no key is the beginning of another stream's.
Key ActionsKey(std::string_view realm, std::string_view stream, uint64_t first_revision);
Key StreamKey(std::string_view realm, std::string_view stream);
Key StateKey(std::string_view realm, std::string_view stream, uint64_t reducer);

// A range of keys, in either store: those of a realm, of a stream, of the streams with a prefix.
struct KeyRange {
  Key from;
  Key to;
};
KeyRange KeysOfRealm(std::string_view realm);
KeyRange KeysOfStream(std::string_view realm, std::string_view pattern);

// The writes that store actions of a stream. REQUIRES: their places ascend.
void WriteActions(const Schema& schema, std::string_view realm, std::string_view stream,
                  const Vector<StreamAction>& actions, Data::Array* writes);

}  // namespace skerry

#endif  // SKERRY_LOG_STREAM_RECORD_H_
