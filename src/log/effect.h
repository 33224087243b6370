// The effects that windows and sync workers have in common (docs/internals.md, sections 4 and 5).
// Transactions, their reads and writes are in log/transaction_builder.h, timers are in
// client/effect.h and sync/turn.h.
#ifndef SKERRY_LOG_EFFECT_H_
#define SKERRY_LOG_EFFECT_H_

#include <cstdint>

#include "base/data.h"
#include "log/kinds.h"
#include "log/transaction_builder.h"

namespace skerry {

// The shapes of effects. JavaScript's types are written from them
// (test/core/sync/host_types_test.cc).
namespace effect {

struct WriteReply {
  static constexpr const char* kType = "write";
  uint64_t id = 0;
  DataOf<Vector<Write>> writes;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("writes", self.writes);
  }
};

struct MoreReply {
  static constexpr const char* kType = "more";
  uint64_t id = 0;
  DataOf<Vector<Read>> reads;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("reads", self.reads);
  }
};

struct AbortReply {
  static constexpr const char* kType = "abort";
  uint64_t id = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
  }
};

struct Broadcast {
  static constexpr const char* kType = "broadcast";
  Data message;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("message", self.message);
  }
};

struct Post {
  static constexpr const char* kType = "post";
  Data message;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("message", self.message);
  }
};

}  // namespace effect

// The replies to a ReadEvent. `writes` and `reads` are lists.
Data WriteEffect(uint64_t id, Data writes);
Data MoreEffect(uint64_t id, Data reads);  // another round of reads
Data AbortEffect(uint64_t id);

Data BroadcastEffect(Data message);
Data PostEffect(Data message);

}  // namespace skerry

#endif  // SKERRY_LOG_EFFECT_H_
