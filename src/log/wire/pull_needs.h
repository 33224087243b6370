// How a pull begins, and what the authority then asks its host for (docs/authority.md, section 4).
#ifndef SKERRY_LOG_WIRE_PULL_NEEDS_H_
#define SKERRY_LOG_WIRE_PULL_NEEDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/members.h"
#include "log/wire/place.h"

namespace skerry::wire {

// A realm that the user may read.
struct PulledRealm {
  uint64_t head = 0;
  double head_at = 0;   // ms
  uint64_t rows = 0;    // live rows, an estimate
  uint64_t floor = 0;   // what came up to here is forgotten
  double floor_at = 0;  // ms

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("head", self.head);
    member("headAt", self.head_at);
    member("rows", self.rows);
    member("floor", self.floor);
    member("floorAt", self.floor_at);
  }
};

// The first step.
struct PullBegin {
  double now = 0;  // ms, of the database
  Data request;    // PullRequest
  Map<std::string, PulledRealm> realms;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("now", self.now).Require(Is<double>);
    member("request", self.request);
    member("realms", self.realms).Require(IsMapOf<PulledRealm>);
  }
};

// The entries of a log from revision `from` on, which itself proves the history.
struct EntryNeed {
  std::string realm;
  uint64_t from = 0;
  uint64_t limit = 0;
  std::optional<std::string> client;  // only its entries

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("from", self.from);
    member("limit", self.limit);
    member("client", self.client);
  }
};

// The changes above revision `from`, up to the last entry that is read.
struct ChangeNeed {
  std::string realm;
  uint64_t from = 0;
  Vector<std::string> tables;
  Vector<std::string> to_head;  // tables whose changes are needed up to the head

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("from", self.from);
    member("tables", self.tables);
    member("toHead", self.to_head);
  }
};

// All live rows.
struct StateNeed {
  std::string realm;
  Vector<std::string> tables;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("tables", self.tables);
  }
};

// The live rows that match, with an id above `above`, in the order of their ids.
struct PageNeed {
  Scope scope;
  std::string above;
  Vector<std::string> realms;
  uint64_t limit = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    Scope::Each(self.scope, member);
    member("above", self.above);
    member("realms", self.realms);
    member("limit", self.limit);
  }
};

struct ImageNeed {
  std::string realm;
  uint64_t least = 0;  // the image is of this revision, or of a later one if there is one

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("least", self.least);
  }
};

// A row as it was at revision `after`.
struct RowNeed {
  std::string realm;
  std::string table;
  std::string id;
  uint64_t after = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("table", self.table);
    member("id", self.id);
    member("after", self.after);
  }
};

// Outer rows of a sub-select: the live ones whose prop has one of the values.
struct CandidateNeed {
  std::string realm;
  std::string table;
  std::string prop;
  Vector<Data> values;  // in their plain form

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("table", self.table);
    member("prop", self.prop);
    member("values", self.values);
  }
};

// Which of the values a sub-select selects, by rows that have not changed above revision `upto`.
struct SelectedNeed {
  std::string realm;
  Scope scope;
  std::string select;
  uint64_t upto = 0;
  Vector<Data> values;  // in their plain form

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    Scope::Each(self.scope, member);
    member("select", self.select);
    member("upto", self.upto);
    member("values", self.values);
  }
};

// The actions of a stream, or of all streams with a prefix, above revision `from` and up to `upto`.
struct StreamNeed {
  std::string realm;
  std::string stream;
  std::optional<uint64_t> version;  // of the client's reducer, whose snapshots it can use
  bool migrates = false;            // it can use those of earlier versions, too
  uint64_t from = 0;
  uint64_t upto = 0;
  std::optional<uint64_t> last;  // only the last so many actions

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("stream", self.stream);
    member("version", self.version);
    member("migrates", self.migrates);
    member("from", self.from);
    member("upto", self.upto);
    member("last", self.last);
  }
};

// Every list is there, empty where nothing is needed.
struct PullNeeds {
  Vector<EntryNeed> entries;
  Vector<ChangeNeed> changes;
  Vector<std::string> own;      // declared entries of these updates, at any revision
  Vector<std::string> actions;  // ids
  Vector<StateNeed> state;
  Vector<PageNeed> pages;
  Vector<ImageNeed> images;
  Vector<RowNeed> rows;
  Vector<CandidateNeed> candidates;
  Vector<SelectedNeed> selected;
  Vector<StreamNeed> streams;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("entries", self.entries);
    member("changes", self.changes);
    member("own", self.own);
    member("actions", self.actions);
    member("state", self.state);
    member("pages", self.pages);
    member("images", self.images);
    member("rows", self.rows);
    member("candidates", self.candidates);
    member("selected", self.selected);
    member("streams", self.streams);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_PULL_NEEDS_H_
