// Goal: an id whose row was deleted in one realm can be created in another, and clients of both
// realms stay exact.
#include <doctest/doctest.h>

#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

constexpr char kCreateInB[] =
    R"([{"op":"create","table":"items","id":"theme","realm":"B","set":{"n":2}}])";

// Creates and deletes `theme` in A.
void LeaveRemains(AuthorityWorld* world, const std::string& user = "anna") {
  Author author(world, "before", user);
  REQUIRE(Status(author.Push(
              R"([{"op":"create","table":"items","id":"theme","realm":"A","set":{"n":1}}])")) ==
          "applied");
  REQUIRE(Status(author.Push(R"([{"op":"delete","table":"items","id":"theme","realm":"A"}])")) ==
          "applied");
}

TEST_CASE("asks for the lock of a tombstone's realm before a create over it") {
  AuthorityWorld world;
  LeaveRemains(&world);
  Author one(&world, "c1");
  CHECK(Status(one.Push(kCreateInB, {"B"})) == "applied");
  CHECK(world.Row("items", "theme")["realm"].as_string() == "B");
  CHECK(world.tombstone("items", "theme").is_null());
  // In A nothing has happened since the delete: its log has no entry for its readers.
  CHECK(world.head("A") == 2);
  CHECK(world.head("B") == 1);
  CHECK(world.changes().back()["before"].is_null());
}

TEST_CASE("sends exact changes of both realms after an id went from one to the other") {
  AuthorityWorld world;
  LeaveRemains(&world);
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreateInB, {"B"})) == "applied");
  const auto pulled = [&](uint64_t a, uint64_t b) {
    return Short(world.Pull("anna", Request("reader", At(world, a, b))));
  };
  CHECK(pulled(0, 0) == "create items/theme");
  CHECK(pulled(1, 0) == "move items/theme");  // as far as its reader can tell
  CHECK(pulled(2, 0) == "create items/theme");
  CHECK(pulled(1, 1) == "delete items/theme");
  CHECK(pulled(2, 1) == "");
}

TEST_CASE("lets a reader of the tombstone's realm create its id in another realm") {
  AuthorityWorld world;
  LeaveRemains(&world);
  world.Grant("bea", "A", "read");
  world.Grant("bea", "B", "write");
  Author bea(&world, "c1", "bea");
  CHECK(Status(bea.Push(kCreateInB, {"B"})) == "applied");
}

TEST_CASE("answers for a hidden tombstone as for a hidden live row") {
  AuthorityWorld world;
  LeaveRemains(&world);
  Author anna(&world, "c0");
  REQUIRE(
      Status(anna.Push(R"([{"op":"create","table":"items","id":"live","realm":"A","set":{}}])")) ==
      "applied");
  world.Grant("bea", "B", "write");
  Author bea(&world, "c1", "bea");
  const Data over_remains = bea.Push(kCreateInB, {"B"});
  const Data over_live =
      bea.Push(R"([{"op":"create","table":"items","id":"live","realm":"B","set":{}}])", {"B"});
  CHECK(RejectCode(over_remains) == "forbidden");
  CHECK(over_remains["rejected"].items()[0]["detail"] ==
        over_live["rejected"].items()[0]["detail"]);
  CHECK(world.last_done()["rows"].items().empty());
}

TEST_CASE("moves an id when an update deletes in one realm and creates in another") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(
              R"([{"op":"create","table":"items","id":"theme","realm":"A","set":{"n":1}}])")) ==
          "applied");
  const Data result = one.Push(
      R"([{"op":"delete","table":"items","id":"theme","realm":"A"},
          {"op":"create","table":"items","id":"theme","realm":"B","set":{"n":2}}])",
      {"A", "B"});
  CHECK(Status(result) == "applied");
  CHECK(world.Row("items", "theme")["realm"].as_string() == "B");
  CHECK(world.head("A") == 2);
  CHECK(world.head("B") == 1);
}

}  // namespace
}  // namespace skerry::authority_test
