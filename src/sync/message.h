// The messages that concern sync workers only: with their own windows, with other workers, and
// between helpers and the service worker. Only this file and log/message.h describe their shape;
// docs/sync-worker.md, section 4, says when each is sent.
#ifndef SKERRY_SYNC_MESSAGE_H_
#define SKERRY_SYNC_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "log/kinds.h"
#include "log/lease_record.h"
#include "log/message.h"
#include "sync/names.h"
#include "sync/status.h"
#include "sync/sync_error.h"

namespace skerry {

// ---- from the own window ----

struct VisibleMessage {
  static constexpr const char* kType = "visible";
  bool visible = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("visible", self.visible);
  }
};

struct OnlineMessage {
  static constexpr const char* kType = "online";
  bool online = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("online", self.online);
  }
};

struct PauseMessage {
  static constexpr const char* kType = "pause";
};

struct ResumeMessage {
  static constexpr const char* kType = "resume";
};

// sync.now(). The answer names `id`, whatever it is.
struct SyncMessage {
  static constexpr const char* kType = "sync";
  Data id;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
  }
};

// An answer to needToken, or a new token.
struct TokenMessage {
  static constexpr const char* kType = "token";
  Token token;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("token", self.token);
  }
};

// A service worker pushes now, or none does any more.
struct ServiceMessage {
  static constexpr const char* kType = "service";
  bool active = false;
  std::string reason;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("active", self.active);
    member("reason", self.reason);
  }
};

// The database closes.
struct StopMessage {
  static constexpr const char* kType = "stop";
};

// Asks the server for a page of a stream's history, or, by a POST with this body, for a comparison. `path`:
// below the remote's URL.
struct HistoryMessage {
  static constexpr const char* kType = "history";
  uint64_t id = 0;
  std::string path;
  std::optional<std::string> body;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("path", self.path);
    member.Optional("body", self.body);
  }
};

// What a helper adds to each of its messages to the service worker.
struct HelperNote {
  std::optional<bool> online;
  std::optional<bool> listening;  // a window has an open poke socket

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("online", self.online);
    member("listening", self.listening);
  }
};

// ---- to the own window ----

// A copy for the window's own release. Without an owner: this worker has released the lease.
struct LeaseCopyMessage {
  static constexpr const char* kType = "lease";
  LeaseName name = LeaseName::kNone;
  std::optional<std::string> owner;
  uint64_t epoch = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kLeaseNames);
    member("owner", self.owner);
    member("epoch", self.epoch);
  }
};

// The answer to a SyncMessage.
struct SyncedMessage {
  static constexpr const char* kType = "synced";
  Data id;
  SyncError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("error", self.error);
  }
};

// No image could be made.
struct ImageFailedMessage {
  static constexpr const char* kType = "imageFailed";
  SyncError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("error", self.error);
  }
};

// A `scopes` message could not be stored, or all windows together want too much. `drop`: of that
// message. `left_out`: the scopes that are too much.
struct ScopesFailedMessage {
  static constexpr const char* kType = "scopesFailed";
  SyncError error;
  Vector<WantedScope> drop;
  std::optional<Vector<SyncScope>> left_out;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("error", self.error);
    member("drop", self.drop);
    member.Optional("leftOut", self.left_out);
  }
};

// All windows together want more streams than a pull may name: these are left out.
struct StreamsFailedMessage {
  static constexpr const char* kType = "streamsFailed";
  Vector<WantedStream> left_out;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("leftOut", self.left_out);
  }
};

// The answer to a HistoryMessage: the server's page, or an error.
struct HistoryAnswerMessage {
  static constexpr const char* kType = "historyAnswer";
  uint64_t id = 0;
  Data page;
  SyncError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("page", self.page);
    member("error", self.error);
  }
};

// ---- on the channel ----

struct LeaseMessage {
  static constexpr const char* kType = "lease";
  LeaseName name = LeaseName::kNone;
  LeaseRecord lease;
  LeaseOutcome outcome = LeaseOutcome::kNone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kLeaseNames);
    member("lease", self.lease);
    member.Text("outcome", self.outcome, kLeaseOutcomes);
  }
};

// The status of the worker that works. `n`: of the last record.
struct StatusMessage {
  static constexpr const char* kType = "status";
  StatusRecord shared;
  uint64_t n = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("shared", self.shared);
    member("n", self.n);
  }
};

// What a worker reads of these messages: that they came.
struct AddedNotice {
  static constexpr const char* kType = AddedMessage::kType;
};
struct PushedNotice {
  static constexpr const char* kType = PushedMessage::kType;
};

// A new image was published.
struct ImageMessage {
  static constexpr const char* kType = "image";
  uint64_t n = 0;
  std::string generation;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("n", self.n);
    member("generation", self.generation);
  }
};

// What a worker has seen of the server (sync/reach.h). `socket`, `retry_at`: from the worker that has
// the poke socket, or has just closed it.
struct ReachMessage {
  static constexpr const char* kType = "reach";
  bool reached = false;
  std::optional<double> heard_at;
  std::optional<bool> socket;
  std::optional<double> retry_at;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("reached", self.reached);
    member("heardAt", self.heard_at);
    member.Optional("socket", self.socket);
    member.Optional("retryAt", self.retry_at);
  }
};

// To the worker that has the poke socket: is the socket alive? `brought`: others' changes that a pull
// has brought, by realm the highest revision; the socket should have announced them. Empty: the
// application called sync.now().
struct CheckSocketMessage {
  static constexpr const char* kType = "checkSocket";
  Revisions brought;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("brought", self.brought);
  }
};

// ---- from the service worker to helpers, on the channel ----

// A pull named images, and a service worker makes none.
struct FillMessage {
  static constexpr const char* kType = "fill";
};

struct NeedTokenMessage {
  static constexpr const char* kType = "needToken";
  TokenNeed why = TokenNeed::kExpired;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("why", self.why, kTokenNeeds);
  }
};

struct ServiceFailedMessage {
  static constexpr const char* kType = "serviceFailed";
  std::string reason;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("reason", self.reason);
  }
};

// The id of a helper's SyncMessage: that of its window's, and which window that is.
struct AskedId {
  std::string tab;
  Data id;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("tab", self.tab);
    member("id", self.id);
  }
};

struct HelperSyncedMessage {
  static constexpr const char* kType = "synced";
  AskedId id;
  SyncError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("error", self.error);
  }
};

// What a worker handles: of its window or, a service worker, of helpers; and of the channel.
using PostMessages = OneOf<MutatedMessage, WakeMessage, VisibleMessage, OnlineMessage, PauseMessage,
                           ResumeMessage, SyncMessage, ScopesMessage, StreamsMessage,
                           HistoryMessage, TokenMessage, ServiceMessage, StopMessage>;
using ChannelMessages =
    OneOf<AddedNotice, LeftMessage, WakeMessage, LeaseMessage, StatusMessage, PushedNotice,
          ServiceFailedMessage, FillMessage, NeedTokenMessage, HelperSyncedMessage, LoggedMessage,
          RecordMessage, ReachMessage, CheckSocketMessage, ValidatedMessage>;

}  // namespace skerry

#endif  // SKERRY_SYNC_MESSAGE_H_
