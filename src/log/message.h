// The messages that windows send or handle: on the channel, and with their own sync workers. Only
// this file describes their shape; docs/internals.md, section 5, says when each is sent. Messages
// that concern workers only are in sync/message.h.
//
// Any script of the origin, or another version of the package, may have sent a message: it is read
// like a record (log/members.h).
#ifndef SKERRY_LOG_MESSAGE_H_
#define SKERRY_LOG_MESSAGE_H_

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "log/cursor.h"
#include "log/kinds.h"
#include "log/mutation_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"

namespace skerry {

// To the own worker: a mutation of this window is durable.
struct MutatedMessage {
  static constexpr const char* kType = "mutated";
};

// Mutations may have been stored that were not announced.
struct LeftMessage {
  static constexpr const char* kType = "left";
};

// A page was frozen or closed while changes of its last moments were being stored.
struct KeptMessage {
  static constexpr const char* kType = "kept";
};

// The inbox has changed.
struct ConflictsMessage {
  static constexpr const char* kType = "conflicts";
};

struct AddedItem {
  std::string id;
  MutationRecord record;
  Key key;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("record", self.record);
    member("key", self.key);
  }
};
// An item that is no object counts as damaged, and is not left out.
inline bool CanRead(const Data&, const AddedItem*) { return true; }

// Mutations of the window `tab` were stored.
struct AddedMessage {
  static constexpr const char* kType = "added";
  std::string tab;
  Vector<AddedItem> items;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("tab", self.tab);
    member("items", self.items);
  }
};

// A record was added to `updates`.
struct RecordMessage {
  static constexpr const char* kType = "record";
  UpdateRecord record;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("record", self.record);
  }
};

// To workers, now and then: the n of the last record of kind `local`.
struct LoggedMessage {
  static constexpr const char* kType = "logged";
  uint64_t n = 0;
  std::optional<Cursors> cursors;
  uint64_t record_bytes = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("n", self.n);
    member("cursors", self.cursors);
    member("recordBytes", self.record_bytes);
  }
};

// What became of an update that was pushed, or of a mutation in it.
enum class PushStatus : uint8_t {
  kOther,
  kApplied,
  kDuplicate,
  kRejected,  // in a message: these mutations are in the inbox
  kForked,    // this and the next two: only from the server
  kUnknownClient,
  kHeld,
  kRegrouped,  // this and the next one: only in a message. They are pending again, because others
               // of their update were rejected, or the client's identity changed
  kKnown,      // the log has these actions already
};
inline constexpr const char* kPushStatuses[] = {"",         "applied",   "duplicate",
                                                "rejected", "forked",    "unknown_client",
                                                "held",     "regrouped", "known"};

static_assert(std::size(kPushStatuses) == static_cast<size_t>(PushStatus::kKnown) + 1);

struct PushedItem {
  std::optional<std::string> update;
  Vector<std::string> mutations;
  PushStatus status = PushStatus::kOther;
  std::optional<std::string> code;
  std::optional<std::string> detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("update", self.update);
    member("mutations", self.mutations);
    member.Text("status", self.status, kPushStatuses);
    member.Optional("code", self.code);
    member.Optional("detail", self.detail);
  }
};

// The answer to a push.
struct PushedMessage {
  static constexpr const char* kType = "pushed";
  Vector<PushedItem> results;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("results", self.results);
  }
};

// To windows: have they judged the pending mutations over the records up to `n`?
struct ValidateMessage {
  static constexpr const char* kType = "validate";
  uint64_t n = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("n", self.n);
  }
};

// A window has, by the rules of this version of the schema, and the verdicts are stored.
struct ValidatedMessage {
  static constexpr const char* kType = "validated";
  uint64_t n = 0;
  uint64_t version = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("n", self.n);
    member("version", self.version);
  }
};

// Windows load everything again. `damaged`: the record `sync` was damaged.
struct UnreadableMessage {
  static constexpr const char* kType = "unreadable";
  std::optional<bool> damaged;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("damaged", self.damaged);
  }
};

// Scopes join the union in `sync`, or leave it. To the own worker.
struct ScopesMessage {
  static constexpr const char* kType = "scopes";
  Vector<WantedScope> add;
  Vector<WantedScope> drop;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("add", self.add);
    member("drop", self.drop);
  }
};

// A stream that a window wants, or all streams with a prefix (log/stream_name.h).
struct WantedStream {
  std::string stream;
  std::optional<uint64_t> last;     // only so many of its actions at first; none: all
  std::optional<bool> again;        // all of them once more
  std::optional<uint64_t> reducer;  // its version, if one is to fold them
  std::optional<bool> migrates;     // it can take over states of earlier versions

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream).Require(IsText);
    member.Optional("last", self.last);
    member.Optional("again", self.again);
    member.Optional("reducer", self.reducer);
    member.Optional("migrates", self.migrates);
  }
  friend bool operator==(const WantedStream&, const WantedStream&) = default;
};

// Streams join the union in `sync`. To the own worker.
struct StreamsMessage {
  static constexpr const char* kType = "streams";
  Vector<WantedStream> add;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("add", self.add);
  }
};

// Why a worker is woken. Any reason pushes; all but kMutation pull, too.
enum class WakeFor : uint8_t {
  kVisible,  // also for a reason that this version does not know
  kMutation,
  kDue,   // a pause may be over
  kPoke,  // the server's log of `realm` has reached `revision`
  kRefill,
};

// To a worker: the own one's, those on the channel, or the service worker.
struct WakeMessage {
  static constexpr const char* kType = "wake";
  WakeFor reason = WakeFor::kVisible;
  std::optional<std::string> realm;
  std::optional<uint64_t> revision;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kReasons[] = {"visible", "mutation", "due", "poke", "refill"};
    member.Text("reason", self.reason, kReasons);
    member.Optional("realm", self.realm);
    member.Optional("revision", self.revision);
  }
};

// What a window's core reads of a status (sync/status.h).
struct StatusTimes {
  std::optional<double> clock_offset_ms;
  std::optional<double> last_synced_at;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("clockOffsetMs", self.clock_offset_ms);
    member("lastSyncedAt", self.last_synced_at);
  }
};

// A status, as a window's core reads it. `shared` and `n` come from the channel, `status` from the
// own worker.
struct StatusNews {
  static constexpr const char* kType = "status";
  uint64_t n = 0;
  StatusTimes shared;
  StatusTimes status;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("n", self.n);
    member("shared", self.shared);
    member("status", self.status);
  }
};

}  // namespace skerry

#endif  // SKERRY_LOG_MESSAGE_H_
