// The body of a pull (docs/protocol.md, "`POST /v1/pull`"). The sync worker writes it, and the
// authority reads it, by this one list of its members.
#ifndef SKERRY_LOG_WIRE_PULL_REQUEST_H_
#define SKERRY_LOG_WIRE_PULL_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/sync_record.h"

namespace skerry::wire {

// A scope that the client wants, and how far it has come.
struct PulledScope {
  std::string table;
  Data where;  // the filter; null: every row
  ScopeFill filled;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table).Require(IsText);
    member("where", self.where);
    member("filled", self.filled);
  }
};

// A stream, or all streams with a prefix (log/stream_name.h).
struct PulledStream {
  std::string stream;
  Revisions filled;                 // by realm: the client has all actions up to this revision
  std::optional<uint64_t> last;     // where nothing is filled: only so many actions
  std::optional<uint64_t> version;  // of the client's reducer, whose snapshots it can use
  std::optional<bool> migrates;     // those of earlier versions, too

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream).Require(IsText);
    member("filled", self.filled);
    member.Optional("last", self.last);
    member("version", self.version);
    member.Optional("migrates", self.migrates);
  }
};

struct PullRequest {
  std::string client;
  std::optional<uint64_t> schema;  // its version; none: the server's
  Cursors cursors;
  std::optional<std::string> realms_token;
  Vector<std::string> have;  // ids of updates that the client folds itself
  Revisions seen;            // by realm: the client's last update that it knows to be confirmed
  Vector<PulledScope> scopes;
  uint64_t limit = 0;   // entries of a realm; 0: the server's own limit
  bool refill = false;  // the client understands `refill` in the answer
  std::optional<Vector<PulledStream>> streams;
  // Realms of which rows are held without a cursor: the server may have lost them.
  std::optional<Vector<std::string>> lost;
  // Of realms in `lost`: the log that has what the client has given back, up to this entry of it.
  std::optional<Cursors> given;
  std::optional<Vector<std::string>> known;  // ids of actions: which of them are in the log?
  std::optional<bool> floors;                // what has the server forgotten?
  std::optional<bool> images;                // false: no worker of this device can load an image
  // The server's own: the user may read more realms than this pull is given.
  std::optional<bool> partial;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client).Require(IsText);
    member("schema", self.schema);
    member("cursors", self.cursors);
    member("realmsToken", self.realms_token);
    member("have", self.have);
    member("seen", self.seen);
    member("scopes", self.scopes).Require(IsListOf<Data>);
    member("limit", self.limit);
    member("refill", self.refill);
    member.Optional("streams", self.streams);
    member.Optional("lost", self.lost);
    member.Optional("given", self.given);
    member.Optional("known", self.known);
    member.Optional("floors", self.floors);
    member.Optional("images", self.images);
    member.Optional("partial", self.partial);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_PULL_REQUEST_H_
