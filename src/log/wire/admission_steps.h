// What the authority and its host say to each other while updates are admitted (docs/authority.md,
// section 3). Rows (authority/row_data.h), ops and updates (log/codec.h) depend on the schema: here
// they are Data.
#ifndef SKERRY_LOG_WIRE_ADMISSION_STEPS_H_
#define SKERRY_LOG_WIRE_ADMISSION_STEPS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/wire/offers.h"
#include "log/wire/owed.h"
#include "log/wire/pull_loaded.h"
#include "log/wire/rule_steps.h"

namespace skerry::wire {

// A realm that is locked.
struct AdmittedRealm {
  uint64_t head = 0;
  double head_at = 0;   // ms
  uint64_t floor = 0;   // the log is forgotten up to here
  double floor_at = 0;  // ms
  // When it was given rows last of a history that was lost, ms; 0: never.
  double given_back = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("head", self.head);
    member("headAt", self.head_at);
    member("floor", self.floor);
    member("floorAt", self.floor_at);
    member.Optional("givenBack", self.given_back);
  }
};

// The chain of a client in a realm.
struct ChainState {
  std::string realm;
  std::string client;
  uint64_t seq = 0;
  std::optional<std::string> id;  // of the update that was applied last
  Data refused;  // by id of an update, the oldest first: the result that it was refused with

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("client", self.client);
    member("seq", self.seq);
    member("id", self.id);
    member("refused", self.refused);
  }
};

// An update that is in the log already.
struct AppliedUpdate {
  std::string client;
  std::string id;
  Data answer;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("id", self.id);
    member("answer", self.answer);
  }
};

// The updates of one client, in order.
struct AdmittedRequest {
  std::string client;
  std::string user;
  uint64_t rights = 0;  // an index into AdmissionBegin::rights
  Data epoch;           // of the lease under which the client pushes, for the log
  // True: the request says that it has mutations of a former identity. A number: the time at which
  // the client said so first, ms.
  Data follows;
  bool older = false;  // the client's schema is of an earlier release
  Times sent;          // as PushRequest::sent
  Data updates;        // a list, as the client has sent it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("user", self.user);
    member("rights", self.rights).Require(IsCount);
    member("epoch", self.epoch);
    member.Optional("follows", self.follows);
    member.Optional("older", self.older);
    member.Optional("sent", self.sent);
    member("updates", self.updates);
  }
};

// The host's own refusal of an update, made before the rules are asked.
struct HostRefusal {
  std::string client;
  std::string id;
  std::string code;
  std::string detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("id", self.id);
    member("code", self.code);
    member("detail", self.detail);
  }
};

// The first step.
struct AdmissionBegin {
  double now = 0;                          // ms, of the database
  std::optional<std::string> invitations;  // "direct": nobody is asked for consent
  // Every realm that the updates name; null: it does not exist.
  Map<std::string, std::optional<AdmittedRealm>> realms;
  // What each token that came with a request grants: "read", "write" or "own", by realm.
  Vector<Map<std::string, std::string>> rights;
  Vector<ChainState> chains;  // those that exist
  Vector<AppliedUpdate> applied;
  Vector<LoadedAction> actions;  // those of the pushed actions that the log has
  Vector<AdmittedRequest> requests;
  Vector<HostRefusal> refuse;
  bool validates = false;  // the application has rules, which are asked about every action
  Data rows;               // a list of rows that are read already
  Vector<RowKey> looked;   // keys that were looked for: those not in `rows` do not exist
  std::optional<OwedConsequences> owed;  // instead of requests
  std::optional<OfferedRows> offered;    // instead of requests, with the rights of their user

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("now", self.now).Require(Is<double>);
    member.Optional("invitations", self.invitations);
    member("realms", self.realms);
    member("rights", self.rights);
    member.Optional("chains", self.chains);
    member.Optional("applied", self.applied);
    member.Optional("actions", self.actions);
    member("requests", self.requests).Require(IsListOf<Data>);
    member.Optional("refuse", self.refuse);
    member.Optional("validates", self.validates);
    member.Optional("rows", self.rows);
    member.Optional("looked", self.looked);
    member.Optional("owed", self.owed);
    member.Optional("offered", self.offered);
  }
};

// The highest revision at which another client changed a row.
struct ChangedByOthers {
  std::string realm;
  std::string table;
  std::string id;
  std::string client;
  uint64_t revision = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("table", self.table);
    member("id", self.id);
    member("client", self.client);
    member("revision", self.revision);
  }
};

// The entry in which the log has an action.
struct DoneAction {
  std::string realm;
  std::string action;
  uint64_t revision = 0;
  Data ops, actions;  // of the entry, and
  Data rows;          // the rows that it changed, as they were before; null: not asked for

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("action", self.action);
    member("revision", self.revision);
    member("ops", self.ops);
    member("actions", self.actions);
    member("rows", self.rows);
  }
};

// The steps after the first. A row or an action that was asked for and is not here does not exist.
struct AdmissionLoaded {
  Data rows;  // a list, in any order
  Vector<ChangedByOthers> others;
  Vector<DoneAction> undone;
  Vector<ChangedSince> since;
  Vector<RuleAnswer> rules;  // about the last questions, in their order

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("rows", self.rows);
    member.Optional("others", self.others);
    member.Optional("undone", self.undone);
    member.Optional("since", self.since);
    member.Optional("rules", self.rules);
  }
};

struct RowNeeds {
  Vector<RowKey> rows;  // tombstones, too
  // realm, table, prop, id: the live rows of the table whose ref is this id.
  Vector<std::tuple<std::string, std::string, std::string, std::string>> children;
  // realm, table, prop, value: the live rows whose prop has this value, in its plain form.
  Vector<std::tuple<std::string, std::string, std::string, Data>> unique;
  // realm, table, filter: the live rows of the table that match.
  Vector<std::tuple<std::string, std::string, Data>> matching;
  // realm, table, id, client: who else has changed the row.
  Vector<std::tuple<std::string, std::string, std::string, std::string>> others;
  // realm, table, id, revision: the changes of the row above the revision.
  Vector<std::tuple<std::string, std::string, std::string, uint64_t>> since;
  // realm, action, and whether with what its entry did.
  Vector<std::tuple<std::string, std::string, bool>> undone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("rows", self.rows);
    member("children", self.children);
    member("unique", self.unique);
    member("matching", self.matching);
    member("others", self.others);
    member("since", self.since);
    member("undone", self.undone);
  }
};

struct Declined {
  std::string user;
  std::string by;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("user", self.user);
    member("by", self.by);
  }
};

// An entry that is written, for pokes, costs and snapshots of streams.
struct TouchedEntry {
  std::string realm;
  uint64_t revision = 0;
  std::string client;
  Vector<std::string> tables;
  Vector<std::string> streams;
  uint64_t changes = 0;         // rows changed
  uint64_t bytes = 0;           // about how many these have, before and after
  uint64_t appends = 0;         // actions on streams
  Vector<std::string> users;    // of whom memberships have changed
  Vector<std::string> invited;  // of whom invitations were made, changed or ended
  std::optional<Declined> declined;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
    member("client", self.client);
    member("tables", self.tables);
    member("streams", self.streams);
    member("changes", self.changes);
    member("bytes", self.bytes);
    member("appends", self.appends);
    member.Optional("users", self.users);
    member.Optional("invited", self.invited);
    member.Optional("declined", self.declined);
  }
};

// Followed by the lists that the host writes, each on a line of its own: LoggedEntry, LoggedChange,
// LoadedAction, LoggedAppend, ChainState, WrittenHead, and the rows of each of `tables`.
struct AdmissionDone {
  double at = 0;  // ms, of the commit: later than the head of every realm
  // By request and update. Null: not decided, because those before it write as much as one commit may, or
  // because a rule of the application failed.
  Vector<Vector<Data>> results;
  Vector<FailedRule> failed;  // the first update of each client that it concerns
  Vector<TouchedEntry> touched;
  Vector<std::string> tables;  // of the rows that are written
  uint64_t rows = 0;           // how many
  uint64_t unmet = 0;          // refs that `restrict` does not allow, of what is owed
  std::optional<OffersTaken> offers;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("at", self.at);
    member("results", self.results);
    member("failed", self.failed);
    member("touched", self.touched);
    member("tables", self.tables);
    member("rows", self.rows);
    member.Optional("unmet", self.unmet);
    member.Optional("offers", self.offers);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_ADMISSION_STEPS_H_
