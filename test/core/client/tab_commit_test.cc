// Goal: group commits, their failures, the promises of a mutation, and databases without a remote
// (docs/window.md, section 3). Method: scripted windows (tab_fixture.h).
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

TEST_CASE("stores a tick's mutations in one transaction; `durable` settles when done") {
  Pair world;
  const std::string one = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  const std::string two = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  CHECK_EQ(Count(world.A()), 2);
  world.A().Run();
  CHECK_EQ(world.storage.mutations.size(), 2);
  CHECK_EQ(Stage(world.A(), one, "durable"), "");
  world.A().Notify();
  CHECK_EQ(Stage(world.A(), one, "durable"), "ok");
  CHECK_EQ(Stage(world.A(), two, "durable"), "ok");
  CHECK_FALSE(world.A().CanRun());
  CHECK_EQ(world.A().posted.back()["type"].as_string(), "mutated");
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(Count(world.B()), 2);
}

TEST_CASE("ends a group of large mutations at a number of bytes, and commits the rest next") {
  Pair world;
  const std::string large(900'000, 'x');
  for (int i = 0; i < 14; ++i)
    world.A().Do(kUpdate, kGroupTable, "g", One("name", large + std::to_string(i)));
  Next(world.A());
  CHECK(world.storage.mutations.size() < 12);
  CHECK(world.storage.mutations.size() > 4);
  world.A().Settle();
  CHECK_EQ(world.storage.mutations.size(), 14);
}

TEST_CASE("commits nothing later after a failed group until it is retried") {
  Pair world;
  const std::string first = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Run(Outcome::kQuota);
  const std::string second = world.A().Do(kInc, kGroupTable, "g", One("count", 10));
  world.A().Notify();
  CHECK(Noted(world.A(), "storageFailed"));
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
  CHECK(Noted(world.A(), "storageRecovered"));
}

TEST_CASE("withdraws a group without room and its dependants, and commits the rest") {
  Pair world;
  const std::string made = world.A().Do(kCreate, kPersonTable, "p", One("name", "Ada"));
  world.A().Run(Outcome::kQuota);
  const std::string same = world.A().Do(kUpdate, kPersonTable, "p", One("name", "Bea"));
  const std::string refers = world.A().Do(kCreate, kMemberTable, "m", One("person", "p"));
  const std::string other = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Notify();
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

TEST_CASE("does not store a group twice when its outcome was unknown") {
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

TEST_CASE("does not withdraw what may be logged, if the records that would say so are gone") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A(), Outcome::kLost);
  // It is pushed and pulled by another window's worker, and its record is in images by now.
  ConfirmAll(&world.storage);
  for (int i = 0; i < 2; ++i) world.storage.Work({}, {}, {});
  Publish(&world.storage, "g2", 2, 2);
  Publish(&world.storage, "g3", 3, 3);
  world.A().Hear(Data::Object{{"type", "record"}, {"record", world.storage.Work({}, {}, {})}});
  world.A().Settle();
  for (int i = 0; i <= kMaxQuotaFailures; ++i) {
    Fire(world.A(), "commit");
    Next(world.A(), Outcome::kQuota);
  }
  CHECK_EQ(Stage(world.A(), id, "durable"), "");
  Fire(world.A(), "commit");
  world.A().Settle();
  CHECK_EQ(Stage(world.A(), id, "durable"), "ok");
  REQUIRE_EQ(world.storage.mutations.size(), 1);
  CHECK_EQ(world.storage.mutations.begin()->second["id"].as_string(), id);
}

TEST_CASE("notifies the other windows when a group turns out to be stored") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  Next(world.A(), Outcome::kLost);
  Fire(world.A(), "commit");
  world.A().Settle();
  CHECK_EQ(world.storage.mutations.size(), 1);
  world.B().Hear(Message(world.A(), "added"));
  CHECK_EQ(Count(world.B()), 1);
}

TEST_CASE("settles `pushed` on the server's answer, not when an update is regrouped") {
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

TEST_CASE("settles every stage when durable without a remote, and logs cascades") {
  LocalPair world;
  auto& [storage, a, b] = world;
  a.Do(kCreate, kGroupTable, "g", One("count", 0));
  a.Do(kCreate, kMemberTable, "m", One("group", "g"));
  a.Settle();
  CHECK(storage.mutations.empty());
  CHECK_EQ(storage.n(), 1);
  b.Hear(Message(a, "record"));
  CHECK(b.See(kMemberTable, "m").has_value());
  // Two windows at once: the second applies the first one's record before it writes its own.
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

TEST_CASE("shows what a window logged itself like a window that was notified of it") {
  LocalPair world;
  auto& [storage, a, b] = world;
  const auto same = [&] {
    for (const Data& message : a.sent) b.Hear(message);
    a.sent.clear();
    CHECK_EQ(a.client().tab().mirror().pending().size(), 0);
    CHECK_EQ(a.client().view().shadow_count(), 0);
    CHECK(*a.See(kGroupTable, "g") == *b.See(kGroupTable, "g"));  // with its revision
    CHECK(a.See(kMemberTable, "m") == b.See(kMemberTable, "m"));
  };
  a.Do(kCreate, kGroupTable, "g", One("count", 0));
  a.Do(kCreate, kMemberTable, "m", One("group", "g"));
  a.Do(kInc, kGroupTable, "g", One("count", 1));
  a.client().Drain();
  a.Settle();
  CHECK_EQ(a.See(kGroupTable, "g")->revision, 1);
  // Logging changes nothing in the view.
  CHECK(a.client().Drain()["dirty"].items().empty());
  same();
  // A change made during a log write stays pending, on top of the logged rows.
  a.Do(kInc, kGroupTable, "g", One("count", 1));
  a.Run();
  a.Do(kInc, kGroupTable, "g", One("count", 1));
  a.Notify();
  CHECK_EQ(Count(a), 3);
  CHECK_EQ(a.client().tab().mirror().pending().size(), 1);
  a.Settle();
  same();
  a.Do(kDelete, kMemberTable, "m", Data::MakeObject());
  a.Do(kUpdate, kGroupTable, "g", One("name", "x"));
  a.Settle();
  same();
  CHECK_EQ(Count(a), 3);
}

TEST_CASE("broadcasts a large local record without its body; other windows read it") {
  LocalPair world;
  auto& [storage, a, b] = world;
  const auto message_of = [&](size_t letters) {
    a.sent.clear();
    a.Do(kUpdate, kGroupTable, "g", One("name", std::string(letters, 'x')));
    a.Settle();
    return Message(a, "record");
  };
  a.Do(kCreate, kGroupTable, "g", One("count", 0));
  a.Settle();
  for (const Data& message : a.sent) b.Hear(message);
  const Data small = message_of(kMaxBroadcastBytes / 2);
  CHECK(small["record"]["body"].is_bytes());
  b.Hear(small);
  CHECK_FALSE(b.CanRun());
  const Data large = message_of(kMaxBroadcastBytes);
  CHECK(large["record"]["body"].is_null());
  b.Hear(large);
  b.Settle();
  CHECK(*a.See(kGroupTable, "g") == *b.See(kGroupTable, "g"));
  CHECK_EQ(b.See(kGroupTable, "g")->props[Prop(kGroupTable, "name")].text().size(),
           kMaxBroadcastBytes);
}

TEST_CASE("notifies workers of many records at once without a remote") {
  Storage storage;
  Window a(&storage, "a", false);
  a.Settle();
  a.Do(kCreate, kGroupTable, "g", One("count", 0));
  const auto write = [&] {
    a.Do(kInc, kGroupTable, "g", One("count", 1));
    a.Settle();
  };
  write();
  CHECK(a.timers.erase("logged") == 1);
  for (int i = 0; i < 2; ++i) write();
  CHECK(a.timers.count("logged") == 0);  // restarted by each write, it would never fire
  for (const Data& message : a.sent) CHECK(message["type"].Is("record"));
  a.timers.insert("logged");
  for (int round = 0; round < 2; ++round) {
    a.sent.clear();
    Fire(a, "logged");
    REQUIRE(a.sent.size() == 1);
    CHECK(a.sent[0]["type"].Is("logged"));
    for (const char* name : {"n", "cursors", "recordBytes"})
      CHECK(a.sent[0][name] == storage.sync[name]);
    CHECK(a.timers.count("logged") == 0);
    write();
  }
}

TEST_CASE("logs a local group once when its outcome is unknown") {
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

TEST_CASE("rejects changes when too many wait for storage") {
  Pair world;
  world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Run(Outcome::kFailed);
  for (size_t i = 1; i < kMaxUnsaved; ++i) world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  CHECK(world.A().client().TxBegin(1).code() == Code::kLimit);
}

}  // namespace skerry::client_test
