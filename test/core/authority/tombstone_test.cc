// Goal: ids belong to their realm. What a realm holds under an id says nothing of another realm,
// and a row that moves leaves a tombstone that leads those to it who may read where it went.
#include <doctest/doctest.h>

#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

constexpr char kCreateInA[] =
    R"([{"op":"create","table":"items","id":"theme","realm":"A","set":{"n":1}}])";
constexpr char kCreateInB[] =
    R"([{"op":"create","table":"items","id":"theme","realm":"B","set":{"n":2}}])";
constexpr char kUpdateInA[] =
    R"([{"op":"update","table":"items","id":"theme","realm":"A","set":{"n":3}}])";
constexpr char kDeleteInA[] = R"([{"op":"delete","table":"items","id":"theme","realm":"A"}])";
constexpr char kMoveToB[] = R"([{"op":"move","table":"items","id":"theme","realm":"A","to":"B"}])";

Data InRealm(const AuthorityWorld& world, const std::string& realm) {
  const auto& state = world.StateAt(realm, world.head(realm));
  const auto row = state.find({"items", "theme"});
  return row == state.end() ? Data() : row->second["props"]["n"];
}

TEST_CASE("keeps two rows with one id in two realms apart") {
  AuthorityWorld world;
  world.Grant("bea", "B", "write");
  Author anna(&world, "c1"), bea(&world, "c2", "bea");
  // Neither a live row nor a tombstone of a realm that bea may not read is in her way.
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  CHECK(Status(bea.Push(kCreateInB, {"B"})) == "applied");
  REQUIRE(Status(anna.Push(kUpdateInA)) == "applied");
  CHECK(InRealm(world, "A") == Data(3.0));
  CHECK(InRealm(world, "B") == Data(2.0));
  REQUIRE(Status(anna.Push(kDeleteInA)) == "applied");
  CHECK(InRealm(world, "A").is_null());
  CHECK(InRealm(world, "B") == Data(2.0));
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  CHECK(world.head("B") == 1);
}

TEST_CASE("sends changes of two rows with one id to who sees both") {
  AuthorityWorld world;
  Author anna(&world, "c1");
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  REQUIRE(Status(anna.Push(kCreateInB, {"B"})) == "applied");
  REQUIRE(Status(anna.Push(kUpdateInA)) == "applied");
  const auto pulled = [&](uint64_t a, uint64_t b) {
    return Short(world.Pull("anna", Request("reader", At(world, a, b))));
  };
  CHECK(pulled(0, 0) == "create items/theme, create items/theme");
  CHECK(pulled(1, 1) == "update items/theme");
  CHECK(pulled(2, 0) == "create items/theme");
}

TEST_CASE("follows a row that has moved, for who may read where it went") {
  AuthorityWorld world;
  world.Grant("bea", "A", "write");
  world.Grant("cleo", "A", "write");
  world.Grant("cleo", "B", "read");
  Author anna(&world, "c1"), bea(&world, "c2", "bea"), cleo(&world, "c3", "cleo");
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  REQUIRE(Status(anna.Push(kMoveToB, {"A", "B"})) == "applied");
  // By an update that names the former realm only: the lock of the other one is asked for.
  const Data followed = anna.Push(kUpdateInA);
  CHECK(Status(followed) == "applied");
  CHECK(followed["noops"].items().empty());
  CHECK(InRealm(world, "B") == Data(3.0));
  CHECK(RejectCode(cleo.Push(kUpdateInA)) == "forbidden");
  // For bea the row is deleted, as any deleted row is.
  const Data missed = bea.Push(kUpdateInA);
  CHECK(Status(missed) == "applied");
  CHECK(missed["noops"].items().size() == 1);
  CHECK(InRealm(world, "B") == Data(3.0));
}

TEST_CASE("creates over a row that has moved: there, or a new row if that is hidden") {
  AuthorityWorld world;
  world.Grant("bea", "A", "write");
  Author anna(&world, "c1"), bea(&world, "c2", "bea");
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  REQUIRE(Status(anna.Push(kMoveToB, {"A", "B"})) == "applied");
  REQUIRE(Status(anna.Push(
              R"([{"op":"create","table":"items","id":"theme","realm":"A","set":{"n":7}}])")) ==
          "applied");
  CHECK(InRealm(world, "A").is_null());
  CHECK(InRealm(world, "B") == Data(7.0));
  CHECK(Status(bea.Push(kCreateInA)) == "applied");
  CHECK(InRealm(world, "A") == Data(1.0));
  CHECK(InRealm(world, "B") == Data(7.0));
}

TEST_CASE("refuses a move onto an id that the other realm holds") {
  AuthorityWorld world;
  Author anna(&world, "c1");
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  REQUIRE(Status(anna.Push(kCreateInB, {"B"})) == "applied");
  CHECK(RejectCode(anna.Push(kMoveToB, {"A", "B"})) == "exists");
  CHECK(InRealm(world, "A") == Data(1.0));
  CHECK(InRealm(world, "B") == Data(2.0));
}

TEST_CASE("refuses a move to a forbidden realm alike, whether or not the id is there") {
  AuthorityWorld world;
  world.Grant("bea", "A", "write");
  Author anna(&world, "c1"), bea(&world, "c2", "bea");
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  Data without = bea.Push(kMoveToB, {"A", "B"});
  REQUIRE(Status(anna.Push(kCreateInB, {"B"})) == "applied");
  Data with = bea.Push(kMoveToB, {"A", "B"});
  CHECK(RejectCode(with) == "forbidden");
  CHECK(with["rejected"].items()[0]["detail"] == without["rejected"].items()[0]["detail"]);
  CHECK(with["rejected"].items().size() == without["rejected"].items().size());
}

TEST_CASE("comes back to a realm that it left, and is found there again") {
  AuthorityWorld world;
  Author anna(&world, "c1");
  REQUIRE(Status(anna.Push(kCreateInA)) == "applied");
  REQUIRE(Status(anna.Push(kMoveToB, {"A", "B"})) == "applied");
  REQUIRE(Status(anna.Push(R"([{"op":"move","table":"items","id":"theme","realm":"B","to":"A"}])",
                           {"A", "B"})) == "applied");
  REQUIRE(Status(anna.Push(kUpdateInA)) == "applied");
  CHECK(InRealm(world, "A") == Data(3.0));
  // Deleted now: the tombstones lead nowhere, and not in a circle.
  REQUIRE(Status(anna.Push(kDeleteInA)) == "applied");
  const Data late = anna.Push(
      R"([{"op":"update","table":"items","id":"theme","realm":"B","set":{"n":9}}])", {"B"});
  CHECK(Status(late) == "applied");
  CHECK(late["noops"].items().size() == 1);
}

}  // namespace
}  // namespace skerry::authority_test
