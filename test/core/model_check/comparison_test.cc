// Goal: whatever differs between a client's base and the server's rows in scope at its cursor is found, and mended by
// what the server says; what is the same costs little; nothing else is touched. Method: a view, and the server's rows in
// memory, which the authority compares; differences of every kind, planted one by one and at random.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "test/core/client/client_fixture.h"
#include "test/core/model_check/comparison_world.h"
#include "test/core/rounds.h"

namespace skerry::client_test {
namespace {

TEST_CASE("rows that are the same are counted, and nothing is sent but sums") {
  ComparedWorld world;
  for (uint64_t i = 0; i < 100; ++i) {
    Row row = world.Thing("n" + std::to_string(i));
    if (i % 3 == 0) row.props[1] = Value::Number(i * 0.1);
    if (i % 4 == 0) row.props[4] = Value::Bytes("\x01\xff");
    if (i % 5 == 0) row.props[5] = Value::Json(R"({"a":[1,2]})");
    if (i % 6 == 0) row.props[7] = Value::String("o1");
    world.Put({kThings, Uuid(i)}, row);
  }
  Row own;
  own.props.resize(1);
  for (const char* realm : {"A", "B"}) {
    own.realm = realm;
    world.Put({kOwn, "o1"}, own);
  }
  world.Run();
  CHECK(world.mended.empty());
  CHECK(world.comparison.checked() == 102);
  CHECK(world.comparison.left() == 0);
  CHECK(world.requests == 3);  // one for each table, of both realms
}

// One row, and how it is made to differ.
struct Planted {
  const char* what;
  void (*plant)(ComparedWorld* world, const ObjectKey& key);
  bool leaves = false;
};

void Change(ComparedWorld* world, const ObjectKey& key, size_t prop, Value value) {
  Row row = *world->view.GetBase("A", key);
  row.props[prop] = std::move(value);
  world->PutBase(key, row);
}

const Planted kPlanted[] = {
    {"a text",
     [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 0, Value::String("other")); }},
    {"a number", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 1, Value::Number(1.5)); }},
    {"a number that is gone", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 1, {}); }},
    {"a boolean", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 2, Value::Bool(true)); }},
    {"a date", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 3, Value::Date(12)); }},
    {"bytes", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 4, Value::Bytes("x")); }},
    {"JSON", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 5, Value::Json("[]")); }},
    {"an enum", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 6, Value::String("m")); }},
    {"no bytes, and not null",
     [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 4, Value::Bytes("")); }},
    {"a ref", [](ComparedWorld* w, const ObjectKey& k) { Change(w, k, 7, Value::String("o2")); }},
    {"the time of its making",
     [](ComparedWorld* w, const ObjectKey& k) {
       Row row = *w->view.GetBase("A", k);
       row.created_at = 4;
       w->PutBase(k, row);
     }},
    {"the time of its change",
     [](ComparedWorld* w, const ObjectKey& k) {
       Row row = *w->view.GetBase("A", k);
       row.modified_at = 7;
       w->PutBase(k, row);
     }},
    {"a row that is missing here", [](ComparedWorld* w, const ObjectKey& k) { w->Erase("A", k); }},
    {"a row too many", [](ComparedWorld* w, const ObjectKey& k) { w->rows.erase({"A", k}); }, true},
};

TEST_CASE("a difference of every kind is found, among few rows and among many") {
  for (const uint64_t count : {1, 64, 65, 700}) {
    for (const Planted& planted : kPlanted) {
      CAPTURE(planted.what);
      CAPTURE(count);
      ComparedWorld world;
      for (uint64_t i = 0; i < count; ++i) {
        Row row = world.Thing("n" + std::to_string(i));
        row.props[1] = Value::Number(static_cast<double>(i));
        world.Put({kThings, Uuid(i)}, row);
      }
      const ObjectKey key{kThings, Uuid(count / 2)};
      planted.plant(&world, key);
      CHECK(ComparedWorld::Difference(world.Wanted(), world.Held()) != "");
      world.Mend({"A " + key.id + (planted.leaves ? " left" : "")});
    }
  }
}

TEST_CASE("a row in the wrong realm is removed there and made where it belongs") {
  ComparedWorld world;
  const ObjectKey key{kThings, Uuid(1)};
  world.Put(key, world.Thing("x", "B"));
  world.Erase("B", key);
  world.PutBase(key, world.Thing("x", "A"));
  world.Mend({"A " + key.id + " left", "B " + key.id});
}

TEST_CASE("rows count as of the cursor, and in scope only") {
  ComparedWorld world;
  world.sync.scopes.clear();
  world.Want("things", R"(["=","name","in"])");
  world.Want("things", R"([">","size",5])");
  const auto put = [&](uint64_t i, const char* name, double size, bool held) {
    Row row = world.Thing(name);
    row.props[1] = Value::Number(size);
    world.rows[{"A", {kThings, Uuid(i)}}] = row;
    if (held) world.PutBase({kThings, Uuid(i)}, row);
    return row;
  };
  put(1, "in", 1, true);
  put(2, "out", 9, true);
  put(3, "out", 1, false);
  // Changed above the cursor: made, taken out of scope, brought into it, changed, and deleted.
  put(4, "in", 1, false);
  world.before[{"A", {kThings, Uuid(4)}}] = std::nullopt;
  Row was = put(5, "out", 1, false);
  was.props[0] = Value::String("in");
  world.before[{"A", {kThings, Uuid(5)}}] = was;
  world.PutBase({kThings, Uuid(5)}, was);
  was = put(6, "in", 1, false);
  was.props[0] = Value::String("out");
  world.before[{"A", {kThings, Uuid(6)}}] = was;
  was = put(7, "in", 1, false);
  was.props[1] = Value::Number(2);
  world.before[{"A", {kThings, Uuid(7)}}] = was;
  world.PutBase({kThings, Uuid(7)}, was);
  was.props[1] = Value::Number(3);
  world.before[{"A", {kThings, Uuid(8)}}] = was;
  world.PutBase({kThings, Uuid(8)}, was);
  CHECK(ComparedWorld::Difference(world.Wanted(), world.Held()) == "");
  world.Mend({});
  Change(&world, {kThings, Uuid(8)}, 1, Value::Number(4));
  world.PutBase({kThings, Uuid(3)}, world.Thing("out"));
  world.Mend({"A " + Uuid(3) + " left", "A " + Uuid(8)});
}

TEST_CASE("pending changes stay, and base under them is compared") {
  ComparedWorld world;
  PendingList pending;
  for (uint64_t i = 0; i < 4; ++i) world.Put({kThings, Uuid(i)}, world.Thing("n"));
  const auto change = [&](uint64_t i, OpKind kind, Vector<PropValue> set) {
    Op op = NewOp(kind, {kThings, Uuid(i)}, "A");
    op.set = std::move(set);
    Pending* added = pending.Add(MakePending(Uuid(900 + i), i + 1, 50, {op}));
    world.view.Attach(added);
  };
  change(0, OpKind::kUpdate, {{0, Value::String("mine")}});
  change(1, OpKind::kDelete, {});
  change(2, OpKind::kUpdate, {{1, Value::Number(8)}});
  change(9, OpKind::kCreate, {{0, Value::String("new")}});
  world.view.Derive();
  world.Mend({});
  Change(&world, {kThings, Uuid(1)}, 0, Value::String("wrong"));
  Change(&world, {kThings, Uuid(2)}, 0, Value::String("wrong"));
  world.Mend({"A " + Uuid(1), "A " + Uuid(2)});
  CHECK(world.view.Visible({kThings, Uuid(0)})->props[0].text() == "mine");
  CHECK_FALSE(world.view.Visible({kThings, Uuid(1)}).has_value());
  CHECK(world.view.Visible({kThings, Uuid(2)})->props[0].text() == "n");
  CHECK(world.view.Visible({kThings, Uuid(2)})->props[1].number() == 8);
  CHECK(world.view.Visible({kThings, Uuid(9)}).has_value());
}

// A row differs, and the server has said so; then `meanwhile` happens. Returns what is to be mended.
template <typename Meanwhile>
size_t MendedAfter(ComparedWorld* world, const Meanwhile& meanwhile) {
  world->Put({kThings, Uuid(1)}, world->Thing("n"));
  Change(world, {kThings, Uuid(1)}, 0, Value::String("wrong"));
  world->comparison.Begin(world->sync, "me");
  size_t steps = 0;
  while (world->comparison.next() != CompareNext::kDone) {
    if (world->comparison.next() != CompareNext::kAsk) {
      world->comparison.Work(10);
      continue;
    }
    const Data answer = world->Answer(world->comparison.Ask(world->sync.cursors));
    if (answer["tables"].items()[0]["changes"].is_array()) meanwhile();
    steps += world->comparison.Take(answer, world->sync.cursors).size();
  }
  return steps;
}

TEST_CASE("what an answer says of an earlier cursor is not mended") {
  ComparedWorld world;
  CHECK(MendedAfter(&world, [&] {
          world.Put({kThings, Uuid(1)}, world.Thing("theirs"));
          world.sync.cursors["A"] = "8@2000";
        }) == 0);
  CHECK(world.comparison.left() == 0);
}

TEST_CASE("what is the same by now is not mended") {
  ComparedWorld world;
  CHECK(MendedAfter(&world, [&] { world.PutBase({kThings, Uuid(1)}, world.Thing("n")); }) == 0);
}

// What the server says of a part without rows, with no sum and so many rows of the client.
Data SaidOf(const Schema& schema, const char* table, const char* prop) {
  wire::DiffPart part;
  part.realm = "A";
  part.table = table;
  part.props = {prop};
  part.count = 2;
  part.sums = Vector<std::string>(kDigestBuckets, "0");
  const Data read = Data::MakeObject().Set("part", WriteMembers(part)).Set("cursor", 7);
  const Data all = Data::MakeObject().Set("parts", Data::MakeArray().Push(read)).Set("schema", 3);
  return ParseJson(CompareJson(schema, WriteJson(all))).value()["tables"].items()[0];
}

TEST_CASE("a former name of a table or prop is one that the server does not have") {
  const Data description = ParseJson(R"({"version":2,"tables":[{"name":"cities","ids":"string",
    "was":[{"name":"towns","until":2}],"props":[{"name":"population","type":"number","optional":true,
    "was":[{"name":"pop","until":2}]}]}]})")
                               .value();
  const Result<Schema> schema = Schema::Parse(description);
  CHECK(SaidOf(schema.value(), "cities", "population")["differ"].is_array());
  CHECK(WriteJson(SaidOf(schema.value(), "towns", "population")) == R"({"unknown":[]})");
  CHECK(WriteJson(SaidOf(schema.value(), "cities", "pop")) == R"({"unknown":["pop"]})");
}

TEST_CASE("as many sums and another count are not the same") {
  const ComparedWorld world;
  CHECK(SaidOf(world.schema, "own", "name")["differ"].items().size() == kDigestBuckets);
}

TEST_CASE("what the server does not know is not compared") {
  ComparedWorld world;
  for (uint64_t i = 0; i < 3; ++i) world.Put({kThings, Uuid(i)}, world.Thing("n"));
  world.drop_props = {"size"};
  Change(&world, {kThings, Uuid(1)}, 1, Value::Number(8));
  world.Run();
  CHECK(world.mended.empty());
  // The prop stays as it is where another one is mended.
  Change(&world, {kThings, Uuid(1)}, 0, Value::String("wrong"));
  world.Run();
  CHECK(world.mended == Vector<std::string>{"A " + Uuid(1)});
  const Row row = *world.view.GetBase("A", {kThings, Uuid(1)});
  CHECK(row.props[0].text() == "n");
  CHECK(row.props[1].number() == 8);
}

TEST_CASE("scopes that are not filled, lost realms and those without a cursor are left out") {
  ComparedWorld world;
  world.Put({kThings, Uuid(1)}, world.Thing("n"));
  Change(&world, {kThings, Uuid(1)}, 0, Value::String("wrong"));
  const auto runs_nothing = [&] {
    world.Run();
    return world.mended.empty();
  };
  world.sync.scopes[0].filled = {};
  CHECK(runs_nothing());
  world.sync.scopes[0].filled.whole = true;
  world.sync.refill = {"A"};
  CHECK(runs_nothing());
  world.sync.refill.clear();
  world.sync.lost = {"A"};
  CHECK(runs_nothing());
  world.sync.lost.reset();
  world.sync.cursors.erase("A");
  CHECK(runs_nothing());
  world.sync.cursors["A"] = "7@1000";
  CHECK_FALSE(runs_nothing());
}

TEST_CASE("what cannot be compared yet waits for a pull, and not for ever") {
  ComparedWorld world;
  world.Put({kThings, Uuid(1)}, world.Thing("n"));
  Change(&world, {kThings, Uuid(1)}, 0, Value::String("wrong"));
  world.again = true;
  world.Run(1000, [&] {
    if (world.pulls == 2) world.again = false;
  });
  CHECK(world.mended == Vector<std::string>{"A " + Uuid(1)});
  CHECK(world.pulls == 2);
  world.pulls = 0;
  world.again = true;
  world.Run();
  CHECK(world.pulls == 3);
  CHECK(world.comparison.left() > 0);
}

TEST_CASE("a row that differs again after it was mended is left, and counted") {
  ComparedWorld world;
  const ObjectKey key{kThings, Uuid(1)};
  world.Put(key, world.Thing("n"));
  for (int run = 0; run < 3; ++run) {
    // The fold has a mistake.
    Change(&world, key, 0, Value::String("wrong"));
    world.Run();
    CHECK(world.mended.size() == (run == 0 ? 1 : 0));
    CHECK(world.comparison.hopeless() == (run == 0 ? 0 : 1));
  }
  // Another value of the server's is tried.
  world.rows[{"A", key}].props[0] = Value::String("m");
  world.Run();
  CHECK(world.mended.size() == 1);
}

TEST_CASE("steps that could not be stored are asked for again") {
  ComparedWorld world;
  for (uint64_t i = 0; i < 3; ++i) world.Put({kThings, Uuid(i)}, world.Thing("n"));
  Row own;
  own.realm = "A";
  own.props.resize(1);
  world.Put({kOwn, "o1"}, own);
  Change(&world, {kThings, Uuid(1)}, 0, Value::String("wrong"));
  own.props[0] = Value::String("wrong");
  world.PutBase({kOwn, "o1"}, own);
  world.comparison.Begin(world.sync, "me");
  size_t failed = 0;
  while (world.comparison.next() != CompareNext::kDone) {
    if (world.comparison.next() != CompareNext::kAsk) {
      world.comparison.Work(10);
      continue;
    }
    const Data answer = world.Answer(world.comparison.Ask(world.sync.cursors));
    const Vector<Step> steps = world.comparison.Take(answer, world.sync.cursors);
    if (!steps.empty() && failed++ < 4) {
      world.comparison.Retry();
    } else {
      world.Apply(steps);
    }
  }
  CHECK(ComparedWorld::Difference(world.Wanted(), world.Held()) == "");
  CHECK(world.mended.size() == 2);
}

TEST_CASE("many rows are divided, and read by the server in portions") {
  ComparedWorld world;
  for (uint64_t i = 0; i < 40'000; ++i) world.Put({kThings, Uuid(i)}, world.Thing("n"));
  world.Run();
  CHECK(world.comparison.checked() == 40'000);
  CHECK(world.bytes < 60'000);
  CHECK(world.requests <= 6);
  Change(&world, {kThings, Uuid(0)}, 0, Value::String("wrong"));
  Change(&world, {kThings, Uuid(39'999)}, 0, Value::String("wrong"));
  world.Erase("A", {kThings, Uuid(20'000)});
  world.most_rows = 3'000;
  world.Mend({"A " + Uuid(0), "A " + Uuid(20'000), "A " + Uuid(39'999)});
}

TEST_CASE("random differences are mended, whatever comes between") {
  for (uint64_t seed = 1; seed <= test::Rounds(200, 40); ++seed) {
    CAPTURE(seed);
    ComparedWorld world;
    world.rows_come_between = true;
    Random random{Seed(seed)};
    world.most_rows = 1 + random.Below(400);
    const uint64_t ids = 1 + random.Below(600);
    const auto any = [&] {
      const char* realm = random.Below(2) == 0 ? "A" : "B";
      Row row = world.Thing("n" + std::to_string(random.Below(3)), realm);
      row.modified_at = static_cast<double>(random.Below(3));
      if (random.Below(2) == 0) row.props[1] = Value::Number(static_cast<double>(random.Below(4)));
      return std::pair(ObjectKey{kThings, Uuid(random.Below(ids))}, row);
    };
    for (uint64_t i = 0; i < ids; ++i) {
      const auto [key, row] = any();
      world.Put(key, row);
    }
    for (uint64_t i = random.Below(40); i > 0; --i) {
      const auto [key, row] = any();
      if (random.Below(3) == 0) {
        world.Erase(row.realm, key);
      } else {
        world.PutBase(key, row);
      }
    }
    // Others change rows, and a pull brings them, with a new cursor.
    size_t pulls = random.Below(20);
    world.Run(1 + random.Below(200), [&] {
      if (pulls == 0 || random.Below(4) != 0) return;
      --pulls;
      const auto [key, row] = any();
      world.Put(key, row);
      world.sync.cursors[row.realm] = std::to_string(100 - pulls) + "@2000";
    });
    // What came between may have hidden a difference in a part that was looked at already: not a second time.
    CHECK(ComparedWorld::Difference(world.Wanted(), world.Held()) == "");
    world.Run();
    CHECK(world.mended.empty());
  }
}

}  // namespace
}  // namespace skerry::client_test
