// Goal: the application's rules judge each action over the rows as they are after it, and nothing that
// they refuse is applied; all else is, and what they read is of the action's realms alone. Method: rules
// that the test answers for, in histories that are pushed one by one and in one commit.
#include <doctest/doctest.h>

#include "authority/rule_reader.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "log/members.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

const Data kNegative = "It is not negative.";

Data Problem(const Data& row, Data message = kNegative) {
  return Fields{{"table", row["table"]},
                {"id", row["id"]},
                {"code", "rule"},
                {"message", std::move(message)}};
}

Data Answer(const Data& question, Data problems = Data::MakeArray()) {
  return Fields{{"place", question["place"]}, {"problems", std::move(problems)}};
}

// Items whose n is below 0 are wrong.
Data NoNegative(const Data& question) {
  Data problems = Data::MakeArray();
  for (const Data& row : question["changed"].items()) {
    if (row["after"]["props"]["n"].as_number() < 0) problems.Push(Problem(row));
  }
  return Answer(question, std::move(problems));
}

Data QueryOf(const char* text, bool before = false, const char* what = "rows",
             const char* column = "") {
  return Fields{{"query", Json(text)}, {"before", before}, {"what", what}, {"column", column}};
}

struct RuledWorld : AuthorityWorld {
  RuledWorld() {
    rules = [this](const Data& question) {
      asked.push_back(question);
      return rule(question);
    };
  }
  // An update of several actions, each with one op.
  Data Many(Author& author, const Vector<std::string>& ops) {
    std::string list;
    for (size_t i = 0; i < ops.size(); ++i) list += (i ? "," : "") + ops[i];
    Data update = author.Make("[" + list + "]");
    Data actions = Data::MakeArray();
    for (size_t i = 0; i < ops.size(); ++i) {
      actions.Push(
          Fields{{"id", Id(0x7000 + ++action)}, {"name", "do"}, {"arg", Data()}, {"at", 5}});
    }
    Data placed = Data::MakeArray();
    for (size_t i = 0; i < ops.size(); ++i) {
      Data op = update["ops"].items()[i];
      placed.Push(op.Set("by", Data::Array{Data(static_cast<double>(i))}));
    }
    return update.Set("actions", std::move(actions)).Set("ops", std::move(placed));
  }
  Vector<std::string> Culprits(const Data& result) {
    Vector<std::string> out;
    for (const Data& rejected : result["rejected"].items()) {
      for (const Data& id : rejected["actions"].items()) out.push_back(id.as_string());
    }
    return out;
  }
  std::function<Data(const Data&)> rule = NoNegative;
  Vector<Data> asked;
  Author anna{this, "c1"}, bea{this, "c2"};
  uint64_t action = 0;
};

std::string Item(const char* id, int n) {
  return R"({"op":"create","table":"items","realm":"A","id":")" + std::string(id) +
         R"(","set":{"n":)" + std::to_string(n) + "}}";
}
std::string Add(const char* id, int n) {
  return R"({"op":"inc","table":"items","realm":"A","id":")" + std::string(id) +
         R"(","add":{"n":)" + std::to_string(n) + "}}";
}

TEST_CASE("refuses an action that a rule finds wrong, with its sentence, and names the op") {
  RuledWorld world;
  const Data result = world.anna.Push("[" + Item("a", 1) + "," + Item("b", -1) + "]");
  CHECK(Status(result) == "rejected");
  const Data& rejected = result["rejected"].items()[0];
  CHECK(rejected["code"].Is("rule"));
  CHECK(rejected["detail"] == kNegative);
  CHECK(rejected["op"].as_u64(9) == 1);
  CHECK(world.Row("items", "a").is_null());
  CHECK(world.head("A") == 0);
  // The question says what was done, and by whom.
  REQUIRE(world.asked.size() >= 1);
  CHECK(world.asked[0]["user"].Is("anna"));
  CHECK(world.asked[0]["client"].Is("c1"));
  CHECK(world.asked[0]["changed"].items().size() == 2);
  CHECK(world.asked[0]["changed"].items()[0]["before"].is_null());
}

TEST_CASE("judges what the merge makes, in one commit as in two") {
  for (const bool together : {false, true}) {
    CAPTURE(together);
    RuledWorld world;
    REQUIRE(Status(world.anna.Push("[" + Item("a", 5) + "]")) == "applied");
    const Data first = world.anna.Make("[" + Add("a", -3) + "]");
    const Data second = world.bea.Make("[" + Add("a", -3) + "]");
    Data results[2];
    if (together) {
      const Data all = world.Commit({{"c1", "anna", {first}}, {"c2", "anna", {second}}});
      for (int i : {0, 1}) results[i] = all.items()[i].items()[0];
    } else {
      results[0] = world.anna.Send(first);
      results[1] = world.bea.Send(second);
    }
    CHECK(Status(results[0]) == "applied");
    CHECK(Status(results[1]) == "rejected");
    CHECK(world.Row("items", "a")["props"]["n"].as_number() == 2);
    // A copy of it is answered from the chain, without the rules.
    world.asked.clear();
    CHECK(Status(world.bea.Send(second)) == "rejected");
    CHECK(Status(world.anna.Send(first)) == "duplicate");
    CHECK(world.asked.empty());
  }
}

TEST_CASE("finds the actions that are wrong among several, and what depends on them") {
  RuledWorld world;
  const Data update = world.Many(
      world.anna, {Item("a", 1), Item("b", -1), Add("b", 5), Add("a", 1), Item("c", -2)});
  const Data result = world.anna.Send(update);
  CHECK(Status(result) == "rejected");
  const Data::Array& actions = update["actions"].items();
  // What depends on the second one is not judged.
  CHECK(world.Culprits(result) ==
        Vector<std::string>{actions[1]["id"].as_string(), actions[4]["id"].as_string()});
}

TEST_CASE("asks again about actions whose answers hung on one that is refused") {
  RuledWorld world;
  // An item is wrong while another one is below 0: the rule reads it.
  world.rule = [](const Data& question) {
    const Data read = QueryOf(R"({"table":"items","where":["<","n",0]})");
    if (question["reads"].items().empty())
      return Data(Fields{{"place", question["place"]}, {"reads", Data::Array{read}}});
    const bool is_any = !question["values"].items()[0].items().empty();
    return Answer(question, is_any ? Data(Data::Array{Problem(question["changed"].items()[0])})
                                   : Data::MakeArray());
  };
  const Data update = world.Many(world.anna, {Item("a", -1), Item("b", 1), Item("c", 1)});
  const Data result = world.anna.Send(update);
  CHECK(world.Culprits(result) ==
        Vector<std::string>{update["actions"].items()[0]["id"].as_string()});
}

TEST_CASE("asks again about an action that was answered before an earlier one was refused") {
  RuledWorld world;
  // The first action needs a read, so that the second is answered first.
  world.rule = [](const Data& question) {
    const bool is_first = question["changed"].items()[0]["id"].Is("a");
    if (!is_first) return Answer(question);
    const Data read = QueryOf(R"({"table":"items"})");
    if (question["reads"].items().empty())
      return Data(Fields{{"place", question["place"]}, {"reads", Data::Array{read}}});
    return Answer(question, Data::Array{Problem(question["changed"].items()[0])});
  };
  const Data update = world.Many(world.anna, {Item("a", 1), Item("b", 1)});
  CHECK(Status(world.anna.Send(update)) == "rejected");
  size_t second = 0;
  for (const Data& question : world.asked) second += question["place"].as_u64() == 1;
  // Each push is made twice (AuthorityWorld).
  CHECK(second == 4);
}

TEST_CASE("a commit of many updates has rounds for all of them") {
  RuledWorld world;
  AuthorityWorld::Request request{"c1", "anna", {}};
  for (int i = 0; i < kMaxAdmissionRounds + 10; ++i)
    request.updates.push_back(
        world.anna.Make("[" + Item(("i" + std::to_string(i)).c_str(), 1) + "]"));
  const Data results = world.Commit({request});
  for (const Data& result : results.items()[0].items()) CHECK(Status(result) == "applied");
}

TEST_CASE("asks about more actions than fit into a round, each once") {
  RuledWorld world;
  Vector<std::string> ops;
  const size_t count = 2 * kMaxRuleQuestions + 1;
  for (size_t i = 0; i < count; ++i) ops.push_back(Item(("i" + std::to_string(i)).c_str(), 1));
  CHECK(Status(world.anna.Send(world.Many(world.anna, ops))) == "applied");
  // Each push is made twice (AuthorityWorld).
  CHECK(world.asked.size() == 2 * count);
}

TEST_CASE("asks nothing where nothing of the application's has changed") {
  RuledWorld world;
  REQUIRE(Status(world.anna.Push(
              R"([{"op":"create","table":"groups","realm":"A","id":"g","set":{"name":"x"}},
      {"op":"create","table":"members","realm":"A","id":"m","set":{"group":"g"}}])")) == "applied");
  const auto changed_by = [&](const char* ops) {
    world.asked.clear();
    CHECK(Status(world.anna.Push(ops)) == "applied");
    return world.asked.empty() ? size_t{0} : world.asked[0]["changed"].items().size();
  };
  CHECK(changed_by(
            R"([{"op":"update","table":"groups","realm":"A","id":"none","set":{"name":"y"}}])") ==
        0);
  CHECK(changed_by(
            R"([{"op":"update","table":"groups","realm":"A","id":"g","set":{"name":"x"}}])") <= 1);
  // The group is touched.
  CHECK(changed_by(
            R"([{"op":"update","table":"members","realm":"A","id":"m","set":{"role":"y"}}])") == 1);
  // A membership is none of the rules'.
  const std::string realm = Id(0xaaa);
  world.AddRealm(realm);
  world.asked.clear();
  CHECK(Status(world.anna.Push(R"([{"op":"create","table":"$members","realm":")" + realm +
                                   R"(","id":")" + realm +
                                   R"(/anna","set":{"user":"anna","role":"owner"}}])",
                               {realm})) == "applied");
  CHECK(world.asked.empty());
  // What a cascade deletes is changed, too.
  CHECK(changed_by(R"([{"op":"delete","table":"groups","realm":"A","id":"g"}])") == 2);
}

TEST_CASE("a rule that fails leaves its client's updates undecided, and no one else's") {
  RuledWorld world;
  world.rule = [](const Data& question) {
    if (question["changed"].items()[0]["id"].Is("bad"))
      return Data(Fields{{"place", question["place"]}, {"failed", "it threw"}});
    return NoNegative(question);
  };
  const Data good = world.anna.Make("[" + Item("a", 1) + "]");
  const Data bad = world.anna.Make("[" + Item("bad", 1) + "]");
  const Data later = world.anna.Make("[" + Item("b", 1) + "]");
  const Data other = world.bea.Make("[" + Item("c", 1) + "]");
  const Data results = world.Commit({{"c1", "anna", {good, bad, later}}, {"c2", "anna", {other}}});
  CHECK(Status(results.items()[0].items()[0]) == "applied");
  CHECK(results.items()[0].items()[1].is_null());
  CHECK(results.items()[0].items()[2].is_null());
  CHECK(Status(results.items()[1].items()[0]) == "applied");
  const Data::Array& failed = world.last_done()["failed"].items();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0]["client"].Is("c1"));
  CHECK(failed[0]["update"] == bad["id"]);
  CHECK(failed[0]["detail"].Is("it threw"));
  // When it is mended, all of it comes.
  world.rule = NoNegative;
  CHECK(Status(world.anna.Send(bad)) == "applied");
  CHECK(Status(world.anna.Send(later)) == "applied");
}

TEST_CASE("answers reads over the rows after the action, or before it, of its realms alone") {
  RuledWorld world;
  for (const char* realm : {"A", "B"}) {
    Author author(&world, std::string("setup") + realm);
    const std::string in = std::string(R"("realm":")") + realm + "\"";
    REQUIRE(Status(author.Push(R"([{"op":"create","table":"groups",)" + in +
                                   R"(,"id":"g","set":{"name":"x"}},
          {"op":"create","table":"members",)" +
                                   in + R"(,"id":"m1","set":{"group":"g","role":"a"}},
          {"op":"create","table":"members",)" +
                                   in + R"(,"id":"m2","set":{"group":"g","role":"b"}},
          {"op":"create","table":"items",)" +
                                   in + R"(,"id":"i1","set":{"n":3}},
          {"op":"create","table":"items",)" +
                                   in + R"(,"id":"i2","set":{"n":7}}])",
                               {realm})) == "applied");
  }
  struct Case {
    const char* query;
    const char* what;
    const char* column;
    const char* after;
    const char* before;
  };
  // The action adds a member m3, deletes m1, changes i1 to 10, and makes a second group.
  const Case cases[] = {
      {R"({"table":"members"})", "count", "", "2", "2"},
      {R"({"table":"members","where":["=","role","a"]})", "count", "", "0", "1"},
      {R"({"table":"members","where":["=","id","m3"]})", "count", "", "1", "0"},
      {R"({"table":"items","order":[["n","desc"]],"limit":1})", "ids", "", "i1", "i2"},
      {R"({"table":"items","order":[["n","desc"]],"offset":1})", "ids", "", "i2", "i1"},
      {R"({"table":"items"})", "sum", "n", "17", "10"},
      {R"({"table":"items"})", "max", "n", "10", "7"},
      {R"({"table":"items","where":[">","n",100]})", "min", "n", "null", "null"},
      {R"({"table":"groups","where":["exists","members",["=","role","a"],"group"]})", "ids", "", "",
       "g"},
      {R"({"table":"groups","where":["not",["exists","members",["=","role","a"],"group"]]})", "ids",
       "", "g h", ""},
      {R"({"table":"members","where":["in","group",{"table":"groups","select":"id","where":["=","name","x"]}]})",
       "ids", "", "m2 m3", "m1 m2"},
      {R"({"table":"groups","include":[{"name":"members","kind":"back","prop":"group","table":"members","query":null}]})",
       "with", "", "g:m2,m3 h:", "g:m1,m2"},
      {R"({"table":"members","where":["=","id","m2"],"include":[{"name":"group","kind":"ref","prop":"group","table":"groups","query":null}]})",
       "with", "", "m2:g", "m2:g"},
  };
  const auto text = [](const Data& value, const std::string& what) {
    if (what != "ids" && what != "with") return WriteJson(value);
    std::string out;
    for (const Data& one : value.items()) {
      out += (out.empty() ? "" : " ") + one["row"]["id"].as_string();
      if (what == "ids") continue;
      out += ":";
      bool is_first = true;
      for (const Data& inner : one["with"].items()[0].items()) {
        out += (is_first ? "" : ",") + inner["row"]["id"].as_string();
        is_first = false;
      }
    }
    return out;
  };
  Vector<Data> values;
  world.rule = [&](const Data& question) {
    if (question["reads"].items().empty()) {
      Data reads = Data::MakeArray();
      for (const Case& c : cases) {
        const std::string what = c.what;
        const char* kind = what == "ids" || what == "with" ? "rows" : c.what;
        for (const bool before : {false, true})
          reads.Push(QueryOf(c.query, before, kind, c.column));
      }
      return Data(Fields{{"place", question["place"]}, {"reads", std::move(reads)}});
    }
    values = question["values"].items();
    return Answer(question);
  };
  REQUIRE(
      Status(world.anna.Push(
          R"([{"op":"create","table":"members","realm":"A","id":"m3","set":{"group":"g","role":"c"}},
        {"op":"delete","table":"members","realm":"A","id":"m1"},
        {"op":"update","table":"items","realm":"A","id":"i1","set":{"n":10}},
        {"op":"create","table":"groups","realm":"A","id":"h","set":{"name":"y"}}])")) == "applied");
  REQUIRE(values.size() == 2 * std::size(cases));
  for (size_t i = 0; i < std::size(cases); ++i) {
    CAPTURE(cases[i].query);
    CHECK(text(values[2 * i], cases[i].what) == cases[i].after);
    CHECK(text(values[2 * i + 1], cases[i].what) == cases[i].before);
  }
}

TEST_CASE("says to a rule what is wrong with its read") {
  RuledWorld world;
  Data value;
  world.rule = [&](const Data& question) {
    if (question["reads"].items().empty()) {
      const Data read = QueryOf(R"({"table":"items","where":["=","none",1]})");
      return Data(Fields{{"place", question["place"]}, {"reads", Data::Array{read}}});
    }
    value = question["values"].items()[0];
    return Answer(question);
  };
  REQUIRE(Status(world.anna.Push("[" + Item("a", 1) + "]")) == "applied");
  CHECK(value["error"]["code"].Is("unknown_prop"));
}

}  // namespace
}  // namespace skerry::authority_test
