// Goal: a window hands the application each action of a stream once, in order, first as pending and
// then as confirmed, whatever storage and messages do meanwhile. Method: windows over one fake
// IndexedDB; after each step what the application would show is compared with what it should be.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "log/stream_record.h"
#include "test/core/client/shown_stream.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

constexpr uint64_t kHandle = 5;

Data Json(std::string_view text) { return ParseJson(text).value(); }

std::string ActionId(uint64_t number) {
  const std::string digits = std::to_string(number);
  return "01890000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

StreamAction ActionAt(uint64_t revision, std::string id = "") {
  StreamAction action;
  action.place = {revision, 0};
  action.id = id.empty() ? ActionId(revision) : std::move(id);
  action.name = "said";
  action.arg = "1";
  action.author = "bo";
  return action;
}

// A record of the sync worker, which stores actions of `chat` in realm A, and confirms mutations.
// `filled`: not all is here below the cursor, only so much.
struct StreamStorage : Storage {
  uint64_t revision = 0;
  Data Log(const Vector<StreamAction>& actions, const Vector<uint64_t>& confirmed = {},
           std::optional<uint64_t> filled = {}, Vector<Step> before = {}) {
    Step step;
    step.kind = StepKind::kActions;
    step.realm = "A";
    step.stream = "chat";
    step.actions = actions;
    Vector<Step> steps = std::move(before);
    if (!actions.empty()) steps.push_back(step);
    Data::Array writes;
    WriteActions(TestSchema(), "A", "chat", actions, &writes);
    if (!actions.empty()) Write(Data(writes));
    Data record = Work(confirmed, {}, std::move(steps));
    for (const StreamAction& action : actions) revision = std::max(revision, action.place.first);
    const Data cursors = Data::Object{{"A", std::to_string(revision) + "@1"}};
    Data behind = Data::MakeObject();
    if (filled) behind.Set("A", *filled);
    const Data wanted = Data::Array{Data::Object{{"stream", "chat"}, {"behind", behind}}};
    record.Set("cursors", cursors).Set("streams", wanted);
    updates[n()] = record;
    sync.Set("cursors", cursors).Set("streams", wanted);
    return Data::Object{{"type", "record"}, {"record", record}};
  }
};

struct StreamWindow {
  StreamStorage* storage;
  Window window;
  test::ShownStream shown;
  explicit StreamWindow(StreamStorage* in, std::string tab = "a", bool remote = true)
      : storage(in), window(in, std::move(tab), remote) {
    window.Settle();
  }
  void Open(Data more = Data::MakeObject()) {
    more.Set("type", "streamOpen").Set("stream", kHandle).Set("name", "chat");
    shown.is_reduced = more["reducer"].is_number();
    window.Event(std::move(more));
  }
  void OpenReduced(uint64_t version = 1, bool migrates = false) {
    Open(Data::Object{{"reducer", version}, {"migrates", migrates}});
  }
  Vector<std::string> Look() {
    const Data drained = window.client().Drain();
    for (const Data& news : drained["streams"].items()) {
      REQUIRE(news["stream"].as_u64() == kHandle);
      REQUIRE(shown.Take(news) == "");
    }
    REQUIRE(shown.Twice().empty());
    return shown.Ids();
  }
  Vector<std::string> Settled() {
    window.Settle();
    return Look();
  }
  std::string Append(std::string_view arg = "1") {
    window.now += 1;
    REQUIRE(window.client().TxBegin(window.now).ok());
    const Data operation = Data::Array{Data("chat"), Data()};
    REQUIRE(window.client().TxOp(8, 0, operation).ok());
    const Result<Data> done =
        window.client().TxCommit(Data::Object{{"name", "said"}, {"arg", arg}});
    REQUIRE(done.ok());
    window.Obeyed(done.value()["effects"]);
    return done.value()["id"].as_string();
  }
  void Store(uint64_t revision, Data state) {
    window.Event(Data::Object{{"type", "streamState"},
                              {"stream", kHandle},
                              {"revision", revision},
                              {"state", std::move(state)}});
    window.Settle();
  }
};

using ShownIds = Vector<std::string>;

TEST_CASE("a stream: what is stored is loaded, and records bring what is new") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.Open(Data::Object{{"keep", 10}});
  CHECK(one.Look().empty());
  CHECK(!one.shown.loaded);
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2)});
  CHECK(one.shown.whole);
  one.window.Hear(storage.Log({ActionAt(3)}));
  CHECK(one.Look() == ShownIds{ActionId(1), ActionId(2), ActionId(3)});
  REQUIRE(!one.window.posted.empty());
  CHECK(one.window.posted.back() ==
        Json(R"({"type":"streams","add":[{"stream":"chat","last":10}]})"));
}

TEST_CASE("a stream: an own action is shown at once, and confirmed without being shown twice") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage), other(&storage, "b");
  one.Open();
  other.Open();
  one.Settled();
  other.Settled();
  const std::string mine = one.Append();
  CHECK(one.Look() == ShownIds{ActionId(1), mine});
  one.window.Settle();
  for (const Data& message : one.window.sent) other.window.Hear(message);
  CHECK(other.Look() == ShownIds{ActionId(1), mine});
  const uint64_t key = storage.mutations.begin()->first;
  const Data record = storage.Log({ActionAt(2), ActionAt(3, mine)}, {key});
  one.window.Hear(record);
  CHECK(one.Look() == ShownIds{ActionId(1), ActionId(2), mine});
  CHECK(one.shown.pending.empty());
  other.window.Hear(record);
  CHECK(other.Look() == ShownIds{ActionId(1), ActionId(2), mine});
}

TEST_CASE("a stream: an action that is confirmed here, and pending in another realm") {
  StreamStorage storage;
  StreamWindow one(&storage), other(&storage, "b");
  one.Open();
  other.Open();
  one.Settled();
  other.Settled();
  const std::string mine = one.Append();
  one.window.Settle();
  const uint64_t key = storage.mutations.begin()->first;
  Data record = storage.Log({ActionAt(1, mine)})["record"];
  const Data partly = Data::Object{{"id", mine}, {"realms", Data::Array{"A"}}};
  record.Set("partly", Data::Array{partly});
  // The other window hears that it is confirmed before it hears of it at all.
  other.window.Hear(Data::Object{{"type", "record"}, {"record", record}});
  for (const Data& message : one.window.sent) other.window.Hear(message);
  CHECK(other.window.client().tab().mirror().pending().size() == 1);
  CHECK(other.Look() == ShownIds{mine});
  CHECK(other.shown.pending.empty());
  CHECK(storage.mutations.contains(key));
}

TEST_CASE("a stream: a record comes before the window knows that its action is stored") {
  StreamStorage storage;
  StreamWindow one(&storage);
  one.Open();
  one.Settled();
  const std::string mine = one.Append();
  one.window.Run();
  const uint64_t key = storage.mutations.begin()->first;
  one.window.Hear(storage.Log({ActionAt(1, mine)}, {key}));
  CHECK(one.Look() == ShownIds{mine});
  one.window.Notify();
  CHECK(one.Settled() == ShownIds{mine});
}

TEST_CASE("a stream: storage is ahead of the window when it is read") {
  StreamStorage storage;
  StreamWindow one(&storage);
  one.Settled();
  const std::string mine = one.Append();
  one.window.Settle();
  const uint64_t key = storage.mutations.begin()->first;
  const Data record = storage.Log({ActionAt(1), ActionAt(2, mine)}, {key});
  one.Open();
  one.window.Run();
  one.window.Notify();
  // The window still has it as pending: what was read waits.
  CHECK(one.Look() == ShownIds{mine});
  CHECK(!one.shown.loaded);
  one.window.Hear(record);
  CHECK(one.Settled() == ShownIds{ActionId(1), mine});
  CHECK(one.shown.loaded);
}

TEST_CASE("a stream: a record comes while storage is being read") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage);
  one.Open();
  one.window.Run();
  one.window.Hear(storage.Log({ActionAt(2)}));
  one.window.Notify();
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2)});
}

TEST_CASE("a stream: missed records are read from storage") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  storage.Log({ActionAt(2)});
  one.window.Hear(storage.Log({ActionAt(3)}));
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2), ActionId(3)});
  // The records are gone: the image, and the stream, are loaded again.
  storage.Log({ActionAt(4)});
  Publish(&storage, "g1", storage.n());
  storage.Log({ActionAt(5)});
  Publish(&storage, "g2", storage.n());
  one.window.Hear(storage.Log({ActionAt(6)}));
  CHECK(one.Settled() ==
        ShownIds{ActionId(1), ActionId(2), ActionId(3), ActionId(4), ActionId(5), ActionId(6)});
  CHECK(one.shown.loaded);
}

TEST_CASE("a stream: a reduced one gets no action before all that come before it") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)}, {}, 2);
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled() == ShownIds{ActionId(1), ActionId(2)});
  CHECK(!one.shown.whole);
  CHECK(one.window.posted.back() == Json(R"({"type":"streams","add":[{"stream":"chat"}]})"));
  // An own action, confirmed far beyond.
  const std::string mine = one.Append();
  one.window.Settle();
  one.window.Hear(storage.Log({ActionAt(9, mine)}, {storage.mutations.begin()->first}, 2));
  CHECK(one.Look() == ShownIds{ActionId(1), ActionId(2)});
  one.window.Hear(storage.Log({ActionAt(3), ActionAt(4)}, {}, 4));
  CHECK(one.Look().size() == 4);
  CHECK(one.shown.upto == 4);
  one.window.Hear(storage.Log({ActionAt(6), ActionAt(9, mine)}));
  CHECK(one.Look().back() == mine);
  CHECK(one.shown.order.size() == 6);
  CHECK(one.shown.whole);
}

TEST_CASE("a stream: a plain one shows what it has, also beyond a gap") {
  StreamStorage storage;
  storage.Log({ActionAt(1)}, {}, 1);
  StreamWindow one(&storage);
  one.Open();
  one.Settled();
  one.window.Hear(storage.Log({ActionAt(9)}, {}, 1));
  CHECK(one.Look() == ShownIds{ActionId(1), ActionId(9)});
  one.window.Hear(storage.Log({ActionAt(5), ActionAt(9)}));
  CHECK(one.Look() == ShownIds{ActionId(1), ActionId(5), ActionId(9)});
}

TEST_CASE("a stream: a realm that is dropped begins again") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  Step drop;
  drop.kind = StepKind::kDropRealm;
  drop.realm = "A";
  storage.actions.clear();
  storage.revision = 0;
  const Data record = storage.Log({ActionAt(1, ActionId(77))}, {}, {}, {drop});
  one.window.Hear(record);
  CHECK(one.Look() == ShownIds{ActionId(77)});
  // Also while it is being read.
  StreamWindow late(&storage, "b");
  late.OpenReduced();
  late.window.Run();
  storage.actions.clear();
  late.window.Hear(storage.Log({ActionAt(1, ActionId(78))}, {}, {}, {drop}));
  late.window.Notify();
  CHECK(late.Settled() == ShownIds{ActionId(78)});
}

TEST_CASE("a stream: many stored actions are handed over page by page") {
  StreamStorage storage;
  Vector<StreamAction> actions;
  for (uint64_t i = 1; i <= 250; ++i) {
    // Each in a row of its own.
    storage.Log({ActionAt(i)});
  }
  StreamWindow one(&storage);
  one.OpenReduced();
  CHECK(one.Settled().size() == 250);
  CHECK(one.shown.loaded);
}

TEST_CASE("a stream: a state is stored, and the stream goes on from it") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced();
  one.Settled();
  one.Store(2, R"({"sum":2})");
  storage.Log({ActionAt(3)});
  CHECK(storage.actions.size() == 1);  // a server has the others
  StreamWindow next(&storage, "b");
  next.OpenReduced();
  CHECK(next.Settled() == ShownIds{ActionId(3)});
  CHECK(next.shown.state == R"({"sum":2})");
  // Not over a later one, and not from a window that has not seen all.
  next.Store(3, R"({"sum":3})");
  one.Store(2, R"({"sum":0})");
  storage.Log({ActionAt(4)});
  next.Store(3, R"({"sum":9})");
  StreamWindow last(&storage, "c");
  last.OpenReduced();
  CHECK(last.Settled() == ShownIds{ActionId(4)});
  CHECK(last.shown.state == R"({"sum":3})");
}

TEST_CASE("a stream: a reducer of another version asks for everything, or takes the state over") {
  StreamStorage storage;
  storage.Log({ActionAt(1), ActionAt(2)});
  StreamWindow one(&storage);
  one.OpenReduced(1);
  one.Settled();
  one.Store(2, "7");
  StreamWindow two(&storage, "b");
  two.OpenReduced(2);
  CHECK(two.Settled().empty());
  CHECK(two.window.posted.back() ==
        Json(R"({"type":"streams","add":[{"stream":"chat","again":true}]})"));
  storage.streams.erase(StreamKey("A", "chat").data().as_string());  // the worker begins again
  two.window.Hear(storage.Log({}, {}, 0));
  two.window.Hear(storage.Log({ActionAt(1), ActionAt(2)}));
  CHECK(two.Settled() == ShownIds{ActionId(1), ActionId(2)});
  StreamWindow three(&storage, "c");
  three.OpenReduced(3, true);
  CHECK(three.Settled().empty());
  CHECK(three.shown.state == "7");
  // The last two versions are kept, and the actions that the older of them needs.
  two.Store(2, "8");
  three.window.Hear(storage.Log({ActionAt(3)}));
  CHECK(three.Settled() == ShownIds{ActionId(3)});
  three.Store(3, "9");
  CHECK(storage.streams.size() == 3);
  CHECK(storage.streams.contains(StateKey("A", "chat", 2).data().as_string()));
  CHECK(!storage.streams.contains(StateKey("A", "chat", 1).data().as_string()));
  CHECK(storage.actions.size() == 1);
}

TEST_CASE("a stream: without a remote nothing is lost, and the stream is there again") {
  StreamStorage storage;
  {
    StreamWindow one(&storage, "a", false);
    one.OpenReduced();
    one.Settled();
    const std::string first = one.Append(), second = one.Append();
    CHECK(one.Look() == ShownIds{first, second});
    CHECK(one.Settled() == ShownIds{first, second});
    CHECK(one.shown.pending.empty());
    const std::string third = one.Append();
    CHECK(one.Settled() == ShownIds{first, second, third});
    one.Store(one.shown.upto, "3");
    CHECK(storage.actions.size() == 2);
    CHECK(storage.mutations.empty());
    CHECK(one.window.posted.empty());
  }
  StreamWindow again(&storage, "b", false);
  again.OpenReduced(2);
  CHECK(again.Settled().size() == 3);
  StreamWindow same(&storage, "c", false);
  same.OpenReduced(1);
  CHECK(same.Settled().empty());
  CHECK(same.shown.state == "3");
  // Another window's record.
  const std::string fourth = again.Append();
  again.window.Settle();
  for (const Data& message : again.window.sent) same.window.Hear(message);
  CHECK(same.Settled() == ShownIds{fourth});
}

TEST_CASE("a stream: pages of its past come from storage, without gaps") {
  StreamStorage storage;
  for (uint64_t i = 1; i <= 30; i += 3)
    storage.Log({ActionAt(i), ActionAt(i + 1), ActionAt(i + 2)});
  StreamWindow one(&storage);
  one.Open(Data::Object{{"keep", 2}});
  CHECK(one.Settled().size() == 6);
  ShownIds seen;
  uint64_t before = 25;
  for (int page = 0; page < 10 && before > 1; ++page) {
    one.window.notes.clear();
    one.window.Event(Data::Object{{"type", "streamPage"},
                                  {"id", 7},
                                  {"stream", kHandle},
                                  {"revision", before},
                                  {"position", 0},
                                  {"limit", 5}});
    one.window.Settle();
    REQUIRE(one.window.notes.size() == 1);
    const Data& answer = one.window.notes[0];
    CHECK(answer["id"].as_u64() == 7);
    ShownIds ids;
    for (const Data& action : answer["actions"].items()) ids.push_back(action["id"].as_string());
    REQUIRE(!ids.empty());
    before = answer["actions"].items()[0]["place"].items()[0].as_u64();
    ids.insert(ids.end(), seen.begin(), seen.end());
    seen = ids;
  }
  ShownIds all;
  for (uint64_t i = 1; i < 25; ++i) all.push_back(ActionId(i));
  CHECK(seen == all);
  // What is no longer needed is removed, and the page says so.
  one.Store(20, Data());
  CHECK(storage.actions.size() == 4);
  one.window.notes.clear();
  one.window.Event(Data::Object{{"type", "streamPage"},
                                {"id", 8},
                                {"stream", kHandle},
                                {"revision", 21},
                                {"position", 0},
                                {"limit", 5}});
  one.window.Settle();
  CHECK(one.window.notes[0]["floor"].as_u64() == 18);
  CHECK(one.window.notes[0]["actions"].items().size() == 2);
}

TEST_CASE("a stream: a failed read is tried again after a pause") {
  StreamStorage storage;
  storage.Log({ActionAt(1)});
  StreamWindow one(&storage);
  one.Open();
  Next(one.window, Outcome::kFailed);
  CHECK(!one.window.CanRun());
  Fire(one.window, "reread");
  CHECK(one.Settled() == ShownIds{ActionId(1)});
}

TEST_CASE("a stream: a refused action goes alone, and others stay in their order") {
  StreamStorage storage;
  StreamWindow one(&storage);
  one.Open();
  one.Settled();
  const std::string first = one.Append(), second = one.Append();
  one.window.Settle();
  const uint64_t key = storage.mutations.begin()->first;
  const Data record = storage.Work({}, {key}, {});
  one.window.Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK(one.Settled() == ShownIds{second});
  CHECK(one.window.settled[first]["confirmed"] == "unique");
}

TEST_CASE("a stream: an append is checked at once") {
  StreamStorage storage;
  StreamWindow one(&storage);
  Client& client = one.window.client();
  const auto code_of = [&](Data name, const std::string& arg = "1", int times = 1) {
    REQUIRE(client.TxBegin(1).ok());
    for (int i = 0; i < times; ++i) {
      const Result<OpOutcome> done = client.TxOp(8, 0, Data(Data::Array{name, Data()}));
      if (done.ok()) continue;
      client.TxRollback();
      return done.status().code();
    }
    const Result<Data> done = client.TxCommit(Data::Object{{"name", "said"}, {"arg", arg}});
    if (done.ok()) return Code::kOk;
    client.TxRollback();
    return done.status().code();
  };
  CHECK(code_of("chat") == Code::kOk);
  CHECK(code_of("") == Code::kInvalidArgument);
  CHECK(code_of("doc/*") == Code::kInvalidArgument);
  CHECK(code_of(std::string(129, 'x')) == Code::kLimit);
  CHECK(code_of("chat", "1", 2) == Code::kInvalidArgument);
  CHECK(code_of("chat", '"' + std::string(1 << 20, 'x') + '"') == Code::kLimit);
}

}  // namespace
}  // namespace skerry::client_test
