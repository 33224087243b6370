// Goal: where the changes of a range are too large to send, the answer names the scopes to be
// filled again, and the cursor passes the range. Method: one case for each rule. Random histories
// are in test/core/model_check.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

Data Knowing(Data request) { return request.Set("refill", true); }

// Tables of the scopes that the answer unfills.
std::string Refilled(const Data& answer) {
  std::string text = answer.Find("refill") ? "" : "none";
  for (const Data& scope : answer["refill"].items()) text += scope["table"].as_string() + " ";
  return text;
}

// An entry of two tables in A, which is too large to send, and one in B, after the client's
// cursors.
struct TooMuch : PulledScenery {
  TooMuch() {
    REQUIRE(Status(bob.Push(
                R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"note":"new"}},
      {"op":"delete","table":"groups","id":"g","realm":"A"}])")) == "applied");
    REQUIRE(Status(bob.Push(R"([{"op":"update","table":"items","id":"b","realm":"B","set":{"n":5}},
      {"op":"create","table":"people","id":"p","realm":"B","set":{"name":"p","email":"p"}}])",
                            {"B"})) == "applied");
    world.reads.omitted.insert("A");
  }
  Data Pull(std::string_view scopes = kAllTables, const Data::Array& have = {}) {
    return world.Pull("anna", Knowing(Request("c1", At(world, 1, 1), have, scopes)));
  }
};

TEST_CASE("passes an entry too large to send, and unfills every scope of its tables") {
  TooMuch s;
  const Data answer = s.Pull();
  // The group's members were deleted with it.
  CHECK(Refilled(answer) == "groups members items ");
  CHECK(answer["refill"].items()[0]["where"] == Json(R"(["true"])"));
  CHECK(answer["cursors"] == Json(At(s.world, 2, 2)));
  CHECK(answer["more"].as_bool());
}

TEST_CASE("unfills all scopes of a table that have begun to fill, and no others") {
  TooMuch s;
  const Data answer = s.Pull(
      R"([{"table":"items","where":["=","n",1],"filled":true},{"table":"items","where":["=","n",2],"filled":"k"},
          {"table":"items","where":["=","n",3],"filled":false},{"table":"cities","filled":true}])");
  CHECK(Refilled(answer) == "items items ");
  CHECK(answer["refill"].items()[1]["where"] == Json(R"(["=","n",2])"));
}

TEST_CASE("sends no changes of tables that are filled again, and all of the other tables") {
  TooMuch s;
  CHECK(Short(s.Pull()) == "create people/p");
}

TEST_CASE("passes an entry of tables without scopes, and unfills nothing") {
  TooMuch s;
  const Data answer = s.Pull(R"([{"table":"people","filled":true}])");
  CHECK(Refilled(answer) == "");
  CHECK(Short(answer) == "create people/p");
  CHECK(answer["cursors"] == Json(At(s.world, 2, 2)));
}

TEST_CASE("sends no page with an answer that unfills scopes") {
  TooMuch s;
  const Data answer =
      s.Pull(R"([{"table":"items","filled":true},{"table":"people","filled":false}])");
  CHECK(answer["fills"].items().empty());
  CHECK(answer["more"].as_bool());
}

TEST_CASE("sends objects of own updates in an entry too large to send whole, or deleted") {
  PulledScenery s;
  const Data update = s.anna.Make(
      R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}},
      {"op":"create","table":"items","id":"y","realm":"A","set":{"n":3}},{"op":"delete","table":"groups","id":"g","realm":"A"}])");
  s.anna.Send(update);
  s.world.reads.omitted.insert("A");
  const Data answer =
      s.world.Pull("anna", Knowing(Request("c1", At(s.world, 1, 1), {update["id"]})));
  CHECK(Refilled(answer) == "groups members items ");
  CHECK(Short(answer) == "delete groups/g, create items/x, create items/y");
  CHECK(answer["changes"].items()[1]["set"] == Json(R"({"n":2,"note":"old"})"));
  CHECK(answer["own"][update["id"].as_string()]["A"]["revision"].as_u64() == 2);
}

TEST_CASE("names own updates and unfills all begun scopes when it can send nothing") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":3}}])");
  s.anna.Send(update);
  s.world.reads.omitted = {"A", "B"};
  s.world.reads.omits_all = true;
  const Data answer =
      s.world.Pull("anna", Knowing(Request("c1", At(s.world, 1, 1), {update["id"]})));
  CHECK(Refilled(answer) == "groups members people countries cities items logs boxes ");
  CHECK(Short(answer) == "");
  CHECK(answer["own"][update["id"].as_string()]["A"]["revision"].as_u64() == 2);
  CHECK(answer["cursors"] == Json(At(s.world, 2, 1)));
}

// A realm that anna has founded, at revision 1, with an item.
struct Founded : PulledScenery {
  const std::string realm = Id(7);
  Founded() {
    world.AddRealm(realm);
    REQUIRE(Status(anna.Push("[" + Invite("anna", "owner") + "," + Item("z") + "]", {realm})) ==
            "applied");
    world.Grant("anna", realm, "own");
  }
  std::string Op(const char* kind, const char* table, const std::string& id,
                 const std::string& set) const {
    return std::string(R"({"op":")") + kind + R"(","table":")" + table + R"(","id":")" + id +
           R"(","realm":")" + realm + R"(","set":)" + set + "}";
  }
  std::string Invite(const std::string& user, const std::string& role) const {
    return Op("create", "$members", realm + "/" + user,
              R"({"user":")" + user + R"(","role":")" + role + R"("})");
  }
  std::string Item(const char* id) const { return Op("create", "items", id, R"({"n":1})"); }
  Data Pull(uint64_t from) {
    const std::string cursors =
        WriteJson(Json(At(world, 1, 1)).Set(realm, world.cursor(realm, from)));
    return world.Pull("anna", Knowing(Request("c1", cursors)));
  }
};

TEST_CASE("sends the members of a realm even when it can send nothing else") {
  Founded s;
  REQUIRE(Status(s.anna.Push("[" + s.Invite("bo", "writer") + "," + s.Item("y") + "]",
                             {s.realm})) == "applied");
  s.world.reads.omitted = {"A", "B", s.realm};
  for (const bool omits_all : {false, true}) {
    s.world.reads.omits_all = omits_all;
    // A client that knows nothing of the realm, and one that has its first entry.
    const Data fresh = s.Pull(0);
    CHECK(Short(fresh) ==
          "create $members/" + s.realm + "/anna, create $members/" + s.realm + "/bo");
    CHECK(fresh["cursors"][s.realm].as_string() == s.world.cursor(s.realm, 2));
    const Data later = s.Pull(1);
    CHECK(Short(later) == "create $members/" + s.realm + "/bo");
    CHECK(later["cursors"][s.realm].as_string() == s.world.cursor(s.realm, 2));
    CHECK(Refilled(later).find("$members") == std::string::npos);
  }
}

TEST_CASE("has more while realms that are new to the client wait for the next answer") {
  PulledScenery s;
  const char* scopes = R"([{"table":"items","filled":true},{"table":"groups","filled":false}])";
  Data request = Request("c1", At(s.world, 1, 1), {}, scopes);
  request.Set("partial", true);
  const Data answer = s.world.Pull("anna", request);
  CHECK(answer["more"].as_bool());
  // A page would say that it is of all realms that the user may read.
  CHECK(answer["fills"].items().empty());
}

TEST_CASE("sends a move in neither realm when one of them is not sent") {
  PulledScenery s;
  REQUIRE(Status(s.bob.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                            {"A", "B"})) == "applied");
  s.world.reads.omitted.insert("B");
  const Data answer = s.world.Pull("anna", Knowing(Request("c1", At(s.world, 1, 1))));
  CHECK(Refilled(answer) == "items ");
  CHECK(Short(answer) == "");
  CHECK(answer["cursors"] == Json(At(s.world, 2, 2)));
}

TEST_CASE("deletes the author's moved row when neither realm is sent; a page brings it") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])", {"A", "B"});
  s.anna.Send(update);
  s.world.reads.omitted = {"A", "B"};
  const Data answer =
      s.world.Pull("anna", Knowing(Request("c1", At(s.world, 1, 1), {update["id"]})));
  CHECK(Short(answer) == "delete items/x");
}

TEST_CASE("unfills nothing for an entry that waits for its other realms") {
  PulledScenery s;
  REQUIRE(Status(s.bob.Push(R"([{"op":"inc","table":"items","id":"b","realm":"B","add":{"n":1}}])",
                            {"B"})) == "applied");
  REQUIRE(Status(s.bob.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                            {"A", "B"})) == "applied");
  s.world.reads.omitted.insert("A");
  s.world.reads.most_entries["B"] = 1;
  const Data answer = s.world.Pull("anna", Knowing(Request("c1", At(s.world, 1, 1))));
  CHECK(Refilled(answer) == "none");
  CHECK(Short(answer) == "update items/b");
  CHECK(answer["cursors"] == Json(At(s.world, 1, 2)));
  CHECK(answer["more"].as_bool());
}

TEST_CASE("answers `gone` to a client that does not understand `refill`") {
  TooMuch s;
  CHECK(s.world.Pull("anna", Request("c1", At(s.world, 1, 1)))["gone"].as_bool());
}

TEST_CASE("unfills scopes for a new or reset realm that is too large to send whole") {
  PulledScenery s;
  const std::string seen = s.world.cursor("B", 1);
  for (const bool is_counted : {true, false}) {
    // By the number of rows, which the authority counts, or by their bytes, which the server
    // counts.
    s.world.rows_for_image = is_counted ? kMaxWholeRealmRows + 1 : 0;
    s.world.reads.omitted.clear();
    if (!is_counted) s.world.reads.omitted.insert("A");
    for (const char* from : {"", R"("A":"1@999",)"}) {
      const std::string cursors = "{" + std::string(from) + R"("B":")" + seen + "\"}";
      const Data answer = s.world.Pull(
          "anna", Knowing(Request(
                      "c1", cursors, {},
                      R"([{"table":"items","filled":true},{"table":"people","filled":false}])")));
      CHECK(Refilled(answer) == "items ");
      CHECK(Short(answer) == "");
      CHECK(answer["cursors"] == Json(At(s.world, 1, 1)));
      CHECK(answer["reset"].items().size() == (*from ? 1 : 0));
      CHECK(answer["more"].as_bool());
    }
  }
}

TEST_CASE("sends in pages what was not sent before, and what has changed since") {
  TooMuch s;
  std::string cursors = WriteJson(s.Pull(R"([{"table":"items","filled":true}])")["cursors"]);
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"create","table":"items","id":"y","realm":"A","set":{}},
      {"op":"update","table":"items","id":"x","realm":"A","set":{"n":8}}])")) == "applied");
  s.world.reads.omitted.clear();
  s.world.reads.page_rows = 5;
  const Data answer = s.world.Pull(
      "anna", Knowing(Request("c1", cursors, {}, R"([{"table":"items","filled":false}])")));
  CHECK(Refilled(answer) == "none");
  CHECK(answer["fills"].items()[0]["ids"] == Json(R"(["b","x","y"])"));
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"n":8,"note":"new"})"));
  CHECK_FALSE(answer["more"].as_bool());
}

TEST_CASE("sends a page that does not fit into an answer with the next one") {
  PulledScenery s;
  s.world.reads.pages_left_out.insert("groups");
  const char* scopes = R"([{"table":"groups","filled":false},{"table":"items","filled":false}])";
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {}, scopes));
  REQUIRE(answer["fills"].items().size() == 1);
  CHECK(answer["fills"].items()[0]["table"].as_string() == "items");
  CHECK(answer["more"].as_bool());
}

TEST_CASE("counts an entry's bytes by its rows before and after, or by its ops") {
  PulledScenery s;
  const std::string note(1000, 'n');
  const auto bytes_of = [&](std::string_view ops) {
    REQUIRE(Status(s.bob.Push(ops)) == "applied");
    return s.world.entries().back()["bytes"].as_u64();
  };
  const uint64_t made = bytes_of(
      std::string(R"([{"op":"create","table":"items","id":"l","realm":"A","set":{"note":")") +
      note + "\"}}]");
  CHECK(made > 1000);
  CHECK(made < 2000);
  // Both versions of the row, though the op is short.
  const uint64_t changed =
      bytes_of(R"([{"op":"inc","table":"items","id":"l","realm":"A","add":{"n":1}}])");
  CHECK(changed > 2000);
  CHECK(changed < 3000);
  // Nothing is changed, but the author's pull reads the ops.
  const uint64_t noop = bytes_of(
      std::string(R"([{"op":"update","table":"items","id":"l","realm":"A","set":{"note":")") +
      note + "\"}}]");
  CHECK(noop > 1000);
  CHECK(noop < 3000);
}

}  // namespace
}  // namespace skerry::authority_test
