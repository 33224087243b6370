// Goal: a window hands the application each action of a stream once, in order, first as pending and
// then as confirmed, whatever storage and messages do meanwhile. Method: windows over one fake
// IndexedDB; after each step what the application would show is compared with what it should be.
#include <string>
#include <utility>

#include "test/core/client/stream_window.h"

namespace skerry::client_test {
namespace {

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

TEST_CASE("a stream: an own action is shown at once, and once when it is confirmed") {
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
                                  {"stream", kStreamHandle},
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
                                {"stream", kStreamHandle},
                                {"revision", 21},
                                {"position", 0},
                                {"limit", 5}});
  one.window.Settle();
  CHECK(one.window.notes[0]["floor"].as_u64() == 18);
  CHECK(one.window.notes[0]["actions"].items().size() == 2);
}

TEST_CASE("a stream: no more rows are read than the last actions need") {
  StreamStorage storage;
  uint64_t revision = 0;
  const auto log = [&](int rows, int actions) {
    for (int row = 0; row < rows; ++row) {
      Vector<StreamAction> list;
      for (int i = 0; i < actions; ++i) list.push_back(ActionAt(++revision));
      storage.Log(list);
    }
  };
  log(30, 40);  // rows with many actions, and then with one each
  log(9, 1);
  storage.read_rows = 0;
  StreamWindow one(&storage);
  one.Open(Data::Object{{"keep", 60}});
  const ShownIds shown = one.Settled();
  CHECK(shown.size() >= 60);
  CHECK(shown.back() == ActionId(revision));
  CHECK(storage.read_rows < 25);
  storage.read_rows = 0;
  one.window.Event(Data::Object{{"type", "streamPage"},
                                {"id", 7},
                                {"stream", kStreamHandle},
                                {"revision", revision - 500},
                                {"position", 0},
                                {"limit", 100}});
  one.window.Settle();
  const Data& page = one.window.notes.back()["actions"];
  REQUIRE(page.items().size() == 100);
  CHECK(page.items()[0]["id"] == Data(ActionId(revision - 600)));
  CHECK(page.items()[99]["id"] == Data(ActionId(revision - 501)));
  CHECK(storage.read_rows < 12);
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
