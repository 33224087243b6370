// The answer to a pull, as it is sent (docs/protocol.md, "`POST /v1/pull`"). The authority writes
// it, and the sync worker reads it, by this one list of its members.
#ifndef SKERRY_LOG_WIRE_PULL_ANSWER_H_
#define SKERRY_LOG_WIRE_PULL_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/sync_record.h"
#include "log/wire/place.h"
#include "log/wire/update_result.h"

namespace skerry::wire {

// Where the log of a realm has an update of this client.
struct OwnEntry {
  uint64_t revision = 0;
  double at = 0;  // ms
  LostOps lost;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("revision", self.revision).Require(IsRevision);
    member("at", self.at).Require(IsTime);
    LostOps::Each(self.lost, member);
  }
};

// Rows that continue the fill of a scope. The rows themselves are among the changes.
struct Page {
  Scope scope;
  std::string above;                // the id after which it begins; empty: with the first
  std::optional<std::string> upto;  // the last id that it covers; none: it reaches the end
  Vector<std::string> realms;       // that it covers: not those that come by image
  Vector<std::string> ids;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    Scope::Each(self.scope, member);
    member("above", self.above);
    member("upto", self.upto);
    member("realms", self.realms);
    member("ids", self.ids);
  }
};

inline bool IsImageHash(const Data& data) { return data.as_string().size() == 16; }

// A server's image, which fills a whole realm.
struct Image {
  std::string realm;
  uint64_t revision = 0;
  double at = 0;      // ms
  std::string epoch;  // of the realm
  std::string hash;
  uint64_t bytes = 0;
  std::string url;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm).Require(IsText);
    member("revision", self.revision).Require(IsRevision);
    member("at", self.at);
    member("epoch", self.epoch);
    member("hash", self.hash).Require(IsImageHash);
    member("bytes", self.bytes).Require(IsImageSize);
    member("url", self.url).Require(Is<std::string>);
  }
};

using Fill = std::variant<Image, Page>;

// A snapshot of a stream: the state of a reducer after all actions up to a revision.
struct Snapshot {
  uint64_t version = 0;  // of the reducer
  uint64_t revision = 0;
  std::string hash;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("version", self.version).Require(IsRevision);
    member("revision", self.revision).Require(IsRevision);
    member("hash", self.hash).Require(IsText);
  }
};

// Actions that one entry appended to a stream. `snapshot`: in place of all actions up to this entry.
struct StreamEntry {
  std::string realm;
  std::string stream;
  uint64_t revision = 0;
  Data actions;  // a list of SentAction; there may be thousands
  std::optional<Snapshot> snapshot;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm).Require(IsText);
    member("stream", self.stream).Require(IsText);
    member("revision", self.revision).Require(IsRevision);
    member("actions", self.actions);
    member.Optional("snapshot", self.snapshot);
  }
};

struct SentAction {
  std::string id;
  std::string name;
  Data arg;
  double at = 0;       // ms, of the entry
  double made_at = 0;  // ms, of the action itself
  std::string author;  // the user who pushed it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id).Require(IsUuid);
    member("name", self.name).Require(IsName);
    member("arg", self.arg);
    member("at", self.at).Require(IsTime);
    member("madeAt", self.made_at).Require(IsTime);
    member("author", self.author);
  }
};

// How far a stream of the request is filled, by realm. `from`: where it began anew with its last
// actions, nothing was sent of what is at or below this revision.
struct StreamFilled {
  std::string stream;
  Revisions filled;
  Revisions from;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
    member("filled", self.filled);
    member.Optional("from", self.from);
  }
};

struct PullAnswer {
  double time = 0;  // ms, of the server
  Cursors cursors;
  bool more = false;
  Map<std::string, Map<std::string, OwnEntry>> own;  // by update and realm
  Vector<std::string> revoked;
  Vector<Fill> fills;
  Data change_list;  // of changes (log/codec.h); there may be thousands
  Vector<StreamEntry> streams;
  std::optional<Vector<StreamFilled>> streams_filled;  // none: the server knows no streams
  // By action, of those that the request names. None: the server does not say.
  std::optional<Map<std::string, Revisions>> known;
  // Scopes that are filled again from the start: the answer says nothing about their tables. Empty
  // list: changes were left out, but only of scopes that have not begun to fill.
  std::optional<Vector<Scope>> refill;
  // Up to where the server has forgotten each realm's log. None: it does not say.
  std::optional<Map<std::string, Place>> floors;
  Vector<std::string> reset;  // realms whose rows are dropped before the changes are folded
  // What the server adds to the authority's answer: realms that were revoked by a restored backup
  // only, so that what is held of them is kept; a token, if it has changed; and, if it says so, what
  // waits for consent, the newest first (docs/protocol.md).
  Vector<std::string> lost;
  std::optional<std::string> realms_token;
  std::optional<Data> invitations;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("time", self.time).Require(IsTime);
    member("cursors", self.cursors).Require(IsMapOf<std::string>);
    member("more", self.more);
    member("own", self.own);
    member("revoked", self.revoked);
    member("fills", self.fills);
    member("changes", self.change_list);
    member("streams", self.streams);
    member.Optional("streamsFilled", self.streams_filled);
    member.Optional("known", self.known);
    member.Optional("refill", self.refill);
    member.Optional("floors", self.floors);
    member.Optional("reset", self.reset);
    member.Optional("lost", self.lost);
    member.Optional("realmsToken", self.realms_token);
    member.Optional("invitations", self.invitations);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_PULL_ANSWER_H_
