// Goal: a scope with a sub-select holds exactly the rows that the inner rows select, at both ends of
// every range, whichever side changes. Method: one case for each rule. Random histories are in
// history_test.cc.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/json.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

// Items whose n is the u of an item with the note "yes", and the scope that these are in.
constexpr char kJoined[] =
    R"([{"table":"items","where":["in","n",{"table":"items","select":"u","where":["=","note","yes"]}],"filled":true},
        {"table":"items","where":["=","note","yes"],"filled":true}])";

std::string Item(const char* op, const std::string& id, const std::string& set,
                 const std::string& realm = "A") {
  return std::string(R"({"op":")") + op + R"(","table":"items","id":")" + id + R"(","realm":")" +
         realm + R"(","set":)" + set + "}";
}

// In A and in B an inner item `in`, which selects the outer items `o1` and `o2`, and an item that it
// does not select. Both realms are at revision 1.
struct Joined {
  AuthorityWorld world;
  Author anna{&world, "c1"};
  Author bob{&world, "c2", "bob"};
  Joined() {
    for (const char* realm : {"A", "B"}) world.Grant("bob", realm, "write");
    for (const char* realm : {"A", "B"}) {
      // `u` is unique within a realm.
      Do(Item("create", "in", R"({"u":7,"note":"yes"})", realm) + "," +
             Item("create", "o1", R"({"n":7})", realm) + "," +
             Item("create", "o2", R"({"n":7})", realm) + "," +
             Item("create", "other", R"({"n":8})", realm),
         {realm});
    }
  }
  void Do(const std::string& ops, const Vector<std::string>& realms = {"A"}) {
    REQUIRE(Status(bob.Push("[" + ops + "]", realms)) == "applied");
  }
  Data Pull(uint64_t a, uint64_t b, uint64_t limit = 0, const Data::Array& have = {},
            std::string_view scopes = kJoined) {
    Data request = Request("c1", At(world, a, b), have, scopes);
    return world.Pull("anna", request.Set("limit", limit).Set("refill", true));
  }
};

TEST_CASE("a sub-select: untouched outer rows leave and enter with an inner row") {
  Joined s;
  s.Do(Item("update", "in", R"({"u":8})"));
  CHECK(Short(s.Pull(1, 1)) ==
        "update items/in, leave items/o1, leave items/o2, create items/other");
}

TEST_CASE("a sub-select: a deleted inner row takes its outer rows out of the scope") {
  Joined s;
  s.Do(R"({"op":"delete","table":"items","id":"in","realm":"A"})");
  CHECK(Short(s.Pull(1, 1)) == "delete items/in, leave items/o1, leave items/o2");
}

TEST_CASE("a sub-select: an outer row stays while any inner row selects it") {
  Joined s;
  s.Do(Item("create", "in2", R"({"u":9,"note":"yes"})") + "," + Item("update", "o1", R"({"n":9})"));
  CHECK(Short(s.Pull(1, 1)) == "create items/in2, update items/o1");
  s.Do(Item("update", "in2", R"({"u":6})") + "," + Item("update", "in", R"({"u":9})"));
  // One inner row takes the other's place.
  CHECK(Short(s.Pull(2, 1)) == "update items/in, update items/in2, leave items/o2");
}

TEST_CASE("a sub-select: outer and inner change at once") {
  Joined s;
  s.Do(Item("update", "o1", R"({"n":5,"note":"moved along"})") + "," +
       Item("update", "in", R"({"u":5})"));
  CHECK(Short(s.Pull(1, 1)) == "update items/in, update items/o1, leave items/o2");
}

TEST_CASE("a sub-select is evaluated with the inner rows of the range's end, not today's") {
  Joined s;
  s.Do(Item("update", "in", R"({"u":8})"));
  s.Do(Item("update", "in", R"({"u":7})"));
  s.Do(Item("create", "in3", R"({"u":6,"note":"yes"})") + "," +
       Item("update", "other", R"({"n":6})"));
  CHECK(Short(s.Pull(1, 1, 1)) ==
        "update items/in, leave items/o1, leave items/o2, create items/other");
  CHECK(Short(s.Pull(2, 1, 1)) ==
        "update items/in, create items/o1, create items/o2, leave items/other");
  CHECK(Short(s.Pull(3, 1, 1)) == "create items/in3, create items/other");
  // An outer row whose prop has changed since the range's end.
  CHECK(Short(s.Pull(1, 1, 2)) == "update items/in");
}

TEST_CASE("a sub-select: inner rows decide in their own realm only, and where they move to") {
  Joined s;
  s.Do(R"({"op":"delete","table":"items","id":"in","realm":"A"})");
  // The item with this id in B selects nothing in A.
  CHECK(Short(s.Pull(1, 1)) == "delete items/in, leave items/o1, leave items/o2");
  CHECK(Short(s.Pull(2, 1)) == "");

  Joined moved;
  moved.Do(Item("create", "in2", R"({"u":8,"note":"yes"})"));
  moved.Do(R"({"op":"move","table":"items","id":"in2","realm":"A","to":"B"})", {"A", "B"});
  const Data answer = moved.Pull(2, 1);
  // The row `other` of A leaves the scope, that of B enters it.
  CHECK(Short(answer) == "move items/in2, move items/other");
}

TEST_CASE("a sub-select: what an unreadable realm's rows select is neither sent nor shown") {
  Joined s;
  s.Do(Item("create", "in2", R"({"u":8,"note":"yes"})"));
  CHECK(Short(s.Pull(1, 1)) == "create items/in2, create items/other");
  s.world.Grant("anna", "B", "none");
  s.Do(R"({"op":"move","table":"items","id":"in2","realm":"A","to":"B"})", {"A", "B"});
  const Data answer = s.Pull(2, 1);
  CHECK(Short(answer) == "delete items/in2, leave items/other");
}

TEST_CASE("a sub-select: own changes of inner rows are reduced, what follows is sent") {
  Joined s;
  const Data update = s.anna.Make("[" + Item("update", "in", R"({"u":8})") + "]");
  s.anna.Send(update);
  CHECK(Short(s.Pull(1, 1, 0, {update["id"]})) ==
        "leave items/o1, leave items/o2, create items/other");
  const Data both = s.anna.Make("[" + Item("update", "o1", R"({"n":3})") + "," +
                                Item("update", "in", R"({"u":3})") + "]");
  s.anna.Send(both);
  // The client held no o1 to update.
  CHECK(Short(s.Pull(2, 1, 0, {both["id"]})) == "create items/o1, leave items/other");
}

TEST_CASE("a sub-select: no page of its scope before the inner scope is filled") {
  Joined s;
  const auto fills = [&](const char* outer, const char* inner) {
    std::string scopes = kJoined;
    scopes.replace(scopes.rfind("true"), 4, inner);
    scopes.replace(scopes.find("\"filled\":true") + 9, 4, outer);
    const Data answer = s.Pull(1, 1, 0, {}, scopes);
    std::string text = answer["more"].as_bool() ? "more:" : "all:";
    for (const Data& fill : answer["fills"].items())
      text += " " + fill["where"].items()[0].as_string();
    return text;
  };
  s.world.reads.page_rows = 10;
  CHECK(fills("false", "false") == "more: =");
  CHECK(fills("\"o1\"", "\"a\"") == "more: =");
  CHECK(fills("false", "true") == "all: in");
}

TEST_CASE("a sub-select: its scope begins again where too many rows depend on inner rows") {
  Joined s;
  s.Do(Item("update", "in", R"({"u":8})"));
  s.Do(Item("update", "in", R"({"u":7})"));
  const auto refilled = [](const Data& answer) { return answer["refill"].items().size(); };
  CHECK(refilled(s.Pull(1, 1, 1)) == 0);
  s.world.reads.most_to_head = 0;
  // Both scopes are of this table, whose changes are left out.
  CHECK(refilled(s.Pull(1, 1, 1)) == 2);
  CHECK(refilled(s.Pull(1, 1)) == 0);
  s.world.reads.most_candidates = 0;
  s.Do(Item("update", "in", R"({"u":8})"));
  const Data answer = s.Pull(1, 1);
  CHECK(refilled(answer) == 2);
  CHECK(Short(answer) == "");
  CHECK(answer["cursors"] == Json(At(s.world, 4, 1)));
}

TEST_CASE("a sub-select: its scope begins again when inner changes are left out") {
  PulledScenery s;
  s.world.Grant("bob", "A", "write");
  const char* scopes =
      R"([{"table":"members","where":["in","group",{"table":"groups","select":"id","where":["=","name","g"]}],"filled":true},
          {"table":"groups","where":["=","name","g"],"filled":true}])";
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"update","table":"groups","id":"g","realm":"A","set":{"name":"h"}}])")) ==
          "applied");
  // The entry touches no member.
  s.world.reads.omitted.insert("A");
  const Data answer =
      s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {}, scopes).Set("refill", true));
  CHECK(answer["refill"].items().size() == 2);
  CHECK(Short(answer) == "");
}

TEST_CASE("a chain of sub-selects begins again from the table that is left out") {
  // Each table of the chain is selected by the one before it.
  const std::string chain[] = {"people", "items", "members", "groups"};
  const auto join = [](const char* table, const char* prop, const char* inner, const char* select) {
    return std::string(R"({"table":")") + table + R"(","where":["in",")" + prop +
           R"(",{"table":")" + inner + R"(","select":")" + select + R"("}],"filled":true})";
  };
  Vector<std::string> joins = {join("people", "name", "items", "note"),
                               join("items", "note", "members", "id"),
                               join("members", "group", "groups", "id")};
  std::sort(joins.begin(), joins.end());
  // (A change of a member touches its group, too.)
  const std::pair<size_t, const char*> changes[] = {
      {0, R"({"op":"update","table":"people","id":"p","realm":"A","set":{"name":"new"}})"},
      {1, R"({"op":"update","table":"items","id":"x","realm":"A","set":{"n":9}})"},
      {3, R"({"op":"update","table":"groups","id":"g","realm":"A","set":{"name":"h"}})"},
  };
  do {
    std::string scopes = "[" + joins[0] + "," + joins[1] + "," + joins[2];
    for (const std::string& table : chain)
      scopes += R"(,{"table":")" + table + R"(","filled":true})";
    scopes += "]";
    for (const auto& [changed, op] : changes) {
      PulledScenery s;
      REQUIRE(
          Status(s.bob.Push(
              R"([{"op":"create","table":"people","id":"p","realm":"A","set":{"name":"p","email":"p"}}])")) ==
          "applied");
      REQUIRE(Status(s.bob.Push("[" + std::string(op) + "]")) == "applied");
      s.world.reads.omitted.insert("A");
      const Data answer =
          s.world.Pull("anna", Request("c1", At(s.world, 2, 1), {}, scopes).Set("refill", true));
      std::set<std::string> again;
      for (const Data& scope : answer["refill"].items()) again.insert(scope["table"].as_string());
      CAPTURE(scopes);
      CAPTURE(chain[changed]);
      CHECK(again == std::set<std::string>(chain, chain + changed + 1));
      CHECK(Short(answer) == "");
    }
  } while (std::next_permutation(joins.begin(), joins.end()));
}

}  // namespace
}  // namespace skerry::authority_test
