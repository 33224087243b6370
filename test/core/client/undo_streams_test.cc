// Goal: an action of a stream for which the application has named an inverse is undone by appending
// that, and redone by appending the action again, in turn; what the server has refused, or the
// application keeps from it, is not offered. Method: a window with one stream open; what its
// mutations append, and what is shown of them, after each step.
#include <string>

#include "base/limits.h"
#include "test/core/client/stream_window.h"

namespace skerry::client_test {
namespace {

Data InverseOfSaid(std::string_view arg) {
  return Data::Object{{"inverseName", "unsaid"}, {"inverseArg", arg}};
}

struct UndoableStream {
  StreamStorage storage;
  StreamWindow one{&storage};

  UndoableStream() {
    one.OpenReduced();
    one.Settled();
  }
  // What TxCommit returned.
  Data Say(std::string_view arg, Data inverse, bool undoable = true, bool appends_twice = false) {
    Client& client = one.window.client();
    REQUIRE(client.TxBegin(one.window.now += 1).ok());
    REQUIRE(client.TxOp(8, 0, Data::Array{Data("chat"), Data()}).ok());
    if (appends_twice) REQUIRE(client.TxOp(8, 0, Data::Array{Data("notes"), Data()}).ok());
    Data action = Data::Object{{"name", "said"}, {"arg", arg}, {"undoable", undoable}};
    for (const Data::Member& member : inverse.members()) action.Set(member.first, member.second);
    const Result<Data> done = client.TxCommit(action);
    REQUIRE(done.ok());
    one.window.Obeyed(done.value()["effects"]);
    return done.value();
  }
  std::string Say(std::string_view arg) { return Say(arg, InverseOfSaid(arg))["id"].as_string(); }
  // The id of the mutation; empty: there was nothing to undo.
  std::string Undo(UndoWay way = UndoWay::kUndo) {
    Client& client = one.window.client();
    REQUIRE(client.TxBegin(one.window.now += 1).ok());
    const Result<Data> kept = client.TxUndo(way);
    REQUIRE(kept.ok());
    const Result<Data> done = client.TxCommit(Data::Object{{"name", "skerry/undo"}});
    REQUIRE(done.ok());
    one.window.Obeyed(done.value()["effects"]);
    return done.value()["id"].as_string();
  }
  std::string Redo() { return Undo(UndoWay::kRedo); }
  // "name arg of" of each pending mutation, as it is stored.
  Vector<std::string> Appended() {
    one.window.Settle();
    Vector<std::string> all;
    for (const auto& [key, record] : storage.mutations) {
      const Mutation made = DecodeMutation(TestSchema(), record["body"].as_bytes()).value();
      REQUIRE(made.ops.size() == 1);
      CHECK(made.ops[0].stream == "chat");
      all.push_back(made.action.name + ' ' + made.action.arg + ' ' + made.ops[0].of);
    }
    return all;
  }
  uint64_t LastKey() {
    one.window.Settle();
    return storage.mutations.rbegin()->first;
  }
  // The names of what can be undone and redone.
  std::string Offered() {
    std::string offered = "none";
    for (const Data& note : one.window.notes) {
      if (!note["type"].Is("undo")) continue;
      const auto name = [](const Data& step) {
        return step.is_null() ? std::string("-") : step["name"].as_string();
      };
      offered = name(note["undo"]) + ' ' + name(note["redo"]);
    }
    return offered;
  }
};

TEST_CASE("undo in streams: the inverse and the action itself are appended in turn") {
  UndoableStream world;
  const std::string said = world.Say("1");
  CHECK(world.Offered() == "said -");
  const std::string undo = world.Undo();
  CHECK(world.Offered() == "- said");
  const std::string redo = world.Redo();
  CHECK(world.Offered() == "said -");
  const std::string again = world.Undo();
  CHECK(world.Appended() ==
        Vector<std::string>{"said 1 ", "unsaid 1 " + said, "said 1 " + undo, "unsaid 1 " + redo});
  CHECK(world.one.Settled() == ShownIds{said, undo, redo, again});
  CHECK(world.Undo().empty());
}

TEST_CASE("undo in streams: the last action comes first, and rows have their turn") {
  UndoableStream world;
  const std::string first = world.Say("1");
  world.one.window.Do(kUpsert, kGroupTable, "g", One("name", "b"));
  const std::string second = world.Say("2");
  world.Undo();
  CHECK(world.one.window.See(kGroupTable, "g").has_value());
  world.Undo();
  CHECK_FALSE(world.one.window.See(kGroupTable, "g").has_value());
  world.Undo();
  CHECK(world.Offered() == "- said");
  // Something new: what was undone cannot be redone any more.
  world.Say("3");
  CHECK(world.Redo().empty());
}

TEST_CASE("undo in streams: others' actions come before it when they are confirmed") {
  UndoableStream world;
  const std::string said = world.Say("1");
  const std::string undo = world.Undo();
  world.one.window.Settle();
  world.one.window.Hear(world.storage.Log({ActionAt(1)}));
  CHECK(world.one.Settled() == ShownIds{ActionId(1), said, undo});
  // The action is confirmed; the undo is still pending, and then others come before that.
  const uint64_t key = world.storage.mutations.begin()->first;
  world.one.window.Hear(world.storage.Log({ActionAt(2, said), ActionAt(3)}, {key}));
  CHECK(world.one.Settled() == ShownIds{ActionId(1), said, ActionId(3), undo});
  CHECK_FALSE(world.Redo().empty());
}

TEST_CASE("undo in streams: one that the server has not appended is pending no more") {
  UndoableStream world;
  world.Say("1");
  const std::string undo = world.Undo();
  const uint64_t undo_key = world.LastKey();
  const uint64_t said_key = world.storage.mutations.begin()->first;
  // The action is refused, so its undo does nothing.
  world.one.window.Hear(
      Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {said_key}, {})}});
  CHECK(world.one.Settled() == ShownIds{undo});
  world.one.window.Hear(world.storage.Log({}, {undo_key}));
  CHECK(world.one.Settled().empty());
  CHECK(world.Offered() == "- -");
  CHECK(world.Redo().empty());
}

TEST_CASE("undo in streams: what is kept from it, and what has no inverse, is passed over") {
  UndoableStream world;
  world.Say("1");
  world.Say("2", Data());
  world.Say("3", InverseOfSaid("3"), false);
  // One with another op besides.
  world.Say("4", InverseOfSaid("4"), true, true);
  CHECK(world.Offered() == "said -");
  world.Undo();
  CHECK(world.Offered() == "- said");
  CHECK(world.Undo().empty());
}

TEST_CASE("undo in streams: an inverse that no stream takes leaves the action as it is") {
  struct Case {
    const char* label;
    std::string arg;
  };
  const Case cases[] = {
      {"nested too deep", std::string(100, '[') + std::string(100, ']')},
      {"too large", '"' + std::string(kMaxObjectBytes, 'x') + '"'},
      {"half a pair", R"("\ud800")"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    UndoableStream world;
    const Data done = world.Say("1", InverseOfSaid(c.arg));
    CHECK(done["name"].Is("said"));
    CHECK_FALSE(done["unfit"].as_string().empty());
    CHECK(world.Offered() == "none");
    CHECK(world.Appended().size() == 1);
  }
  UndoableStream world;
  CHECK(world.Say("1", InverseOfSaid("1"))["unfit"].is_null());
}

TEST_CASE("undo in streams: without a server, also in storage") {
  StreamStorage local;
  StreamWindow one(&local, "a", false);
  one.OpenReduced();
  one.Settled();
  Client& client = one.window.client();
  REQUIRE(client.TxBegin(one.window.now += 1).ok());
  REQUIRE(client.TxOp(8, 0, Data::Array{Data("chat"), Data()}).ok());
  Data said = InverseOfSaid("2");
  said.Set("name", "said").Set("arg", "1");
  one.window.Obeyed(client.TxCommit(said).value()["effects"]);
  one.window.Settle();
  REQUIRE(client.TxBegin(one.window.now += 1).ok());
  REQUIRE(client.TxUndo(UndoWay::kUndo).ok());
  const Result<Data> undone = client.TxCommit(Data::Object{{"name", "skerry/undo"}});
  CHECK(undone.value()["name"].Is("unsaid"));
  one.window.Obeyed(undone.value()["effects"]);
  CHECK(one.Settled().size() == 2);
  CHECK(one.shown.pending.empty());
}

}  // namespace
}  // namespace skerry::client_test
