// Targets of a window: records that another script of the origin has written, and messages of such
// a script on the channel.
#include <utility>

#include "base/fields.h"
#include "test/core/client/tab_fixture.h"
#include "test/fuzz/target.h"
#include "test/fuzz/window_host.h"

namespace skerry::fuzz {
namespace {

using client_test::Storage;
using client_test::Window;

// A database in use: an image and the previous one, records after it, pending mutations in all
// states, an inbox.
Data MakeWindowSnapshot() {
  Storage storage;
  client_test::Publish(&storage, "g0", 0);
  Window window(&storage, "a");
  window.Settle();
  for (int i = 0; i < 6; ++i) {
    window.Do(client_test::kUpsert, client_test::kGroupTable, "g" + std::to_string(i % 3),
              Data::Object{{"name", "n" + std::to_string(i)}, {"count", i}});
    window.Settle();
  }
  storage.Work({1}, {}, {client_test::Confirm(storage, 1)});
  client_test::Publish(&storage, "g1", storage.n(), 5);
  storage.Work({2}, {3}, {client_test::Confirm(storage, 2)});
  sync_test::FakeStorage stores;
  for (const auto& [key, value] : storage.mutations) stores.Put("mutations", key, value);
  for (const auto& [key, value] : storage.updates) stores.Put("updates", key, value);
  for (const auto& [key, value] : storage.conflicts) stores.Put("conflicts", key, value);
  stores.Put("outbox", "u1",
             Fields{{"v", 1},
                    {"id", "u1"},
                    {"client", "c"},
                    {"state", "sent"},
                    {"after", Data::Object{{"A", Data()}, {"B", Data()}}},
                    {"confirmed", Data::Array{"A"}},
                    {"mutations", Data::Array{Data::Object{{"id", storage.mutations.at(4)["id"]},
                                                           {"key", 4}}}}});
  storage.sync.Set("scopes",
                   Data::Array{Data::Object{
                       {"table", "groups"}, {"where", Data::Array{"true"}}, {"filled", true}}});
  Step step;
  step.kind = StepKind::kActions;
  step.realm = "A";
  step.stream = "chat";
  step.actions = {{{1, 0}, "01890000-0000-7000-8000-000000000007", "said", "1", 1, 1, "bo"}};
  storage.Work({}, {}, {step});
  for (const auto& [key, value] : storage.updates) stores.Put("updates", key, value);
  Data::Array writes;
  WriteActions(client_test::TestSchema(), "A", "chat", step.actions, &writes);
  for (const Data& write : writes) stores.Put("actions", write["key"], write["put"]);
  StateRecord state;
  state.reducer = state.revision = 1;
  state.state = "{}";
  stores.Put("streams", StateKey("A", "chat", 1).data(), ToData(state));
  storage.sync.Set(
      "streams", Data::Array{Data::Object{{"stream", "chat"}, {"behind", Data::Object{{"B", 0}}}}});
  storage.sync.Set("refill", Data::Array{"B"}).Set("clockOffset", 3).Set("lastSyncedAt", 9);
  stores.Put("sync", "sync", storage.sync);
  return TakeSnapshot(&stores, storage.images);
}

const Data& WindowSnapshot() {
  static const Data whole = MakeWindowSnapshot();
  return whole;
}

Vector<std::string> WindowStorageSeeds() { return {EncodeData(WindowSnapshot())}; }

// Checks that the window opens or reports an error, that it stores a change, and that no unchanged
// mutation is lost.
std::string Judge(WindowHost* window, sync_test::FakeStorage* storage,
                  const Vector<Data>& untouched, bool* taken) {
  std::string problem = window->Rest();
  if (!problem.empty()) return problem;
  if (!window->ready())
    return window->has_reported() ? "" : "a window that does not open, and says nothing";
  *taken = true;
  if (!window->Edit("after")) return "a change that is not stored any more";
  for (const Data& row : untouched) {
    if (!IsKept(storage, row.items()[1])) return "a pending mutation that nobody touched is lost";
  }
  return "";
}

std::string RunWindowStorage(std::string_view input, bool* taken) {
  const Result<Data> snapshot = DecodeData(input);
  if (!snapshot.ok()) return "";
  sync_test::FakeStorage storage;
  Images images;
  PutSnapshot(snapshot.value(), &storage, &images);
  const Vector<Data> untouched = Untouched(WindowSnapshot(), &storage);
  WindowHost window(&storage, &images);
  return Judge(&window, &storage, untouched, taken);
}

// The messages that windows get.
Vector<std::string> WindowMessageSeeds() {
  const Data& whole = WindowSnapshot();
  const Data& updates = whole["updates"];
  const Data& mutation = whole["mutations"].items().back();
  Data record = updates.items().back().items()[1];
  record.Set("n", record["n"].as_u64() + 1);
  Data added = mutation.items()[1];
  const Data::Array messages = {
      Fields{{"type", "record"}, {"record", std::move(record)}},
      Fields{{"type", "added"},
             {"tab", "b"},
             {"items",
              Data::Array{Data::Object{{"id", added["id"]}, {"key", 40}, {"record", added}}}}},
      Fields{{"type", "left"}},
      Fields{{"type", "conflicts"}},
      Fields{{"type", "unreadable"}},
      Fields{{"type", "pushed"},
             {"results", Data::Array{Data::Object{{"update", "u1"},
                                                  {"mutations", Data::Array{added["id"]}},
                                                  {"status", "rejected"},
                                                  {"code", "unique"},
                                                  {"detail", "taken"}}}}},
      Fields{{"type", "status"},
             {"n", 90},
             {"shared", Data::Object{{"clockOffsetMs", 5}, {"lastSyncedAt", 7}}}},
  };
  return SeedsOfMessages(messages);
}

std::string RunWindowMessages(std::string_view input, bool* taken) {
  const Result<Data> messages = DecodeData(input);
  if (!messages.ok()) return "";
  sync_test::FakeStorage storage;
  Images images;
  PutSnapshot(WindowSnapshot(), &storage, &images);
  const Vector<Data> untouched = Untouched(WindowSnapshot(), &storage);
  WindowHost window(&storage, &images);
  std::string problem = window.Rest();
  if (!problem.empty() || !window.ready()) return "it does not open";
  for (const Data& message : messages.value().items()) window.Hear(message);
  return Judge(&window, &storage, untouched, taken);
}

// Events of any kind in any order: the host is JavaScript, which windows, workers and timers call.
Vector<std::string> EventSeeds() {
  Data all = Data::MakeArray();
  for (const Data& event :
       {Data(Fields{{"type", "open"}}), Data(Fields{{"type", "state"}}),
        Data(Fields{{"type", "freeze"}}), Data(Fields{{"type", "resume"}}),
        Data(Fields{{"type", "leave"}}), Data(Fields{{"type", "timer"}, {"name", "reread"}}),
        Data(Fields{{"type", "timer"}, {"name", "commit"}}),
        Data(Fields{{"type", "done"}, {"id", 3}, {"keys", Data::Array{7}}}),
        Data(Fields{{"type", "failed"}, {"id", 4}, {"error", Data::Object{{"name", "Error"}}}}),
        Data(Fields{{"type", "read"}, {"id", 5}, {"results", Data::Array{Data(), Data::Array{}}}}),
        Data(Fields{{"type", "imageLoaded"}, {"generation", "g1"}, {"ok", true}}),
        Data(Fields{{"type", "resolve"}, {"id", 3000}, {"how", "retry"}}),
        Data(Fields{
            {"type", "streamOpen"}, {"stream", 1}, {"realm", "A"}, {"name", "chat"}, {"keep", 9}}),
        Data(Fields{{"type", "streamOpen"},
                    {"stream", 2},
                    {"realm", "A"},
                    {"name", "chat"},
                    {"reducer", 1}}),
        Data(Fields{
            {"type", "streamPage"}, {"id", 4}, {"stream", 1}, {"revision", 9}, {"limit", 3}}),
        Data(Fields{{"type", "streamState"}, {"stream", 2}, {"revision", 1}, {"state", "{}"}}),
        Data(Fields{{"type", "streams"}, {"add", Data::Array{Data::Object{{"stream", "chat"}}}}}),
        Data(Fields{{"type", "streamClose"}, {"stream", 1}}),
        Data(Fields{
            {"type", "scopes"},
            {"add", Data::Array{Data::Object{{"table", "groups"}, {"where", Data::Array{"true"}}}}},
            {"drop", Data::Array{}}})})
    all.Push(event);
  return {EncodeData(all)};
}

std::string RunEvents(std::string_view input, bool* taken) {
  const Result<Data> events = DecodeData(input);
  if (!events.ok()) return "";
  sync_test::FakeStorage storage;
  Images images;
  PutSnapshot(WindowSnapshot(), &storage, &images);
  WindowHost window(&storage, &images);
  for (const Data& event : events.value().items()) {
    if (event.is_object()) window.Event(event);
  }
  std::string problem = window.Rest();
  *taken = window.ready();
  return problem;
}

// ---- what can be undone, as text in the tab's sessionStorage ----

Vector<std::string> UndoSeeds() {
  Storage storage;
  client_test::Publish(&storage, "g0", 0);
  Window window(&storage, "a");
  window.Settle();
  const auto group = [](const char* name) { return Data::Object{{"name", name}, {"count", 1}}; };
  window.Do(client_test::kUpsert, client_test::kGroupTable, "g1", group("a"));
  window.Do(client_test::kUpsert, client_test::kGroupTable, "g1", group("b"));
  window.Do(client_test::kInc, client_test::kGroupTable, "g1", Data::Object{{"count", 2}});
  window.Do(client_test::kDelete, client_test::kGroupTable, "g1", {});
  window.Event(Data::Object{{"type", "keepUndo"}});
  return {window.notes.back()["text"].as_string()};
}

std::string RunUndo(std::string_view input, bool* taken) {
  Storage storage;
  client_test::Publish(&storage, "g0", 0);
  Window window(&storage, "a");
  window.Event(Data::Object{{"type", "takeUndo"}, {"text", input}});
  window.Settle();
  Client& client = window.client();
  for (int i = 0; i < 10; ++i) {
    if (!client.TxBegin(window.now += 1).ok()) return "no transaction can begin";
    const Result<Data> undone = client.TxUndo(i % 3 == 2 ? UndoWay::kRedo : UndoWay::kUndo);
    *taken = *taken || (undone.ok() && !undone.value().is_null());
    const Result<Data> done = client.TxCommit(Data::Object{{"name", "skerry/undo"}});
    window.Obeyed(done.ok() ? done.value()["effects"] : client.TxRollback());
  }
  window.Settle();
  return window.ready() ? "" : "the window is not ready";
}

}  // namespace

void AddWindowTargets(Vector<Target>* targets) {
  targets->push_back({"window-storage", Form::kData, 300, WindowStorageSeeds, RunWindowStorage});
  targets->push_back({"window-messages", Form::kData, 250, WindowMessageSeeds, RunWindowMessages});
  targets->push_back({"undo-text", Form::kJson, 300, UndoSeeds, RunUndo});
  targets->push_back({"window-events", Form::kData, 150, EventSeeds, RunEvents});
}

}  // namespace skerry::fuzz
