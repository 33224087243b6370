// Goal: an update changes other rows by the rules of docs/design.md, "Cascade rules": cascade,
// setNull, restrict, touch, moves with children, and the rule of the deleted parent. Method:
// updates pushed into a small world (world.h), one rule at a time.
#include <doctest/doctest.h>

#include <string>

#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

struct Scenery {
  AuthorityWorld world;
  Author anna{&world, "c1"};
  Author bob{&world, "c2"};
  Scenery() {
    REQUIRE(Status(anna.Push(
                R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
      {"op":"create","table":"people","id":"p","realm":"A","set":{"name":"p"}},
      {"op":"create","table":"countries","id":"se","realm":"A","set":{"name":"Sweden"}},
      {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g","person":"p"}},
      {"op":"create","table":"logs","id":"l","realm":"A","set":{"member":"m"}}])")) == "applied");
  }
};

TEST_CASE("deletes children that the deleting client never saw, transitively") {
  Scenery s;
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"create","table":"members","id":"m2","realm":"A","set":{"group":"g"}}])")) ==
      "applied");
  const Data result = s.anna.Push(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])");
  CHECK(Status(result) == "applied");
  CHECK(result.Find("gone") == nullptr);
  for (const char* id : {"m", "m2"}) CHECK(s.world.Row("members", id).is_null());
  CHECK(s.world.Row("logs", "l").is_null());
  CHECK_FALSE(s.world.Row("people", "p").is_null());
  // Each delete is logged, so that every client gets it.
  size_t changes = 0;
  for (const Data& change : s.world.changes()) changes += change["revision"].as_u64() == 3 ? 1 : 0;
  CHECK(changes == 4);
}

TEST_CASE("nulls a setNull ref to a deleted target, and updates child and master times") {
  Scenery s;
  REQUIRE(Status(s.anna.Push(R"([{"op":"delete","table":"people","id":"p","realm":"A"}])")) ==
          "applied");
  const Data& member = s.world.Row("members", "m");
  CHECK(member["props"].Find("person") == nullptr);
  CHECK(member["modifiedAt"].as_number() == s.world.now);
  CHECK(member["revision"].as_u64() == 2);
  CHECK(s.world.Row("groups", "g")["modifiedAt"].as_number() == s.world.now);
}

TEST_CASE("rejects the delete of a target under restrict with a child the author never saw") {
  Scenery s;
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"create","table":"cities","id":"c","realm":"A","set":{"name":"c","country":"se"}}])")) ==
      "applied");
  const Data result = s.anna.Push(R"([{"op":"delete","table":"people","id":"p","realm":"A"},
      {"op":"delete","table":"countries","id":"se","realm":"A"}])");
  CHECK(RejectCode(result) == "restrict");
  CHECK(result["rejected"].items()[0]["op"].as_u64() == 1);
  CHECK_FALSE(s.world.Row("people", "p").is_null());
  // After the whole update: a child that is deleted, or whose ref is unset, in the same update does
  // not prevent the delete, in either order.
  CHECK(Status(s.anna.Push(R"([{"op":"delete","table":"countries","id":"se","realm":"A"},
      {"op":"update","table":"cities","id":"c","realm":"A","set":{"country":null}}])")) ==
        "applied");
}

TEST_CASE("keeps a setNull ref between rows that all moved along") {
  Scenery s;
  REQUIRE(Status(s.anna.Push(
              R"([{"op":"create","table":"items","id":"a","realm":"A","set":{}},
      {"op":"create","table":"items","id":"b","realm":"A","set":{"parent":"a"}},
      {"op":"create","table":"items","id":"c","realm":"A","set":{"parent":"b","friend":"a"}},
      {"op":"create","table":"items","id":"stays","realm":"A","set":{"friend":"a"}}])")) ==
          "applied");
  REQUIRE(Status(s.anna.Push(R"([{"op":"move","table":"items","id":"a","realm":"A","to":"B"}])",
                             {"A", "B"})) == "applied");
  for (const char* id : {"a", "b", "c"}) CHECK(s.world.Row("items", id)["realm"] == Data("B"));
  CHECK(s.world.Row("items", "c")["props"]["friend"] == Data("a"));
  CHECK(s.world.Row("items", "stays")["props"]["friend"].is_null());
}

TEST_CASE("evaluates refs after the whole update, not op by op") {
  Scenery s;
  // The child's op comes before its parent's create. A delete followed by a create of the same id
  // does not cascade.
  CHECK(Status(s.anna.Push(
            R"([{"op":"create","table":"members","id":"m3","realm":"A","set":{"group":"h"}},
      {"op":"create","table":"groups","id":"h","realm":"A","set":{"name":"h"}},
      {"op":"delete","table":"groups","id":"g","realm":"A"},
      {"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"again"}}])")) ==
        "applied");
  CHECK_FALSE(s.world.Row("members", "m3").is_null());
  CHECK_FALSE(s.world.Row("members", "m").is_null());
  CHECK(s.world.Row("groups", "g")["props"]["name"].as_string() == "again");
}

TEST_CASE("deletes a child created under a deleted parent, and reports it to its author") {
  Scenery s;
  REQUIRE(Status(s.anna.Push(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])")) ==
          "applied");
  const Data result =
      s.bob.Push(R"([{"op":"create","table":"people","id":"q","realm":"A","set":{"name":"q"}},
      {"op":"create","table":"members","id":"m4","realm":"A","set":{"group":"g","person":"q"}},
      {"op":"create","table":"logs","id":"l4","realm":"A","set":{"member":"m4"}}])");
  CHECK(Status(result) == "applied");
  CHECK(result["gone"] == Json("[1,2]"));
  CHECK(s.world.Row("members", "m4").is_null());
  CHECK(s.world.Row("logs", "l4").is_null());
  CHECK_FALSE(s.world.Row("people", "q").is_null());
}

TEST_CASE("does not report a deleted child to an author who deleted the parent, too") {
  Scenery s;
  const Data result = s.anna.Push(R"([{"op":"delete","table":"groups","id":"g","realm":"A"},
      {"op":"create","table":"members","id":"m4","realm":"A","set":{"group":"g"}},
      {"op":"create","table":"members","id":"m5","realm":"B","set":{"group":"g"}}])",
                                  {"A", "B"});
  CHECK(Status(result) == "applied");
  CHECK(result["gone"] == Json("[2]"));  // in B there never was such a parent
  for (const char* id : {"m4", "m5"}) CHECK(s.world.Row("members", id).is_null());
}

TEST_CASE("handles a new ref to a deleted target by its rule: null, rejection or delete") {
  Scenery s;
  REQUIRE(Status(s.anna.Push(
              R"([{"op":"create","table":"groups","id":"h","realm":"A","set":{"name":"h"}}])")) ==
          "applied");
  REQUIRE(
      Status(s.anna.Push(
          R"([{"op":"delete","table":"people","id":"p","realm":"A"},{"op":"delete","table":"countries","id":"se","realm":"A"},
      {"op":"delete","table":"groups","id":"h","realm":"A"}])")) == "applied");
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"create","table":"members","id":"m5","realm":"A","set":{"group":"g","person":"p"}}])")) ==
      "applied");
  CHECK(s.world.Row("members", "m5")["props"] == Json(R"({"group":"g","role":"guest"})"));
  CHECK(
      RejectCode(s.bob.Push(
          R"([{"op":"create","table":"cities","id":"c","realm":"A","set":{"name":"c","country":"se"}}])")) ==
      "restrict");
  const Data result = s.bob.Push(
      R"([{"op":"update","table":"members","id":"m5","realm":"A","set":{"group":"h"}}])");
  CHECK(result["gone"] == Json("[0]"));
  CHECK(s.world.Row("members", "m5").is_null());
}

TEST_CASE("touches the master when a detail is created, updated or deleted, transitively") {
  Scenery s;
  const auto touched = [&](const char* ops) {
    REQUIRE(Status(s.bob.Push(ops)) == "applied");
    return s.world.Row("groups", "g")["modifiedAt"].as_number() == s.world.now &&
           s.world.Row("groups", "g")["revision"].as_u64() == s.world.head("A");
  };
  CHECK(touched(R"([{"op":"create","table":"logs","id":"l2","realm":"A","set":{"member":"m"}}])"));
  const Data::Array& changes = s.world.last_done()["changes"].items();
  REQUIRE(changes.size() == 3);
  CHECK(changes[0]["table"].as_string() == "groups");
  CHECK(changes[0]["touch"].as_bool());
  CHECK(changes[1]["table"].as_string() == "members");
  CHECK(changes[1]["touch"].as_bool());
  CHECK(changes[2]["table"].as_string() == "logs");
  CHECK_FALSE(changes[2]["touch"].as_bool());
  CHECK(touched(R"([{"op":"update","table":"logs","id":"l2","realm":"A","set":{"text":"t"}}])"));
  CHECK(touched(R"([{"op":"delete","table":"logs","id":"l2","realm":"A"}])"));
  CHECK_FALSE(
      touched(R"([{"op":"update","table":"people","id":"p","realm":"A","set":{"name":"pp"}}])"));
  CHECK(s.world.Row("groups", "g")["createdAt"].as_number() < s.world.now);
}

TEST_CASE("touches both masters when a detail changes from one to the other") {
  Scenery s;
  REQUIRE(Status(s.anna.Push(
              R"([{"op":"create","table":"groups","id":"h","realm":"A","set":{"name":"h"}}])")) ==
          "applied");
  REQUIRE(Status(s.anna.Push(
              R"([{"op":"update","table":"members","id":"m","realm":"A","set":{"group":"h"}}])")) ==
          "applied");
  for (const char* id : {"g", "h"})
    CHECK(s.world.Row("groups", id)["modifiedAt"].as_number() == s.world.now);
}

TEST_CASE("moves children by cascade refs along, transitively, and nulls other refs") {
  Scenery s;
  REQUIRE(Status(s.anna.Push(R"([{"op":"move","table":"groups","id":"g","realm":"A","to":"B"}])",
                             {"A", "B"})) == "applied");
  for (const auto& [table, id] : {std::pair{"groups", "g"}, {"members", "m"}, {"logs", "l"}}) {
    CHECK(s.world.Row(table, id)["realm"].as_string() == "B");
    CHECK(s.world.Row(table, id)["revision"].as_u64() == 1);
  }
  CHECK(s.world.Row("people", "p")["realm"].as_string() == "A");
  CHECK(s.world.Row("members", "m")["props"].Find("person") == nullptr);  // it stayed
}

TEST_CASE("nulls setNull refs of rows that stay; rejects a move under restrict") {
  Scenery s;
  REQUIRE(
      Status(s.bob.Push(
          R"([{"op":"create","table":"cities","id":"c","realm":"A","set":{"name":"c","country":"se"}}])")) ==
      "applied");
  REQUIRE(Status(s.anna.Push(R"([{"op":"move","table":"people","id":"p","realm":"A","to":"B"}])",
                             {"A", "B"})) == "applied");
  CHECK(s.world.Row("members", "m")["props"].Find("person") == nullptr);
  CHECK(RejectCode(s.anna.Push(
            R"([{"op":"move","table":"countries","id":"se","realm":"A","to":"B"}])", {"A", "B"})) ==
        "restrict");
  CHECK(Status(s.anna.Push(R"([{"op":"move","table":"countries","id":"se","realm":"A","to":"B"},
      {"op":"move","table":"cities","id":"c","realm":"A","to":"B"}])",
                           {"A", "B"})) == "applied");
}

TEST_CASE("moves a child after its parent in either order of create and move") {
  for (const bool move_first : {true, false}) {
    Scenery s;
    const Data move = s.anna.Make(
        R"([{"op":"move","table":"groups","id":"g","realm":"A","to":"B"}])", {"A", "B"});
    const Data create = s.bob.Make(
        R"([{"op":"create","table":"members","id":"m6","realm":"A","set":{"group":"g"}}])");
    CHECK(Status(move_first ? s.anna.Send(move) : s.bob.Send(create)) == "applied");
    CHECK(Status(move_first ? s.bob.Send(create) : s.anna.Send(move)) == "applied");
    CHECK(s.world.Row("members", "m6")["realm"].as_string() == "B");
  }
}

TEST_CASE("deletes a child whose parent moved to a realm that the author may not write") {
  Scenery s;
  s.world.Grant("bea", "A", "write");
  Author bea(&s.world, "c3", "bea");
  REQUIRE(Status(s.anna.Push(R"([{"op":"move","table":"groups","id":"g","realm":"A","to":"B"}])",
                             {"A", "B"})) == "applied");
  const Data result =
      bea.Push(R"([{"op":"create","table":"members","id":"m6","realm":"A","set":{"group":"g"}}])");
  CHECK(result["gone"] == Json("[0]"));
  CHECK(s.world.Row("members", "m6").is_null());
  CHECK(s.world.head("B") == 1);
}

TEST_CASE("rejects moving a child away from its parent") {
  Scenery s;
  CHECK(RejectCode(s.anna.Push(R"([{"op":"move","table":"members","id":"m","realm":"A","to":"B"}])",
                               {"A", "B"})) == "restrict");
  CHECK(Status(s.anna.Push(R"([{"op":"move","table":"logs","id":"l","realm":"A","to":"B"},
      {"op":"move","table":"groups","id":"g","realm":"A","to":"B"}])",
                           {"A", "B"})) == "applied");
  CHECK(s.world.Row("members", "m")["realm"].as_string() == "B");
}

TEST_CASE("moves and deletes a row with its ancestor, three refs deep") {
  AuthorityWorld world;
  Author one(&world, "c1");
  // root <- a <- b <- c, all in one table: c hangs three deep.
  REQUIRE(Status(one.Push(R"([{"op":"create","table":"items","id":"root","realm":"A","set":{}},
      {"op":"create","table":"items","id":"a","realm":"A","set":{"parent":"root"}},
      {"op":"create","table":"items","id":"b","realm":"A","set":{"parent":"a"}},
      {"op":"create","table":"items","id":"c","realm":"A","set":{"parent":"b"}}])")) == "applied");
  REQUIRE(Status(one.Push(R"([{"op":"move","table":"items","id":"root","realm":"A","to":"B"}])",
                          {"A", "B"})) == "applied");
  for (const char* id : {"root", "a", "b", "c"})
    CHECK(world.Row("items", id)["realm"].as_string() == "B");
  REQUIRE(Status(one.Push(R"([{"op":"delete","table":"items","id":"root","realm":"B"}])", {"B"})) ==
          "applied");
  for (const char* id : {"root", "a", "b", "c"}) CHECK(world.Row("items", id).is_null());
}

TEST_CASE("keeps a row's ref into the realm to which its parent's parent takes it") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(R"([{"op":"create","table":"items","id":"root","realm":"A","set":{}},
      {"op":"move","table":"items","id":"root","realm":"A","to":"B"},
      {"op":"create","table":"items","id":"friend","realm":"B","set":{}}])",
                          {"A", "B"})) == "applied");
  REQUIRE(
      Status(one.Push(
          R"([{"op":"create","table":"items","id":"a","realm":"A","set":{"parent":"b","friend":"friend"}},
      {"op":"create","table":"items","id":"b","realm":"A","set":{"parent":"root"}},
      {"op":"create","table":"items","id":"c","realm":"A","set":{"parent":"b","friend":"friend"}}])")) ==
      "applied");
  for (const char* id : {"a", "c"}) {
    CHECK(world.Row("items", id)["realm"].as_string() == "B");
    CHECK(world.Row("items", id)["props"]["friend"].as_string() == "friend");
  }
}

TEST_CASE("keeps a row whose parent comes to its realm, in any order of the two") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(R"([{"op":"create","table":"items","id":"root","realm":"A","set":{}},
      {"op":"move","table":"items","id":"root","realm":"A","to":"B"}])",
                          {"A", "B"})) == "applied");
  REQUIRE(Status(one.Push(
              R"([{"op":"create","table":"items","id":"m","realm":"A","set":{"parent":"root"}},
      {"op":"create","table":"items","id":"a","realm":"A","set":{"parent":"m"}},
      {"op":"create","table":"items","id":"z","realm":"A","set":{"parent":"m"}}])")) == "applied");
  for (const char* id : {"a", "m", "z"}) {
    CHECK(world.Row("items", id)["realm"].as_string() == "B");
  }
}

TEST_CASE("deletes a child whose parent was never in its realm") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(R"([{"op":"create","table":"items","id":"root","realm":"B","set":{}}])",
                          {"B"})) == "applied");
  const Data result =
      one.Push(R"([{"op":"create","table":"items","id":"a","realm":"A","set":{"parent":"root"}}])");
  CHECK(Status(result) == "applied");
  CHECK(result["gone"] == Json("[0]"));
  CHECK(world.Row("items", "a").is_null());
}

TEST_CASE("moves and deletes rows that are each other's parents together, and ends") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"items","id":"a","realm":"A","set":{"parent":"b"}},
      {"op":"create","table":"items","id":"b","realm":"A","set":{"parent":"a"}},
      {"op":"create","table":"items","id":"self","realm":"A","set":{"parent":"self"}}])")) ==
      "applied");
  REQUIRE(Status(one.Push(R"([{"op":"move","table":"items","id":"a","realm":"A","to":"B"},
      {"op":"move","table":"items","id":"self","realm":"A","to":"B"}])",
                          {"A", "B"})) == "applied");
  for (const char* id : {"a", "b", "self"})
    CHECK(world.Row("items", id)["realm"].as_string() == "B");
  REQUIRE(Status(one.Push(R"([{"op":"delete","table":"items","id":"b","realm":"B"}])", {"B"})) ==
          "applied");
  for (const char* id : {"a", "b"}) CHECK(world.Row("items", id).is_null());
}

TEST_CASE("moves a new ring of parents over two realms to where its first row stays") {
  AuthorityWorld world;
  Author anna{&world, "c1"};
  REQUIRE(Status(anna.Push(R"([{"op":"create","table":"items","id":"k3","realm":"A","set":{}},
      {"op":"create","table":"items","id":"k1","realm":"A","set":{"parent":"k3"}},
      {"op":"move","table":"items","id":"k3","realm":"A","to":"B"}])",
                           {"A", "B"})) == "applied");
  // k5 is created in A below k1, and k3 is moved below k5: the whole ring belongs to k1's realm.
  REQUIRE(Status(anna.Push(
              R"([{"op":"create","table":"items","id":"k5","realm":"A","set":{"parent":"k1"}},
      {"op":"create","table":"items","id":"k3","realm":"A","set":{"parent":"k5"}}])")) ==
          "applied");
  for (const char* id : {"k1", "k3", "k5"})
    CHECK(world.Row("items", id)["realm"].as_string() == "B");
}

TEST_CASE("rejects a cascade that is too deep, and applies the next update") {
  AuthorityWorld world;
  Author one(&world, "c1");
  std::string creates = R"({"op":"create","table":"items","id":"i0","realm":"A","set":{}})";
  for (int i = 1; i < 300; ++i) {
    creates += R"(,{"op":"create","table":"items","id":"i)" + std::to_string(i) +
               R"(","realm":"A","set":{"parent":"i)" + std::to_string(i - 1) + R"("}})";
  }
  REQUIRE(Status(one.Push("[" + creates + "]")) == "applied");
  const Data deep = one.Make(R"([{"op":"delete","table":"items","id":"i0","realm":"A"}])");
  Author two(&world, "c2");
  const Data near = two.Make(R"([{"op":"delete","table":"items","id":"i290","realm":"A"}])");
  const Data results = world.Commit({{"c1", "anna", {deep}}, {"c2", "anna", {near}}});
  CHECK(RejectCode(results.items()[0].items()[0]) == "limit");
  CHECK(Status(results.items()[1].items()[0]) == "applied");
  CHECK_FALSE(world.Row("items", "i0").is_null());
  CHECK(world.Row("items", "i299").is_null());
}

}  // namespace
}  // namespace skerry::authority_test
