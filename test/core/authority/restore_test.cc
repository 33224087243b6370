// Goal: an op of an undo does what the author saw before, and nothing to what others have done since;
// it does nothing if what it undoes is not in the log. A restore brings back what its action deleted,
// with all that went along. Method: tables of histories of two clients, each pushed one by one and in
// one commit.
#include <doctest/doctest.h>

#include "base/json.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

// The action of the update that Author::Make made last.
std::string ActionOf(const Data& update) { return update["actions"].items()[0]["id"].as_string(); }

struct UndoWorld : AuthorityWorld {
  Author anna{this, "c1"};
  Author bea{this, "c2"};

  // Pushes ops (a JSON array), in which $ is the id of the action before; keeps its own.
  Data Do(Author& author, std::string ops) {
    for (size_t at = ops.find('$'); at != std::string::npos; at = ops.find('$'))
      ops.replace(at, 1, done);
    const Data update = author.Make(ops);
    const Data result = author.Send(update);
    if (Status(result) != "applied") author.TakeBack(update);
    last = ActionOf(update);
    return result;
  }
  // The same, and the next $ means it.
  Data Act(Author& author, const std::string& ops) {
    const Data result = Do(author, ops);
    done = last;
    return result;
  }
  std::string Props(const char* table, const char* id) const {
    const Data row = Row(table, id);
    return row.is_null() ? "none" : WriteJson(row["props"]);
  }
  std::string done = Id(0xabc), last;
};

constexpr char kCreateRoot[] =
    R"([{"op":"create","table":"items","id":"r","realm":"A","set":{"n":1,"note":"x"}}])";
constexpr char kCreateTree[] =
    R"([{"op":"create","table":"items","id":"r","realm":"A","set":{"n":1}},
        {"op":"create","table":"items","id":"c","realm":"A","set":{"parent":"r","n":2}},
        {"op":"create","table":"items","id":"g","realm":"A","set":{"parent":"c","n":3}},
        {"op":"create","table":"items","id":"f","realm":"A","set":{"friend":"r"}}])";
constexpr char kDeleteRoot[] = R"([{"op":"delete","table":"items","id":"r","realm":"A"}])";
constexpr char kRestoreRoot[] =
    R"([{"op":"restore","table":"items","id":"r","realm":"A","of":"$"}])";

TEST_CASE("puts a prop back only where it still is what the action made it") {
  struct Case {
    const char* label;
    const char* meanwhile;  // what the other client does
    const char* props;
  };
  const Case cases[] = {
      {"nothing", nullptr, R"({"n":1,"note":"x"})"},
      {"the same prop", R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"n":9}}])",
       R"({"n":9,"note":"x"})"},
      {"another prop", R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"u":4}}])",
       R"({"n":1,"u":4,"note":"x"})"},
      {"it was deleted", kDeleteRoot, "none"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    UndoWorld world;
    REQUIRE(Status(world.Do(world.anna, kCreateRoot)) == "applied");
    world.Act(world.anna,
              R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"n":5,"note":"y"}}])");
    if (c.meanwhile != nullptr) REQUIRE(Status(world.Do(world.bea, c.meanwhile)) == "applied");
    const Data undone =
        world.Do(world.anna, R"([{"op":"update","table":"items","id":"r","realm":"A","of":"$",
                         "set":{"n":1,"note":"x"},"was":{"n":5,"note":"y"}}])");
    CHECK(Status(undone) == "applied");
    CHECK(world.Props("items", "r") == c.props);
  }
}

TEST_CASE("an undo of what others have changed is no change of the row") {
  UndoWorld world;
  world.Do(world.anna, kCreateRoot);
  world.Act(world.anna, R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"n":5}}])");
  world.Do(world.bea, R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"n":9}}])");
  const Data before = world.Row("items", "r");
  const Data undone =
      world.Do(world.anna, R"([{"op":"update","table":"items","id":"r","realm":"A","of":"$",
                                "set":{"n":1},"was":{"n":5}}])");
  CHECK(WriteJson(undone["noops"]) == "[0]");
  CHECK(world.Row("items", "r") == before);
}

TEST_CASE("does nothing unless what it undoes is in the log, nor does the undo of that") {
  UndoWorld world;
  REQUIRE(Status(world.Do(world.anna, kCreateRoot)) == "applied");
  const std::string never = Id(0xdead);
  const std::string ops[] = {
      R"([{"op":"inc","table":"items","id":"r","realm":"A","add":{"n":-5},"of":")" + never +
          R"("}])",
      R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"n":7},"was":{"n":1},"of":")" +
          never + R"("}])",
      R"([{"op":"delete","table":"items","id":"r","realm":"A","of":")" + never + R"("}])",
      R"([{"op":"move","table":"items","id":"r","realm":"A","to":"B","of":")" + never + R"("}])",
      R"([{"op":"restore","table":"items","id":"r","realm":"A","of":")" + never + R"("}])",
  };
  for (const std::string& each : ops) {
    CAPTURE(each);
    const bool moves = each.find("move") != std::string::npos;
    const Data update =
        world.anna.Make(each, moves ? Vector<std::string>{"A", "B"} : Vector<std::string>{"A"});
    const Data undone = world.anna.Send(update);
    CHECK(Status(undone) == "applied");
    CHECK(WriteJson(undone["noops"]) == "[0]");
    CHECK(world.Props("items", "r").find(R"("n":1)") != std::string::npos);
    // What undid nothing is nothing that could be undone.
    const Data again = world.anna.Push(
        R"([{"op":"inc","table":"items","id":"r","realm":"A","add":{"n":5},"of":")" +
        ActionOf(update) + R"("}])");
    CHECK(WriteJson(again["noops"]) == "[0]");
  }
}

TEST_CASE("takes away what was added, and not what others have added") {
  UndoWorld world;
  world.Do(world.anna, kCreateRoot);
  world.Act(world.anna, R"([{"op":"inc","table":"items","id":"r","realm":"A","add":{"n":5}}])");
  world.Do(world.bea, R"([{"op":"inc","table":"items","id":"r","realm":"A","add":{"n":100}}])");
  world.Act(world.anna,
            R"([{"op":"inc","table":"items","id":"r","realm":"A","add":{"n":-5},"of":"$"}])");
  CHECK(world.Row("items", "r")["props"]["n"] == Data(101.0));
  world.Do(world.anna,
           R"([{"op":"inc","table":"items","id":"r","realm":"A","add":{"n":5},"of":"$"}])");
  CHECK(world.Row("items", "r")["props"]["n"] == Data(106.0));
}

TEST_CASE("moves back only from where the action has moved it") {
  for (const bool is_moved_on : {false, true}) {
    UndoWorld world;
    world.AddRealm("C");
    for (const char* user : {"anna"}) world.Grant(user, "C", "write");
    world.Do(world.anna, kCreateRoot);
    const Data move = world.anna.Make(
        R"([{"op":"move","table":"items","id":"r","realm":"A","to":"B"}])", {"A", "B"});
    REQUIRE(Status(world.anna.Send(move)) == "applied");
    if (is_moved_on)
      world.bea.Push(R"([{"op":"move","table":"items","id":"r","realm":"B","to":"C"}])",
                     {"B", "C"});
    const Data back =
        world.anna.Push(R"([{"op":"move","table":"items","id":"r","realm":"B","to":"A","of":")" +
                            ActionOf(move) + R"("}])",
                        {"A", "B"});
    CHECK(Status(back) == "applied");
    CHECK(world.Row("items", "r")["realm"].Is(is_moved_on ? "C" : "A"));
  }
}

TEST_CASE("restores a row with all that went with it") {
  UndoWorld world;
  REQUIRE(Status(world.Do(world.anna, kCreateTree)) == "applied");
  const auto before = world.StateAt("A", world.head("A"));
  world.Act(world.anna, kDeleteRoot);
  CHECK(world.Props("items", "g") == "none");
  CHECK(Status(world.Act(world.bea, kRestoreRoot)) == "applied");
  for (const auto& [key, row] : before) {
    const Data now = world.Row(key.first, key.second);
    CAPTURE(key.second);
    REQUIRE_FALSE(now.is_null());
    CHECK(now["props"] == row["props"]);
    CHECK(now["createdAt"] == row["createdAt"]);
    CHECK(now["revision"].as_u64() == world.head("A"));
  }
  // Undone by a deletion, and once more.
  world.Act(world.bea, R"([{"op":"delete","table":"items","id":"r","realm":"A","of":"$"}])");
  CHECK(world.Props("items", "c") == "none");
  world.Do(world.bea, kRestoreRoot);
  CHECK(world.Props("items", "g") != "none");
}

TEST_CASE("restores nothing that others have done away with, or made anew, since") {
  struct Case {
    const char* label;
    const char* meanwhile;
    const char* restored;  // of r, c, g and f, those that are there afterwards
  };
  const Case cases[] = {
      {"a friend has another friend",
       R"([{"op":"update","table":"items","id":"f","realm":"A","set":{"friend":"f"}}])", "rcgf"},
      {"a friend is deleted", R"([{"op":"delete","table":"items","id":"f","realm":"A"}])", "rcg"},
      {"a child was made anew and deleted",
       R"([{"op":"create","table":"items","id":"c","realm":"A","set":{}},
           {"op":"delete","table":"items","id":"c","realm":"A"}])",
       "rf"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    UndoWorld world;
    world.Do(world.anna, kCreateTree);
    world.Act(world.anna, kDeleteRoot);
    REQUIRE(Status(world.Do(world.bea, c.meanwhile)) == "applied");
    CHECK(Status(world.Do(world.anna, kRestoreRoot)) == "applied");
    std::string there;
    for (const char* id : {"r", "c", "g", "f"}) {
      if (!world.Row("items", id).is_null()) there += id;
    }
    CHECK(there == c.restored);
    // The ref was set to null, and one of the others has set it to something else.
    if (std::string(c.label) == "a friend has another friend")
      CHECK(world.Row("items", "f")["props"]["friend"].Is("f"));
  }
  UndoWorld world;
  world.Do(world.anna, kCreateTree);
  world.Act(world.anna, kDeleteRoot);
  world.Do(world.bea, R"([{"op":"create","table":"items","id":"r","realm":"A","set":{"n":77}}])");
  const Data undone = world.Do(world.anna, kRestoreRoot);
  CHECK(WriteJson(undone["noops"]) == "[0]");
  CHECK(world.Row("items", "r")["props"]["n"] == Data(77.0));
}

TEST_CASE("leaves what another action of the same entry has deleted") {
  UndoWorld world;
  world.Do(world.anna, kCreateTree);
  Data update = world.anna.Make(
      R"([{"op":"delete","table":"items","id":"g","realm":"A","by":[1]},
          {"op":"delete","table":"items","id":"r","realm":"A","by":[0]}])");
  Data actions = update["actions"];
  Data other = actions.items()[0];
  other.Set("id", Id(0xbee));
  actions.Push(other);
  update.Set("actions", actions);
  REQUIRE(Status(world.anna.Send(update)) == "applied");
  world.done = ActionOf(update);
  world.Do(world.anna, kRestoreRoot);
  CHECK(world.Props("items", "c") != "none");
  CHECK(world.Props("items", "g") == "none");
  world.done = Id(0xbee);
  world.Do(world.anna, R"([{"op":"restore","table":"items","id":"g","realm":"A","of":"$"}])");
  CHECK(world.Props("items", "g") != "none");
}

TEST_CASE("restores what the entry has made as well, from what the client knows") {
  for (const bool knows : {false, true}) {
    UndoWorld world;
    REQUIRE(Status(world.Act(world.anna,
                             R"([{"op":"create","table":"items","id":"r","realm":"A","set":{"n":1}},
                                {"op":"delete","table":"items","id":"r","realm":"A"}])")) ==
            "applied");
    const char* known = knows ? R"(,"set":{"n":1},"createdAt":5)" : "";
    const Data undone =
        world.Do(world.anna, R"([{"op":"restore","table":"items","id":"r","realm":"A","of":"$")" +
                                 std::string(known) + "}]");
    CHECK(undone["noops"].items().size() == (knows ? 0 : 1));
    CHECK(world.Row("items", "r")["props"]["n"] == (knows ? Data(1.0) : Data()));
  }
}

TEST_CASE("restores nothing where the author may not write, nor what breaks a rule") {
  UndoWorld world;
  world.Grant("cleo", "A", "read");
  Author cleo(&world, "c3", "cleo");
  world.Do(world.anna, R"([{"op":"create","table":"items","id":"r","realm":"A","set":{"u":5}}])");
  world.Act(world.anna, kDeleteRoot);
  CHECK(RejectCode(world.Do(cleo, kRestoreRoot)) == "forbidden");
  world.Do(world.bea, R"([{"op":"create","table":"items","id":"q","realm":"A","set":{"u":5}}])");
  CHECK(RejectCode(world.Do(world.anna, kRestoreRoot)) == "unique");
  // A child whose parent is gone is deleted at once, and its author is told.
  world.Do(world.anna, kCreateTree);
  world.Act(world.anna, R"([{"op":"delete","table":"items","id":"c","realm":"A"}])");
  world.Do(world.bea, kDeleteRoot);
  const Data orphan =
      world.Do(world.anna, R"([{"op":"restore","table":"items","id":"c","realm":"A","of":"$"}])");
  CHECK(WriteJson(orphan["gone"]) == "[0]");
  CHECK(world.Props("items", "c") == "none");
}

TEST_CASE("says so when what it undoes is no longer known") {
  UndoWorld world;
  world.Do(world.anna, kCreateTree);
  world.Act(world.anna, kDeleteRoot);
  world.now += 1'000'000;
  world.Do(world.anna, R"([{"op":"create","table":"items","id":"z","realm":"A","set":{}}])");
  world.Forget("A", world.now - 500'000);
  CHECK(RejectCode(world.Do(world.anna, kRestoreRoot)) == "expired");
  world.done = Id(0xdead);
  CHECK(RejectCode(world.Do(
            world.anna,
            R"([{"op":"inc","table":"items","id":"z","realm":"A","add":{"n":1},"of":"$"}])")) ==
        "expired");
}

TEST_CASE("undoes what an earlier update of the same commit has done") {
  UndoWorld world;
  world.Do(world.anna, kCreateTree);
  const Data deletion = world.anna.Make(kDeleteRoot);
  const Data restore =
      world.anna.Make(R"([{"op":"restore","table":"items","id":"r","realm":"A","of":")" +
                      ActionOf(deletion) + R"("}])");
  const Data results = world.Commit({{"c1", "anna", {deletion, restore}}});
  for (const Data& result : results.items()[0].items()) CHECK(Status(result) == "applied");
  for (const char* id : {"r", "c", "g", "f"}) CHECK(world.Props("items", id) != "none");
  CHECK(world.Row("items", "f")["props"]["friend"].Is("r"));
}

TEST_CASE("refuses what names no action, or one of its own update") {
  UndoWorld world;
  world.Do(world.anna, kCreateRoot);
  CHECK(RejectCode(
            world.Do(world.anna, R"([{"op":"restore","table":"items","id":"r","realm":"A"}])")) ==
        "invalid");
  CHECK(RejectCode(world.Do(world.anna,
                            R"([{"op":"update","table":"items","id":"r","realm":"A","set":{"n":1},
                                 "was":{"n":2}}])")) == "invalid");
  CHECK(RejectCode(world.Do(world.anna,
                            R"([{"op":"update","table":"items","id":"r","realm":"A","of":"$",
                                 "set":{"n":1},"was":{"note":"x"}}])")) == "invalid");
  CHECK(RejectCode(world.Do(world.anna, R"([{"op":"delete","table":"items","id":"r","realm":"A",
                                             "of":"no uuid"}])")) == "invalid_id");
  Data update = world.anna.Make(
      R"([{"op":"delete","table":"items","id":"r","realm":"A","by":[0]},
          {"op":"restore","table":"items","id":"r","realm":"A","by":[1],"of":")" +
      world.last + R"("}])");
  Data actions = update["actions"];
  Data other = actions.items()[0];
  actions.Push(other.Set("id", Id(0xbee)));
  Data ops = update["ops"];
  ops.mutable_items()[1].Set("of", ActionOf(update));
  update.Set("actions", actions).Set("ops", ops);
  CHECK(RejectCode(world.anna.Send(update)) == "invalid");
}

}  // namespace
}  // namespace skerry::authority_test
