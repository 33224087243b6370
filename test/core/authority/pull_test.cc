// Goal: the answer to a pull is diff(F, E), realm by realm (docs/design.md, "The answer to a
// pull"). Method: one case for each rule. Random histories are in history_test.cc, fills in
// fill_test.cc.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

TEST_CASE("confirms own updates with revision and time, and does not send them back") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}},
      {"op":"create","table":"items","id":"y","realm":"A","set":{"n":3}},{"op":"inc","table":"items","id":"y","realm":"A","add":{"n":1}}])");
  const Data result = s.anna.Send(update);
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]}));
  CHECK(Short(answer) == "");
  const Data& own = answer["own"][update["id"].as_string()]["A"];
  CHECK(own["revision"].as_u64() == 2);
  CHECK(own["at"] == result["at"]);
  CHECK(answer["cursors"] == Json(At(s.world, 2, 1)));
  CHECK_FALSE(answer["more"].as_bool());
}

TEST_CASE("repeats in `own` which objects were deleted at once with their parent") {
  PulledScenery s;
  REQUIRE(Status(s.bob.Push(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])")) ==
          "applied");
  const Data update = s.anna.Make(
      R"([{"op":"create","table":"members","id":"n","realm":"A","set":{"group":"g"}}])");
  s.anna.Send(update);
  const std::string id = update["id"].as_string();
  const Data with = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]}));
  CHECK(with["own"][id]["A"]["gone"] == Json("[0]"));
  const Data without = s.world.Pull("anna", Request("c1", At(s.world, 1, 1)));
  CHECK(without["own"][id]["A"]["gone"] == Json("[0]"));
}

TEST_CASE("reduces only updates in this request's `have`; others come in full") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":4}}])");
  s.anna.Send(update);
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1)));
  CHECK(Short(answer) == "update items/x");
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"n":5})"));
  CHECK(answer["own"].members().size() == 1);
}

TEST_CASE("sends the server's version of what differs, and omits identical props") {
  PulledScenery s;
  const Data update = s.anna.Make(
      R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2,"note":"mine"}}])");
  s.anna.Send(update);
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2,"note":"his"}}])")) ==
      "applied");
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]}));
  REQUIRE(Short(answer) == "update items/x");
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"note":"his"})"));
  CHECK(answer["changes"].items()[0]["revision"].as_u64() == 3);
}

TEST_CASE("sends cascades, touches and deleted children to the author, too") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"create","table":"logs","id":"l","realm":"A","set":{"member":"m"}}])");
  s.anna.Send(update);
  Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]}));
  CHECK(Short(answer) == "update groups/g, update members/m");
  CHECK(answer["changes"].items()[0]["set"].members().empty());
  const Data removal = s.anna.Make(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])");
  s.anna.Send(removal);
  answer = s.world.Pull("anna", Request("c1", At(s.world, 2, 1), {removal["id"]}));
  CHECK(Short(answer) == "delete members/m, delete logs/l");
  const Data late = s.anna.Make(
      R"([{"op":"create","table":"members","id":"m2","realm":"A","set":{"group":"g"}}])");
  s.anna.Send(late);
  answer = s.world.Pull("anna", Request("c1", At(s.world, 3, 1), {late["id"]}));
  CHECK(Short(answer) == "delete members/m2");
}

TEST_CASE("sends several changes of one object as one, and none of one that came and went") {
  PulledScenery s;
  for (const char* ops : {R"([{"op":"create","table":"items","id":"t","realm":"A","set":{}}])",
                          R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":7}}])",
                          R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":1}}])",
                          R"([{"op":"delete","table":"items","id":"t","realm":"A"}])"}) {
    REQUIRE(Status(s.bob.Push(ops)) == "applied");
  }
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1)));
  REQUIRE(Short(answer) == "update items/x");
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"n":8})"));
}

TEST_CASE("shows no later change in a range that ends before the head") {
  PulledScenery s;
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}}])")) ==
          "applied");
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":3,"note":"later"}}])")) ==
      "applied");
  REQUIRE(Status(s.bob.Push(R"([{"op":"delete","table":"items","id":"x","realm":"A"}])")) ==
          "applied");
  Data request = Request("c1", At(s.world, 1, 1));
  request.Set("limit", 1);
  Data answer = s.world.Pull("anna", request);
  CHECK(Short(answer) == "update items/x");
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"n":2})"));
  CHECK(answer["cursors"]["A"].as_string() == s.world.cursor("A", 2));
  CHECK(answer["more"].as_bool());
  request.Set("cursors", answer["cursors"]).Set("limit", 2);
  answer = s.world.Pull("anna", request);
  CHECK(Short(answer) == "delete items/x");
  CHECK_FALSE(answer["more"].as_bool());
}

TEST_CASE("names the requested actions that the log holds up to the answer's cursors") {
  PulledScenery s;
  const Data update =
      s.bob.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}}])");
  REQUIRE(Status(s.bob.Send(update)) == "applied");
  const Data second =
      s.bob.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":3}}])");
  REQUIRE(Status(s.bob.Send(second)) == "applied");
  const std::string first_id = update["actions"].items()[0]["id"].as_string();
  const std::string second_id = second["actions"].items()[0]["id"].as_string();
  Data request = Request("c1", At(s.world, 1, 1));
  CHECK(s.world.Pull("anna", request).Find("known") == nullptr);
  request.Set("known", Data(Data::Array{first_id, second_id, "of another history"}));
  request.Set("limit", 1);
  Data known = s.world.Pull("anna", request)["known"];
  CHECK(known.members().size() == 1);
  CHECK(known[first_id] == Json(R"({"A":2})"));
  request.Set("limit", 100);
  known = s.world.Pull("anna", request)["known"];
  CHECK(known.members().size() == 2);
  CHECK(known[second_id] == Json(R"({"A":3})"));
  // Also below the cursor, and in a realm that comes as new.
  request.Set("cursors", Json(At(s.world, 3, 1)));
  CHECK(s.world.Pull("anna", request)["known"].members().size() == 2);
  request.Set("cursors", Json("{}"));
  CHECK(s.world.Pull("anna", request)["known"].members().size() == 2);
}

TEST_CASE("sends objects that enter a scope whole, and says of others that they leave it") {
  PulledScenery s;
  const char* scope = R"([{"table":"items","where":[">=","n",5],"filled":true}])";
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":5}}])")) ==
          "applied");
  Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {}, scope));
  REQUIRE(Short(answer) == "create items/x");
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"n":5,"note":"old"})"));
  REQUIRE(
      Status(s.bob.Push(R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":-1}}])")) ==
      "applied");
  answer = s.world.Pull("anna", Request("c1", At(s.world, 2, 1), {}, scope));
  CHECK(Short(answer) == "leave items/x");
  const Data update =
      s.anna.Make(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":1}}])");
  s.anna.Send(update);
  answer = s.world.Pull("anna", Request("c1", At(s.world, 3, 1), {update["id"]}, scope));
  CHECK(Short(answer) == "leave items/y");
  // Left and then deleted, in one range: it was deleted.
  REQUIRE(Status(s.bob.Push(
              R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":7}}])")) ==
          "applied");
  REQUIRE(Status(s.bob.Push(R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":-4}},
              {"op":"delete","table":"items","id":"x","realm":"A"}])")) == "applied");
  answer = s.world.Pull("anna", Request("c1", At(s.world, 5, 1), {}, scope));
  CHECK(Short(answer) == "delete items/x");
}

TEST_CASE("fills `own` independently of scopes, also for `have` at or below the cursor") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}}])");
  s.anna.Send(update);
  Data answer = s.world.Pull("anna", Request("c1", At(s.world, 2, 1), {update["id"]}, "[]"));
  CHECK(answer["own"][update["id"].as_string()]["A"]["revision"].as_u64() == 2);
  CHECK(Short(answer) == "");
  // Also under another identity: an outbox record keeps the identity under which it was grouped.
  answer = s.world.Pull("anna", Request("c9", At(s.world, 1, 1), {update["id"]}, "[]"));
  CHECK(answer["own"].members().size() == 1);
}

TEST_CASE("confirms an own update at or below the cursor without a change") {
  PulledScenery s;
  const Data update = s.anna.Make(
      R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":4}},{"op":"inc","table":"items","id":"b","realm":"B","add":{"n":4}}])",
      {"A", "B"});
  s.anna.Send(update);
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 2, 1), {update["id"]}));
  CHECK(answer["own"][update["id"].as_string()].members().size() == 2);
  CHECK(Short(answer) == "");
}

TEST_CASE("sends a move to readers of both realms, a delete or create to readers of one") {
  PulledScenery s;
  s.world.Grant("bea", "A", "read");
  s.world.Grant("carl", "B", "read");
  const std::string before = At(s.world, 1, 1);
  REQUIRE(Status(s.bob.Push(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}},
      {"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                            {"A", "B"})) == "applied");
  Data answer = s.world.Pull("anna", Request("c1", before));
  REQUIRE(Short(answer) == "move items/x");
  const Data& move = answer["changes"].items()[0];
  CHECK(move["realm"].as_string() == "A");
  CHECK(move["to"].as_string() == "B");
  CHECK(move["set"] == Json(R"({"n":2})"));
  CHECK(move["revision"].as_u64() == 2);
  answer = s.world.Pull("bea", Request("c3", R"({"A":")" + s.world.cursor("A", 1) + "\"}"));
  CHECK(Short(answer) == "delete items/x");
  CHECK(WriteJson(answer).find("\"B\"") == std::string::npos);
  answer = s.world.Pull("carl", Request("c4", R"({"B":")" + s.world.cursor("B", 1) + "\"}"));
  CHECK(Short(answer) == "create items/x");
  CHECK(WriteJson(answer).find("\"A\"") == std::string::npos);
}

TEST_CASE("a row that moves out of scope leaves; one that moves out of sight is deleted") {
  PulledScenery s;
  const std::string id = Id(7);
  const auto op = [&](const char* kind, const std::string& more) {
    return R"({"op":")" + std::string(kind) + R"(","table":"boxes","id":")" + id +
           R"(","realm":"A",)" + more + "}";
  };
  REQUIRE(Status(s.anna.Push("[" + op("create", R"("set":{"n":1})") + "]")) == "applied");
  const std::string before = At(s.world, 2, 1);
  REQUIRE(Status(s.anna.Push(
              "[" + op("update", R"("set":{"n":2})") + "," + op("move", R"("to":"B")") + "]",
              {"A", "B"})) == "applied");
  const char* scopes = R"([{"table":"boxes","where":["=","n",1],"filled":true}])";
  const auto pull = [&] { return Short(s.world.Pull("anna", Request("c9", before, {}, scopes))); };
  CHECK(pull() == "leave boxes/" + id);
  s.world.Grant("anna", "B", "none");
  CHECK(pull() == "delete boxes/" + id);
}

TEST_CASE("sends the moved row whole to its author, whose own fold removed it") {
  PulledScenery s;
  const Data update =
      s.anna.Make(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])", {"A", "B"});
  s.anna.Send(update);
  const Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1), {update["id"]}));
  CHECK(Short(answer) == "create items/x");
  CHECK(answer["own"][update["id"].as_string()].members().size() == 2);
}

TEST_CASE("puts an entry that spans realms into all ranges or into none") {
  PulledScenery s;
  for (int i = 0; i < 3; ++i)
    REQUIRE(Status(s.bob.Push(
                R"([{"op":"inc","table":"items","id":"b","realm":"B","add":{"n":1}}])", {"B"})) ==
            "applied");
  REQUIRE(Status(s.bob.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                            {"A", "B"})) == "applied");
  s.world.reads.most_entries["B"] = 2;
  Data answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 1)));
  CHECK(answer["cursors"] == Json(At(s.world, 1, 3)));  // A waits for B
  CHECK(Short(answer) == "update items/b");
  CHECK(answer["more"].as_bool());
  answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 3)));
  CHECK(answer["cursors"] == Json(At(s.world, 2, 5)));
  CHECK(Short(answer) == "move items/x, update items/b");
  // If one realm's cursor has passed the entry already, the other realm advances alone.
  answer = s.world.Pull("anna", Request("c1", At(s.world, 1, 5)));
  CHECK(answer["cursors"] == Json(At(s.world, 2, 5)));
  CHECK(Short(answer) == "delete items/x");
}

TEST_CASE("revokes realms without the right to read, existing or not, without details") {
  PulledScenery s;
  s.world.Grant("bea", "A", "read");
  const Data answer = s.world.Pull(
      "bea", Request("c3", R"({"A":")" + s.world.cursor("A", 1) + R"(","B":"1@5","never":"1@5"})"));
  CHECK(answer["revoked"] == Json(R"(["B","never"])"));
  CHECK(answer["cursors"].members().size() == 1);
  CHECK(Short(answer) == "");
}

TEST_CASE("rejects wrong requests with a code") {
  AuthorityWorld world;
  const auto code = [&](const char* request) {
    return world.Pull("anna", Json(request))["error"]["code"].as_string();
  };
  CHECK(code(R"({"client":"c","cursors":{"A":"x"},"scopes":[]})") == "invalid");
  CHECK(code(R"({"client":"c","cursors":{"A":"99999999999999999999@1"},"scopes":[]})") ==
        "invalid");
  CHECK(code(R"({"cursors":{},"scopes":[]})") == "invalid");
  CHECK(code(R"({"client":"c","cursors":{}})") == "invalid");
  CHECK(code(R"({"client":"c","cursors":{},"scopes":[{"table":"nothing"}]})") == "unknown_table");
  // A client of another version of the application may know that table.
  CHECK(code(R"({"client":"c","schema":99,"cursors":{},"scopes":[{"table":"nothing"}]})").empty());
  CHECK(
      code(
          R"({"client":"c","cursors":{},"scopes":[{"table":"items","where":["=","nothing",1]}]})") ==
      "unknown_prop");
  CHECK(code(R"({"client":"c","cursors":{},"scopes":[{"table":"items","filled":3}]})") ==
        "invalid");
  CHECK(
      code(
          R"({"client":"c","cursors":{},"scopes":[{"table":"members","where":["in","group",{"table":"groups","select":"nothing"}]}]})") ==
      "unknown_prop");
  // A sub-select within a sub-select.
  CHECK(
      code(
          R"({"client":"c","cursors":{},"scopes":[{"table":"logs","where":["in","member",{"table":"members","select":"id","where":["in","group",{"table":"groups","select":"id"}]}]}]})") ==
      "invalid");
}

TEST_CASE("delays moves that depend on a cut range, through every realm between") {
  AuthorityWorld world;
  world.AddRealm("C");
  world.Grant("anna", "C", "write");
  Author anna(&world, "c1");
  const char* create = R"([{"op":"create","table":"items","id":"%","realm":"%","set":{}}])";
  for (const char* realm : {"A", "B", "C"}) {
    std::string ops = create;
    for (size_t at = ops.find('%'); at != std::string::npos; at = ops.find('%')) {
      ops.data()[at] = realm[0];
    }
    REQUIRE(Status(anna.Push(ops, {realm})) == "applied");
  }
  REQUIRE(Status(anna.Push(R"([{"op":"move","table":"items","id":"B","realm":"B","to":"C"}])",
                           {"B", "C"})) == "applied");
  REQUIRE(Status(anna.Push(R"([{"op":"move","table":"items","id":"A","realm":"A","to":"B"}])",
                           {"A", "B"})) == "applied");
  Data cursors = Data::MakeObject();
  for (const char* realm : {"A", "B", "C"}) cursors.Set(realm, world.cursor(realm, 1));
  // Nothing of C is sent. So B stays before its move to C, and A before its move to B.
  world.reads.most_entries["C"] = 0;
  const Data answer = world.Pull("anna", Request("c2", WriteJson(cursors)));
  CHECK(answer["cursors"] == cursors);
  CHECK(Short(answer) == "");
  world.reads.most_entries.clear();
  const Data whole = world.Pull("anna", Request("c2", WriteJson(cursors)));
  CHECK(whole["cursors"]["A"] == Data(world.cursor("A", 2)));
  CHECK(whole["cursors"]["B"] == Data(world.cursor("B", 3)));
}

}  // namespace
}  // namespace skerry::authority_test
