// Goal: a snapshot of a stream takes the place of its actions, and nothing of the stream is missing
// or twice beside it. Method: workers of one client and the real authority, over a server that makes
// snapshots and forgets actions.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "sync/streams.h"
#include "test/core/sync/stream_world.h"

namespace skerry::sync_test {
namespace {

struct SnapshotWorld : StreamWorld {
  bool Make(uint64_t version, const std::string& stream = "chat") {
    return server.mutable_database()->MakeSnapshot("A", stream, version);
  }
  bool Forget(const std::string& stream = "chat") {
    return server.mutable_database()->ForgetActions("A", stream);
  }
  // `<version>@<revision>` of the states that are stored, and the floor.
  std::string Kept(const std::string& stream = "chat") {
    std::string text;
    const KeyRange keys = KeysOfStream("A", stream);
    for (const Data& value : storage.Between("streams", keys.from.data(), keys.to.data())) {
      if (!text.empty()) text += " ";
      text += value["state"].is_string() ? std::to_string(value["reducer"].as_u64()) + "@" +
                                               std::to_string(value["revision"].as_u64())
                                         : "floor " + std::to_string(value["floor"].as_u64());
    }
    return text;
  }
  Vector<std::string> StateOf(uint64_t version, const std::string& stream = "chat") {
    const Data row = storage.Get("streams", StateKey("A", stream, version).data());
    return test::ActionsOfState(Json(row["state"].as_string()));
  }
  // The revisions of the snapshots in the records.
  std::multiset<uint64_t> Told(const std::string& stream = "chat") {
    std::multiset<uint64_t> revisions;
    for (const auto& [n, record] : storage.store("updates")) {
      const auto steps = DecodeSteps(SyncSchema(), record["body"].as_bytes());
      for (const Step& step : steps.value()) {
        if (step.kind == StepKind::kSnapshot && step.stream == stream)
          revisions.insert(step.revision);
      }
    }
    return revisions;
  }
};

TEST_CASE("snapshots: a newcomer loads one, and only the actions after it") {
  SnapshotWorld world;
  world.Say("chat", 5);
  REQUIRE(world.Make(1));
  world.Say("chat", 2);
  world.Want(R"([{"stream":"chat","reducer":1}])");
  CHECK(world.Kept() == "floor 5 1@5");
  CHECK(world.StateOf(1).size() == 5);
  CHECK(world.Stored("chat") == std::set<ActionPlace>{{6, 0}, {7, 0}});
  CHECK(world.Recorded("chat").size() == 2);
  CHECK(world.Told() == std::multiset<uint64_t>{5});
  CHECK(world.Behind() == Json("{}"));
  CHECK(world.paths == Vector<std::string>{"/streams/A/chat/1/5/0f"});
  // From then on only what is new comes, whatever snapshots there are.
  world.Say("chat", 5);
  world.Sync();
  REQUIRE(world.Make(1));
  world.Sync();
  CHECK(world.Kept() == "floor 5 1@5");
  CHECK(world.Stored("chat").size() == 7);
  CHECK(world.paths.size() == 1);
}

TEST_CASE("snapshots: one that saves little is not worth a request") {
  SnapshotWorld world;
  world.Say("chat", 2);
  REQUIRE(world.Make(1));
  world.Want(R"([{"stream":"chat","reducer":1}])");
  CHECK(world.IsWhole("chat"));
  CHECK(world.paths.empty());
}

TEST_CASE("snapshots: of an earlier version only where the reducer takes it over") {
  SnapshotWorld world;
  world.Say("chat", 5);
  REQUIRE(world.Make(2));
  world.Want(R"([{"stream":"chat","reducer":1,"migrates":true}])");
  CHECK(world.IsWhole("chat"));
  CHECK(world.paths.empty());
  world.Want(R"([{"stream":"chat","reducer":3,"again":true}])");
  CHECK(world.paths.empty());
  world.Want(R"([{"stream":"chat","reducer":3,"migrates":true,"again":true}])");
  CHECK(world.Kept() == "floor 5 2@5");
  CHECK(world.Stored("chat").empty());
}

TEST_CASE("snapshots: a client that was away while actions were forgotten goes on from one") {
  SnapshotWorld world;
  world.Want(R"([{"stream":"chat"},{"stream":"notes","last":2}])");
  world.Say("chat", 2);
  world.Say("notes", 2);
  world.Sync();
  world.Say("chat", 2);
  world.Say("notes", 4);
  REQUIRE(world.Make(1));
  REQUIRE(world.Make(1, "notes"));
  REQUIRE(world.Forget());
  REQUIRE(world.Forget("notes"));
  world.Say("chat");
  world.Say("notes");
  world.Sync();
  // Also without a reducer: so nobody takes the part that is left for the whole.
  CHECK(world.Kept() == "floor 6 1@6");
  CHECK(world.StateOf(1).size() == 4);
  CHECK(world.Stored("chat") == std::set<ActionPlace>{{11, 0}});
  CHECK(world.Kept("notes") == "floor 10 1@10");
  CHECK(world.Stored("notes") == std::set<ActionPlace>{{12, 0}});
  // A newcomer who wants the last ones only needs no state.
  world.Want(R"([{"stream":"notes","last":2,"again":true}])");
  CHECK(world.Behind(1) == Json("{}"));
}

TEST_CASE("snapshots: a plain stream begins where the actions that are left begin") {
  SnapshotWorld world;
  world.Say("chat", 4);
  REQUIRE(world.Make(1));
  REQUIRE(world.Forget());
  world.Say("chat");
  world.Want(R"([{"stream":"chat","last":3}])");
  CHECK(world.Kept() == "floor 4");
  CHECK(world.Stored("chat") == std::set<ActionPlace>{{5, 0}});
  CHECK(world.paths.empty());
}

TEST_CASE("snapshots: those of all streams with a prefix come, each once") {
  SnapshotWorld world;
  for (const char* name : {"doc/1", "doc/2", "doc/1", "doc/3", "doc/2"}) world.Say(name, 2);
  REQUIRE(world.Make(1, "doc/1"));
  REQUIRE(world.Make(1, "doc/2"));
  REQUIRE(world.Forget("doc/1"));
  REQUIRE(world.Forget("doc/2"));
  world.Say("doc/1");
  world.server.actions_a_pull = 1;
  world.Want(R"([{"stream":"doc/*"}])");
  CHECK(world.Kept("doc/1") == "floor 6 1@6");
  CHECK(world.Kept("doc/2") == "floor 10 1@10");
  CHECK(world.Stored("doc/1") == std::set<ActionPlace>{{11, 0}});
  CHECK(world.Stored("doc/3").size() == 2);
  CHECK(world.paths.size() == 2);
  CHECK(world.Behind() == Json("{}"));
}

TEST_CASE("snapshots: one takes the place of states that lack actions which are gone") {
  SnapshotWorld world;
  world.Want(R"([{"stream":"chat","reducer":1}])");
  world.Say("chat", 3);
  world.Sync();
  StateRecord state;
  state.reducer = 1;
  state.revision = 3;
  state.state = "{}";
  world.storage.Put("streams", StateKey("A", "chat", 1).data(), ToData(state));
  world.Say("chat", 3);
  REQUIRE(world.Make(2));
  REQUIRE(world.Forget());
  world.Sync();
  CHECK(world.Kept() == "floor 6 2@6");
  CHECK(world.Stored("chat").empty());
}

TEST_CASE("snapshots: own appends that one holds are not stored beside it") {
  SnapshotWorld world;
  world.Want(R"([{"stream":"chat"}])");
  world.network.hold_answers = true;
  world.Mutate({AppendTo("chat", "A")});
  world.Run(100);
  REQUIRE(world.OnServer("chat").size() == 1);
  world.Say("chat", 3);
  REQUIRE(world.Make(1));
  REQUIRE(world.Forget());
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  world.Sync();
  CHECK(world.Kept() == "floor 4 1@4");
  CHECK(world.Stored("chat").empty());
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("snapshots: while the network fails, nothing of the answer is folded") {
  SnapshotWorld world;
  world.Say("chat", 5);
  REQUIRE(world.Make(1));
  world.server.Foreign("a", "A", "x");
  world.network.hold_answers = true;
  Data message = Json(R"({"type":"streams"})");
  world.host(0).Post(message.Set("add", Json(R"([{"stream":"chat","reducer":1}])")));
  world.Run(100);
  world.network.hold_answers = false;
  world.network.down = true;
  world.Release();  // the answer to the pull; the state cannot be fetched
  world.Run(100);
  REQUIRE(world.paths.size() == 1);
  CHECK(world.Kept().empty());
  CHECK(!world.Converged());
  world.network.down = false;
  world.Run(200'000);
  CHECK(world.Kept() == "floor 5 1@5");
  CHECK(world.Behind() == Json("{}"));
  CHECK(world.Converged());
}

TEST_CASE("snapshots: a state that is no JSON is not stored") {
  SnapshotWorld world;
  world.Say("chat", 5);
  REQUIRE(world.Make(1));
  world.server.state = "{\"cut";
  world.Want(R"([{"stream":"chat","reducer":1}])");
  CHECK(world.Kept().empty());
  world.server.state.clear();
  world.Run(200'000);
  CHECK(world.Kept() == "floor 5 1@5");
}

TEST_CASE("snapshots: the names of realm and stream are encoded in the path") {
  AnsweredActions item;
  item.realm = "user:anna/ü";
  item.stream = "a b?%";
  item.snapshot = wire::Snapshot{3, 14, "0f"};
  CHECK(SnapshotPath(item) == "/streams/user%3Aanna%2F%C3%BC/a%20b%3F%25/3/14/0f");
}

TEST_CASE("snapshots: a window with an older reducer changes nothing for the others") {
  SyncRecord sync;
  Data::Array writes;
  Vector<WantedStream> left_out;
  CHECK(ChangeStreams({{"chat", {}, {}, 2, true}}, 0, &sync, &writes, &left_out));
  CHECK_FALSE(ChangeStreams({{"chat", {}, {}, 1, {}}}, 0, &sync, &writes, &left_out));
  CHECK((*sync.streams)[0].reducer == 2);
  CHECK((*sync.streams)[0].migrates == true);
}

TEST_CASE("snapshots: the highest version that windows want is asked for") {
  SnapshotWorld world;
  const auto asked = [&] { return world.sync()["streams"].items()[0]; };
  world.Want(R"([{"stream":"chat","reducer":2,"migrates":true}])");
  world.Want(R"([{"stream":"chat","reducer":1}])");
  CHECK(asked()["reducer"].as_u64() == 2);
  CHECK(asked()["migrates"].as_bool());
  world.Want(R"([{"stream":"chat","reducer":3}])");
  CHECK(asked()["reducer"].as_u64() == 3);
  CHECK(asked()["migrates"].is_null());
  // One that finds nothing to begin with goes first.
  world.Want(R"([{"stream":"chat","reducer":1,"again":true}])");
  CHECK(asked()["reducer"].as_u64() == 1);
}

}  // namespace
}  // namespace skerry::sync_test
