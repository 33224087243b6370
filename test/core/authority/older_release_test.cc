// Goal: an update of an earlier release is applied without what this schema has no place for, and its
// result and the pull's `own` name that; of a client of this release it is refused. Method: updates
// that name what the world's schema does not have, pushed into a small world (world.h).
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "test/core/authority/pulling.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

struct Dropping {
  const char* what;
  const char* ops;
  const char* dropped;  // as in the result
  const char* stored;   // the ops of the entry
};

constexpr Dropping kDroppings[] = {
    {"a table", R"([{"op":"create","table":"files","id":"f","realm":"A","set":{"name":"f"}},
        {"op":"create","table":"items","id":"i","realm":"A","set":{"n":1}},
        {"op":"delete","table":"files","id":"g","realm":"A"}])",
     R"([{"op":0},{"op":2}])",
     R"([{"op":"create","table":"items","id":"i","realm":"A","set":{"n":1}}])"},
    {"a prop", R"([{"op":"create","table":"items","id":"i","realm":"A","set":{"n":1,"points":2}},
        {"op":"inc","table":"items","id":"i","realm":"A","add":{"n":1,"points":2}}])",
     R"([{"op":0,"props":["points"]},{"op":1,"props":["points"]}])",
     R"([{"op":"create","table":"items","id":"i","realm":"A","set":{"n":1}},
        {"op":"inc","table":"items","id":"i","realm":"A","add":{"n":1}}])"},
    {"all that an op changes",
     R"([{"op":"update","table":"items","id":"i","realm":"A","set":{"points":2}},
        {"op":"inc","table":"items","id":"i","realm":"A","add":{"points":2}}])",
     R"([{"op":0,"props":["points"]},{"op":1,"props":["points"]}])", "[]"},
    {"a type", R"([{"op":"create","table":"items","id":"i","realm":"A","set":{"n":"one"}},
        {"op":"inc","table":"items","id":"i","realm":"A","add":{"note":2}}])",
     R"([{"op":0,"props":["n"]},{"op":1,"props":["note"]}])",
     R"([{"op":"create","table":"items","id":"i","realm":"A","set":{}}])"},
    {"what may not be null any more",
     R"([{"op":"update","table":"groups","id":"g","realm":"A","set":{"name":null}}])",
     R"([{"op":0,"props":["name"]}])", "[]"},
};

Data PushAs(AuthorityWorld* world, const Data& update, bool is_older) {
  AuthorityWorld::Request request{"c1", "anna", {update}};
  request.is_older = is_older;
  return world->Commit({request}).items()[0].items()[0];
}
Data PushOlder(AuthorityWorld* world, const Data& update) { return PushAs(world, update, true); }

TEST_CASE("leaves out of an older release's update what there is no place for") {
  for (const Dropping& dropping : kDroppings) {
    CAPTURE(dropping.what);
    AuthorityWorld world;
    Author one(&world, "c1");
    const Data update = one.Make(dropping.ops);
    const Data result = PushOlder(&world, update);
    CHECK(Status(result) == "applied");
    CHECK(result["dropped"] == Json(dropping.dropped));
    CHECK(world.entries()[0]["ops"] == Json(dropping.stored));
    CHECK(world.entries()[0]["answer"] == result);
    // A copy gets the same answer, and so does every pull.
    CHECK(PushOlder(&world, update)["dropped"] == Json(dropping.dropped));
    const std::string id = update["id"].as_string();
    for (const bool have : {true, false}) {
      const Data::Array asked = have ? Data::Array{update["id"]} : Data::Array();
      const Data answer = world.Pull("anna", Request("c1", R"({"A":"0@0"})", asked));
      CHECK(answer["own"][id]["A"]["dropped"] == Json(dropping.dropped));
    }
  }
}

TEST_CASE("refuses of a client of this release what there is no place for") {
  for (const Dropping& dropping : kDroppings) {
    CAPTURE(dropping.what);
    AuthorityWorld world;
    Author one(&world, "c1");
    const Data result = PushAs(&world, one.Make(dropping.ops), false);
    CHECK(Status(result) == "rejected");
    CHECK(result.Find("dropped") == nullptr);
    CHECK(world.entries().empty());
  }
}

TEST_CASE("names the ops of an older release's update by their places in it") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const Data noop =
      PushOlder(&world, one.Make(R"([{"op":"create","table":"files","id":"f","realm":"A","set":{}},
        {"op":"update","table":"items","id":"missing","realm":"A","set":{"n":1}},
        {"op":"create","table":"members","id":"m","realm":"A","set":{"group":"missing"}}])"));
  CHECK(noop["noops"] == Json("[1]"));
  CHECK(noop["gone"] == Json("[2]"));
  const Data refused =
      PushOlder(&world, one.Make(R"([{"op":"create","table":"files","id":"f","realm":"A","set":{}},
        {"op":"create","table":"items","id":"i","realm":"A","set":{"u":7}},
        {"op":"create","table":"items","id":"j","realm":"A","set":{"u":7}}])"));
  REQUIRE(Status(refused) == "rejected");
  CHECK(refused["rejected"].items()[0]["op"].as_u64() == 1);
  CHECK(refused.Find("dropped") == nullptr);
}

TEST_CASE("folds of an older release's update what was stored, and sends nothing for it") {
  AuthorityWorld world;
  Author one(&world, "c1");
  REQUIRE(
      Status(one.Push(R"([{"op":"create","table":"items","id":"i","realm":"A","set":{"n":1}}])")) ==
      "applied");
  const Data update = one.Make(
      R"([{"op":"update","table":"items","id":"i","realm":"A","set":{"n":2,"points":5}}])");
  REQUIRE(Status(PushOlder(&world, update)) == "applied");
  const Data answer =
      world.Pull("anna", Request("c1", "{\"A\":\"" + world.cursor("A", 1) + "\"}", {update["id"]}));
  CHECK(answer["own"].members().size() == 1);
  CHECK(answer["changes"].items().empty());
}

}  // namespace
}  // namespace skerry::authority_test
