// Goal: each hole that DESIGN section 5 names has a test of its own, which fails without the rule that closes it; and what
// docs/window.md promises of start, group commit, promises, the inbox and life without a remote holds. Method: scripted windows
// over one fake IndexedDB, in which every transaction and message waits for the test.
#include "client/mirror.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/client/client_fixture.h"
#include "test/core/client/window_world.h"

namespace skerry::client_test {
namespace {

constexpr int kCreate = 1;
constexpr int kUpdate = 2;
constexpr int kInc = 3;
constexpr int kDelete = 4;

Data One(const char* name, Data value) { return Data::Object{{name, std::move(value)}}; }

// An image with group g (count 0), at this n.
void Publish(Storage* storage, const std::string& generation, uint64_t n, double count = 0) {
  Base base(&TestSchema());
  base.PutBase({kGroupTable, "g"}, MakeRow(kGroupTable, {{"name", "base"}, {"count", count}}));
  storage->Publish(generation, base, n);
}

Step Confirm(const Storage& storage, uint64_t key) {
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "A";
  step.at = 5000;
  step.revision = storage.n() + 1;
  step.ops = DecodeMutation(TestSchema(), storage.mutations.at(key)["body"].as_bytes()).value().ops;
  return step;
}

Data ConfirmAll(Storage* storage) {
  std::vector<uint64_t> keys;
  std::vector<Step> steps;
  for (const auto& [key, record] : storage->mutations) {
    keys.push_back(key);
    steps.push_back(Confirm(*storage, key));
  }
  return Data::Object{{"type", "record"}, {"record", storage->Work(keys, {}, std::move(steps))}};
}

double Count(Window& window) {
  const std::optional<Row> row = window.See(kGroupTable, "g");
  return row ? row->props[Prop(kGroupTable, "count")].number() : -1;
}

bool Noted(const Window& window, const char* type, const char* kind = nullptr) {
  for (const Data& note : window.notes) {
    if (note["type"].as_string() == type && (kind == nullptr || note["kind"].as_string() == kind)) return true;
  }
  return false;
}

// Runs and tells what waits, with these outcomes.
void Next(Window& window, Outcome outcome = Outcome::kDone) {
  window.Run(outcome);
  window.Tell();
}

void Fire(Window& window, const std::string& name) {
  REQUIRE(window.timers.erase(name) == 1);
  window.Event(Data::Object{{"type", "timer"}, {"name", name}});
}

Data Message(Window& window, const char* type) {
  for (const Data& message : window.sent) {
    if (message["type"].as_string() == type) return message;
  }
  return {};
}

std::string Stage(Window& window, const std::string& id, const char* stage) {
  return window.settled[id][stage];
}

struct Pair {
  Pair() : a(Opened("a")), b(Opened("b")) {}
  Storage storage;
  Window& A() { return *a; }
  Window& B() { return *b; }
  std::unique_ptr<Window> Opened(const char* tab) {
    if (storage.images.empty()) Publish(&storage, "g0", 0);
    auto window = std::make_unique<Window>(&storage, tab);
    window->Settle();
    REQUIRE(window->ready());
    window->notes.clear();
    return window;
  }
  std::unique_ptr<Window> a, b;
};

}  // namespace

TEST_CASE("mutations of a tick share one transaction, and durable comes with its completion") {
  Pair world;
  const std::string one = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  const std::string two = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  CHECK_EQ(Count(world.A()), 2);
  world.A().Run();
  CHECK_EQ(world.storage.mutations.size(), 2);
  CHECK_EQ(Stage(world.A(), one, "durable"), "");
  world.A().Tell();
  CHECK_EQ(Stage(world.A(), one, "durable"), "ok");
  CHECK_EQ(Stage(world.A(), two, "durable"), "ok");
  CHECK_FALSE(world.A().CanRun());
  CHECK_EQ(world.A().posted.back()["type"].as_string(), "mutated");
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(Count(world.B()), 2);
}

TEST_CASE("after a failed group nothing later commits before it is retried") {
  Pair world;
  const std::string first = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Run(Outcome::kQuota);
  const std::string second = world.A().Do(kInc, kGroupTable, "g", One("count", 10));
  world.A().Tell();
  CHECK(Noted(world.A(), "notify", "storageFailed"));
  CHECK_FALSE(world.A().CanRun());
  const std::string third = world.A().Do(kInc, kGroupTable, "g", One("count", 100));
  CHECK_FALSE(world.A().CanRun());
  CHECK_EQ(Count(world.A()), 111);
  Fire(world.A(), "commit");
  world.A().Run();
  // The failed group alone, first; then the rest, in order.
  REQUIRE_EQ(world.storage.mutations.size(), 1);
  CHECK_EQ(world.storage.mutations.begin()->second["id"].as_string(), first);
  world.A().Settle();
  REQUIRE_EQ(world.storage.mutations.size(), 3);
  CHECK_EQ(world.storage.mutations.rbegin()->second["id"].as_string(), third);
  CHECK_EQ(Stage(world.A(), second, "durable"), "ok");
  CHECK(Noted(world.A(), "notify", "storageRecovered"));
}

TEST_CASE("a group without room is withdrawn with what depends on it, and the rest goes on") {
  Pair world;
  const std::string made = world.A().Do(kCreate, kPersonTable, "p", One("name", "Ada"));
  world.A().Run(Outcome::kQuota);
  const std::string same = world.A().Do(kUpdate, kPersonTable, "p", One("name", "Bea"));
  const std::string refers = world.A().Do(kCreate, kMemberTable, "m", One("person", "p"));
  const std::string other = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Tell();
  for (int i = 1; i < kMaxQuotaFailures; ++i) {
    CHECK(world.A().See(kPersonTable, "p").has_value());
    Fire(world.A(), "commit");
    Next(world.A(), Outcome::kQuota);
  }
  for (const std::string& id : {made, same, refers}) {
    CHECK_EQ(Stage(world.A(), id, "durable"), "quota");
    CHECK_EQ(Stage(world.A(), id, "confirmed"), "quota");
  }
  CHECK_FALSE(world.A().See(kPersonTable, "p").has_value());
  CHECK_FALSE(world.A().See(kMemberTable, "m").has_value());
  CHECK_EQ(Count(world.A()), 1);
  Fire(world.A(), "commit");
  world.A().Settle();
  CHECK_EQ(Stage(world.A(), other, "durable"), "ok");
  CHECK_EQ(world.storage.mutations.size(), 1);
}

TEST_CASE("a group that was stored although the host could not know is not stored twice") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A(), Outcome::kLost);
  CHECK_EQ(world.storage.mutations.size(), 1);
  const Data record = ConfirmAll(&world.storage);  // pushed and pulled by another window's worker
  world.B().Hear(record);
  Fire(world.A(), "commit");
  world.A().Settle();
  CHECK(world.storage.mutations.empty());
  CHECK_EQ(Count(world.A()), 1);
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "ok");
}

TEST_CASE("the other windows hear of a group that turns out to be stored") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A(), Outcome::kLost);
  Fire(world.A(), "commit");
  world.A().Settle();
  CHECK_EQ(world.storage.mutations.size(), 1);
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("a record that comes before the window's own completion confirms once") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Run();
  world.A().Hear(ConfirmAll(&world.storage));
  CHECK_EQ(Count(world.A()), 1);
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "ok");
  CHECK_EQ(Stage(world.A(), id, "durable"), "ok");
  world.A().Tell();
  CHECK_EQ(Count(world.A()), 1);
  CHECK_EQ(world.A().client().tab().mirror().pending().size(), 0);
}

TEST_CASE("an added that comes after the confirmation does not bring the mutation back") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  const Data added = Message(world.A(), "added");
  world.B().Hear(ConfirmAll(&world.storage));
  CHECK_EQ(Count(world.B()), 1);
  world.B().Hear(added);
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("an added of before the last full reading is decided by goneUpTo") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  const Data added = Message(world.A(), "added");
  ConfirmAll(&world.storage);
  const std::unique_ptr<Window> late = world.Opened("late");
  CHECK_EQ(Count(*late), 1);
  late->Hear(added);
  CHECK_EQ(Count(*late), 1);
}

TEST_CASE("mutations fold in the order of their keys, also when a later one was heard first") {
  Pair world;
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "first"));
  Next(world.A());
  world.B().Do(kUpdate, kGroupTable, "g", One("name", "second"));
  const auto name = [](Window& window) {
    return window.See(kGroupTable, "g")->props[Prop(kGroupTable, "name")].text();
  };
  world.B().Run();
  // B's own, without a key yet, comes last; A hears of B's before B knows its key.
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(name(world.B()), "second");
  world.B().Tell();
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "third"));
  world.A().Run();
  world.A().Hear(Message(world.B(), "added"));
  CHECK_EQ(name(world.A()), "third");
  world.A().Tell();
  CHECK_EQ(name(world.A()), "third");
  // C takes its key before it has heard of D's earlier one... and D's later one wins in both.
  world.B().Do(kUpdate, kGroupTable, "g", One("name", "fourth"));
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "fifth"));
  world.A().sent.clear();
  world.B().sent.clear();
  world.A().Run();
  world.B().Run();
  world.B().Tell();
  world.A().Hear(Message(world.B(), "added"));
  CHECK_EQ(name(world.A()), "fifth");
  world.A().Tell();
  // A's key turned out to be the lower one: B's mutation comes after it.
  CHECK_EQ(name(world.A()), "fourth");
}

TEST_CASE("a gap before a record makes the window read again") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  ConfirmAll(&world.storage);  // the window never hears of it
  const Data later = Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}};
  world.B().Hear(later);
  CHECK_EQ(Count(world.B()), 0);
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 1);
  CHECK_EQ(world.B().client().tab().mirror().n(), 2);
}

TEST_CASE("a message that comes between a reading and its completion is not lost") {
  Pair world;
  const Data unheard = Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}};
  static_cast<void>(unheard);
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  world.B().Run();  // the reading
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  world.B().Hear(Message(world.A(), "added"));
  world.B().Tell();
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("a window that slept reads again when it resumes, and commits what it had") {
  Pair world;
  const std::string id = world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  world.B().Event(Data::Object{{"type", "freeze"}});
  world.B().FailAll();
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 11);
  CHECK_EQ(Stage(world.B(), id, "durable"), "ok");
  CHECK_EQ(world.storage.mutations.size(), 2);
}

TEST_CASE("a window that slept with nothing of its own reads again, too") {
  Pair world;
  world.B().Event(Data::Object{{"type", "freeze"}});
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());  // its broadcast is lost in the freeze
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("what is heard while a window opens, after it has read, is not lost") {
  Pair world;
  Window late(&world.storage, "late");
  Next(late);
  late.LoadImage();
  late.Run();
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  late.Hear(Message(world.A(), "added"));
  late.Tell();
  REQUIRE(late.ready());
  CHECK_EQ(Count(late), 1);
}

TEST_CASE("a refusal that comes while the inbox is being read waits for the next reading") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  world.A().Hear(Data::Object{{"type", "conflicts"}});
  world.A().Run();
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
  world.A().Tell();
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "");
  world.A().Settle();
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "unique");
}

TEST_CASE("a reading that a freeze overtook is made again") {
  Pair world;
  world.storage.Work({}, {}, {});
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  world.B().Run();
  world.B().Event(Data::Object{{"type", "freeze"}});
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());  // its broadcast is lost in the freeze
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Tell();
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("after loading an image the window starts again unless the records continue it without a gap") {
  Storage storage;
  Publish(&storage, "g0", 0);
  Window window(&storage, "a");
  Next(window);
  window.LoadImage();
  // Two image jobs pass before the records are read: those that would continue g0 are gone.
  storage.Work({}, {}, {});
  storage.Work({}, {}, {});
  Publish(&storage, "g1", 1, 1);
  Publish(&storage, "g2", 2, 2);
  CHECK_EQ(storage.updates.size(), 1);
  Next(window);
  CHECK_FALSE(window.ready());
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), 2);
  CHECK_EQ(window.client().tab().mirror().n(), 2);
}

TEST_CASE("a window left behind loads the image anew, with the old view on screen meanwhile") {
  Pair world;
  const std::string id = world.B().Do(kInc, kGroupTable, "g", One("count", 100));
  for (int i = 0; i < 3; ++i) world.storage.Work({}, {}, {});
  Publish(&world.storage, "g2", 2, 2);
  Publish(&world.storage, "g3", 3, 3);
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  while (!world.B().CanLoad()) {
    world.B().Run();
    world.B().Tell();
    CHECK_EQ(Count(world.B()), 100);
  }
  CHECK_EQ(world.B().state["phase"].as_string(), "reloading");
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 103);
  CHECK_EQ(Stage(world.B(), id, "durable"), "ok");
}

TEST_CASE("a damaged image falls back to the previous one and its records") {
  Storage storage;
  Publish(&storage, "g0", 0);
  Window writer(&storage, "w");
  writer.Settle();
  writer.Do(kInc, kGroupTable, "g", One("count", 1));
  writer.Settle();
  ConfirmAll(&storage);
  Publish(&storage, "g1", 1, 1);
  storage.images["g1"][0][storage.images["g1"][0].size() / 2] ^= 1;
  Window window(&storage, "a");
  window.Settle();
  REQUIRE(window.ready());
  CHECK_EQ(Count(window), 1);
  CHECK_FALSE(Noted(window, "notify", "dataLost"));
}

TEST_CASE("with no image left the window starts empty, cursors go back, and pending mutations stay") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  ConfirmAll(&world.storage);
  Publish(&world.storage, "g1", 1, 1);
  world.A().Do(kCreate, kPersonTable, "p", One("name", "Ada"));
  world.A().Settle();
  world.storage.images.clear();
  Window window(&world.storage, "c");
  window.Settle();
  REQUIRE(window.ready());
  CHECK(Noted(window, "notify", "dataLost"));
  CHECK_EQ(Count(window), -1);
  CHECK(window.See(kPersonTable, "p").has_value());
  CHECK(world.storage.sync["cursors"].members().empty());
  CHECK_EQ(world.storage.mutations.size(), 1);
  // The windows that were open are emptied by the record, so that the fill means the same to all.
  world.A().Hear(Message(window, "record"));
  world.A().Settle();
  CHECK_EQ(Count(world.A()), -1);
  CHECK(world.A().See(kPersonTable, "p").has_value());
  // A second start finds the empty image, and nothing to mend.
  Window again(&world.storage, "d");
  again.Settle();
  CHECK(again.ready());
  CHECK_FALSE(Noted(again, "notify", "dataLost"));
}

TEST_CASE("storage that cannot be read just now does not give an image up") {
  Storage storage;
  Publish(&storage, "g0", 0, 4);
  Window window(&storage, "a");
  Next(window);
  window.FailAll();
  CHECK(Noted(window, "openFailed"));
  window.Event(Data::Object{{"type", "open"}});
  window.Settle();
  CHECK(window.ready());
  CHECK_EQ(Count(window), 4);
}

TEST_CASE("a record of an image fill is a gap unless that image was loaded") {
  Pair world;
  Data record = world.storage.Work({}, {}, {});
  record.Set("kind", "image").Set("generation", "g1");
  world.storage.updates[1] = record;
  Publish(&world.storage, "g1", 1, 9);
  world.storage.updates[1] = record;
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK_EQ(Count(world.B()), 0);
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 9);
  CHECK_EQ(world.B().client().tab().mirror().n(), 1);
}

TEST_CASE("a refusal takes the mutation away and rejects confirmed with the inbox's code") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  world.B().Hear(Message(world.A(), "added"));
  const Data record = Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}};
  world.A().Hear(record);
  world.B().Hear(record);
  CHECK_EQ(Count(world.A()), 0);
  CHECK_EQ(Count(world.B()), 0);
  world.A().Settle();
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "unique");
  CHECK(Noted(world.A(), "conflicts"));

  // A retry keeps the action's id, and is taken though that id was removed before.
  world.A().sent.clear();
  const uint64_t entry = world.storage.conflicts.begin()->first;
  world.A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}});
  world.A().Settle();
  CHECK(world.storage.conflicts.empty());
  REQUIRE_EQ(world.storage.mutations.size(), 1);
  CHECK_EQ(world.storage.mutations.begin()->second["id"].as_string(), id);
  CHECK_EQ(Count(world.A()), 1);
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("a conflict that is discarded leaves the inbox, in the other windows too") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
  world.A().Settle();
  CHECK_EQ(world.A().state["conflicts"].as_u64(), 1);
  const uint64_t entry = world.storage.conflicts.begin()->first;
  world.A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "discard"}});
  world.A().Settle();
  CHECK(world.storage.conflicts.empty());
  CHECK_EQ(world.A().state["conflicts"].as_u64(), 0);
  CHECK(Message(world.A(), "conflicts").is_object());
  CHECK_EQ(Count(world.A()), 0);
}

TEST_CASE("partly confirmed is remembered until the mutation itself is heard of") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  const Data added = Message(world.A(), "added");
  Data record = world.storage.Work({}, {}, {Confirm(world.storage, 1)});
  Data partly = Data::MakeArray();
  Data realms = Data::MakeArray();
  realms.Push("A");
  partly.Push(Data::Object{{"id", added["items"].items()[0]["id"]}, {"realms", realms}});
  record.Set("partly", partly);
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK_EQ(Count(world.B()), 1);
  world.B().Hear(added);
  CHECK_EQ(Count(world.B()), 1);
  CHECK_EQ(world.B().client().tab().mirror().pending().size(), 1);
}

TEST_CASE("pushed follows the server's answer, and a regrouped update keeps it open") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  const auto pushed = [&](const char* status) {
    Data ids = Data::MakeArray();
    ids.Push(id);
    Data results = Data::MakeArray();
    results.Push(Data::Object{{"mutations", ids}, {"status", status}});
    world.A().Hear(Data::Object{{"type", "pushed"}, {"results", results}});
  };
  pushed("regrouped");
  CHECK_EQ(Stage(world.A(), id, "pushed"), "");
  pushed("applied");
  CHECK_EQ(Stage(world.A(), id, "pushed"), "ok");
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "");
}

TEST_CASE("a live query is told the net difference only: no flicker between commit and echo") {
  Pair world;
  Client& client = world.A().client();
  const uint32_t query =
      client.QueryNew(Data::Object{{"table", "groups"}, {"where", Data()}, {"order", Data::MakeArray()},
                                   {"limit", Data()}, {"offset", 0}, {"after", Data()},
                                   {"include", Data::MakeArray()}}).value();
  std::vector<uint32_t> rows;
  REQUIRE(client.LiveOpen(query, &rows).ok());
  CHECK_EQ(rows.size(), 2);
  client.Drain();
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  CHECK_EQ(client.Drain()["live"].items().size(), 1);
  world.A().Settle();
  CHECK(client.Drain()["live"].items().empty());
  // The server's value of the same prop, under the local change, and another's inc below it.
  Data record = ConfirmAll(&world.storage);
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "mine"));
  client.Drain();
  world.A().Hear(record);
  // Confirmed with the server's time: only modifiedAt may have changed, not what the local change covers.
  world.A().Settle();
  client.Drain();
  Step theirs;
  theirs.kind = StepKind::kChange;
  theirs.change.kind = ChangeKind::kUpdate;
  theirs.change.key = {kGroupTable, "g"};
  theirs.change.realm = "A";
  theirs.change.modified_at = 7000;
  theirs.change.created_at = 1;
  theirs.change.revision = 2;
  theirs.change.set = Props(kGroupTable, {{"name", "theirs"}});
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {theirs})}});
  const Data drained = client.Drain();
  CHECK(drained["live"].items().empty());
  CHECK(drained["dirty"].items().empty());
}

TEST_CASE("without a remote everything is settled when durable, and effects on others are logged") {
  Storage storage;
  Window a(&storage, "a", false);
  Window b(&storage, "b", false);
  a.Settle();
  b.Settle();
  a.Do(kCreate, kGroupTable, "g", One("count", 0));
  a.Do(kCreate, kMemberTable, "m", One("group", "g"));
  a.Settle();
  CHECK(storage.mutations.empty());
  CHECK_EQ(storage.n(), 1);
  b.Hear(Message(a, "record"));
  CHECK(b.See(kMemberTable, "m").has_value());
  // Two windows at once: the second one takes the first one's record in before it writes its own.
  const std::string gone = a.Do(kDelete, kGroupTable, "g", Data::MakeObject());
  const std::string made = b.Do(kCreate, kMemberTable, "n", One("group", "g"));
  a.Settle();
  CHECK_EQ(Stage(a, gone, "confirmed"), "ok");
  b.Settle();
  CHECK_EQ(Stage(b, made, "confirmed"), "ok");
  CHECK_FALSE(b.See(kMemberTable, "m").has_value());
  Window cold(&storage, "c", false);
  cold.Settle();
  CHECK_FALSE(cold.See(kMemberTable, "m").has_value());
  CHECK_EQ(Difference(Shown(b.client().view()), Shown(cold.client().view())), "");
}

TEST_CASE("a local group whose outcome nobody knows is logged once") {
  Storage storage;
  Window a(&storage, "a", false);
  a.Settle();
  a.Do(kCreate, kGroupTable, "g", One("count", 0));
  a.Settle();
  const std::string id = a.Do(kInc, kGroupTable, "g", One("count", 1));
  Next(a, Outcome::kLost);
  CHECK_EQ(Stage(a, id, "durable"), "");
  Fire(a, "commit");
  a.Settle();
  CHECK_EQ(Count(a), 1);
  CHECK_EQ(storage.n(), 2);
  CHECK_EQ(Stage(a, id, "confirmed"), "ok");
}

TEST_CASE("too many changes that wait for storage are refused, not queued without bound") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Run(Outcome::kFailed);
  for (size_t i = 1; i < kMaxUnsaved; ++i) world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  CHECK(world.A().client().TxBegin(1).code() == Code::kLimit);
}

TEST_CASE("a record of a newer version is left alone and reported once") {
  Pair world;
  Data record = world.storage.Work({}, {}, {});
  record.Set("v", 2);
  world.storage.updates[1] = record;
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK_EQ(world.B().notes.size(), 1);
  CHECK(Noted(world.B(), "notify", "updateNeeded"));
  CHECK_EQ(world.B().client().tab().mirror().n(), 0);
}

TEST_CASE("removed ids are remembered up to a bound, then a full reading forgets them") {
  Pair world;
  Data record = world.storage.Work({}, {}, {});
  Data confirmed = Data::MakeArray();
  for (size_t i = 0; i <= kMaxRememberedRemovals; ++i) {
    confirmed.Push(Data::Object{{"id", "gone" + std::to_string(i)}, {"key", 1}});
  }
  record.Set("confirmed", confirmed);
  world.B().Hear(Data::Object{{"type", "record"}, {"record", record}});
  CHECK(world.B().client().tab().mirror().WantsReading());
  world.B().Settle();
  CHECK_FALSE(world.B().client().tab().mirror().WantsReading());
}

}  // namespace skerry::client_test
