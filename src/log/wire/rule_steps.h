// What the authority and its host say to each other about the application's own rules, which run at the
// host (docs/authority.md, section 3).
#ifndef SKERRY_LOG_WIRE_RULE_STEPS_H_
#define SKERRY_LOG_WIRE_RULE_STEPS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/members.h"

namespace skerry::wire {

// What a rule reads: the rows of a query, their number, or a value over them.
struct RuleRead {
  Data query;           // its description (docs/internals.md, section 7)
  bool before = false;  // as it was before the action
  std::string what;     // "rows", "count", "sum", "min" or "max"
  std::string column;   // of the last three

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("query", self.query);
    member.Optional("before", self.before);
    member("what", self.what);
    member.Optional("column", self.column);
  }
};

// A row that an action has changed, in a realm.
struct RuledRow {
  std::string table;
  std::string id;
  std::string realm;
  Data before;  // null: it was not there
  Data after;   // null: it is not there any more

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("id", self.id);
    member("realm", self.realm);
    member("before", self.before);
    member("after", self.after);
  }
};

struct RuledAction {
  std::string id;
  std::string name;
  Data arg;
  double at = 0;  // ms

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("name", self.name);
    member("arg", self.arg);
    member("at", self.at);
  }
};

// What an action has done, and all that the rules have read of it so far.
struct RuleQuestion {
  uint64_t place = 0;  // of the action in its update
  std::string client;
  std::string user;
  RuledAction action;
  Vector<RuledRow> changed;
  Vector<RuleRead> reads;
  Vector<Data> values;  // of the reads, in their order

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("place", self.place);
    member("client", self.client);
    member("user", self.user);
    member("action", self.action);
    member("changed", self.changed);
    member("reads", self.reads);
    member("values", self.values);
  }
};

// What the rules find wrong: with a row, or with the action.
struct RuleProblem {
  std::optional<std::string> table;
  std::optional<std::string> id;
  std::optional<std::string> realm;
  std::string code;
  std::string message;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("table", self.table);
    member.Optional("id", self.id);
    member.Optional("realm", self.realm);
    member("code", self.code);
    member("message", self.message);
  }
};

// The rules' answer about an action. Neither of the first two: nothing is wrong.
struct RuleAnswer {
  uint64_t place = 0;
  Vector<RuleRead> reads;  // they have to read these first, and are asked again
  Vector<RuleProblem> problems;
  std::optional<std::string> failed;  // they could not answer: nothing of the client is decided now

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("place", self.place).Require(IsCount);
    member.Optional("reads", self.reads);
    member.Optional("problems", self.problems);
    member.Optional("failed", self.failed);
  }
};

// An update that is not decided, because a rule failed.
struct FailedRule {
  std::string client;
  std::string update;
  std::string detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client);
    member("update", self.update);
    member("detail", self.detail);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_RULE_STEPS_H_
