// Goal: admission applies an update whole or not at all, in the realm where each row really is,
// under the author's rights there, and writes everything that follows from it. Method: updates
// pushed into a small world (world.h), one rule at a time.
#include <doctest/doctest.h>

#include <string>

#include "authority/admission_json.h"
#include "base/json.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

TEST_CASE("gives rows, entries, changes, actions and heads for an applied update") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const Data update = one.Make(
      R"([{"op":"create","table":"cities","id":"x","realm":"A","set":{"name":"Åre","population":5}}])");
  const Data result = one.Send(update);
  CHECK(Status(result) == "applied");
  CHECK(result["revisions"] == Json(R"({"A":1})"));
  CHECK(result["at"].as_number() == world.now);
  const Data row = world.Row("cities", "x");
  CHECK(row["props"] == Json(R"({"name":"Åre","population":5})"));
  CHECK(row["createdAt"].as_number() == world.now);
  CHECK(row["revision"].as_u64() == 1);
  const Data& entry = world.entries()[0];
  CHECK(entry["ops"] == update["ops"]);
  CHECK(entry["actions"] == update["actions"]);
  CHECK(entry["declared"].as_bool());
  CHECK(entry["answer"] == result);
  CHECK(entry["tables"] == Json(R"(["cities"])"));
  CHECK(world.changes()[0]["before"].is_null());
  REQUIRE(
      Status(one.Push(
          R"([{"op":"update","table":"cities","id":"x","realm":"A","set":{"population":null}}])")) ==
      "applied");
  CHECK(world.changes()[1]["before"] == row);
  CHECK(world.last_done()["heads"].items()[0]["head"].as_u64() == 2);
  CHECK(world.last_done()["actions"].items().size() == 1);
}

TEST_CASE("increases `at` with each commit although the clock stands still") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  const char* create = R"([{"op":"create","table":"items","id":"x","realm":"A","set":{}}])";
  const double first = one.Push(create)["at"].as_number();
  world.now -= 1000;
  const Data results =
      world.Commit({{"c1", "anna", {one.Make(create)}}, {"c2", "anna", {two.Make(create)}}});
  const double second = results.items()[0].items()[0]["at"].as_number();
  CHECK(second > first);
  CHECK(results.items()[1].items()[0]["at"].as_number() == second);
  CHECK(results.items()[1].items()[0]["revisions"]["A"].as_u64() == 3);
}

TEST_CASE("logs every admitted update, with or without effects, and names its noops") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const Data result =
      one.Push(R"([{"op":"update","table":"items","id":"gone","realm":"A","set":{"n":1}},
      {"op":"create","table":"items","id":"x","realm":"A","set":{}},
      {"op":"delete","table":"items","id":"gone","realm":"A"}])");
  CHECK(result["noops"] == Json("[0,2]"));
  CHECK(Status(one.Push(R"([{"op":"delete","table":"items","id":"gone","realm":"A"}])")) ==
        "applied");
  CHECK(world.head("A") == 2);
  CHECK(world.changes().size() == 1);
}

TEST_CASE("merges two creates of one id; a delete wins over a later update") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  REQUIRE(
      Status(one.Push(
          R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":1,"note":"a"}}])")) ==
      "applied");
  REQUIRE(
      Status(two.Push(R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":2}}])")) ==
      "applied");
  CHECK(world.Row("items", "x")["props"] == Json(R"({"n":2,"note":"a"})"));
  REQUIRE(Status(one.Push(R"([{"op":"delete","table":"items","id":"x","realm":"A"}])")) ==
          "applied");
  CHECK(two.Push(
            R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":3}}])")["noops"] ==
        Json("[0]"));
  CHECK(world.Row("items", "x").is_null());
  CHECK(world.tombstone("items", "x")["deletedAt"].is_number());
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":4}}])")) ==
      "applied");
  CHECK(world.Row("items", "x")["props"] == Json(R"({"n":4})"));
}

TEST_CASE("applies an update whole or not at all, and names every op at fault") {
  AuthorityWorld world;
  Author one(&world, "c1");
  Data update = one.Make(R"([{"op":"create","table":"items","id":"x","realm":"A","set":{},"by":[0]},
      {"op":"create","table":"items","id":"y","realm":"A","set":{"n":"five"},"by":[1]},
      {"op":"create","table":"nothing","id":"z","realm":"A","set":{},"by":[0,1]}])");
  Data actions = update["actions"];
  Data second = actions.items()[0];
  second.Set("id", Id(999'999));
  actions.Push(second);
  update.Set("actions", actions);
  const Data result = one.Send(update);
  REQUIRE(Status(result) == "rejected");
  const Data::Array& rejected = result["rejected"].items();
  REQUIRE(rejected.size() == 2);
  CHECK(rejected[0]["op"].as_u64() == 1);
  CHECK(rejected[0]["code"].as_string() == "wrong_type");
  CHECK(rejected[0]["actions"] == Data(Data::Array{Data(Id(999'999))}));
  CHECK(rejected[1]["code"].as_string() == "unknown_table");
  CHECK(rejected[1]["actions"].items().size() == 2);
  CHECK(world.Row("items", "x").is_null());
  CHECK(world.head("A") == 0);
}

TEST_CASE("names at most a hundred ops in a rejection, because it is kept") {
  AuthorityWorld world;
  Author one(&world, "c1");
  std::string ops;
  for (int i = 0; i < 300; ++i) {
    ops += std::string(i ? "," : "") + R"({"op":"create","table":"items","id":"x)" +
           std::to_string(i) + R"(","realm":"A","set":{"u":1}})";
  }
  const Data result = one.Push("[" + ops + "]");
  CHECK(RejectCode(result) == "unique");
  CHECK(result["rejected"].items().size() == 100);
}

TEST_CASE("undoes everything that an update did when a rule fails at the end") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(R"([{"op":"create","table":"items","id":"p","realm":"A","set":{"u":1}},
      {"op":"create","table":"items","id":"c","realm":"A","set":{"parent":"p"}}])")) == "applied");
  const Data parent = world.Row("items", "p");
  const Data result = one.Push(R"([{"op":"delete","table":"items","id":"p","realm":"A"},
      {"op":"create","table":"items","id":"q","realm":"A","set":{"u":1}},
      {"op":"create","table":"items","id":"r","realm":"A","set":{"u":1}}])");
  CHECK(RejectCode(result) == "unique");
  CHECK(world.Row("items", "p") == parent);
  CHECK(world.last_done()["rows"].items().empty());
  CHECK_FALSE(world.Row("items", "c").is_null());
  // The next commit sees nothing of it.
  CHECK(
      Status(one.Push(R"([{"op":"update","table":"items","id":"c","realm":"A","set":{"n":1}}])")) ==
      "applied");
}

TEST_CASE("lets a unique value change hands within an update, and only once per realm") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(
      Status(one.Push(
          R"([{"op":"create","table":"people","id":"a","realm":"A","set":{"name":"a","email":"x@y"}}])")) ==
      "applied");
  CHECK(
      RejectCode(one.Push(
          R"([{"op":"create","table":"people","id":"b","realm":"A","set":{"name":"b","email":"x@y"}}])")) ==
      "unique");
  CHECK(
      Status(one.Push(
          R"([{"op":"create","table":"people","id":"b","realm":"A","set":{"name":"b","email":"x@y"}},
      {"op":"update","table":"people","id":"a","realm":"A","set":{"email":null}}])")) == "applied");
  CHECK(
      Status(one.Push(
          R"([{"op":"create","table":"people","id":"c","realm":"B","set":{"name":"c","email":"x@y"}}])",
          {"B"})) == "applied");
  const Data moved =
      one.Push(R"([{"op":"move","table":"people","id":"c","realm":"B","to":"A"}])", {"A", "B"});
  CHECK(RejectCode(moved) == "unique");
  CHECK(world.Row("people", "c")["realm"].as_string() == "B");
}

TEST_CASE("gives a unique value to the first of two updates of one commit") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  const Data results = world.Commit(
      {{"c1",
        "anna",
        {one.Make(R"([{"op":"create","table":"items","id":"a","realm":"A","set":{"u":5}}])")}},
       {"c2",
        "anna",
        {two.Make(R"([{"op":"create","table":"items","id":"b","realm":"A","set":{"u":5}}])")}}});
  CHECK(Status(results.items()[0].items()[0]) == "applied");
  CHECK(RejectCode(results.items()[1].items()[0]) == "unique");
}

TEST_CASE("fills the props that a create omits with their defaults") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
      {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g"}}])")) == "applied");
  CHECK(world.Row("members", "m")["props"]["role"].as_string() == "guest");
}

TEST_CASE("gives identical answers for unknown and forbidden realms, and keeps both") {
  AuthorityWorld world;
  world.AddRealm("secret");
  world.Grant("bea", "A", "read");
  const auto push = [&](const char* client, const std::string& realm) {
    Author author(&world, client, "bea");
    Data update = author.Make(
        R"([{"op":"create","table":"items","id":"x","realm":")" + realm + R"(","set":{}}])",
        {realm});
    Data result = author.Send(update);
    CHECK(author.Send(update) == result);
    CHECK(world.last_done()["chains"]
              .items()
              .empty());  // the second time there is nothing new to write
    result.Remove("id");
    Data rejected = result["rejected"].items()[0];
    rejected.Remove("actions");
    return rejected;
  };
  const Data secret = push("c1", "secret");
  CHECK(secret["code"].as_string() == "forbidden");
  CHECK(push("c2", "nowhere") == secret);
  CHECK(push("c3", "A") == secret);
}

TEST_CASE("applies an op in the row's actual realm, under its rights, and logs it in both") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":1}}])")) ==
      "applied");
  const Data stale =
      two.Make(R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":1}}])");
  REQUIRE(Status(one.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                          {"A", "B"})) == "applied");
  const Data result = two.Send(stale);
  CHECK(Status(result) == "applied");
  CHECK(result["revisions"] ==
        Json(R"({"A":3})"));  // B was not declared: no pull will confirm it there
  const Data& row = world.Row("items", "x");
  CHECK(row["realm"].as_string() == "B");
  CHECK(row["props"]["n"].as_u64() == 2);
  CHECK(row["revision"].as_u64() == 2);
  CHECK(world.head("A") == 3);
  CHECK(world.head("B") == 2);
  const Data& entry = world.entries().back();
  CHECK(entry["realm"].as_string() == "B");
  CHECK_FALSE(entry["declared"].as_bool());
  CHECK(entry["ops"].items().empty());
  CHECK(entry["spans"] == Json(R"({"A":3,"B":2})"));
}

TEST_CASE("treats a row as deleted in a hidden realm, as forbidden in a read-only one") {
  AuthorityWorld world;
  world.Grant("bea", "A", "write");
  Author anna(&world, "c1"), bea(&world, "c2", "bea");
  REQUIRE(Status(anna.Push(
              R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":1}}])")) ==
          "applied");
  REQUIRE(Status(anna.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                           {"A", "B"})) == "applied");
  const char* update = R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}}])";
  const char* of_deleted =
      R"([{"op":"update","table":"items","id":"never","realm":"A","set":{"n":2}}])";
  CHECK(bea.Push(update)["noops"] == bea.Push(of_deleted)["noops"]);
  world.Grant("bea", "B", "read");
  CHECK(RejectCode(bea.Push(update)) == "forbidden");
  CHECK(world.Row("items", "x")["props"]["n"].as_u64() == 1);
}

TEST_CASE("requires the right to write in both realms for a move") {
  AuthorityWorld world;
  world.Grant("bea", "A", "write");
  world.Grant("bea", "B", "read");
  Author bea(&world, "c1", "bea");
  REQUIRE(Status(bea.Push(R"([{"op":"create","table":"items","id":"x","realm":"A","set":{}}])")) ==
          "applied");
  CHECK(RejectCode(bea.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                            {"A", "B"})) == "forbidden");
  CHECK(world.Row("items", "x")["realm"].as_string() == "A");
}

TEST_CASE("asks for nothing of a realm that is hidden from the author") {
  AuthorityWorld world;
  Author anna(&world, "c1"), bea(&world, "c2", "bea");
  REQUIRE(Status(anna.Push(
              R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
                  {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g"}}])")) ==
          "applied");
  const char* erase = R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])";
  CHECK(RejectCode(bea.Push(erase)) == "forbidden");
  CHECK(world.last_rounds() == 1);
  // Of the other one it asks for the row and its children, which have children in turn.
  CHECK(Status(anna.Push(erase)) == "applied");
  CHECK(world.last_rounds() > 2);
}

TEST_CASE("rejects an edit with `if` only after another client's change, not after a touch") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  REQUIRE(Status(one.Push(
              R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}}])")) ==
          "applied");
  const char* edit =
      R"([{"op":"update","table":"groups","id":"g","realm":"A","set":{"name":"h"},"if":1}])";
  CHECK(Status(one.Push(edit)) == "applied");
  CHECK(Status(one.Push(edit)) == "applied");
  REQUIRE(Status(two.Push(
              R"([{"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g"}}])")) ==
          "applied");
  CHECK(world.Row("groups", "g")["revision"].as_u64() == 4);  // touched
  CHECK(Status(one.Push(edit)) == "applied");
  const Data results = world.Commit(
      {{"c2",
        "anna",
        {two.Make(
            R"([{"op":"update","table":"groups","id":"g","realm":"A","set":{"name":"i"}}])")}},
       {"c1", "anna", {one.Make(edit)}}});
  CHECK(RejectCode(results.items()[1].items()[0]) == "changed");
}

TEST_CASE("treats the server's own rejections like those of the rules") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const Data update =
      one.Make(R"([{"op":"create","table":"items","id":"x","realm":"A","set":{}}])");
  const Data follower =
      one.Make(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{}}])");
  Data refusal = Data::MakeObject();
  refusal.Set("client", "c1")
      .Set("id", update["id"])
      .Set("code", "out_of_range")
      .Set("detail", "too much");
  const Data results =
      world.Commit({{"c1", "anna", {update, follower}}}, Data(Data::Array{refusal}));
  CHECK(RejectCode(results.items()[0].items()[0]) == "out_of_range");
  CHECK(Status(results.items()[0].items()[1]) == "held");
  CHECK(RejectCode(one.Send(update)) == "out_of_range");
}

TEST_CASE("rejects the request when an update has no id or chain, and decides nothing") {
  AuthorityWorld world;
  const auto code = [&](const char* update) {
    return world.Push("c1", "anna", Json(update))["error"]["code"].as_string();
  };
  CHECK(code(R"({"after":{"A":null},"ops":[]})") == "invalid");
  CHECK(code(R"({"id":"01890000-0000-7000-8000-000000000001","ops":[]})") == "invalid");
  CHECK(
      code(
          R"({"id":"01890000-0000-7000-8000-000000000001","after":{"A":{"seq":0,"id":"x"}},"ops":[]})") ==
      "invalid");
}

TEST_CASE("rejects an update that lets an object grow past its limit") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const std::string half(600'000, 'x');
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"cities","id":"c","realm":"A","set":{"name":")" +
                      half + R"("}}])")) == "applied");
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"people","id":"c","realm":"A","set":{"name":")" +
                      half + R"("}}])")) == "applied");
  CHECK(RejectCode(
            one.Push(R"([{"op":"update","table":"people","id":"c","realm":"A","set":{"email":")" +
                     half + R"("}}])")) == "limit");
}

TEST_CASE("requests the rows of many updates in few rounds") {
  AuthorityWorld world;
  Author one(&world, "c1");
  std::string creates;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    creates += std::string(i ? "," : "") + R"({"op":"create","table":"groups","id":"g)" + n +
               R"(","realm":"A","set":{"name":"g"}},)" +
               R"({"op":"create","table":"members","id":"m)" + n +
               R"(","realm":"A","set":{"group":"g)" + n + R"("}},)" +
               R"({"op":"create","table":"logs","id":"l)" + n +
               R"(","realm":"A","set":{"member":"m)" + n + R"("}})";
  }
  REQUIRE(Status(one.Push("[" + creates + "]")) == "applied");
  Data::Array deletes;
  for (int i = 0; i < 40; ++i) {
    deletes.push_back(one.Make(R"([{"op":"delete","table":"groups","id":"g)" + std::to_string(i) +
                               R"(","realm":"A"}])"));
  }
  const Data results = world.Commit({{"c1", "anna", deletes}});
  for (const Data& result : results.items()[0].items()) CHECK(Status(result) == "applied");
  CHECK(world.Row("logs", "l39").is_null());
  CHECK(world.last_rounds() <= 6);
}

TEST_CASE("reports a step after the end of an admission, and text that is not JSON") {
  AdmissionSession session(&WorldSchema());
  CHECK(Json(session.Step("{"))["error"]["code"].as_string() == "parse");
  CHECK(Json(session.Step("{}"))["error"]["code"].as_string() == "misuse");
}

}  // namespace
}  // namespace skerry::authority_test
