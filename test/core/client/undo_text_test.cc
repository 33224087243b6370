// Goal: a window that is loaded again goes on with what it could undo and redo, and a text that is
// damaged, or of another schema or user, gives it nothing. Method: windows over one fake IndexedDB
// that keep, are loaded, and take; and texts that are changed member by member.
#include "client/undo_text.h"

#include <string>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "test/core/client/stream_window.h"

namespace skerry::client_test {
namespace {

const std::string kReloadedId = "01890000-0000-7000-8000-0000000000e0";

struct ReloadedWorld : Pair {
  ReloadedWorld() {
    A().DoAll({{kCreate, kBoardTable, kBoardId, One("name", "plan")},
               {kCreate, kCardTable, kCardId, Data::Object{{"board", kBoardId}, {"text", "x"}}},
               {kCreate, kNoteTable, kReloadedId, Data::Object{{"text", "t"}, {"size", 7}}}});
    Confirm();
    A().Event(Data::Object{{"type", "takeUndo"}});  // nothing of that is to be undone
    A().Settle();
  }
  void Confirm() {
    A().Settle();
    const Data record = ConfirmAll(&storage);
    for (Window* window : {&A(), &B()}) {
      window->Hear(record);
      window->Settle();
    }
  }
  bool Step(UndoWay way) {
    Client& client = A().client();
    REQUIRE(client.TxBegin(A().now += 1).ok());
    const Result<Data> kept = client.TxUndo(way);
    const Result<Data> done = client.TxCommit(Data::Object{{"name", "skerry/undo"}});
    REQUIRE(done.ok());
    A().Obeyed(done.value()["effects"]);
    return done.value()["id"].is_string();
  }
  bool Undo() { return Step(UndoWay::kUndo); }
  bool Redo() { return Step(UndoWay::kRedo); }
  // What the window has to keep; null: nothing.
  Data Kept() {
    A().notes.clear();
    A().Event(Data::Object{{"type", "keepUndo"}});
    for (const Data& note : A().notes) {
      if (note["type"].Is("keepUndo")) return note["text"];
    }
    FAIL("the window does not answer");
    return {};
  }
  // The window is loaded again; what it heard is why it has taken nothing.
  std::string Reload(const Data& text) {
    A().Settle();
    A().notes.clear();
    A().Reopen();
    A().Event(Data::Object{{"type", "takeUndo"}, {"text", text}});
    A().Settle();
    for (const Data& note : A().notes) {
      if (note["type"].Is("keepUndo")) return note["dropped"].as_string();
    }
    return {};
  }
  // What is shown, without times.
  std::string Shown() {
    std::string text;
    for (const auto& [key, row] : client_test::Shown(A().client().view())) {
      text += key.id + ' ' + row.realm;
      for (const Value& value : row.props) {
        const bool is_number = value.kind() == ValueKind::kNumber;
        text += ' ' + (is_number ? std::to_string(value.number()) : std::string(value.text()));
      }
      text += '\n';
    }
    return text;
  }
  std::string Name() { return std::string(A().See(kBoardTable, kBoardId)->props[0].text()); }
};

TEST_CASE("undo over a reload: the window goes on with what it could undo and redo") {
  ReloadedWorld world;
  Vector<std::string> states = {world.Shown()};
  const auto act = [&](const Vector<Operation>& operations) {
    world.A().DoAll(operations);
    states.push_back(world.Shown());
  };
  act({{kUpdate, kBoardTable, kBoardId, One("name", "b")}});
  act({{kUpdate, kNoteTable, kReloadedId, One("size", 1)},
       {kInc, kNoteTable, kReloadedId, One("size", 5)}});
  act({{kInc, kNoteTable, kReloadedId, One("size", 5)}});
  act({{kDelete, kBoardTable, kBoardId, {}}});
  act({{kMove, kNoteTable, kReloadedId, {}, "B"}});
  act({{kCreate, kBoardTable, kNewId, One("name", "new")}});
  act({{kUpdate, kBoardTable, kNewId, One("name", Data())}});
  size_t at = states.size() - 1;
  for (int round = 0; round < 3; ++round) {
    const Data kept = world.Kept();
    REQUIRE(kept.is_string());
    CHECK(world.Reload(kept) == "");
    // It says the same again.
    CHECK(world.Kept() == kept);
    for (int i = 0; i < 4 && at > 0; ++i) {
      CHECK(world.Undo());
      CHECK(world.Shown() == states[--at]);
    }
    CHECK(world.Reload(world.Kept()) == "");
    for (int i = 0; i < 2; ++i) {
      CHECK(world.Redo());
      CHECK(world.Shown() == states[++at]);
    }
  }
}

TEST_CASE("undo over a reload: what others have changed meanwhile stays") {
  ReloadedWorld world;
  world.A().DoAll(
      {{kUpdate, kNoteTable, kReloadedId, Data::Object{{"text", "mine"}, {"size", 1}}}});
  world.Confirm();
  const Data kept = world.Kept();
  world.B().DoAll({{kUpdate, kNoteTable, kReloadedId, One("text", "theirs")}});
  world.B().Settle();
  world.Reload(kept);
  CHECK(world.Undo());
  CHECK(world.A().See(kNoteTable, kReloadedId)->props[0].text() == "theirs");
  CHECK(world.A().See(kNoteTable, kReloadedId)->props[1].number() == 7);
}

TEST_CASE("undo over a reload: nothing is kept where there is nothing") {
  ReloadedWorld world;
  CHECK(world.Kept().is_null());
  world.A().DoAll({{kInc, kNoteTable, kReloadedId, One("size", 1)}});
  const Data kept = world.Kept();
  CHECK(world.Reload(Data()) == "");
  CHECK(world.Kept().is_null());
  // In a window that has some, they are replaced: another page of the tab has gone on with them.
  world.A().DoAll({{kInc, kNoteTable, kReloadedId, One("size", 1)}});
  world.A().Event(Data::Object{{"type", "takeUndo"}, {"text", kept}});
  CHECK(world.Kept() == kept);
}

TEST_CASE("undo over a reload: what was refused meanwhile is not offered") {
  for (const bool is_open : {false, true}) {
    CAPTURE(is_open);
    ReloadedWorld world;
    world.A().DoAll({{kUpdate, kBoardTable, kBoardId, One("name", "1")}});
    world.Confirm();
    const std::string refused = world.A().DoAll({{kInc, kNoteTable, kReloadedId, One("size", 1)}});
    world.A().Settle();
    const Data kept = world.Kept();
    const uint64_t key = world.storage.mutations.rbegin()->first;
    const Data record =
        Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {key}, {})}};
    if (is_open) {
      world.A().Hear(record);
      world.A().Settle();
      world.A().Event(Data::Object{{"type", "takeUndo"}, {"text", kept}});
      world.A().Settle();
    } else {
      CHECK(world.Reload(kept) == "");
    }
    CHECK(world.Kept().as_string().find(refused) == std::string::npos);
    CHECK(world.Undo());
    CHECK(world.Name() == "plan");
  }
}

TEST_CASE("undo over a reload: an action of a stream, with its inverse") {
  StreamStorage storage;
  StreamWindow one(&storage);
  Client* client = &one.window.client();
  REQUIRE(client->TxBegin(one.window.now += 1).ok());
  REQUIRE(client->TxOp(8, 0, Data::Array{Data("chat"), Data()}).ok());
  one.window.Obeyed(
      client
          ->TxCommit(Data::Object{
              {"name", "said"}, {"arg", "1"}, {"inverseName", "unsaid"}, {"inverseArg", "2"}})
          .value()["effects"]);
  one.window.Settle();
  one.window.notes.clear();
  one.window.Event(Data::Object{{"type", "keepUndo"}});
  const Data text = one.window.notes.back()["text"];
  REQUIRE(text.is_string());
  one.window.Reopen();
  one.window.Event(Data::Object{{"type", "takeUndo"}, {"text", text}});
  one.window.Settle();
  client = &one.window.client();
  for (const char* name : {"unsaid", "said", "unsaid"}) {
    CAPTURE(name);
    const UndoWay way = std::string(name) == "said" ? UndoWay::kRedo : UndoWay::kUndo;
    REQUIRE(client->TxBegin(one.window.now += 1).ok());
    REQUIRE(client->TxUndo(way).ok());
    const Result<Data> done = client->TxCommit(Data::Object{{"name", "skerry/undo"}});
    CHECK(done.value()["name"].Is(name));
    one.window.Obeyed(done.value()["effects"]);
  }
}

// ---- the text ----

UndoStep StepOf(uint64_t number) {
  UndoStep step;
  step.made = {ActionId(number), "edit", R"({"a":1})", 5, false, false};
  step.id = ActionId(number);
  Op op = NewOp(OpKind::kUpdate, {kNoteTable, kReloadedId}, "A");
  op.set = {{Prop(kNoteTable, "text"), Value::String("before")}};
  op.was = {{Prop(kNoteTable, "text"), Value::String("after")}};
  step.ops = {std::move(op)};
  return step;
}

std::string TextOf(const UndoStack& stack, const std::optional<std::string>& user = "anna") {
  return WriteUndo(TestSchema(), user, stack).value();
}

Status Read(std::string_view text, UndoStack* stack, const char* user = "anna") {
  return ReadUndo(TestSchema(), user, text, stack);
}

TEST_CASE("undo over a reload: another schema, another user, or no user gets nothing") {
  UndoStack stack, taken;
  stack.Push(StepOf(1));
  const std::string text = TextOf(stack);
  CHECK(Read(text, &taken, "bob").code() == Code::kVersion);
  CHECK(ReadUndo(TestSchema(), std::nullopt, text, &taken).code() == Code::kVersion);
  CHECK(Read(TextOf(stack, std::nullopt), &taken).code() == Code::kVersion);
  Data other = Json(text);
  other.mutable_items()[1] = "0123456789abcdef";
  CHECK(Read(WriteJson(other), &taken).code() == Code::kVersion);
  CHECK(taken.Next(UndoWay::kUndo) == nullptr);
  CHECK(Read(text, &taken).ok());
  CHECK(taken.Next(UndoWay::kUndo)->ops == stack.Next(UndoWay::kUndo)->ops);
  CHECK(taken.Next(UndoWay::kUndo)->made == stack.Next(UndoWay::kUndo)->made);
}

TEST_CASE("undo over a reload: a text with anything wrong in it is refused as a whole") {
  UndoStack stack;
  stack.Push(StepOf(1));
  stack.Push(StepOf(2));
  const Data whole = Json(TextOf(stack));
  const auto refused = [&](const Data& data) {
    UndoStack taken;
    const Status status = Read(WriteJson(data), &taken);
    CHECK(status.ok() == (taken.Next(UndoWay::kUndo) != nullptr));
    return !status.ok();
  };
  REQUIRE_FALSE(refused(whole));
  // Of the step that comes next: [action, name, arg, at, id, ops, the inverse's name and arg].
  const auto step_of = [](Data* data) -> Data::Array& {
    return data->mutable_items()[3].mutable_items()[1].mutable_items();
  };
  const auto with = [&](size_t part, Data value) {
    Data data = whole;
    step_of(&data)[part] = std::move(value);
    return data;
  };
  const auto with_op = [&](const char* member, Data value) {
    Data data = whole;
    step_of(&data)[5].mutable_items()[0].Set(member, std::move(value));
    return data;
  };
  CHECK(refused(with(0, 7)));
  CHECK(refused(with(1, "")));
  CHECK(refused(with(2, "{")));
  CHECK(refused(with(2, Data())));
  CHECK(refused(with(2, R"("\ud800")")));
  CHECK(refused(with(2, std::string(100, '[') + std::string(100, ']'))));
  CHECK(refused(with(3, "now")));
  CHECK(refused(with(4, ActionId(9))));  // its ops undo another action
  CHECK(refused(with(4, "x")));
  CHECK(refused(with(5, Data::Array{})));
  CHECK(refused(with(5, "all")));
  CHECK(refused(with(6, "unsaid")));  // it is no action of a stream
  CHECK(refused(with_op("op", "create")));
  CHECK(refused(with_op("op", "offer")));
  CHECK(refused(with_op("op", "vanish")));
  CHECK(refused(with_op("table", "none")));
  CHECK(refused(with_op("realm", "")));
  CHECK(refused(with_op("was", Data())));  // it would overwrite what others have done
  CHECK(refused(with_op("was", One("size", 1))));
  CHECK(refused(with_op("set", One("text", 5))));
  CHECK(refused(with_op("of", Data())));
  CHECK(refused(with_op("if", 3)));
  // A create that says what it undoes, and what it expects, is one all the same.
  Data create = with_op("op", "create");
  step_of(&create)[5].mutable_items()[0].Set("set", Data::Object{{"text", "a"}, {"size", 1}});
  CHECK(refused(create));
  const Data append =
      Data::Object{{"op", "append"}, {"stream", "s"}, {"realm", "A"}, {"of", ActionId(2)}};
  Data in_stream = with(5, Data::Array{append});
  CHECK(refused(in_stream));
  step_of(&in_stream)[6] = "unsaid";
  CHECK(refused(in_stream));
  step_of(&in_stream)[7] = "1";
  CHECK_FALSE(refused(in_stream));
  step_of(&in_stream)[7] = "{";
  CHECK(refused(in_stream));
  for (const char* text : {"", "null", "[]", "{}", "7", "[1", "[1,2,3,4,5]"}) {
    UndoStack taken;
    CHECK_FALSE(Read(text, &taken).ok());
  }
  Data newer = whole;
  newer.mutable_items()[0] = 2;
  CHECK(refused(newer));
  Data longer = whole;
  CHECK(refused(longer.Push(1)));
  const std::string text = WriteJson(whole);
  for (size_t end = 0; end < text.size(); ++end) {
    UndoStack taken;
    CHECK_FALSE(Read(text.substr(0, end), &taken).ok());
  }
}

TEST_CASE("undo over a reload: creates, and ops on memberships, undo nothing") {
  const Schema schema = std::move(Schema::Parse(Json(R"({"version":1,"tables":[
        {"name":"items","ids":"string","props":[]},
        {"name":"$members","ids":"string","props":[
          {"name":"user","type":"string"},
          {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
          {"name":"accepted","type":"boolean","optional":true},
          {"name":"by","type":"string","optional":true}]}]})"))
                                      .value());
  struct Case {
    OpKind kind;
    const char* table;
    bool fits;
  };
  const Case cases[] = {{OpKind::kDelete, "items", true},
                        {OpKind::kCreate, "items", false},
                        {OpKind::kDelete, "$members", false}};
  for (const Case& c : cases) {
    CAPTURE(c.table);
    UndoStack stack, taken;
    UndoStep step = StepOf(1);
    step.ops[0] = NewOp(c.kind, {schema.FindTable(c.table), "A/bob"}, "A");
    stack.Push(std::move(step));
    const std::string text = WriteUndo(schema, "anna", stack).value();
    CHECK(ReadUndo(schema, "anna", text, &taken).ok() == c.fits);
  }
}

TEST_CASE("undo over a reload: the newest steps are kept, as many as there is room for") {
  UndoStack stack;
  for (uint64_t i = 1; i <= 20; ++i) {
    UndoStep step = StepOf(i);
    step.made.arg = '"' + std::string(100'000, 'x') + '"';
    stack.Push(std::move(step));
  }
  stack.Moved(UndoWay::kUndo, ActionId(90), StepOf(90).ops);
  const std::string text = TextOf(stack);
  CHECK(text.size() <= kMaxUndoTextBytes);
  CHECK(text.size() > kMaxUndoTextBytes - 110'000);
  UndoStack taken;
  REQUIRE(Read(text, &taken).ok());
  CHECK(taken.steps(UndoWay::kRedo).size() == 1);
  CHECK(taken.Next(UndoWay::kRedo)->id == ActionId(90));
  CHECK(taken.Next(UndoWay::kUndo)->id == ActionId(19));
  CHECK(taken.steps(UndoWay::kUndo).size() == 9);
  CHECK(taken.steps(UndoWay::kUndo)[0].id == ActionId(11));
  // A step that has no room ends its list: what lies behind it could not be undone before it.
  UndoStep large = StepOf(30);
  large.made.arg = '"' + std::string(kMaxUndoTextBytes, 'x') + '"';
  stack.Push(std::move(large));
  stack.Push(StepOf(31));
  UndoStack last;
  REQUIRE(Read(TextOf(stack), &last).ok());
  CHECK(last.steps(UndoWay::kUndo).size() == 1);
  // More than a window remembers.
  Data many = Json(text);
  const Data one = Json(TextOf(last)).items()[3].items()[0];
  Data& list = many.mutable_items()[3];
  list = Data::MakeArray();
  for (size_t i = 0; i <= kMaxUndoSteps; ++i) list.Push(one);
  UndoStack none;
  CHECK_FALSE(Read(WriteJson(many), &none).ok());
}

}  // namespace
}  // namespace skerry::client_test
