// Goal: a change of an answer says over which revision others made it, exactly where an own update may be
// among what they had not seen (docs/design.md, "Overwritten changes"). Method: a table of short logs.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

std::string OverOf(const Data& change) {
  return change["over"].is_null() ? "none" : std::to_string(change["over"].as_u64());
}
// That of the answer's only change.
std::string OnlyOver(const Data& answer) {
  REQUIRE(answer["changes"].items().size() == 1);
  return OverOf(answer["changes"].items()[0]);
}

// Both realms are at revision 1 then. Anna is c1, and Bob c2.
struct Log : PulledScenery {
  Author carla{&world, "c3"};

  void Write(Author* author, const std::string& op, uint64_t base) {
    Data update = author->Make("[" + op + "]");
    update.Set("base", Data::MakeObject().Set("A", base));
    REQUIRE(Status(author->Send(update)) == "applied");
  }
  void Sets(Author* author, const std::string& set, uint64_t base) {
    Write(author, R"({"op":"update","table":"items","id":"x","realm":"A","set":)" + set + "}",
          base);
  }
  void CreateInB(Author* author, int number) {
    const std::string id = "b" + std::to_string(number);
    REQUIRE(Status(author->Push(
                R"([{"op":"create","table":"items","id":")" + id + R"(","realm":"B","set":{}}])",
                {"B"})) == "applied");
  }
  std::string AnnaHears(uint64_t from) {
    return OnlyOver(world.Pull("anna", Request("c1", At(world, from, 1))));
  }
};

TEST_CASE("`over` is told where an own update lies above what others had seen") {
  Log log;
  SUBCASE("an earlier one, which they had not seen") {
    log.Sets(&log.anna, R"({"n":2})", 1);
    log.Sets(&log.bob, R"({"n":3})", 1);
    CHECK(log.AnnaHears(2) == "1");
  }
  SUBCASE("one of the same range") {
    log.Sets(&log.anna, R"({"note":"a"})", 1);
    log.Sets(&log.bob, R"({"n":3})", 1);
    CHECK(log.AnnaHears(1) == "1");
  }
  SUBCASE("the lowest of several") {
    log.Sets(&log.anna, R"({"n":2})", 1);
    log.Sets(&log.anna, R"({"n":3})", 2);
    log.Sets(&log.bob, R"({"n":4})", 2);
    log.Sets(&log.carla, R"({"n":5})", 0);
    CHECK(log.AnnaHears(3) == "0");
  }
  SUBCASE("a deletion") {
    log.Sets(&log.anna, R"({"n":2})", 1);
    log.Write(&log.bob, R"({"op":"delete","table":"items","id":"x","realm":"A"})", 1);
    CHECK(log.AnnaHears(2) == "1");
  }
}

TEST_CASE("`over` is not told where nobody has overwritten anything unseen") {
  Log log;
  SUBCASE("they had seen all of the cursor, and there is no own update in the range") {
    log.Sets(&log.anna, R"({"n":2})", 1);
    log.Sets(&log.bob, R"({"n":3})", 2);
    CHECK(log.AnnaHears(2) == "none");
  }
  SUBCASE("they had seen the own update of the range") {
    log.Sets(&log.anna, R"({"note":"a"})", 1);
    log.Sets(&log.bob, R"({"n":3})", 2);
    // Without `have` the answer brings the own one, too: one change of both.
    CHECK(log.AnnaHears(1) == "none");
  }
  SUBCASE("it came before the own update") {
    log.Sets(&log.bob, R"({"n":3})", 1);
    log.Sets(&log.anna, R"({"note":"a"})", 1);
    CHECK(log.AnnaHears(1) == "none");
  }
  SUBCASE("they say nothing of what they had seen") {
    log.Sets(&log.anna, R"({"n":2})", 1);
    Data update =
        log.bob.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":3}}])");
    update.Set("base", Data::MakeObject());
    REQUIRE(Status(log.bob.Send(update)) == "applied");
    CHECK(log.AnnaHears(2) == "none");
  }
  SUBCASE("all rows of the realm are sent") {
    log.Write(&log.anna, R"({"op":"delete","table":"groups","id":"g","realm":"A"})", 1);
    log.Sets(&log.bob, R"({"n":3})", 1);
    const Data answer = log.world.Pull("anna", Request("c1", R"({})"));
    for (const Data& change : answer["changes"].items()) CHECK(change["over"].is_null());
  }
  SUBCASE("only own updates have changed the row") {
    log.Sets(&log.anna, R"({"n":2})", 1);
    log.Sets(&log.anna, R"({"n":3})", 1);
    CHECK(log.AnnaHears(2) == "none");
  }
}

TEST_CASE("what another update changed beyond the range does not count") {
  Log log;
  log.Sets(&log.anna, R"({"n":2})", 1);
  log.Sets(&log.bob, R"({"n":3})", 2);
  log.Sets(&log.carla, R"({"n":4})", 0);
  Data request = Request("c1", At(log.world, 2, 1));
  CHECK(OnlyOver(log.world.Pull("anna", request.Set("limit", 1))) == "none");
  CHECK(OnlyOver(log.world.Pull("anna", request.Set("limit", 2))) == "0");
}

TEST_CASE("what was changed beyond a range that was cut does not count") {
  Log log;
  log.Sets(&log.anna, R"({"n":2})", 1);
  log.Sets(&log.bob, R"({"n":3})", 2);
  for (int i = 0; i < 3; ++i) log.CreateInB(&log.bob, i);
  // It spans both realms, and its entry in B is beyond the limit.
  Data both = log.carla.Make(
      R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":4}},
          {"op":"create","table":"items","id":"last","realm":"B","set":{}}])",
      {"A", "B"});
  both.Set("base", Data::MakeObject().Set("A", 0).Set("B", 1));
  REQUIRE(Status(log.carla.Send(both)) == "applied");
  Data request = Request("c1", At(log.world, 2, 1));
  const Data answer = log.world.Pull("anna", request.Set("limit", 2));
  REQUIRE(answer["cursors"]["A"].Is(log.world.cursor("A", 3).c_str()));
  CHECK(OverOf(answer["changes"].items()[0]) == "none");
}

TEST_CASE("a row that an unseen move took away says so where it arrives") {
  Log log;
  log.Write(
      &log.anna,
      R"({"op":"create","table":"boxes","id":"01970000-0000-7000-8000-0000000000aa","realm":"A","set":{}})",
      1);
  Data update = log.bob.Make(
      R"([{"op":"move","table":"boxes","id":"01970000-0000-7000-8000-0000000000aa","realm":"A","to":"B"}])",
      {"A", "B"});
  update.Set("base", Data::MakeObject().Set("A", 1).Set("B", 1));
  REQUIRE(Status(log.bob.Send(update)) == "applied");
  const Data answer = log.world.Pull("anna", Request("c1", At(log.world, 2, 1)));
  CHECK(Short(answer) == "move boxes/01970000-0000-7000-8000-0000000000aa");
  CHECK(OnlyOver(answer) == "1");
}

TEST_CASE("a deletion has its own revision, whatever comes after it in the range") {
  Log log;
  log.Write(&log.bob, R"({"op":"delete","table":"items","id":"x","realm":"A"})", 1);
  log.Sets(&log.anna, R"({"n":2})", 1);  // nothing is there any more
  const Data answer = log.world.Pull("anna", Request("c1", At(log.world, 1, 1)));
  CHECK(Short(answer) == "delete items/x");
  CHECK(answer["changes"].items()[0]["revision"] == Data(2));
  CHECK(answer["cursors"]["A"].Is(log.world.cursor("A", 3).c_str()));
}

// To another realm, which the update of the op does not name.
TEST_CASE("an op that followed a row that had moved was made over nothing") {
  Log log;
  REQUIRE(Status(log.anna.Push(R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"}])",
                               {"A", "B"})) == "applied");
  Data own = log.anna.Make(
      R"([{"op":"update","table":"items","id":"x","realm":"B","set":{"n":2}}])", {"B"});
  own.Set("base", Data::MakeObject().Set("B", 2));
  REQUIRE(Status(log.anna.Send(own)) == "applied");
  SUBCASE("an edit") { log.Sets(&log.bob, R"({"n":3})", 1); }
  SUBCASE("a deletion") {
    log.Write(&log.bob, R"({"op":"delete","table":"items","id":"x","realm":"A"})", 1);
  }
  CHECK(OnlyOver(log.world.Pull("anna", Request("c1", At(log.world, 2, 3)))) == "0");
}

TEST_CASE("a row that the fill has not reached yet says so, too, if it was changed here") {
  Log log;
  const char* begun = R"([{"table":"items","filled":"a"}])";
  Data own =
      log.anna.Make(R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"n":2}}])");
  own.Set("base", Data::MakeObject().Set("A", 1));
  REQUIRE(Status(log.anna.Send(own)) == "applied");
  SUBCASE("deleted by others") {
    log.Write(&log.bob, R"({"op":"delete","table":"items","id":"x","realm":"A"})", 1);
  }
  SUBCASE("changed by others") { log.Sets(&log.bob, R"({"n":3})", 1); }
  const Data answer =
      log.world.Pull("anna", Request("c1", At(log.world, 1, 1), {own["id"]}, begun));
  std::string over;
  for (const Data& change : answer["changes"].items()) {
    if (change["id"].Is("x")) over = OverOf(change);
  }
  CHECK(over == "1");
}

}  // namespace
}  // namespace skerry::authority_test
