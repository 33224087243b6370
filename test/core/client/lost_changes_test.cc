// Goal: what this client had changed, the server has lost, and does not take back, is in the inbox: no more than that, and with what
// it was. Method: own records and a view, against what was not taken.
#include "client/lost_changes.h"

#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "log/codec.h"
#include "log/mutation_record.h"
#include "log/own_record.h"
#include "log/transaction_builder.h"

namespace skerry::client_test {
namespace {

const Schema& NotesSchema() {
  static const Schema schema = std::move(
      Schema::Parse(ParseJson(R"({"version":1,"tables":[{"name":"notes","ids":"string","props":[
        {"name":"n","type":"number","optional":true},
        {"name":"title","type":"string","optional":true}]}]})")
                        .value())
          .value());
  return schema;
}

Op Set(std::string id, Vector<PropValue> set, std::string realm = "A") {
  Op op;
  op.table = 0;
  op.id = std::move(id);
  op.realm = std::move(realm);
  op.set = std::move(set);
  op.by = {0};
  return op;
}

struct Lost {
  View view{&NotesSchema()};
  Data own = Data::MakeArray();
  NotTaken not_taken;

  Lost() { not_taken.realm = "A"; }

  void Base(const std::string& id, double n, const char* title) {
    Row row;
    row.realm = "A";
    row.props = {Value::Number(n), Value::String(title)};
    row.revision = 9;
    view.PutBase({0, id}, row);
  }
  void Own(const std::string& id, uint64_t revision, const Vector<Op>& ops) {
    Mutation mutation;
    mutation.action = {id, "edit", "null", 7};
    mutation.ops = ops;
    OwnRecord record;
    record.id = id;
    record.name = "edit";
    record.at = 7;
    record.revisions = {{"A", revision}};
    record.keys = ObjectTexts(NotesSchema(), ops);
    record.body = EncodeMutation(NotesSchema(), mutation);
    own.Push(Data::Object{{"key", own.items().size()}, {"value", record.Write()}});
  }
  void Refuse(const std::string& id, LostCause cause) {
    not_taken.objects[ObjectText(NotesSchema(), 0, id, "A")] = std::move(cause);
  }
  Vector<ConflictRecord> Take() const {
    Vector<ConflictRecord> all;
    for (const Data& row : own.items()) {
      OwnRecord record = OwnRecord::Read(row["value"]);
      for (ConflictRecord& entry : TakeLostChanges(view, not_taken, 50, &record))
        all.push_back(std::move(entry));
      // Each is told once.
      CHECK(TakeLostChanges(view, not_taken, 50, &record).empty());
    }
    return all;
  }
  // Of each entry the action, the reason, the code, the row, and what was set.
  Vector<std::string> Told() {
    Vector<std::string> told;
    for (const ConflictRecord& entry : Take()) {
      CHECK(entry.at == 50);
      CHECK(entry.table == "notes");
      told.push_back(entry.mutation.id + " " + entry.reason + " " + entry.code + " " + *entry.id +
                     " " + WriteJson(entry.mine));
    }
    return told;
  }
};

TEST_CASE("an own change of a row that is not taken back is told, from the common point on") {
  Lost lost;
  lost.Base("a", 1, "mine");
  lost.Base("b", 1, "mine");
  lost.not_taken.common = 4;
  lost.Own("old", 4, {Set("a", {{0, Value::Number(1)}})});
  lost.Own("new", 5, {Set("a", {{1, Value::String("mine")}}), Set("b", {{0, Value::Number(1)}})});
  CHECK(lost.Told().empty());
  lost.Refuse("a", {"forbidden", "no right", {}});
  CHECK(lost.Told() == Vector<std::string>{R"(new rejected forbidden a {"title":"mine"})"});
  lost.not_taken.all = {"history_lost", "all of it", {}};
  CHECK(lost.Told() == Vector<std::string>{R"(new rejected forbidden a {"title":"mine"})",
                                           R"(new rejected history_lost b {"n":1})"});
  lost.not_taken.realm = "B";
  CHECK(lost.Told().empty());
}

TEST_CASE("only the props are told that others have set since the restore") {
  Lost lost;
  lost.Base("a", 1, "mine");
  lost.Own("own", 5, {Set("a", {{0, Value::Number(1)}, {1, Value::String("mine")}})});
  lost.Refuse("a", {"overwritten", "somebody else", {"title"}});
  CHECK(lost.Told() == Vector<std::string>{R"(own overwritten overwritten a {"title":"mine"})"});
  lost.Refuse("a", {"overwritten", "somebody else", {"other"}});
  CHECK(lost.Told().empty());
  lost.Refuse("a", {"row_deleted", "somebody else", {}});
  CHECK(lost.Told() ==
        Vector<std::string>{R"(own row_deleted row_deleted a {"n":1,"title":"mine"})"});
}

TEST_CASE("increments, deletes and moves that do not come back are told") {
  Lost lost;
  lost.Base("a", 1, "mine");
  Op inc = Set("a", {});
  inc.kind = OpKind::kInc;
  inc.add = {{0, 5}};
  Op gone = Set("gone", {});
  gone.kind = OpKind::kDelete;
  Op moved = Set("moved", {});
  moved.kind = OpKind::kMove;
  moved.to = "B";
  lost.Own("own", 5, {inc, gone, moved});
  // Nobody gives back a move.
  CHECK(lost.Told() == Vector<std::string>{"own rejected history_lost moved {}"});
  lost.Refuse("a", {"overwritten", "somebody else", {"title"}});
  CHECK(lost.Told().size() == 1);
  lost.Refuse("a", {"overwritten", "somebody else", {"n"}});
  lost.Refuse("gone", {"overwritten", "somebody else", {}});
  CHECK(lost.Told() == Vector<std::string>{R"(own overwritten overwritten a {"n":5})",
                                           "own overwritten overwritten gone null",
                                           "own rejected history_lost moved {}"});
  // They are there again.
  lost.Base("gone", 1, "of others");
  lost.Base("moved", 1, "of others");
  CHECK(lost.Told().size() == 1);
}

TEST_CASE("what was not appended again is told, without a row") {
  Lost lost;
  lost.not_taken.common = 4;
  Op append;
  append.kind = OpKind::kAppend;
  append.stream = "chat";
  append.realm = "A";
  append.by = {0};
  Op elsewhere = append;
  elsewhere.realm = "B";
  lost.Own("old", 4, {append});
  lost.Own("new", 5, {append, elsewhere, Set("a", {{0, Value::Number(1)}})});
  CHECK(lost.Told().empty());
  lost.not_taken.actions["new"] = {"limit", "full", {}};
  Vector<ConflictRecord> told = lost.Take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].code == "limit");
  CHECK_FALSE(told[0].table.has_value());
  CHECK(*told[0].part);
  const Mutation part = DecodeMutation(NotesSchema(), told[0].mutation.body).value();
  CHECK(part.ops == Vector<Op>{append});
  // All of it.
  lost.not_taken.actions.clear();
  lost.not_taken.all = {"history_lost", "all of it", {}};
  told = lost.Take();
  REQUIRE(told.size() == 2);
  CHECK(told[0].code == "history_lost");
  CHECK(told[1].table == "notes");
}

TEST_CASE("what was changed again before it was lost is not told") {
  Lost lost;
  lost.Base("a", 1, "of others");
  lost.Own("own", 5, {Set("a", {{0, Value::Number(1)}, {1, Value::String("mine")}})});
  lost.Refuse("a", {"forbidden", "no right", {}});
  CHECK(lost.Told() == Vector<std::string>{R"(own rejected forbidden a {"n":1})"});
  lost.Base("a", 2, "of others");
  CHECK(lost.Told().empty());
}

}  // namespace
}  // namespace skerry::client_test
