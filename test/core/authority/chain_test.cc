// Goal: an update is applied exactly once, under resends, late copies, rejections, clones and
// restored servers (docs/design.md, "The chain"). Method: clients that push into a small world
// (world.h).
#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

constexpr char kAddOne[] = R"([{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":1}}])";
constexpr char kCreate[] =
    R"([{"op":"create","table":"items","id":"x","realm":"A","set":{"n":0}}])";

double CountOf(const AuthorityWorld& world) {
  return world.Row("items", "x")["props"]["n"].as_number();
}

TEST_CASE("answers a resent update as the first time, as a duplicate; changes nothing") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  const Data update = one.Make(kAddOne);
  const Data first = one.Send(update);
  REQUIRE(Status(first) == "applied");
  REQUIRE(Status(one.Push(kAddOne)) == "applied");
  Data again = one.Send(update);
  CHECK(Status(again) == "duplicate");
  again.Set("status", "applied");
  CHECK(again == first);
  CHECK(CountOf(world) == 2);
  CHECK(world.head("A") == 3);
}

TEST_CASE("applies an update once when two copies are in one group commit") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  const Data update = one.Make(kAddOne);
  const Data results = world.Commit({{"c1", "anna", {update}}, {"c1", "anna", {update, update}}});
  CHECK(Status(results.items()[0].items()[0]) == "applied");
  CHECK(Status(results.items()[1].items()[0]) == "duplicate");
  CHECK(Status(results.items()[1].items()[1]) == "duplicate");
  CHECK(CountOf(world) == 1);
}

TEST_CASE("holds an update after a missing one, and applies it once that has come") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  const Data first = one.Make(kAddOne), second = one.Make(kAddOne);
  CHECK(Status(one.Send(second)) == "held");
  CHECK(Status(one.Send(first)) == "applied");
  CHECK(Status(one.Send(second)) == "applied");
  CHECK(CountOf(world) == 2);
}

TEST_CASE("rejects the copy of a rejected update, however late it arrives") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  REQUIRE(
      Status(two.Push(R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"u":7}}])")) ==
      "applied");
  const Data update =
      one.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"u":7}}])");
  const Data follower = one.Make(kAddOne);
  const Data refused = one.Send(update);
  CHECK(RejectCode(refused) == "unique");
  CHECK(Status(one.Send(follower)) == "held");
  // The other row is deleted, so the update would be valid now; but its author has the rejection.
  REQUIRE(Status(two.Push(R"([{"op":"delete","table":"items","id":"y","realm":"A"}])")) ==
          "applied");
  CHECK(one.Send(update) == refused);
  one.TakeBack(update);
  REQUIRE(Status(one.Push(kAddOne)) == "applied");
  // Numbers are used again after a rejection; late copies of the dropped updates fit nowhere.
  CHECK(Status(one.Send(update)) == "forked");
  CHECK(Status(one.Send(follower)) == "held");
  REQUIRE(Status(one.Push(kAddOne)) == "applied");
  CHECK(Status(one.Send(follower)) == "forked");
  CHECK(CountOf(world) == 2);
}

TEST_CASE("forks a restored profile that continues from its old place") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  Author copy = one;
  REQUIRE(Status(one.Push(kAddOne)) == "applied");
  CHECK(Status(copy.Send(copy.Make(kAddOne))) == "forked");
  CHECK(CountOf(world) == 1);
}

TEST_CASE("reports unknown_client for the oldest update only when the client's row is gone") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const Data lost = one.Make(kCreate);  // never arrives; its row was on a server that is gone
  const Data first = one.Make(kAddOne), second = one.Make(kAddOne);
  const Data results = world.Commit({{"c1", "anna", {first, second}}});
  CHECK(Status(results.items()[0].items()[0]) == "unknown_client");
  CHECK(Status(results.items()[0].items()[1]) == "held");
  CHECK(world.last_done()["chains"].items().empty());
}

TEST_CASE("rejects a clone's copy of an action, and names the place of the first") {
  AuthorityWorld world;
  Author one(&world, "c1"), clone(&world, "c2");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  const Data update = one.Make(kAddOne);
  REQUIRE(Status(one.Send(update)) == "applied");
  Data copied = clone.Make(kAddOne);
  copied.Set("actions", update["actions"]);
  const Data result = clone.Send(copied);
  CHECK(RejectCode(result) == "known_action");
  const std::string action = update["actions"].items()[0]["id"].as_string();
  CHECK(result["known"][action].as_u64() == 2);
  CHECK(CountOf(world) == 1);
}

TEST_CASE("admits an update over realms when it is next in each, in all or in none") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  const Data in_b =
      one.Make(R"([{"op":"create","table":"items","id":"b","realm":"B","set":{}}])", {"B"});
  const Data both =
      one.Make(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])", {"A", "B"});
  CHECK(Status(one.Send(both)) == "unknown_client");
  CHECK(world.Row("items", "x")["realm"].as_string() == "A");
  REQUIRE(Status(one.Send(in_b)) == "applied");
  const Data result = one.Send(both);
  CHECK(Status(result) == "applied");
  CHECK(result["revisions"] == Json(R"({"A":2,"B":2})"));
  CHECK(Status(one.Send(both)) == "duplicate");
}

TEST_CASE("forks a chain after too many rejections in a row, to keep its row bounded") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(Status(one.Push(kCreate)) == "applied");
  const char* wrong = R"([{"op":"create","table":"nothing","id":"x","realm":"A","set":{}}])";
  for (size_t i = 0; i < kMaxRefusalsInARow; i += 100) {
    Data::Array updates;
    for (int j = 0; j < 100; ++j) {
      updates.push_back(one.Make(wrong));
      one.TakeBack(updates.back());
    }
    const Data results = world.Commit({{"c1", "anna", updates}});
    REQUIRE(RejectCode(results.items()[0].items()[99]) == "unknown_table");
  }
  CHECK(Status(one.Push(kAddOne)) == "forked");
  Author next(&world, "c1-again");
  CHECK(Status(next.Push(kAddOne)) == "applied");
}

TEST_CASE("writes one row per chain for a group commit's rejections and applications") {
  AuthorityWorld world;
  Author one(&world, "c1"), two(&world, "c2");
  const Data create = one.Make(kCreate), inc = one.Make(kAddOne);
  const Data wrong =
      two.Make(R"([{"op":"create","table":"cities","id":"c","realm":"A","set":{}}])");
  const Data results = world.Commit({{"c1", "anna", {create, inc}}, {"c2", "anna", {wrong}}});
  CHECK(Status(results.items()[0].items()[1]) == "applied");
  CHECK(RejectCode(results.items()[1].items()[0]) == "missing_prop");
  const Data::Array& chains = world.last_done()["chains"].items();
  REQUIRE(chains.size() == 2);
  CHECK(chains[0]["seq"].as_u64() == 2);
  CHECK(chains[1]["seq"].as_u64() == 0);
  CHECK(chains[1]["refused"].members().size() == 1);
}

TEST_CASE("requests no rows for an update that the server rejects") {
  AuthorityWorld world;
  Author one(&world, "c1");
  one.Push(
      R"([{"op":"create","table":"groups","id":"g","realm":"A","set":{"name":"g"}},
          {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"g"}}])");
  const Data update = one.Make(R"([{"op":"delete","table":"groups","id":"g","realm":"A"}])");
  Data refusal = Data::MakeObject();
  refusal.Set("client", "c1").Set("id", update["id"]).Set("code", "limit").Set("detail", "many");
  const Data results =
      world.Commit({{"c1", "anna", {update}}}, Data(Data::Array{std::move(refusal)}));
  CHECK(RejectCode(results.items()[0].items()[0]) == "limit");
  CHECK(world.last_rounds() == 1);
  CHECK(!world.Row("members", "m").is_null());
}

}  // namespace
}  // namespace skerry::authority_test
