// Goal: windows apply the messages of other windows and of the sync worker correctly (docs/design.md,
// "Windows in step"). What once went wrong has scripts of its own (test/spec/commits_test.cc).
// Method: scripted windows (tab_fixture.h).
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

TEST_CASE("rejects an operation of an unknown number, and changes nothing") {
  Pair world;
  Client& client = world.A().client();
  REQUIRE(client.TxBegin(1).ok());
  Data operation = Data::MakeArray();
  operation.Push("g").Push(Data()).Push(Data::MakeObject());
  for (const int number : {-1, 0, 6, 8, 257, 263}) {
    const Result<OpOutcome> outcome = client.TxOp(number, kGroupTable, operation);
    REQUIRE_FALSE(outcome.ok());
    CHECK_EQ(outcome.status().code(), Code::kInvalidArgument);
  }
  CHECK_EQ(Count(world.A()), 0);
  client.TxRollback();
}

TEST_CASE("folds mutations in key order, although a later one was heard first") {
  Pair world;
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "first"));
  Next(world.A());
  world.B().Do(kUpdate, kGroupTable, "g", One("name", "second"));
  const auto name = [](Window& window) {
    return window.See(kGroupTable, "g")->props[Prop(kGroupTable, "name")].text();
  };
  world.B().Run();
  // B's own mutation has no key yet and comes last; then A hears of B's, and A's comes last.
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(name(world.B()), "second");
  world.B().Notify();
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "third"));
  world.A().Run();
  world.A().Hear(Message(world.B(), "added"));
  CHECK_EQ(name(world.A()), "third");
  world.A().Notify();
  CHECK_EQ(name(world.A()), "third");
  // A is stored first. Before it knows its own key, it hears of B's mutation, whose key is later.
  world.B().Do(kUpdate, kGroupTable, "g", One("name", "fourth"));
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "fifth"));
  world.A().sent.clear();
  world.B().sent.clear();
  world.A().Run();
  world.B().Run();
  world.B().Notify();
  world.A().Hear(Message(world.B(), "added"));
  CHECK_EQ(name(world.A()), "fifth");
  world.A().Notify();
  // A's key is the lower one: B's mutation comes after it.
  CHECK_EQ(name(world.A()), "fourth");
}

TEST_CASE("applies a message that comes between a reading and its completion") {
  Pair world;
  const Data unheard = Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}};
  static_cast<void>(unheard);
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  world.B().Run();  // the reading
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());
  world.B().Hear(Message(world.A(), "added"));
  world.B().Notify();
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("reads again on resume after a freeze, and commits its own mutations") {
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

TEST_CASE("makes other windows read again when a window ends during a commit") {
  Pair world;
  const char* how = "leave";
  Outcome outcome = Outcome::kDone;
  bool notified = false;
  SUBCASE("closed, the outcome unknown") {}
  SUBCASE("frozen, the outcome unknown") { how = "freeze"; }
  SUBCASE("closed, stored but reported as failed") {
    outcome = Outcome::kLost;
    notified = true;
  }
  world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  world.B().Run(outcome);
  if (notified) world.B().Notify();
  world.B().posted.clear();
  world.B().Event(Data::Object{{"type", how}});
  world.B().Event(Data::Object{{"type", "still"}});
  REQUIRE(world.B().posted.size() == 1);
  CHECK(world.B().posted[0]["type"].Is("mutated"));
  CHECK_EQ(Count(world.A()), 0);
  world.A().Hear(Message(world.B(), "left"));
  world.A().Settle();
  CHECK_EQ(Count(world.A()), 10);
}

TEST_CASE("announces a mutation that a window stores after it began to end") {
  Pair world;
  world.B().Event(Data::Object{{"type", "leave"}});
  CHECK(world.B().sent.empty());
  // Like an application that saves when the page is hidden.
  world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  world.B().Run();
  // A reading that began before the commit does not have the mutation.
  world.A().Event(Data::Object{{"type", "timer"}, {"name", "reread"}});
  world.A().Hear(Message(world.B(), "left"));
  world.A().Settle();
  CHECK_EQ(Count(world.A()), 10);
}

TEST_CASE("reads again for an ended window although a reading was already waiting") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));  // its commit is under way
  world.A().Event(Data::Object{{"type", "timer"}, {"name", "reread"}});
  world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  world.B().Event(Data::Object{{"type", "leave"}});
  // B announces its mutation before it is stored. A's reading, which waits behind A's commit, runs
  // between the two.
  world.A().Hear(Message(world.B(), "left"));
  Next(world.A());
  world.A().Run();
  world.B().Run();
  world.A().Settle();
  CHECK_EQ(Count(world.A()), 11);
}

TEST_CASE("sends nothing when a window ends with nothing under way") {
  Pair world;
  world.B().Do(kInc, kGroupTable, "g", One("count", 10));
  Next(world.B());
  world.B().posted.clear();
  world.B().sent.clear();
  world.B().Event(Data::Object{{"type", "leave"}});
  CHECK(world.B().posted.empty());
  CHECK(world.B().sent.empty());
}

TEST_CASE("reads again on resume without mutations of its own") {
  Pair world;
  world.B().Event(Data::Object{{"type", "freeze"}});
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());  // its broadcast is lost in the freeze
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("rejects `confirmed` in the next reading when a rejection comes during one") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  world.A().Hear(Data::Object{{"type", "conflicts"}});
  world.A().Run();
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}});
  world.A().Notify();
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "");
  world.A().Settle();
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "unique");
}

TEST_CASE("repeats a reading that was interrupted by a freeze") {
  Pair world;
  world.storage.Work({}, {}, {});
  world.B().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  world.B().Run();
  world.B().Event(Data::Object{{"type", "freeze"}});
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A());  // its broadcast is lost in the freeze
  world.B().Event(Data::Object{{"type", "resume"}});
  world.B().Notify();
  world.B().Settle();
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("removes a rejected mutation, rejects `confirmed` with the inbox's code") {
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

  // A retry keeps the action's id, and is accepted although that id was removed before.
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

TEST_CASE("shows a retry without a break when it is heard before the rejection's record") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  world.B().Hear(Message(world.A(), "added"));
  const Data record = Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {1}, {})}};
  world.A().Hear(record);
  world.A().Settle();
  world.A().sent.clear();
  const uint64_t entry = world.storage.conflicts.begin()->first;
  world.A().Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}});
  world.A().Settle();
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(Count(world.B()), 1);
  world.B().Hear(record);
  CHECK_EQ(Count(world.B()), 1);
  REQUIRE(world.B().client().tab().mirror().pending().Find(id) != nullptr);
  CHECK_EQ(world.B().client().tab().mirror().pending().Find(id)->key, 2);
}

TEST_CASE("removes a discarded conflict from the inbox, in the other windows too") {
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

TEST_CASE("remembers a partial confirmation until the mutation itself is heard of") {
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

TEST_CASE("reports only the net difference to a live query between commit and echo") {
  Pair world;
  Client& client = world.A().client();
  const uint32_t query = client
                             .QueryNew(Data::Object{{"table", "groups"},
                                                    {"where", Data()},
                                                    {"order", Data::MakeArray()},
                                                    {"limit", Data()},
                                                    {"offset", 0},
                                                    {"after", Data()},
                                                    {"include", Data::MakeArray()}})
                             .value();
  Vector<uint32_t> rows;
  REQUIRE(client.LiveOpen(query, &rows).ok());
  CHECK_EQ(rows.size(), 2);
  client.Drain();
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  CHECK_EQ(client.Drain()["live"].items().size(), 1);
  world.A().Settle();
  CHECK(client.Drain()["live"].items().empty());
  // The server's value of the same prop, under the local change.
  Data record = ConfirmAll(&world.storage);
  world.A().Do(kUpdate, kGroupTable, "g", One("name", "mine"));
  client.Drain();
  world.A().Hear(record);
  // Confirmed with the server's time: only modifiedAt may have changed, not what the local change
  // covers.
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
  world.A().Hear(
      Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {theirs})}});
  const Data drained = client.Drain();
  CHECK(drained["live"].items().empty());
  CHECK(drained["dirty"].items().empty());
}

TEST_CASE("remembers removed ids up to a bound, then reads again and forgets them") {
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
