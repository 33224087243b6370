// Goal: an entry of the inbox is settled by another mutation in its place, or by props, in one
// transaction with its removal; what depends on it is made again behind it; and what cannot be made
// stays. Method: windows whose mutations are refused.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/rows_before.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

struct SettleWorld : Pair {
  SettleWorld() {
    const Data record = Data::Object{
        {"type", "record"},
        {"record", storage.Work({}, {},
                                {CreateStep(kBoardTable, kBoardId,
                                            MakeRow(kBoardTable, {{"name", "plan"}}))})}};
    A().Hear(record);
    B().Hear(record);
  }
  // Does it, and has it refused. Returns the entry's key.
  uint64_t Refuse(Vector<Operation> operations) {
    const std::string table = TestSchema().table(operations[0].table).name;
    const Data object = operations[0].id;
    refused_id = A().DoAll(std::move(operations));
    REQUIRE_FALSE(refused_id.empty());
    A().Settle();
    const Data record = Data::Object{
        {"type", "record"}, {"record", storage.Work({}, {storage.mutations.rbegin()->first}, {})}};
    A().Hear(record);
    B().Hear(record);
    A().Settle();
    B().Settle();
    A().sent.clear();
    storage.conflicts.rbegin()->second.Set("table", table).Set("id", object);
    return storage.conflicts.rbegin()->first;
  }
  std::string Answer(Window& window, uint64_t entry) {
    for (const Data& note : window.notes) {
      if (note["type"].Is("resolved") && note["id"].as_u64() == entry)
        return note["error"]["code"].as_string();
    }
    return "no answer";
  }
  std::string Take(uint64_t entry, const Vector<std::string>& theirs) {
    Data props = Data::MakeArray();
    for (const std::string& prop : theirs) props.Push(prop);
    A().notes.clear();
    A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "take"}, {"theirs", props}});
    A().Settle();
    return Answer(A(), entry);
  }
  // Begins it: nothing is stored before the window settles.
  void Amend(Window& window, uint64_t entry, Vector<Operation> operations) {
    window.notes.clear();
    window.Amend(entry, std::move(operations));
  }
  // The ops of the last mutation, and what it says of itself.
  Mutation Last() {
    return DecodeMutation(TestSchema(), storage.mutations.rbegin()->second["body"].as_bytes())
        .value();
  }
  std::string refused_id;
};

const Operation kRename = {kUpdate, kBoardTable, kBoardId, One("name", "mine")};
const Operation kIncrease = {kInc, kGroupTable, "g", One("count", 2)};

TEST_CASE("makes another mutation in the place of an entry, shown when it is durable") {
  SettleWorld world;
  const uint64_t entry = world.Refuse({kRename, kIncrease});
  world.Amend(world.A(), entry, {{kUpdate, kBoardTable, kBoardId, One("name", "amended")}});
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "plan");
  CHECK(world.storage.conflicts.size() == 1);
  world.A().Settle();
  CHECK(world.Answer(world.A(), entry).empty());
  CHECK(world.storage.conflicts.empty());
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "amended");
  REQUIRE(world.storage.mutations.size() == 1);
  const Data record = world.storage.mutations.begin()->second;
  CHECK(record["replaces"].as_string() == world.refused_id);
  CHECK_NE(record["id"].as_string(), world.refused_id);
  CHECK(world.Last().base == ByRealm<uint64_t>{{"A", world.storage.n()}});
  const Result<RowsBefore> before = DecodeRowsBefore(TestSchema(), record["before"].as_bytes());
  REQUIRE(before.ok());
  REQUIRE(before.value().size() == 1);
  CHECK(before.value()[0].set[0].value == Value::String("plan"));
  // The other window hears of it as of any mutation.
  world.B().Hear(Message(world.A(), "added"));
  CHECK(world.B().See(kBoardTable, kBoardId)->props[0].text() == "amended");
}

TEST_CASE("makes one of two amendments of an entry, and nothing of one that is too late") {
  SettleWorld world;
  const uint64_t entry = world.Refuse({kRename});
  world.Amend(world.A(), entry, {{kUpdate, kBoardTable, kBoardId, One("name", "of A")}});
  world.Amend(world.B(), entry, {{kUpdate, kBoardTable, kBoardId, One("name", "of B")}});
  world.B().Settle();
  world.A().Settle();
  CHECK(world.Answer(world.B(), entry).empty());
  CHECK(world.Answer(world.A(), entry) == "not_found");
  CHECK(world.storage.mutations.size() == 1);
  world.A().Hear(Message(world.B(), "added"));
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "of B");
}

TEST_CASE("makes nothing in the place of an entry that is gone, and takes no other out") {
  SettleWorld world;
  const uint64_t gone = world.Refuse({kRename});
  const uint64_t other = world.Refuse({kIncrease});
  world.Amend(world.A(), gone, {{kUpdate, kBoardTable, kBoardId, One("name", "first")}});
  world.A().Settle();
  world.Amend(world.A(), gone, {{kUpdate, kBoardTable, kBoardId, One("name", "late")}});
  world.A().Settle();
  CHECK(world.Answer(world.A(), gone) == "not_found");
  CHECK(world.storage.conflicts.count(other) == 1);
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "first");
}

TEST_CASE("keeps an entry whose amendment could not be stored") {
  SettleWorld world;
  const uint64_t entry = world.Refuse({kRename});
  world.Amend(world.A(), entry, {{kUpdate, kBoardTable, kBoardId, One("name", "amended")}});
  Next(world.A(), Outcome::kFailed);
  CHECK(world.Answer(world.A(), entry) == "storage");
  CHECK(world.storage.conflicts.size() == 1);
  CHECK(world.storage.mutations.empty());
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "plan");
}

TEST_CASE("makes a change again without the props that are left to the others") {
  SettleWorld world;
  const uint64_t entry =
      world.Refuse({{kUpdate, kGroupTable, "g", Data::Object{{"name", "mine"}, {"owner", "p"}}},
                    kIncrease,
                    kRename});
  SUBCASE("none") {
    CHECK(world.Take(entry, {}).empty());
    CHECK(Count(world.A()) == 2);
    CHECK(world.Last().ops.size() == 3);
  }
  SUBCASE("one of two of an op") {
    CHECK(world.Take(entry, {"name"}).empty());
    CHECK(world.A().See(kGroupTable, "g")->props[0].text() == "base");
    CHECK(world.A().See(kGroupTable, "g")->props[2].text() == "p");
    CHECK(Count(world.A()) == 2);
  }
  SUBCASE("a number that is added") {
    CHECK(world.Take(entry, {"count"}).empty());
    CHECK(Count(world.A()) == 0);
    CHECK(world.A().See(kGroupTable, "g")->props[0].text() == "mine");
  }
  SUBCASE("all: the other objects stay as they were wanted") {
    CHECK(world.Take(entry, {"name", "owner", "count"}).empty());
    CHECK(world.A().See(kGroupTable, "g")->props[0].text() == "base");
    CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "mine");
    CHECK(world.Last().ops.size() == 1);
  }
  SUBCASE("one that it does not change") {
    CHECK(world.Take(entry, {"name", "gone"}) == "not_changed");
    CHECK(world.storage.conflicts.size() == 1);
    CHECK(world.storage.mutations.empty());
    return;
  }
  CHECK(world.storage.conflicts.empty());
  REQUIRE(world.storage.mutations.size() == 1);
  const Data record = world.storage.mutations.begin()->second;
  CHECK(record["replaces"].as_string() == world.refused_id);
  CHECK_NE(record["id"].as_string(), world.refused_id);
}

TEST_CASE("takes an entry out, and makes nothing, if all is left to the others") {
  SettleWorld world;
  const uint64_t entry = world.Refuse({kRename});
  CHECK(world.Take(entry, {"name"}).empty());
  CHECK(world.storage.conflicts.empty());
  CHECK(world.storage.mutations.empty());
}

TEST_CASE("makes what depends on an entry again behind what is made in its place") {
  for (const bool amends : {true, false}) {
    CAPTURE(amends);
    SettleWorld world;
    const uint64_t entry = world.Refuse({{kCreate, kBoardTable, kNewId, One("name", "new"), "A"}});
    const std::string culprit = world.refused_id;
    const uint64_t later = world.Refuse({kIncrease});
    world.storage.conflicts[later].Set("code", "depends").Set("dependsOn", culprit);
    if (amends) {
      world.Amend(world.A(), entry, {{kCreate, kBoardTable, kNewId, One("name", "other"), "A"}});
      world.A().Settle();
    } else {
      CHECK(world.Take(entry, {}).empty());
    }
    CHECK(world.storage.conflicts.empty());
    REQUIRE(world.storage.mutations.size() == 2);
    CHECK(world.Last().ops[0].Has(kOnRow));
    CHECK(world.Last().ops[0].id == "g");
    CHECK(world.A().See(kBoardTable, kNewId).has_value());
    CHECK(Count(world.A()) == 2);
  }
}

}  // namespace
}  // namespace skerry::client_test
