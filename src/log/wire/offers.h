// Rows that a restored server has lost, as a client gives them back (docs/protocol.md, "`POST
// /v1/offer`"; docs/authority.md, section 3).
#ifndef SKERRY_LOG_WIRE_OFFERS_H_
#define SKERRY_LOG_WIRE_OFFERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::wire {

// What a client offers of one realm. `ops`: each an `offer` (log/codec.h) with all props that the
// client knows. `times`: of each, when the row was changed last in the history that is lost, ms.
struct OfferedRows {
  std::string client;  // of the entry, and
  std::string user;
  std::string update;
  std::string realm;
  // The last revision that both histories have.
  uint64_t common = 0;
  uint64_t version = 0;  // of the client's schema
  Data ops;
  Vector<double> times;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("user", self.user);
    member("update", self.update);
    member("realm", self.realm);
    member("common", self.common);
    member("version", self.version);
    member("ops", self.ops);
    member("times", self.times);
  }
};

// A change of a row, the oldest first. `before`: the row before it; null: it was not in this realm.
// `offered`: if it took an offer, the time of that.
struct RowChange {
  Data before;
  std::optional<double> offered;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("before", self.before);
    member.Optional("offered", self.offered);
  }
};

// What the log has of a row above a revision. `more`: it has more than is read.
struct ChangedSince {
  std::string realm;
  std::string table;
  std::string id;
  uint64_t above = 0;
  Vector<RowChange> changes;
  bool more = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("table", self.table);
    member("id", self.id);
    member("above", self.above);
    member("changes", self.changes);
    member.Optional("more", self.more);
  }
};

struct RefusedOffer {
  uint64_t op = 0;  // its place
  std::string code;
  std::string detail;
  Vector<std::string> props;  // if only these are not taken, as the client's schema names them

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("op", self.op);
    member("code", self.code);
    member("detail", self.detail);
    member.Optional("props", self.props);
  }
};

// What became of the first `done` offers: so many were taken. `refused`: what breaks a rule, and what
// somebody has changed or deleted since (`overwritten`, `row_deleted`), be it in parts. The rest
// changes nothing. `forbidden`: the user may not write in the realm.
struct OffersTaken {
  uint64_t done = 0;
  uint64_t taken = 0;
  Vector<RefusedOffer> refused;
  bool forbidden = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("done", self.done);
    member("taken", self.taken);
    member("refused", self.refused);
    member.Optional("forbidden", self.forbidden);
  }
};

// The body of a request. Without ops it asks whether offers are welcome, and from where on.
struct OfferRequest {
  std::string client;
  uint64_t schema = 0;
  std::string realm;
  std::string cursor;  // of the realm, in the history that is lost
  Data ops;
  Vector<double> times;
  // Entries of the log that earlier answers have named: without one of them, the server was restored once more, and
  // what was given back is to be given again.
  std::optional<Vector<std::string>> given;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("schema", self.schema);
    member("realm", self.realm);
    member("cursor", self.cursor);
    member("ops", self.ops);
    member("times", self.times);
    member.Optional("given", self.given);
  }
};

// `common`: the last revision that both histories have: rows that have not changed above it need not
// be offered. `nothing`: why nothing is taken, a code. `revision`, `at`: of the entry, if one was written.
// `head`: the cursor of the log's last entry, which has all that was given back up to now.
struct OfferAnswer {
  double time = 0;  // ms, of the server
  uint64_t common = 0;
  std::optional<std::string> nothing;
  std::optional<uint64_t> revision;
  std::optional<double> at;
  std::optional<std::string> head;
  OffersTaken offers;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("time", self.time);
    member("common", self.common);
    member.Optional("nothing", self.nothing);
    member.Optional("revision", self.revision);
    member.Optional("at", self.at);
    member.Optional("head", self.head);
    OffersTaken::Each(self.offers, member);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_OFFERS_H_
