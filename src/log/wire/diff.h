// `POST /v1/diff` (docs/protocol.md): a client says what it holds of parts of tables, and the server
// says what differs from what it should hold. And what the server tells its authority for that.
#ifndef SKERRY_LOG_WIRE_DIFF_H_
#define SKERRY_LOG_WIRE_DIFF_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "base/data.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/wire/pull_request.h"

namespace skerry::wire {

// A row's id, and its digest (model/row_digest.h) as 16 hex digits.
using DigestedRow = std::tuple<std::string, std::string>;

// The rows of a table in a realm with ids in (above, upto]. Either `sums`, or `rows`.
struct DiffPart {
  std::string realm;
  std::string table;
  Vector<std::string> props;        // that are compared, in this order
  std::string above;                // empty: from the first id
  std::optional<std::string> upto;  // none: to the last
  uint64_t count = 0;               // rows that the client holds
  // By bucket: the sum of digests, as hex digits.
  std::optional<Vector<std::string>> sums;
  // The rows themselves; with `buckets` only those in them.
  std::optional<Vector<DigestedRow>> rows;
  std::optional<Vector<uint64_t>> buckets;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm).Require(IsText);
    member("table", self.table).Require(IsText);
    member("props", self.props).Require(IsListOf<std::string>);
    member("above", self.above);
    member("upto", self.upto);
    member("count", self.count);
    member.Optional("sums", self.sums);
    member.Optional("rows", self.rows);
    member.Optional("buckets", self.buckets);
  }
};

struct DiffRequest {
  std::string client;
  std::optional<uint64_t> schema;
  Cursors cursors;  // of the realms of the parts
  // Of the tables of the parts, and of the tables of their sub-selects; all of them are filled.
  Vector<PulledScope> scopes;
  Vector<DiffPart> parts;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client).Require(IsText);
    member("schema", self.schema);
    member("cursors", self.cursors);
    member("scopes", self.scopes);
    member("tables", self.parts);
  }
};

// What is to be said of one part: one of these.
struct DiffResult {
  std::optional<bool> same;
  std::optional<Vector<uint64_t>> differ;  // buckets: their rows are to be sent
  // What the rows have to become, as of the cursor (log/codec.h); all are creates, with the props
  // that are compared. And the ids of rows that the client should not hold.
  std::optional<Data> changes;
  std::optional<Vector<std::string>> absent;
  std::optional<bool> more;  // there are more changes than these
  // It cannot be compared at this cursor: pull first.
  std::optional<bool> again;
  // The server has more rows there than it reads at once: compare up to this id, and then the rest.
  std::optional<std::string> upto;
  // Props that the server does not have; empty: it does not have the table.
  std::optional<Vector<std::string>> unknown;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("same", self.same);
    member.Optional("differ", self.differ);
    member.Optional("changes", self.changes);
    member.Optional("absent", self.absent);
    member.Optional("more", self.more);
    member.Optional("again", self.again);
    member.Optional("upto", self.upto);
    member.Optional("unknown", self.unknown);
  }
};

struct DiffAnswer {
  double time = 0;             // ms, of the server
  Vector<DiffResult> results;  // of the parts, in their order

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("time", self.time);
    member("tables", self.results);
  }
};

// A row as it was before its first change above the cursor; null: there was none.
struct ReadBefore {
  std::string id;
  Data before;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("before", self.before);
  }
};

// What the server has read for a part.
struct ReadPart {
  DiffPart part;
  uint64_t cursor = 0;  // the revision up to which the client has the realm
  Data rows;            // live rows that are in scope now, as of a page (LoadedPage)
  bool more = false;    // there are further ones in the part
  std::optional<std::string> upto;
  Vector<ReadBefore> changed;  // of every row that was changed above the cursor

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("part", self.part);
    member("cursor", self.cursor);
    member("rows", self.rows);
    member("more", self.more);
    member.Optional("upto", self.upto);
    member("changed", self.changed);
  }
};

struct ReadDiff {
  std::optional<uint64_t> schema;
  Vector<PulledScope> scopes;
  Vector<ReadPart> parts;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("schema", self.schema);
    member("scopes", self.scopes);
    member("parts", self.parts);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_DIFF_H_
