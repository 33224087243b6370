// What the host has read for a pull (docs/authority.md, section 4). Rows (authority/row_data.h) and ops
// (log/codec.h) depend on the schema: here they are Data.
#ifndef SKERRY_LOG_WIRE_PULL_LOADED_H_
#define SKERRY_LOG_WIRE_PULL_LOADED_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/wire/pull_answer.h"
#include "log/wire/update_result.h"

namespace skerry::wire {

// An entry as it is read from the log.
struct LoadedEntry {
  std::string realm;
  uint64_t revision = 0;
  double at = 0;  // ms
  std::string client;
  std::string update;
  bool declared = false;
  // All entries of the update, where it has several. A server that has not stored them sends
  // `revisions` of its answer: only those of the declared realms.
  std::optional<Revisions> spans;
  std::optional<Revisions> revisions;
  LostOps lost;
  Vector<std::string> streams;  // to which it appends
  // The revision of the realm over which its mutations were made; 0 where an op has followed a row that
  // moved. None: no client made it, or the client did not say.
  std::optional<uint64_t> base;

  // All entries of the update, by realm; empty if this is the only one.
  Revisions AllOfUpdate() const {
    if (spans.has_value()) return *spans;
    return revisions.value_or(Revisions());
  }

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
    member("at", self.at);
    member("client", self.client);
    member("update", self.update);
    member.Optional("declared", self.declared);
    member.Optional("spans", self.spans);
    member.Optional("revisions", self.revisions);
    LostOps::Each(self.lost, member);
    member.Optional("streams", self.streams);
    member.Optional("base", self.base);
  }
};

// A declared entry of an update that the client has.
struct LoadedOwn {
  std::string update;
  std::string realm;
  uint64_t revision = 0;
  double at = 0;  // ms
  Data ops;
  LostOps lost;
  std::optional<Revisions> revisions;  // all entries of the update
  bool forgotten = false;              // its ops are

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("update", self.update);
    member("realm", self.realm);
    member("revision", self.revision);
    member("at", self.at);
    member.Optional("ops", self.ops);
    LostOps::Each(self.lost, member);
    member.Optional("revisions", self.revisions);
    member.Optional("forgotten", self.forgotten);
  }
};

struct LoadedAction {
  std::string realm;
  std::string id;
  uint64_t revision = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("id", self.id);
    member("revision", self.revision);
  }
};

// A page of rows by id. `more`: there are further ones; then all rows up to `upto`, if it is given,
// were looked at, also if none of the last ones matches.
struct LoadedPage {
  Data rows;
  bool more = false;
  std::optional<std::string> upto;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("rows", self.rows);
    member("more", self.more);
    member.Optional("upto", self.upto);
  }
};

// `more`: there are too many of them for an answer.
struct LoadedCandidates {
  Data rows;
  bool more = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("rows", self.rows);
    member.Optional("more", self.more);
  }
};

struct LoadedStreamAction {
  std::string stream;
  uint64_t revision = 0;
  uint64_t position = 0;  // among those of the entry in the stream
  std::string action;     // JSON text, as it is sent

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
    member("revision", self.revision);
    member("position", self.position);
    member("action", self.action);
  }
};

struct LoadedSnapshot {
  std::string stream;
  Snapshot snapshot;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
    Snapshot::Each(self.snapshot, member);
  }
};

// Ascending by revision and position, and all of each revision. `more`: others follow; of a read
// with `last`: others come before. `snapshots`: in place of the actions up to their revisions, which
// may be gone.
struct LoadedStream {
  Vector<LoadedStreamAction> actions;
  Vector<LoadedSnapshot> snapshots;
  std::optional<uint64_t> upto;  // it ends at this revision, for it holds many snapshots
  uint64_t floor = 0;            // of a read with `last`: the actions up to this revision are gone
  bool more = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("actions", self.actions);
    member("more", self.more);
    member.Optional("snapshots", self.snapshots);
    member.Optional("upto", self.upto);
    member.Optional("floor", self.floor);
  }
};

// Tables of a realm that were not read, because no answer can hold them. No `tables`: none was read,
// and neither were the ops of own updates. `joins`: the changes of sub-selects' tables up to the head.
struct Omitted {
  std::string realm;
  std::optional<Vector<std::string>> tables;
  bool joins = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member.Optional("tables", self.tables);
    member.Optional("joins", self.joins);
  }
};

struct LoadedChange {
  std::string realm;
  uint64_t revision = 0;
  std::string table;
  std::string id;
  Data before;              // the row before the change; null: it was not in this realm
  std::optional<Data> row;  // after the last change that was read, if that is known; null: not live

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
    member("table", self.table);
    member("id", self.id);
    member.Optional("before", self.before);
    member.Optional("row", self.row);
  }
};

// A row that was asked for: as it was before its first change since then, or as it is, if there was
// none.
struct LoadedRow {
  std::string realm;
  std::string table;
  std::string id;
  Data before;
  Data row;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("table", self.table);
    member("id", self.id);
    member.Optional("before", self.before);
    member.Optional("row", self.row);
  }
};

// A list that is missing counts as empty. Lists of pages, candidates, selected values and streams are
// in the order in which they were asked for.
struct PullLoaded {
  Vector<LoadedEntry> entries;
  Data changes;  // a list of LoadedChange; there may be thousands
  Vector<LoadedOwn> own;
  Vector<LoadedAction> actions;
  Data state;                               // a list of rows
  Vector<std::optional<LoadedPage>> pages;  // null: there was no room
  Vector<Image> images;
  Data rows;  // a list of LoadedRow; there may be thousands
  Vector<LoadedCandidates> candidates;
  Vector<Vector<uint64_t>> selected;            // indexes of values
  Vector<std::optional<LoadedStream>> streams;  // null: there was no room
  Vector<Omitted> omitted;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("entries", self.entries);
    member.Optional("changes", self.changes);
    member.Optional("own", self.own);
    member.Optional("actions", self.actions);
    member.Optional("state", self.state);
    member.Optional("pages", self.pages);
    member.Optional("images", self.images);
    member.Optional("rows", self.rows);
    member.Optional("candidates", self.candidates);
    member.Optional("selected", self.selected);
    member.Optional("streams", self.streams);
    member.Optional("omitted", self.omitted);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_PULL_LOADED_H_
