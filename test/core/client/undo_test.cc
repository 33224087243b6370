// Goal: an undo takes back what its window did, with all that went along, and nothing that others did;
// a redo takes back the undo; what was refused, or cannot be undone, is not offered. Method: a table of
// transactions, each undone and redone on its own, after others' changes, and after it is confirmed; and
// random transactions whose undo must show what was there before.
#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/client/tab_fixture.h"
#include "test/core/rounds.h"

namespace skerry::client_test {
namespace {

const std::string kNoteId = "01890000-0000-7000-8000-0000000000e0";

struct Undone {
  std::string id;         // of the mutation; empty: there was nothing, or it failed
  size_t kept = 0;        // props that stay as others have made them
  Code code = Code::kOk;  // of the failure
};

Undone Undo(Window& window, UndoWay way = UndoWay::kUndo) {
  Client& client = window.client();
  Undone undone;
  REQUIRE(client.TxBegin(window.now += 1).ok());
  const Result<Data> kept = client.TxUndo(way);
  undone.code = kept.status().code();
  if (kept.ok()) {
    undone.kept = kept.value().items().size();
    const Result<Data> done = client.TxCommit(Data::Object{{"name", "skerry/undo"}});
    undone.code = done.status().code();
    if (done.ok()) {
      window.Obeyed(done.value()["effects"]);
      undone.id = done.value()["id"].as_string();
      return undone;
    }
  }
  window.Obeyed(client.TxRollback());
  return undone;
}

bool Redo(Window& window) { return !Undo(window, UndoWay::kRedo).id.empty(); }

struct UndoWorld : Pair {
  UndoWorld() {
    Hold(
        {CreateStep(kBoardTable, kBoardId, MakeRow(kBoardTable, {{"name", "plan"}})),
         CreateStep(kCardTable, kCardId, MakeRow(kCardTable, {{"board", kBoardId}, {"text", "x"}})),
         CreateStep(kNoteTable, kNoteId, MakeRow(kNoteTable, {{"text", "t"}, {"size", 7}}))});
    A().notes.clear();
  }
  void Hold(Vector<Step> steps) {
    const Data record =
        Data::Object{{"type", "record"}, {"record", storage.Work({}, {}, std::move(steps))}};
    for (Window* window : {&A(), &B()}) {
      window->Hear(record);
      window->Settle();
    }
  }
  void Confirm() {
    A().Settle();
    A().Hear(ConfirmAll(&storage));
    A().Settle();
  }
  // `settled`: another window settles its entry before this one has read the inbox.
  void Refuse(bool settled = false) {
    A().Settle();
    A().Hear(Data::Object{{"type", "record"},
                          {"record", storage.Work({}, {storage.mutations.rbegin()->first}, {})}});
    if (settled) storage.conflicts.clear();
    A().Settle();
  }
  // What is shown, without times.
  std::string Shown() {
    std::string text;
    for (const auto& [key, row] : client_test::Shown(A().client().view())) {
      text += TestSchema().table(key.table).name + ' ' + key.id + ' ' + row.realm;
      for (const Value& value : row.props) text += ' ' + Plain(value);
      text += '\n';
    }
    return text;
  }
  static std::string Plain(const Value& value) {
    if (value.is_null()) return "null";
    return value.kind() == ValueKind::kNumber ? std::to_string(value.number())
                                              : std::string(value.text());
  }
  // The last effect `undo`: the names of what can be undone and redone.
  std::string Offered() {
    std::string offered = "none";
    for (const Data& note : A().notes) {
      if (!note["type"].Is("undo")) continue;
      const auto name = [](const Data& step) {
        return step.is_null() ? std::string("-") : step["name"].as_string();
      };
      offered = name(note["undo"]) + ' ' + name(note["redo"]);
    }
    return offered;
  }
  Mutation Last() {
    A().Settle();
    return DecodeMutation(TestSchema(), storage.mutations.rbegin()->second["body"].as_bytes())
        .value();
  }
};

Op Change(OpKind kind, TableIndex table, const std::string& id, const Sets& sets) {
  return MakeOp(kind, table, id, sets);
}

Step Others(Op op) {
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "A";
  step.at = 4000;
  step.revision = 90;
  step.ops = {std::move(op)};
  return step;
}

struct Case {
  const char* label;
  Vector<Operation> operations;
};

Vector<Case> Cases() {
  return {
      {"a prop is set", {{kUpdate, kBoardTable, kBoardId, One("name", "b")}}},
      {"a prop is cleared", {{kUpdate, kBoardTable, kBoardId, One("name", Data())}}},
      {"a number is added to", {{kInc, kNoteTable, kNoteId, One("size", 5)}}},
      {"a number is set, and added to",
       {{kUpdate, kNoteTable, kNoteId, One("size", 1)},
        {kInc, kNoteTable, kNoteId, One("size", 5)}}},
      {"a row is created", {{kCreate, kBoardTable, kNewId, One("name", "new")}}},
      {"a row is created with a child",
       {{kCreate, kBoardTable, kNewId, One("name", "new")},
        {kUpdate, kCardTable, kCardId, One("board", kNewId)}}},
      {"a row is deleted", {{kDelete, kNoteTable, kNoteId, {}}}},
      {"a row is deleted with its child", {{kDelete, kBoardTable, kBoardId, {}}}},
      {"a row is changed and deleted",
       {{kUpdate, kBoardTable, kBoardId, One("name", "b")}, {kDelete, kBoardTable, kBoardId, {}}}},
      {"a row is moved", {{kMove, kNoteTable, kNoteId, {}, "B"}}},
      {"a row is moved and deleted",
       {{kMove, kNoteTable, kNoteId, {}, "B"}, {kDelete, kNoteTable, kNoteId, {}}}},
      {"a row is moved with its child", {{kMove, kBoardTable, kBoardId, {}, "B"}}},
      {"a row is changed, moved and changed",
       {{kUpdate, kNoteTable, kNoteId, One("text", "b")},
        {kMove, kNoteTable, kNoteId, {}, "B"},
        {kUpdate, kNoteTable, kNoteId, One("text", "c")}}},
  };
}

TEST_CASE("shows what was there before, and after a redo what was there afterwards") {
  for (const bool is_confirmed : {false, true}) {
    for (const Case& c : Cases()) {
      CAPTURE(c.label);
      CAPTURE(is_confirmed);
      UndoWorld world;
      const std::string before = world.Shown();
      REQUIRE_FALSE(world.A().DoAll(c.operations).empty());
      const std::string after = world.Shown();
      CHECK(after != before);
      const bool moves = std::string(c.label).find("moved") != std::string::npos;
      if (is_confirmed && !moves) world.Confirm();
      for (int round = 0; round < 2; ++round) {
        const Undone undone = Undo(world.A());
        CHECK_FALSE(undone.id.empty());
        CHECK(undone.kept == 0);
        CHECK(world.Shown() == before);
        CHECK(Redo(world.A()));
        CHECK(world.Shown() == after);
      }
      CHECK_FALSE(Redo(world.A()));
      // In storage, too, as another window reads it.
      Undo(world.A());
      world.A().Settle();
      world.B().Reopen();
      world.B().Settle();
      const auto mine = client_test::Shown(world.A().client().view());
      CHECK(Difference(mine, client_test::Shown(world.B().client().view())).empty());
    }
  }
}

TEST_CASE("leaves what others have changed since, and says what that is") {
  UndoWorld world;
  world.A().DoAll({{kUpdate, kNoteTable, kNoteId, Data::Object{{"text", "mine"}, {"size", 1}}}});
  world.Confirm();
  world.Hold({Others(Change(OpKind::kUpdate, kNoteTable, kNoteId, {{"text", "theirs"}}))});
  CHECK(Undo(world.A()).kept == 1);
  CHECK(world.A().See(kNoteTable, kNoteId)->props[0].text() == "theirs");
  CHECK(world.A().See(kNoteTable, kNoteId)->props[1].number() == 7);
  CHECK(Redo(world.A()));
  // It says what the action made, not what others have made of it.
  const Mutation redone = world.Last();
  REQUIRE(redone.ops.size() == 1);
  CHECK(redone.ops[0].set[0].value.text() == "mine");
  CHECK(redone.ops[0].was[0].value.text() == "t");
  CHECK(world.A().See(kNoteTable, kNoteId)->props[0].text() == "theirs");
  CHECK(world.A().See(kNoteTable, kNoteId)->props[1].number() == 1);
  // A change that comes while the undo is pending.
  Undo(world.A());
  world.Hold({Others(Change(OpKind::kUpdate, kNoteTable, kNoteId, {{"size", 70}}))});
  CHECK(world.A().See(kNoteTable, kNoteId)->props[1].number() == 70);
}

TEST_CASE("names what it undoes in every op") {
  for (const Case& c : Cases()) {
    CAPTURE(c.label);
    UndoWorld world;
    const std::string id = world.A().DoAll(c.operations);
    const std::string undo = Undo(world.A()).id;
    const Mutation undone = world.Last();
    CHECK(undone.action.id == undo);
    CHECK(undone.action.arg == "{\"of\":\"" + id + "\"}");
    REQUIRE_FALSE(undone.ops.empty());
    for (const Op& op : undone.ops) {
      CHECK(op.of == id);
      CHECK(op.was.size() == (op.was.empty() ? 0 : op.set.size()));
      if (op.kind == OpKind::kUpdate) CHECK(op.was.size() == op.set.size());
    }
    CHECK(Redo(world.A()));
    for (const Op& op : world.Last().ops) CHECK(op.of == undo);
  }
}

// The log's entry knows a row as it was before all that is in the entry.
TEST_CASE("follows a restore by what was pending on the row when it was deleted") {
  UndoWorld world;
  world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "pending")}});
  world.A().DoAll({{kDelete, kBoardTable, kBoardId, {}}});
  Undo(world.A());
  const Mutation undone = world.Last();
  REQUIRE(undone.ops.size() == 3);  // and the card
  CHECK(undone.ops[0].kind == OpKind::kRestore);
  CHECK(undone.ops[1].kind == OpKind::kUpdate);
  CHECK(undone.ops[1].set[0].value.text() == "pending");
  CHECK(undone.ops[1].was[0].value.text() == "plan");
  CHECK(undone.ops[2].kind == OpKind::kRestore);
}

TEST_CASE("offers its own actions, the last one first, and no other window's") {
  UndoWorld world;
  CHECK(Undo(world.A()).id.empty());
  world.B().DoAll({{kUpdate, kNoteTable, kNoteId, One("size", 3)}});
  world.B().Settle();
  CHECK(Undo(world.A()).id.empty());
  world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "1")}});
  CHECK(world.Offered() == "edit -");
  world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "2")}});
  Undo(world.A());
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "1");
  CHECK(world.Offered() == "edit edit");
  Undo(world.A());
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "plan");
  CHECK(world.Offered() == "- edit");
  // Something new: what was undone cannot be redone any more.
  world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "3")}});
  CHECK_FALSE(Redo(world.A()));
  CHECK(world.Offered() == "edit -");
}

TEST_CASE("does not offer what was refused, nor its redo") {
  UndoWorld world;
  world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "1")}});
  world.A().DoAll({{kUpdate, kNoteTable, kNoteId, One("size", 1)}});
  SUBCASE("its entry stays") { world.Refuse(); }
  SUBCASE("its entry is settled at once, elsewhere") { world.Refuse(true); }
  Undo(world.A());
  CHECK(world.A().See(kBoardTable, kBoardId)->props[0].text() == "plan");
  CHECK(Undo(world.A()).id.empty());
  CHECK(world.Offered() == "- edit");
}

TEST_CASE("offers at most a hundred steps, and passes over what cannot be undone") {
  UndoWorld world;
  for (size_t i = 0; i <= kMaxUndoSteps; ++i)
    world.A().DoAll({{kInc, kNoteTable, kNoteId, One("size", 1)}});
  size_t undone = 0;
  while (!Undo(world.A()).id.empty()) ++undone;
  CHECK(undone == kMaxUndoSteps);
  CHECK(world.A().See(kNoteTable, kNoteId)->props[1].number() == 8);
  // Values beyond the limit: a deletion is restored by the server, a change is not offered.
  UndoWorld large;
  const std::string text(kMaxRowsBeforeBytes + 1, 'x');
  large.A().DoAll({{kUpdate, kNoteTable, kNoteId, One("text", text)}});
  large.A().DoAll({{kUpdate, kNoteTable, kNoteId, One("text", "y")}});
  CHECK(Undo(large.A()).id.empty());
  large.A().DoAll({{kUpdate, kNoteTable, kNoteId, One("text", text)}});
  large.A().DoAll({{kDelete, kNoteTable, kNoteId, {}}});
  CHECK_FALSE(Undo(large.A()).id.empty());
  CHECK(large.Last().ops.size() == 1);
  CHECK_FALSE(large.A().See(kNoteTable, kNoteId).has_value());
}

TEST_CASE("does not offer again what cannot be undone any more") {
  UndoWorld world;
  world.A().DoAll({{kCreate, kPersonTable, "p", One("name", "P")}});
  world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "1")}});
  world.Confirm();
  world.B().DoAll({{kCreate, kLockTable, "l", One("person", "p")}});
  world.B().Settle();
  for (const Data& message : world.B().sent) world.A().Hear(message);
  world.A().Settle();
  Undo(world.A());
  // A lock refers to the person now (restrict).
  CHECK(Undo(world.A()).code == Code::kConflict);
  CHECK(world.A().See(kPersonTable, "p").has_value());
  const Undone none = Undo(world.A());
  CHECK(none.id.empty());
  CHECK(none.code == Code::kOk);
}

TEST_CASE("a window without a server restores what it has deleted, also in storage") {
  LocalPair pair;
  pair.a.DoAll({{kCreate, kBoardTable, kBoardId, One("name", "plan")},
                {kCreate, kCardTable, kCardId, Data::Object{{"board", kBoardId}, {"text", "x"}}}});
  pair.a.Settle();
  pair.a.DoAll({{kDelete, kBoardTable, kBoardId, {}}});
  pair.a.Settle();
  CHECK_FALSE(pair.a.See(kCardTable, kCardId).has_value());
  Undo(pair.a);
  pair.a.Settle();
  pair.b.Reopen();
  pair.b.Settle();
  CHECK(pair.b.See(kBoardTable, kBoardId)->props[0].text() == "plan");
  CHECK(pair.b.See(kCardTable, kCardId)->props[1].text() == "x");
}

TEST_CASE("random transactions: an undo shows what was before, a redo what came after") {
  for (uint64_t round = 0; round < test::Rounds(200, 40); ++round) {
    CAPTURE(round);
    Random random(Seed(round));
    UndoWorld world;
    Vector<std::string> states = {world.Shown()};
    const char* ids[] = {kBoardId.c_str(), kNewId.c_str()};
    const auto any_id = [&] { return ids[random.Below(2)]; };
    for (int i = 0; i < 12; ++i) {
      Vector<Operation> operations;
      for (uint64_t n = 1 + random.Below(3); n > 0; --n) {
        const std::string board = any_id();
        const std::string word(1, static_cast<char>('a' + random.Below(26)));
        switch (random.Below(6)) {
          case 0:
            operations.push_back({kUpsert, kBoardTable, board, One("name", word)});
            break;
          case 1:
            operations.push_back({kDelete, kBoardTable, board, {}});
            break;
          case 2:
            // A ref to what is not there is none that a server takes.
            if (n == 1 && operations.empty() && world.A().See(kBoardTable, board))
              operations.push_back(
                  {kUpsert, kCardTable, kCardId, Data::Object{{"board", board}, {"text", word}}});
            break;
          case 3:
            operations.push_back({kInc, kNoteTable, kNoteId, One("size", 1 + random.Below(9))});
            break;
          case 4:
            operations.push_back({kUpdate, kNoteTable, kNoteId, One("text", word)});
            break;
          default:
            operations.push_back({kDelete, kCardTable, kCardId, {}});
        }
      }
      if (operations.empty()) continue;
      // What leaves all as it was, such as a row that is deleted and made again, cannot be undone.
      world.A().DoAll(operations);
      if (world.Shown() != states.back()) states.push_back(world.Shown());
    }
    size_t at = states.size() - 1;
    for (int i = 0; i < 40; ++i) {
      const bool back = random.Below(3) != 0;
      const bool has_moved = back ? !Undo(world.A()).id.empty() : Redo(world.A());
      if (!has_moved) {
        CHECK(at == (back ? 0 : states.size() - 1));
        continue;
      }
      at += back ? -1 : 1;
      CHECK(world.Shown() == states[at]);
    }
  }
}

}  // namespace
}  // namespace skerry::client_test
