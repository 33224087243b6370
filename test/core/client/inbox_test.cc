// Goal: the inbox shows each object of a refused mutation with its three sides: what the mutation was
// made from, what it wanted, and what the log has now, as far as the user may read it. Method: a window
// whose mutations are refused, and records of others' changes.
#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

struct InboxWorld : Pair {
  InboxWorld() {
    Record({}, {CreateStep(kBoardTable, kBoardId, MakeRow(kBoardTable, {{"name", "plan"}}))});
  }
  void Record(const Vector<uint64_t>& refused, Vector<Step> steps) {
    A().Hear(
        Data::Object{{"type", "record"}, {"record", storage.Work({}, refused, std::move(steps))}});
    A().Settle();
  }
  // Does it, and has it refused.
  void Refuse(Vector<Operation> operations) {
    REQUIRE_FALSE(A().DoAll(std::move(operations)).empty());
    A().Settle();
    Record({storage.mutations.rbegin()->first}, {});
  }
  // The last inbox that the window showed.
  Data Shown() {
    Data items;
    for (const Data& note : A().notes) {
      if (note["type"].Is("conflicts")) items = note["items"];
    }
    return items;
  }
  // "base mine theirs" of each object of the last entry.
  Vector<std::string> Sides() {
    Vector<std::string> sides;
    const Data shown = Shown();
    for (const Data& change : shown.items().back()["changes"].items()) {
      sides.push_back(WriteJson(change["base"]) + ' ' + WriteJson(change["mine"]) + ' ' +
                      WriteJson(change["theirs"]));
    }
    return sides;
  }
};

using Texts = Vector<std::string>;

TEST_CASE("shows the three sides of what was refused, for each kind of change") {
  struct Case {
    const char* name;
    Vector<Operation> operations;
    Texts sides;
  };
  const Case cases[] = {
      {"an update",
       {{kUpdate, kBoardTable, kBoardId, One("name", "mine")}},
       {R"({"name":"plan"} {"name":"mine"} {"name":"plan"})"}},
      {"an inc",
       {{kInc, kGroupTable, "g", One("count", 2)}},
       {R"({"name":"base","count":0} {"count":2} {"name":"base","count":0})"}},
      {"a create",
       {{kCreate, kBoardTable, kNewId, One("name", "new"), "A"}},
       {R"(null {"name":"new"} null)"}},
      {"a delete",
       {{kDelete, kBoardTable, kBoardId, Data::MakeObject()}},
       {R"({"name":"plan"} null {"name":"plan"})"}},
      {"a move",
       {{kMove, kBoardTable, kBoardId, Data::MakeObject(), "B"}},
       {R"({"name":"plan"} {} {"name":"plan"})"}},
      {"two objects",
       {{kUpdate, kBoardTable, kBoardId, One("name", "mine")},
        {kInc, kGroupTable, "g", One("count", 2)}},
       {R"({"name":"plan"} {"name":"mine"} {"name":"plan"})",
        R"({"name":"base","count":0} {"count":2} {"name":"base","count":0})"}},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.name));
    InboxWorld world;
    world.Refuse(one.operations);
    CHECK(world.Sides() == one.sides);
    const Data entry = world.Shown().items()[0];
    CHECK(entry["mutation"]["name"].Is("edit"));
    CHECK(entry["mutation"]["arg"].Is("null"));
    CHECK(entry["code"].Is("unique"));
    CHECK(entry["others"].as_u64() == 0);
  }
}

TEST_CASE("shows what was added with the number that it was added to") {
  InboxWorld world;
  world.A().DoAll({{kInc, kGroupTable, "g", One("count", 5)}});
  world.Refuse({{kInc, kGroupTable, "g", One("count", 2)}});
  CHECK(world.Sides() ==
        Texts{R"({"name":"base","count":5} {"count":7} {"name":"base","count":0})"});
}

TEST_CASE("shows what others change, each time, and nothing after a deletion") {
  InboxWorld world;
  world.Refuse({{kUpdate, kBoardTable, kBoardId, One("name", "mine")}});
  const auto change = [&](ChangeKind kind, const Sets& sets) {
    world.A().notes.clear();
    Step step = CreateStep(kBoardTable, kBoardId, MakeRow(kBoardTable, sets, 9));
    step.change.kind = kind;
    world.Record({}, {std::move(step)});
  };
  change(ChangeKind::kUpdate, {{"name", "theirs"}});
  CHECK(world.Sides() == Texts{R"({"name":"plan"} {"name":"mine"} {"name":"theirs"})"});
  change(ChangeKind::kUpdate, {{"name", "theirs again"}});
  CHECK(world.Sides() == Texts{R"({"name":"plan"} {"name":"mine"} {"name":"theirs again"})"});
  // What changes nothing of the entry is not shown again.
  world.A().notes.clear();
  world.Record({}, {CreateStep(kBoardTable, kNewId, MakeRow(kBoardTable, {{"name", "other"}}))});
  CHECK_FALSE(Noted(world.A(), "conflicts"));
  change(ChangeKind::kDelete, {});
  CHECK(world.Sides() == Texts{R"({"name":"plan"} {"name":"mine"} null)"});
}

TEST_CASE("shows what the log has, and not what is pending over it") {
  InboxWorld world;
  world.Refuse({{kUpdate, kBoardTable, kBoardId, One("name", "mine")}});
  world.A().Do(kUpdate, kBoardTable, kBoardId, One("name", "once more"));
  world.A().Settle();
  world.A().notes.clear();
  world.Refuse({{kInc, kGroupTable, "g", One("count", 1)}});
  const Data shown = world.Shown();
  CHECK(shown.items()[0]["changes"].items()[0]["theirs"]["name"].Is("plan"));
  // The next one was made from what the window showed.
  world.A().notes.clear();
  world.Refuse({{kUpdate, kBoardTable, kBoardId, One("name", "third")}});
  CHECK(world.Sides() == Texts{R"({"name":"once more"} {"name":"third"} {"name":"plan"})"});
}

TEST_CASE("shows a hundred objects of a mutation, and how many others there are") {
  for (const size_t others : {0, 1}) {
    CAPTURE(others);
    InboxWorld world;
    Vector<Operation> operations;
    for (size_t i = 0; i < kMaxInboxChanges + others; ++i)
      operations.push_back(
          {kCreate, kGroupTable, "new" + std::to_string(i), Data::MakeObject(), "A"});
    world.Refuse(std::move(operations));
    const Data entry = world.Shown().items()[0];
    CHECK(entry["changes"].items().size() == kMaxInboxChanges);
    CHECK(entry["others"].as_u64() == others);
  }
}

TEST_CASE("shows entries that nobody can read, and hides none for them") {
  InboxWorld world;
  world.storage.conflicts[1] = "damaged";
  world.storage.conflicts[2] = Data::Object{
      {"v", 1}, {"reason", "rejected"}, {"mutation", Data::Object{{"body", Data::Bytes("x")}}}};
  world.Refuse({{kUpdate, kBoardTable, kBoardId, One("name", "mine")}});
  const Data items = world.Shown();
  REQUIRE(items.items().size() == 3);
  CHECK(items.items()[0]["code"].Is("unreadable"));
  CHECK(items.items()[1]["changes"].items().empty());
  CHECK(world.Sides().size() == 1);
}

}  // namespace
}  // namespace skerry::client_test
