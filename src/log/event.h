// The events that windows and sync workers have in common (docs/internals.md, sections 4 and 5).
#ifndef SKERRY_LOG_EVENT_H_
#define SKERRY_LOG_EVENT_H_

#include <cstdint>
#include <string>

#include "log/kinds.h"

namespace skerry {

// What the host says about a failure.
struct HostError {
  std::string name;
  std::string message;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("name", self.name);
    member("message", self.message);
  }
};

// Comes inside the transaction. The reply must be the first effect.
struct ReadEvent {
  static constexpr const char* kType = "read";
  uint64_t id = 0;
  Data results;  // a list: one for each read

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("results", self.results);
  }
};

struct DoneEvent {
  static constexpr const char* kType = "done";
  uint64_t id = 0;
  Vector<Key> keys;  // of the rows that were added

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("keys", self.keys);
  }
};

struct FailedEvent {
  static constexpr const char* kType = "failed";
  uint64_t id = 0;
  HostError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("error", self.error);
  }
};

// A message of the channel. Any script of the origin may have sent it.
struct MessageEvent {
  static constexpr const char* kType = "message";
  Data message;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("message", self.message);
  }
};

// A message between a window and its own Worker.
struct PostEvent {
  static constexpr const char* kType = "post";
  Data message;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("message", self.message);
  }
};

}  // namespace skerry

#endif  // SKERRY_LOG_EVENT_H_
