// Goal: the application's rules judge each action over the rows as they are after it, and nothing that
// they refuse is applied; all else is, and what they read is of the action's realms alone. Method: rules
// that the test answers for, in histories that are pushed one by one and in one commit.
#include <doctest/doctest.h>

#include "base/fields.h"
#include "base/limits.h"
#include "test/core/authority/ruled_world.h"

namespace skerry::authority_test {
namespace {

TEST_CASE("refuses an action that a rule finds wrong, with its sentence, and names the op") {
  RuledWorld world;
  const Data result = world.anna.Push("[" + CreateN("a", 1) + "," + CreateN("b", -1) + "]");
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
    REQUIRE(Status(world.anna.Push("[" + CreateN("a", 5) + "]")) == "applied");
    const Data first = world.anna.Make("[" + AddN("a", -3) + "]");
    const Data second = world.bea.Make("[" + AddN("a", -3) + "]");
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
  const Data update = world.Many(world.anna, {CreateN("a", 1), CreateN("b", -1), AddN("b", 5),
                                              AddN("a", 1), CreateN("c", -2)});
  const Data result = world.anna.Send(update);
  CHECK(Status(result) == "rejected");
  const Data::Array& actions = update["actions"].items();
  // What depends on the second one is not judged.
  CHECK(world.Culprits(result) ==
        Vector<std::string>{actions[1]["id"].as_string(), actions[4]["id"].as_string()});
}

TEST_CASE("the rules of many updates leave the last one its rounds of reading") {
  RuledWorld world;
  const auto child = [](const char* id, const char* parent) {
    return R"({"op":"create","table":"items","realm":"A","id":")" + std::string(id) +
           R"(","set":{"parent":")" + parent + R"("}})";
  };
  REQUIRE(Status(world.bea.Push("[" + CreateN("top", 1) + "," + CreateN("middle", 1) + "," +
                                child("leaf", "middle") + "]")) == "applied");
  Vector<Data> updates;
  for (int i = 0; i <= kMaxAdmissionRounds; ++i) {
    const std::string id = "a" + std::to_string(i);
    updates.push_back(world.anna.Make("[" + CreateN(id.c_str(), 1) + "]"));
    if (i != 2 * kMaxLookAheadRounds) continue;
    // That the deletion of `top` takes `leaf` along is only known after this.
    updates.push_back(world.anna.Make(
        R"([{"op":"update","table":"items","realm":"A","id":"middle","set":{"parent":"top"}}])"));
  }
  updates.push_back(world.anna.Make(R"([{"op":"delete","table":"items","realm":"A","id":"top"}])"));
  const Data all = world.Commit({{"c1", "anna", updates}});
  for (const Data& result : all.items()[0].items()) CHECK(Status(result) == "applied");
  CHECK(world.Row("items", "leaf").is_null());
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
  const Data update = world.Many(world.anna, {CreateN("a", -1), CreateN("b", 1), CreateN("c", 1)});
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
  const Data update = world.Many(world.anna, {CreateN("a", 1), CreateN("b", 1)});
  CHECK(Status(world.anna.Send(update)) == "rejected");
  size_t second = 0;
  for (const Data& question : world.asked) second += question["place"].as_u64() == 1;
  // Each push is made twice (AuthorityWorld).
  CHECK(second == 4);
}

TEST_CASE("asks about updates of other clients in other realms at once") {
  RuledWorld world;
  Vector<AuthorityWorld::Request> requests;
  for (int i = 0; i < 10; ++i) {
    const std::string realm = "R" + std::to_string(i), client = "c" + std::to_string(10 + i);
    world.AddRealm(realm);
    world.Grant("anna", realm, "write");
    Author author(&world, client);
    const std::string n = i == 3 ? "-1" : "1";
    requests.push_back({client,
                        "anna",
                        {author.Make(R"([{"op":"create","table":"items","realm":")" + realm +
                                         R"(","id":"x","set":{"n":)" + n + "}}]",
                                     {realm})}});
  }
  const Data results = world.Commit(requests);
  for (size_t i = 0; i < 10; ++i)
    CHECK(Status(results.items()[i].items()[0]) == (i == 3 ? "rejected" : "applied"));
  CHECK(world.last_rounds() <= 4);
  // Each push is made twice (AuthorityWorld), and each action is asked about once.
  CHECK(world.asked.size() == 20);
}

TEST_CASE("asks anew about a realm that an update has reached into by a row that has moved") {
  RuledWorld world;
  REQUIRE(Status(world.anna.Push(
              R"([{"op":"create","table":"boxes","realm":"A","id":")" + Id(7) +
                  R"(","set":{"n":1}},{"op":"move","table":"boxes","realm":"A","id":")" + Id(7) +
                  R"(","to":"B"}])",
              {"A", "B"})) == "applied");
  // A rule of the realm: its boxes have 3 at most in all.
  world.rule = [](const Data& question) {
    const Data read = QueryOf(R"({"table":"boxes"})", false, "sum", "n");
    if (question["reads"].items().empty())
      return Data(Fields{{"place", question["place"]}, {"reads", Data::Array{read}}});
    const bool is_wrong = question["values"].items()[0].as_number() > 3;
    return Answer(question, is_wrong ? Data(Data::Array{Problem(question["changed"].items()[0])})
                                     : Data::MakeArray());
  };
  // The first names realm A, where the box was; the second adds to the realm where it is.
  const Data first = world.anna.Make(R"([{"op":"inc","table":"boxes","realm":"A","id":")" + Id(7) +
                                     R"(","add":{"n":2}}])");
  const Data second = world.bea.Make(
      R"([{"op":"create","table":"boxes","realm":"B","id":")" + Id(8) + R"(","set":{"n":1}}])",
      {"B"});
  const Data results = world.Commit({{"c1", "anna", {first}}, {"c2", "anna", {second}}});
  CHECK(Status(results.items()[0].items()[0]) == "applied");
  CHECK(Status(results.items()[1].items()[0]) == "rejected");
}

TEST_CASE("a commit of many updates has rounds for all of them") {
  RuledWorld world;
  AuthorityWorld::Request request{"c1", "anna", {}};
  for (int i = 0; i < kMaxAdmissionRounds + 10; ++i)
    request.updates.push_back(
        world.anna.Make("[" + CreateN(("i" + std::to_string(i)).c_str(), 1) + "]"));
  const Data results = world.Commit({request});
  for (const Data& result : results.items()[0].items()) CHECK(Status(result) == "applied");
}

TEST_CASE("asks about more actions than fit into a round, each once") {
  RuledWorld world;
  Vector<std::string> ops;
  const size_t count = 2 * kMaxRuleQuestions + 1;
  for (size_t i = 0; i < count; ++i) ops.push_back(CreateN(("i" + std::to_string(i)).c_str(), 1));
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
  const Data good = world.anna.Make("[" + CreateN("a", 1) + "]");
  const Data bad = world.anna.Make("[" + CreateN("bad", 1) + "]");
  const Data later = world.anna.Make("[" + CreateN("b", 1) + "]");
  const Data other = world.bea.Make("[" + CreateN("c", 1) + "]");
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

}  // namespace
}  // namespace skerry::authority_test
