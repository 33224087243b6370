// Goal: what the application's rules find wrong is held back, and nothing else, whoever judges it and
// whenever: before a mutation is written, when others' changes make it wrong or right, in several
// windows, and under several releases. Method: windows over one storage, in which the test answers for
// the rules.
#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

// The schema with rules, of this version.
Data Validating(uint64_t version = 1) {
  Data schema = SchemaData();
  schema.Set("validates", true);
  return schema.Set("version", version);
}

const Data kBoard = Data::Object{{"table", "boards"}, {"id", kBoardId}};

struct RuledWorld : Pair {
  explicit RuledWorld(uint64_t of_a = 2, uint64_t of_b = 2) {
    Restart(A(), of_a);
    Restart(B(), of_b);
    Change("plan");
  }
  void Restart(Window& window, uint64_t version) {
    window.Reopen(Validating(version));
    window.Settle();
    window.sent.clear();
    window.posted.clear();
    Judge(window);
  }
  // What the window was last asked about; null: nothing.
  Data Asked(Window& window) {
    Data asked;
    for (const Data& note : window.notes) {
      if (note["type"].Is("validate")) asked = note;
    }
    return asked;
  }
  void Judge(Window& window, const Vector<Data>& wrong = {}) {
    window.notes.clear();
    Data list = Data::MakeArray();
    for (const Data& row : wrong) list.Push(row);
    window.Event(Data::Object{{"type", "judge"}, {"wrong", std::move(list)}});
  }
  void JudgeAndStore(Window& window, const Vector<Data>& wrong = {}) {
    Judge(window, wrong);
    window.Settle();
  }
  // A record of another device: the board has this name.
  Data Record(const std::string& name) {
    return Data::Object{
        {"type", "record"},
        {"record",
         storage.Work(
             {}, {}, {CreateStep(kBoardTable, kBoardId, MakeRow(kBoardTable, {{"name", name}}))})}};
  }
  void Change(const std::string& name) {
    const Data record = Record(name);
    for (Window* window : {&A(), &B()}) {
      window->Hear(record);
      Judge(*window);
    }
  }
  void Rename(Window& window, const char* name = "mine") {
    window.Do(kUpdate, kBoardTable, kBoardId, One("name", name));
  }
  const Data& Stored() { return storage.mutations.rbegin()->second; }
  std::string Judged() {
    const Data& stored = Stored();
    const Data& at = stored["judged"];
    std::string text = stored["held"].as_bool() ? "held" : "free";
    if (at.is_null()) return text + ", not judged";
    return text + " by " + std::to_string(at["version"].as_u64()) + " at " +
           std::to_string(at["n"].as_u64());
  }
};

TEST_CASE("writes with a mutation whether what it changes is wrong") {
  RuledWorld world;
  world.Rename(world.A());
  const Data asked = world.Asked(world.A());
  CHECK_FALSE(asked["all"].as_bool());
  CHECK(asked["rows"] == Data(Data::Array{kBoard}));
  SUBCASE("it is wrong") {
    world.Judge(world.A(), {kBoard});
    CHECK(world.A().state["held"].as_u64() == 1);
    world.A().Settle();
    CHECK(world.Judged() == "held by 2 at 1");
  }
  SUBCASE("it is right") {
    world.Judge(world.A());
    CHECK(world.A().state["held"].as_u64() == 0);
    world.A().Settle();
    CHECK(world.Judged() == "free by 2 at 1");
  }
  SUBCASE("something else is wrong") {
    world.Judge(world.A(), {Data::Object{{"table", "boards"}, {"id", kNewId}},
                            Data::Object{{"table", "gone"}, {"id", "x"}}});
    world.A().Settle();
    CHECK(world.Judged() == "free by 2 at 1");
  }
  SUBCASE("nobody judges it: it is not pushed unseen") {
    world.A().Settle();
    CHECK(world.Judged() == "held, not judged");
  }
  SUBCASE("it is judged after it was written, before the window knows that") {
    world.A().Run();
    world.Judge(world.A());
    CHECK(world.Judged() == "held, not judged");
    world.A().Notify();
    CHECK_FALSE(world.Asked(world.A()).is_null());
    world.JudgeAndStore(world.A());
    CHECK(world.Judged() == "free by 2 at 1");
  }
}

TEST_CASE("holds what a page keeps when it is frozen, until it is judged") {
  RuledWorld world;
  world.A().Event(Data::Object{{"type", "freeze"}, {"ends", true}});
  world.Rename(world.A());
  world.Judge(world.A());
  CHECK(world.Judged() == "held, not judged");
  world.A().Event(Data::Object{{"type", "resume"}});
  world.A().Settle();
  CHECK_FALSE(world.Asked(world.A()).is_null());
  world.JudgeAndStore(world.A());
  CHECK(world.Judged() == "free by 2 at 1");
}

TEST_CASE("holds what others' changes make wrong, and frees it when it is right again") {
  RuledWorld world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.JudgeAndStore(world.A());
  world.A().posted.clear();
  const Data group = Data::Object{{"table", "groups"}, {"id", "g"}, {"realm", "A"}};
  const auto judged_after = [&](const char* name, const Vector<Data>& wrong) {
    const Row row = MakeRow(kGroupTable, {{"name", name}, {"count", 1}});
    world.A().Hear(
        Data::Object{{"type", "record"},
                     {"record", world.storage.Work({}, {}, {CreateStep(kGroupTable, "g", row)})}});
    CHECK_FALSE(world.Asked(world.A()).is_null());
    world.JudgeAndStore(world.A(), wrong);
    return world.Judged();
  };
  CHECK(judged_after("theirs", {group}) == "held by 2 at 2");
  CHECK(world.A().posted.empty());
  // Another change that leaves it wrong writes nothing.
  CHECK(judged_after("theirs again", {group}) == "held by 2 at 2");
  CHECK(judged_after("last", {}) == "free by 2 at 4");
  // The worker hears that there is something to push.
  REQUIRE(world.A().posted.size() == 1);
  CHECK(world.A().posted[0]["type"].Is("mutated"));
}

TEST_CASE("replaces nothing that was judged over more of the log or of the mutations") {
  RuledWorld world;
  world.Rename(world.A());
  world.JudgeAndStore(world.A());
  world.B().Hear(Message(world.A(), "added"));
  SUBCASE("of the log") {
    world.B().Hear(world.Record("theirs"));
    world.JudgeAndStore(world.B(), {kBoard});
    CHECK(world.Judged() == "held by 2 at 2");
    // A has not heard of the record, and finds its own mutation right, as before.
    world.A().Do(kUpdate, kGroupTable, "g", One("name", "x"));
    world.Judge(world.A(), {kBoard});
    world.JudgeAndStore(world.A());
    CHECK(world.storage.mutations.begin()->second["held"].as_bool());
  }
  SUBCASE("of the mutations") {
    world.B().Do(kUpdate, kBoardTable, kBoardId, One("name", "makes it right"));
    world.JudgeAndStore(world.B());
    world.storage.mutations.begin()->second.Set(
        "judged", Data::Object{{"version", 2}, {"n", 1}, {"key", world.storage.last_key}});
    world.JudgeAndStore(world.A(), {kBoard});
    CHECK_FALSE(world.storage.mutations.begin()->second["held"].as_bool());
  }
}

// The other window ends, and nobody else will.
TEST_CASE("judges again, with what is stored by then, what another has judged over more") {
  RuledWorld world;
  Window& a = world.A();
  world.Rename(a);
  world.JudgeAndStore(a);
  Data& stored = world.storage.mutations.begin()->second;
  Data more = Data::Object{{"version", 2}, {"n", 1}, {"key", 1}};
  SUBCASE("of the log") {
    world.Record("theirs");
    more.Set("n", 2);
  }
  SUBCASE("of the mutations") {
    world.B().Do(kUpdate, kGroupTable, "g", One("name", "x"));
    world.B().Settle();
    more.Set("key", world.storage.last_key);
  }
  stored.Set("held", true).Set("judged", std::move(more));
  world.Judge(a, {kBoard});
  world.JudgeAndStore(a);
  REQUIRE(stored["held"].as_bool());
  CHECK(world.Asked(a).is_null());
  Fire(a, "reread");
  a.Settle();
  CHECK_FALSE(world.Asked(a).is_null());
  world.JudgeAndStore(a);
  CHECK_FALSE(stored["held"].as_bool());
}

TEST_CASE("frees what it has held, though later mutations are confirmed by now") {
  RuledWorld world;
  Window& a = world.A();
  world.Rename(a);
  a.Do(kUpdate, kGroupTable, "g", One("name", "x"));
  world.JudgeAndStore(a);
  world.JudgeAndStore(a, {kBoard});
  const uint64_t held = world.storage.mutations.begin()->first;
  const uint64_t later = world.storage.mutations.rbegin()->first;
  REQUIRE(world.storage.mutations.at(held)["held"].as_bool());
  const Step confirmed = Confirm(world.storage, later);
  a.Hear(
      Data::Object{{"type", "record"}, {"record", world.storage.Work({later}, {}, {confirmed})}});
  world.JudgeAndStore(a);
  CHECK_FALSE(world.storage.mutations.at(held)["held"].as_bool());
}

TEST_CASE("judges again what earlier releases judged, and nothing that later ones did") {
  struct Case {
    uint64_t stored_by;
    bool stored_held;
    bool is_wrong;
    const char* judged;
  };
  const Case cases[] = {
      {1, true, false, "free by 2 at 1"},  {1, false, true, "held by 2 at 1"},
      {1, false, false, "free by 2 at 1"}, {2, true, false, "free by 2 at 1"},
      {2, false, true, "held by 2 at 1"},  {3, true, false, "held by 3 at 1"},
      {3, false, true, "free by 3 at 1"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.stored_by);
    CAPTURE(one.stored_held);
    RuledWorld world(2, one.stored_by);
    world.Rename(world.B());
    world.JudgeAndStore(world.B(), one.stored_held ? Vector<Data>{kBoard} : Vector<Data>());
    world.A().Hear(Message(world.B(), "added"));
    CHECK_FALSE(world.Asked(world.A()).is_null());
    world.JudgeAndStore(world.A(), one.is_wrong ? Vector<Data>{kBoard} : Vector<Data>());
    CHECK(world.Judged() == one.judged);
  }
}

TEST_CASE("replaces nothing that a later release judged in the meantime") {
  RuledWorld world(2, 3);
  world.Rename(world.B());
  world.B().Settle();
  world.A().Hear(Message(world.B(), "added"));
  world.JudgeAndStore(world.B(), {kBoard});
  REQUIRE(world.Judged() == "held by 3 at 1");
  world.JudgeAndStore(world.A());
  CHECK(world.Judged() == "held by 3 at 1");
}

TEST_CASE("leaves a mutation alone that is in an update") {
  RuledWorld world;
  world.Rename(world.A());
  world.JudgeAndStore(world.A());
  world.storage.mutations.begin()->second.Set("update", "u1");
  world.A().Hear(world.Record("theirs"));
  world.JudgeAndStore(world.A(), {kBoard});
  CHECK(world.Judged() == "free by 2 at 1");
}

TEST_CASE("asks again when the result could not be stored") {
  RuledWorld world;
  world.Rename(world.A());
  world.JudgeAndStore(world.A());
  world.A().Hear(world.Record("theirs"));
  world.Judge(world.A(), {kBoard});
  Next(world.A(), Outcome::kFailed);
  CHECK(world.Judged() == "free by 2 at 1");
  // Not at once: storage that fails would be asked for ever.
  CHECK(world.Asked(world.A()).is_null());
  Fire(world.A(), "reread");
  CHECK_FALSE(world.Asked(world.A()).is_null());
  world.JudgeAndStore(world.A(), {kBoard});
  CHECK(world.Judged() == "held by 2 at 2");
}

TEST_CASE("tells a worker when what it has pulled is judged, and stored") {
  RuledWorld world;
  world.Rename(world.A());
  world.JudgeAndStore(world.A());
  world.A().notes.clear();
  world.A().sent.clear();
  const Data record = world.Record("theirs");
  world.A().Hear(Data::Object{{"type", "validate"}, {"n", 2}});
  CHECK(world.Asked(world.A()).is_null());  // it has not heard of that record
  world.A().Hear(record);
  CHECK_FALSE(world.Asked(world.A()).is_null());
  CHECK(Message(world.A(), "validated").is_null());
  world.Judge(world.A(), {kBoard});
  CHECK(Message(world.A(), "validated").is_null());
  world.A().Settle();
  const Data told = Message(world.A(), "validated");
  CHECK(told["n"].as_u64() == 2);
  CHECK(told["version"].as_u64() == 2);
  // Once for each question, also where nothing has changed.
  world.A().sent.clear();
  world.Judge(world.A(), {kBoard});
  CHECK(Message(world.A(), "validated").is_null());
}

TEST_CASE("asks about all rows of an image, about those of mutations first") {
  RuledWorld world;
  world.Rename(world.A());
  world.JudgeAndStore(world.A());
  world.A().notes.clear();
  world.A().Reopen(Validating());
  world.A().Settle();
  const Data asked = world.Asked(world.A());
  CHECK(asked["all"].as_bool());
  CHECK(asked["rows"] == Data(Data::Array{kBoard}));
}

TEST_CASE("names ten thousand changed rows, and asks about all at one more") {
  for (const size_t more : {0, 1}) {
    CAPTURE(more);
    RuledWorld world;
    Vector<Step> steps;
    for (size_t i = 0; i < kMaxChangedObjects + more; ++i)
      steps.push_back(
          CreateStep(kGroupTable, std::to_string(i), MakeRow(kGroupTable, {{"name", "x"}})));
    world.A().Hear(
        Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, std::move(steps))}});
    const Data asked = world.Asked(world.A());
    CHECK(asked["all"].as_bool() == (more == 1));
    CHECK(asked["rows"].items().size() == (more == 1 ? 0 : kMaxChangedObjects));
    if (more == 0) CHECK(asked["rows"].items()[0]["realm"].Is("A"));
  }
}

TEST_CASE("what is made again out of the inbox is held until it is judged") {
  RuledWorld world;
  world.Rename(world.A());
  world.JudgeAndStore(world.A());
  const Data record = Data::Object{
      {"type", "record"},
      {"record", world.storage.Work({}, {world.storage.mutations.begin()->first}, {})}};
  world.A().Hear(record);
  world.JudgeAndStore(world.A());
  const uint64_t entry = world.storage.conflicts.begin()->first;
  SUBCASE("as it was") {
    world.A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}});
  }
  SUBCASE("another one") {
    world.A().Amend(entry, {{kUpdate, kBoardTable, kBoardId, One("name", "other")}});
    world.Judge(world.A());
  }
  world.A().Run();
  CHECK(world.Judged() == "held, not judged");
  world.A().Notify();
  CHECK_FALSE(world.Asked(world.A()).is_null());
  world.JudgeAndStore(world.A());
  CHECK(world.Judged() == "free by 2 at 2");
}

TEST_CASE("frees without rules what earlier releases have held, not what later ones have") {
  for (const uint64_t held_by : {0, 1, 2, 3}) {
    CAPTURE(held_by);
    RuledWorld world(2, held_by == 0 ? 1 : held_by);
    world.Rename(world.B());
    if (held_by != 0) world.Judge(world.B(), {kBoard});
    world.B().Settle();
    REQUIRE(world.Stored()["held"].as_bool());
    Data none = Validating(2);
    world.A().Reopen(none.Set("validates", false));
    world.A().posted.clear();
    world.A().Settle();
    CHECK(world.Stored()["held"].as_bool() == (held_by == 3));
    CHECK(world.A().posted.empty() == (held_by == 3));
    CHECK_FALSE(Noted(world.A(), "validate"));
  }
}

TEST_CASE("asks nothing, and holds nothing, where the schema has no rules") {
  Pair pair;
  pair.A().Do(kInc, kGroupTable, "g", One("count", 1));
  pair.A().Settle();
  CHECK_FALSE(Noted(pair.A(), "validate"));
  CHECK_FALSE(pair.storage.mutations.begin()->second["held"].as_bool());
  // A worker whose schema has some does not wait for it.
  pair.A().Hear(Data::Object{{"type", "record"}, {"record", pair.storage.Work({}, {}, {})}});
  pair.A().Hear(Data::Object{{"type", "validate"}, {"n", 1}});
  CHECK(Message(pair.A(), "validated")["n"].as_u64() == 1);
}

TEST_CASE("asks, and holds nothing, without a remote") {
  Storage storage;
  Window window(&storage, "a", false);
  window.Reopen(Validating());
  window.Settle();
  window.Do(kCreate, kBoardTable, kBoardId, One("name", "x"), "A");
  CHECK(Noted(window, "validate"));
  window.Event(Data::Object{{"type", "judge"}, {"wrong", Data::Array{kBoard}}});
  CHECK(window.state["held"].as_u64() == 0);
  window.Settle();
  CHECK(window.state["pending"].as_u64() == 0);
}

}  // namespace
}  // namespace skerry::client_test
