// What the host writes when updates are admitted (AdmissionDone, admission_steps.h).
#ifndef SKERRY_LOG_WIRE_LOGGED_H_
#define SKERRY_LOG_WIRE_LOGGED_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/members.h"
#include "log/wire/pull_loaded.h"

namespace skerry::wire {

struct LoggedEntry {
  std::string realm;
  uint64_t revision = 0;
  double at = 0;  // ms
  std::string client;
  std::string user;
  Data epoch;
  std::string update;
  bool declared = false;
  Data actions, ops, answer;  // only where declared
  Data base;                  // {realm: revision}
  Vector<std::string> tables;
  Vector<std::string> streams;
  uint64_t changes = 0;
  uint64_t bytes = 0;
  std::optional<uint64_t> seq;  // of the update in the client's chain; only where declared
  Data spans;  // {realm: revision} of all entries of the update, where it has several

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
    member("at", self.at);
    member("client", self.client);
    member("user", self.user);
    member("epoch", self.epoch);
    member("update", self.update);
    member("declared", self.declared);
    member("actions", self.actions);
    member("ops", self.ops);
    member("base", self.base);
    member("answer", self.answer);
    member("tables", self.tables);
    member("streams", self.streams);
    member("changes", self.changes);
    member("bytes", self.bytes);
    member.Optional("seq", self.seq);
    member.Optional("spans", self.spans);
  }
};

struct LoggedChange {
  std::string realm;
  uint64_t revision = 0;
  std::string table;
  std::string id;
  Data before;         // the row before the change; null: it was not in this realm
  bool touch = false;  // only the time changed, because a detail row did
  // When the row was changed so in a history that was lost, ms, if the change took an offer.
  std::optional<double> offered;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
    member("table", self.table);
    member("id", self.id);
    member("before", self.before);
    member("touch", self.touch);
    member.Optional("offered", self.offered);
  }
};

struct LoggedAppend {
  std::string realm;
  std::string stream;
  uint64_t revision = 0;
  uint64_t position = 0;  // among those of the entry in the stream
  SentAction action;
  uint64_t bytes = 0;  // about what it takes in an answer

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("stream", self.stream);
    member("revision", self.revision);
    member("position", self.position);
    SentAction::Each(self.action, member);
    member("bytes", self.bytes);
  }
};

struct WrittenHead {
  std::string realm;
  uint64_t head = 0;
  double head_at = 0;       // ms
  double rows = 0;          // by how many live rows it grew; negative: it shrank
  bool given_back = false;  // rows of a history that was lost

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("head", self.head);
    member("headAt", self.head_at);
    member("rows", self.rows);
    member.Optional("givenBack", self.given_back);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_LOGGED_H_
