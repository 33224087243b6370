// Goal: an update of several actions is judged action by action, as if each had been pushed by itself,
// and its refusal names exactly those that are at fault. Method: updates written by hand, one rule at
// a time; test/core/model_check/any_grouping_test.cc has random ones.
#include "authority/judge_update.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "base/vector.h"
#include "log/wire.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

// An update with so many actions; the ops say by `by` from which they come.
Data MakeActions(Author* author, uint64_t count, const std::string& ops,
                 const Vector<std::string>& realms = {"A"}) {
  Data update = author->Make("[" + ops + "]", realms);
  Data actions = Data::MakeArray();
  for (uint64_t i = 0; i < count; ++i) {
    Data action = Data::MakeObject();
    static uint64_t number = 1'000'000;
    const std::string id = Id(++number);
    actions.Push(action.Set("id", id).Set("name", "act").Set("arg", Data()).Set("at", 1));
  }
  return update.Set("actions", std::move(actions));
}

// The places of the actions at fault, with the codes: "1 unique, 3 restrict"; of several, "1+2".
std::string Blamed(const Data& update, const Data& result) {
  if (Status(result) != "rejected") return Status(result);
  std::string text;
  for (const Data& entry : result["rejected"].items()) {
    if (!text.empty()) text += ", ";
    std::string places;
    for (const Data& id : entry["actions"].items()) {
      size_t place = 0;
      while (!(update["actions"].items()[place]["id"] == id)) ++place;
      places += (places.empty() ? "" : "+") + std::to_string(place);
    }
    text += places + " " + entry["code"].as_string();
  }
  return text;
}

struct Judged {
  AuthorityWorld world;
  Author anna{&world, "c1"};

  Judged() {
    REQUIRE(Status(anna.Push(R"([
        {"op":"create","table":"items","id":"taken","realm":"A","set":{"u":5}},
        {"op":"create","table":"items","id":"other","realm":"A","set":{"u":6}},
        {"op":"create","table":"countries","id":"se","realm":"A","set":{"name":"Sweden"}},
        {"op":"create","table":"cities","id":"x","realm":"A","set":{"name":"x","country":"se"}},
        {"op":"create","table":"people","id":"p","realm":"A","set":{"name":"p"}}])")) == "applied");
    REQUIRE(Status(anna.Push(
                R"([{"op":"create","table":"people","id":"p","realm":"B","set":{"name":"p"}}])",
                {"B"})) == "applied");
    world.AddRealm("C");
    world.Grant("anna", "C", "read");
  }
  std::string Push(uint64_t count, const std::string& ops,
                   const Vector<std::string>& realms = {"A"}) {
    const Data update = MakeActions(&anna, count, ops, realms);
    const Data result = anna.Send(update);
    if (Status(result) != "applied") anna.TakeBack(update);
    return Blamed(update, result);
  }
};

std::string Create(const char* id, uint64_t by, const std::string& set, const char* realm = "A") {
  return R"({"op":"create","table":"items","id":")" + std::string(id) + R"(","realm":")" + realm +
         R"(","by":[)" + std::to_string(by) + R"(],"set":{)" + set + "}}";
}

TEST_CASE("every rule blames the action that breaks it, and no other of its update") {
  const struct {
    const char* op;
    const char* code;
  } bad[] = {
      {R"({"op":"create","table":"items","id":"b","realm":"A","by":[1],"set":{"u":5}})", "unique"},
      {R"({"op":"inc","table":"items","id":"other","realm":"A","by":[1],"add":{"u":-1}})",
       "unique"},
      {R"({"op":"delete","table":"countries","id":"se","realm":"A","by":[1]})", "restrict"},
      {R"({"op":"create","table":"cities","id":"b","realm":"A","by":[1],"set":{"name":"b","country":"no"}})",
       "restrict"},
      {R"({"op":"create","table":"people","id":"b","realm":"A","by":[1],"set":{}})",
       "missing_prop"},
      {R"({"op":"update","table":"people","id":"p","realm":"A","by":[1],"set":{"name":null}})",
       "missing_prop"},
      {R"({"op":"move","table":"people","id":"p","realm":"A","by":[1],"to":"B"})", "exists"},
      {R"({"op":"create","table":"items","id":"b","realm":"C","by":[1],"set":{}})", "forbidden"},
      {R"({"op":"update","table":"items","id":"taken","realm":"A","by":[1],"if":0,"set":{"n":1}})",
       "changed"},
  };
  for (const auto& [op, code] : bad) {
    CAPTURE(op);
    Judged s;
    Author other(&s.world, "c2");
    REQUIRE(
        Status(other.Push(
            R"([{"op":"update","table":"items","id":"taken","realm":"A","set":{"note":"c2"}}])")) ==
        "applied");
    const std::string ops =
        Create("a", 0, R"("u":1)") + "," + op + "," + Create("c", 2, R"("u":2)");
    // An update names the realms of its ops.
    Vector<std::string> realms = {"A"};
    for (const char* other : {"B", "C"}) {
      if (ops.find(std::string("\"") + other + '"') != std::string::npos) realms.push_back(other);
    }
    CHECK(s.Push(3, ops, realms) == std::string("1 ") + code);
    CHECK(s.world.Row("items", "a").is_null());
    // The rest, as the client pushes it again.
    CHECK(s.Push(2, Create("a", 0, R"("u":1)") + "," + Create("c", 1, R"("u":2)")) == "applied");
  }
}

TEST_CASE("the first of several actions that want a unique value has it") {
  Judged s;
  std::string ops;
  for (uint64_t i = 0; i < 6; ++i) {
    const std::string id = "i" + std::to_string(i);
    ops += (i == 0 ? "" : ",") + Create(id.c_str(), i, R"("u":)" + std::to_string(i % 3 + 10));
  }
  CHECK(s.Push(6, ops) == "3 unique, 4 unique, 5 unique");
}

TEST_CASE("a value is free once an earlier action has given it back, not before") {
  Judged s;
  const std::string gives =
      R"({"op":"update","table":"items","id":"taken","realm":"A","by":[%],"set":{"u":null}})";
  const auto by = [](std::string op, const char* action) {
    return op.replace(op.find('%'), 1, action);
  };
  CHECK(s.Push(2, Create("a", 0, R"("u":5)") + "," + by(gives, "1")) == "0 unique");
  CHECK(s.Push(2, by(gives, "0") + "," + Create("a", 1, R"("u":5)")) == "applied");
  // By a delete; and within one action in any order.
  CHECK(s.Push(2, R"({"op":"delete","table":"items","id":"a","realm":"A","by":[0]},)" +
                      Create("b", 1, R"("u":5)")) == "applied");
  CHECK(s.Push(1, R"({"op":"update","table":"items","id":"b","realm":"A","set":{"u":6}},
                     {"op":"update","table":"items","id":"other","realm":"A","set":{"u":5}})") ==
        "applied");
}

TEST_CASE("what depends on a refused action is not judged, and blames no other") {
  Judged s;
  // Action 1 changes the object of action 0; 2 refers to it, and would take 7 from action 3.
  CHECK(
      s.Push(5,
             Create("a", 0, R"("u":5)") + "," +
                 R"({"op":"update","table":"items","id":"a","realm":"A","by":[1],"set":{"u":6}},)" +
                 Create("b", 2, R"("parent":"a","u":7)") + "," + Create("c", 3, R"("u":7)") + "," +
                 Create("d", 4, R"("u":6)")) == "0 unique, 4 unique");
}

TEST_CASE("a merged op that is refused names all its actions, and ends the judging") {
  Judged s;
  CHECK(s.Push(3,
               R"({"op":"create","table":"items","id":"a","realm":"A","by":[0,1],"set":{"u":5}},)" +
                   Create("b", 2, R"("u":6)")) == "0+1 unique");
  CHECK(
      s.Push(
          3,
          Create("z", 0, R"("u":6)") + "," +
              R"({"op":"create","table":"items","id":"a","realm":"A","by":[1,2],"set":{"u":1}})") ==
      "0 unique");
}

TEST_CASE("the entry has every row as it was before the whole update") {
  Judged s;
  REQUIRE(s.Push(3,
                 R"({"op":"inc","table":"items","id":"taken","realm":"A","by":[0],"add":{"n":1}},
      {"op":"inc","table":"items","id":"taken","realm":"A","by":[1],"add":{"n":1}},)" +
                     Create("a", 1, R"("n":1)") + R"(,
      {"op":"delete","table":"items","id":"a","realm":"A","by":[2]},
      {"op":"move","table":"people","id":"p","realm":"A","by":[2],"to":"D"})",
                 {"A"}) != "applied");
  REQUIRE(s.Push(3, R"({"op":"inc","table":"items","id":"taken","realm":"A","by":[0],"add":{"n":1}},
      {"op":"inc","table":"items","id":"taken","realm":"A","by":[1],"add":{"n":1}},)" +
                        Create("a", 1, R"("n":1)") + R"(,
      {"op":"delete","table":"items","id":"a","realm":"A","by":[2]})") == "applied");
  const Data::Array& changes = s.world.last_done()["changes"].items();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0]["id"].Is("taken"));
  CHECK(changes[0]["before"]["props"]["n"].is_null());
  CHECK(s.world.Row("items", "taken")["props"]["n"].as_number() == 2);
}

TEST_CASE("a row that one action changes and another touches has changed") {
  Judged s;
  REQUIRE(Status(s.anna.Push(
              R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
      {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g"}}])")) == "applied");
  for (const bool touch_first : {true, false}) {
    const std::string touches =
        R"({"op":"update","table":"members","id":"m","realm":"A","by":[%],"set":{"role":"r%"}})";
    const std::string renames =
        R"({"op":"update","table":"groups","id":"g","realm":"A","by":[%],"set":{"name":"n%"}})";
    const auto by = [](std::string op, const std::string& action) {
      for (size_t at = op.find('%'); at != std::string::npos; at = op.find('%'))
        op.replace(at, 1, action);
      return op;
    };
    const std::string ops = touch_first ? by(touches, "0") + "," + by(renames, "1")
                                        : by(renames, "0") + "," + by(touches, "1");
    REQUIRE(s.Push(2, ops) == "applied");
    for (const Data& change : s.world.last_done()["changes"].items())
      CHECK_FALSE(change["touch"].as_bool());
  }
}

TEST_CASE("the actions of an update may take so much work together") {
  Schema schema = Schema::Parse(WorldSchemaData()).value();
  WorkingSet rows(&schema);
  const RealmState state{true, 1, 1};
  const Map<std::string, RealmState> realms{{"A", state}};
  const Map<std::string, Right> rights{{"A", Right::kWrite}};
  Set<std::string> locks;
  const Scene scene{&schema, &rows, &realms, &rights, &locks, "c1", 2};
  Update update;
  update.after = {{"A", {}}};
  for (uint32_t i = 0; i < 20; ++i) {
    Op op = NewOp(OpKind::kCreate, {schema.FindTable("boxes"), Id(i)}, "A");
    op.by = {i};
    update.ops.push_back(std::move(op));
    update.actions.push_back({Id(100 + i), "act", "null", 1});
    rows.SettleRow({"A", update.ops.back().key()});
  }
  const auto judge = [&](size_t most) {
    rows.Begin();
    const UpdateJudgement judgement = JudgeUpdate(scene, update, most);
    REQUIRE_FALSE(rows.has_needs());
    CHECK(judgement.rejections.empty());
    rows.Rollback();
    return judgement;
  };
  const size_t all = judge(1000).work;
  CHECK(all == 40);  // an op and a row each
  CHECK_FALSE(judge(all).is_too_much);
  CHECK(judge(all - 1).is_too_much);
}

TEST_CASE("an edit of an object that is not there is named, a delete is not") {
  Judged s;
  REQUIRE(Status(s.anna.Push(R"([{"op":"delete","table":"items","id":"taken","realm":"A"}])")) ==
          "applied");
  const Data update = MakeActions(&s.anna, 2, R"(
      {"op":"update","table":"items","id":"taken","realm":"A","by":[0],"set":{"n":1}},
      {"op":"inc","table":"items","id":"taken","realm":"A","by":[0],"add":{"n":1}},
      {"op":"inc","table":"items","id":"taken","realm":"A","by":[0],"add":{"n":0}},
      {"op":"delete","table":"items","id":"taken","realm":"A","by":[0]},
      {"op":"update","table":"items","id":"never","realm":"A","by":[1],"set":{"n":1}},
      {"op":"move","table":"items","id":"never","realm":"A","by":[1],"to":"B"},
      {"op":"update","table":"items","id":"other","realm":"A","by":[1],"set":{"u":6}},
      {"op":"create","table":"items","id":"taken","realm":"A","by":[1],"set":{"n":1}})",
                                  {"A", "B"});
  const Data result = s.anna.Send(update);
  CHECK(result["missing"] == Json("[0,1,4,5]"));
  CHECK(result["noops"] == Json("[0,1,2,3,4,5]"));
  CHECK(s.world.Row("items", "taken")["props"]["n"].as_number() == 1);
  // A pull repeats it, from the range and below the cursor.
  Data request = Data::MakeObject();
  request.Set("client", "c1").Set("schema", 1).Set("scopes", Data::MakeArray());
  request.Set("have", Data::MakeArray().Push(update["id"]));
  for (const uint64_t revision : {2, 3}) {
    Data cursors = Data::MakeObject();
    request.Set("cursors", cursors.Set("A", s.world.cursor("A", revision)));
    const Data answer = s.world.Pull("anna", request);
    CHECK(answer["own"][update["id"].as_string()]["A"]["missing"] == Json("[0,1,4,5]"));
  }
}

TEST_CASE("an edit of a row that moved out of sight is named, of one in sight it is not") {
  Judged s;
  Author bob(&s.world, "c2", "bob");
  s.world.AddRealm("D");
  for (const char* realm : {"A", "C", "D"}) s.world.Grant("bob", realm, "write");
  REQUIRE(Status(bob.Push(R"([{"op":"move","table":"items","id":"taken","realm":"A","to":"D"},
      {"op":"move","table":"items","id":"other","realm":"A","to":"D"}])",
                          {"A", "D"})) == "applied");
  const char* edit = R"([{"op":"update","table":"items","id":"taken","realm":"A","set":{"n":1}}])";
  CHECK(s.anna.Push(edit)["missing"] == Json("[0]"));
  s.world.Grant("anna", "D", "write");
  CHECK(s.anna.Push(edit)["missing"].is_null());
}

}  // namespace
}  // namespace skerry::authority_test
