// Goal: each action of a wanted stream is stored once, in its place, and every position that the
// client has reached in a stream is one from which it can go on. Method: workers of one client and
// the real authority; what they have stored is compared with the server's log after every step.
#include "sync/streams.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "test/core/sync/stream_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("streams: what others append is stored, and told to windows by a record") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  world.Say("chat", 3);
  world.Say("notes");
  world.Sync();
  CHECK(world.IsWhole("chat"));
  CHECK(world.Stored("chat").size() == 3);
  CHECK(world.Stored("notes").empty());
  CHECK(world.Recorded("chat").size() == 3);
  CHECK(world.Behind() == Json("{}"));
}

TEST_CASE("streams: own appends are stored when they are confirmed, in their order") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  world.Say("chat");
  world.Mutate({AppendTo("chat", "A")});
  world.Settle();
  world.Say("chat");
  world.Mutate({AppendTo("chat", "A"), CreateItem("a", "A", 1)});
  world.Settle();
  world.Sync();
  CHECK(world.IsWhole("chat"));
  CHECK(world.Stored("chat").size() == 4);
  CHECK(world.Recorded("chat").size() == 4);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

TEST_CASE("streams: a stream that is asked for late has its whole past, page by page") {
  StreamWorld world;
  world.Say("chat", 7);
  world.server.Foreign("a", "A", "x");
  world.Sync();
  world.server.actions_a_pull = 3;
  world.network.hold_answers = true;
  world.Want(R"([{"stream":"chat"}])");
  world.Run(10);
  CHECK(world.Behind() == Json(R"({"A":0})"));
  world.Release();
  world.Settle();
  CHECK(world.Behind() == Json(R"({"A":3})"));
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.IsWhole("chat"));
  CHECK(world.Behind() == Json("{}"));
}

TEST_CASE("streams: an own append is not lost behind a fill, and not stored twice by it") {
  StreamWorld world;
  world.Say("chat", 8);
  world.Sync();
  world.server.actions_a_pull = 3;
  world.network.hold_answers = true;
  world.Want(R"([{"stream":"chat"}])");
  world.Run(10);
  world.Mutate({AppendTo("chat", "A")});
  // One step after the other; after each, all up to the position is there, and nothing twice.
  for (int i = 0; i < 20; ++i) {
    world.Release();
    world.Run(10);
    const uint64_t filled = world.Behind()["A"].as_u64();
    const std::set<ActionPlace> stored = world.Stored("chat");
    for (const ActionPlace& place : world.OnServer("chat")) {
      if (filled != 0 && place.first <= filled) CHECK(stored.contains(place));
    }
    if (world.storage.Count("mutations") == 0) CHECK(stored.contains({9, 0}));
  }
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.IsWhole("chat"));
  CHECK(world.Stored("chat").size() == 9);
}

TEST_CASE("streams: one begins with its last actions, and says from where") {
  StreamWorld world;
  world.Say("chat", 9);
  world.Sync();
  world.Want(R"([{"stream":"chat","last":4}])");
  CHECK(world.Stored("chat") == std::set<ActionPlace>{{6, 0}, {7, 0}, {8, 0}, {9, 0}});
  const Key key = StreamKey("A", "chat");
  CHECK(world.storage.Get("streams", key.data())["floor"].as_u64() == 5);
  CHECK(world.Behind() == Json("{}"));
  world.Say("chat", 6);
  world.Sync();
  CHECK(world.Stored("chat").size() == 10);
  // Then a window wants all of it.
  world.Want(R"([{"stream":"chat"}])");
  CHECK(world.IsWhole("chat"));
  CHECK(world.storage.Get("streams", key.data())["floor"].as_u64() == 0);
}

TEST_CASE("streams: a prefix brings all streams whose names begin with it") {
  StreamWorld world;
  world.Say("doc/1", 2);
  world.Say("doc/2");
  world.Say("other");
  world.Want(R"([{"stream":"doc/*"},{"stream":"doc/1"}])");
  CHECK(world.IsWhole("doc/1"));
  CHECK(world.IsWhole("doc/2"));
  CHECK(world.Stored("other").empty());
  CHECK(world.sync()["streams"].items().size() == 1);  // `doc/1` is one of them
}

TEST_CASE("streams: an answer without room for them leaves a position to go on from") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  world.Say("chat", 2);
  world.Sync();
  world.server.omits_actions = true;
  world.Say("chat", 2);
  world.server.Foreign("a", "A", "x");
  world.Run(10);
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Run(10);
  CHECK(world.Behind() == Json(R"({"A":2})"));
  CHECK(world.Stored("chat").size() == 2);
  world.server.omits_actions = false;
  world.Sync();
  CHECK(world.IsWhole("chat"));
  CHECK(world.Behind() == Json("{}"));
}

TEST_CASE("streams: a server that knows none leaves nothing out once it is upgraded") {
  StreamWorld world;
  world.server.knows_streams = false;
  world.Want(R"([{"stream":"chat"}])");
  world.Say("chat", 2);
  world.Sync();
  CHECK(world.Behind() == Json(R"({"A":0})"));
  world.server.knows_streams = true;
  world.Say("chat");
  world.Sync();
  CHECK(world.IsWhole("chat"));
}

TEST_CASE("streams: those of a revoked realm are removed, and come again with the right") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat","last":3}])");
  world.Say("chat", 5);
  world.Sync();
  CHECK(!world.Stored("chat").empty());
  world.server.revoked.insert("A");
  world.Sync();
  CHECK(world.Stored("chat").empty());
  CHECK(world.storage.Count("streams") == 0);
  world.server.revoked.clear();
  world.Sync();
  CHECK(world.Stored("chat") == std::set<ActionPlace>{{3, 0}, {4, 0}, {5, 0}});
}

TEST_CASE("streams: a restored server's history replaces the one that it lost") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  world.Say("chat", 2);
  const SyncServer backup = world.server;
  world.Say("chat", 3);
  world.Sync();
  CHECK(world.Stored("chat").size() == 5);
  world.server.Restore(backup);
  world.Say("chat");
  world.Sync();
  CHECK(GiveBack(&world.storage));
  world.Sync();
  CHECK(world.IsWhole("chat"));
  CHECK(world.Stored("chat").size() == 3);
}

TEST_CASE("streams: a server that forgot the client's place sends them again, once") {
  StreamWorld world;
  world.Want(R"([{"stream":"chat"}])");
  world.Say("chat", 4);
  world.Sync();
  world.network.scripted.push_back(Scripted(410, R"({"code":"gone"})", "application/problem+json"));
  world.Sync();
  world.Sync();
  CHECK(world.IsWhole("chat"));
}

TEST_CASE("streams: the hello on the socket names them") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Settle();
  world.host(0).Post(Json(R"({"type":"streams","add":[{"stream":"doc/*"},{"stream":"chat"}]})"));
  world.Run(100);
  world.host(0).Deliver(Json(R"({"type":"socket","state":"open"})"));
  world.Settle();
  REQUIRE(!world.host(0).sent_texts.empty());
  CHECK(Json(world.host(0).sent_texts.back())["streams"] == Json(R"(["doc/*","chat"])"));
}

TEST_CASE("streams: an answer to a request of before is not folded") {
  StreamWorld world;
  world.Say("chat", 2);
  world.Sync();
  world.network.hold_answers = true;
  world.Say("chat");
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Run(10);
  world.Want(R"([{"stream":"chat"}])");
  world.network.hold_answers = false;
  world.Release();
  world.Run(1000);
  CHECK(world.IsWhole("chat"));
  CHECK(world.Recorded("chat").size() == 3);
}

SyncRecord SyncOf(std::string_view text) { return SyncRecord::Read(Json(text)); }

TEST_CASE("streams: those that nobody asked for in a month go, with what is kept of them") {
  SyncRecord sync = SyncOf(R"({"cursors":{"A":"7@70"},"streams":[
    {"stream":"old","behind":{},"asked":10},{"stream":"older/*","behind":{},"asked":9}]})");
  Data::Array writes;
  Vector<WantedStream> left_out;
  CHECK(ChangeStreams({{"old", {}, {}, {}, {}}}, 40 * 86'400'000.0, &sync, &writes, &left_out));
  CHECK(sync.streams->size() == 1);
  CHECK(writes.size() == 2);
  CHECK(WriteJson(writes[0]["deleteRange"]["from"]) == R"("A\u0000older/")");
  writes.clear();
  CHECK(ChangeStreams({{"new", {}, {}, {}, {}}}, 41 * 86'400'000.0, &sync, &writes, &left_out));
  CHECK(sync.streams->size() == 2);
  CHECK(writes.empty());
  CHECK((*sync.streams)[1].behind == Revisions{{"A", 0}});
}

TEST_CASE("streams: more than a pull may name are left out, and reported") {
  SyncRecord sync;
  Data::Array writes;
  Vector<WantedStream> left_out, add;
  for (int i = 0; i <= 100; ++i) add.push_back({"s" + std::to_string(i), {}, {}, {}, {}});
  CHECK(ChangeStreams(add, 0, &sync, &writes, &left_out));
  CHECK(sync.streams->size() == 100);
  CHECK(left_out == Vector<WantedStream>{{"s100", {}, {}, {}, {}}});
}

TEST_CASE("streams: those that find no room are reported once, and asked for again in time") {
  StreamWorld world;
  std::string all;
  for (int i = 0; i <= 100; ++i)
    all += std::string(i > 0 ? "," : "[") + R"({"stream":"s)" + std::to_string(i) + R"("})";
  world.Want(all + "]");
  const auto reports = [&] {
    Vector<Data> found;
    for (const Data& message : world.host(0).posts) {
      if (message["type"].Is("streamsFailed")) found.push_back(message["leftOut"]);
    }
    return found;
  };
  REQUIRE(reports().size() == 1);
  CHECK(WriteJson(reports()[0]) == R"([{"stream":"s100"}])");
  world.Sync();
  CHECK(reports().size() == 1);
}

TEST_CASE("streams: those that no window has open make room for another one") {
  SyncRecord sync = SyncOf(R"({"cursors":{"A":"7@70"}})");
  Data::Array writes;
  Vector<WantedStream> left_out, add, today;
  for (int i = 0; i < 100; ++i) add.push_back({"s" + std::to_string(i), {}, {}, {}, {}});
  CHECK(ChangeStreams(add, 86'400'000.0, &sync, &writes, &left_out));
  today.push_back(add[7]);
  CHECK(!ChangeStreams(today, 3 * 86'400'000.0, &sync, &writes, &left_out));
  today.push_back({"new", {}, {}, {}, {}});
  CHECK(ChangeStreams(today, 3 * 86'400'000.0, &sync, &writes, &left_out));
  CHECK(left_out.empty());
  CHECK(writes.size() == 2 * 99);
  CHECK(IsWanted(sync, "s7"));
  CHECK(IsWanted(sync, "new"));
  CHECK(!IsWanted(sync, "s8"));
}

TEST_CASE("streams: one of which more of the last actions are wanted begins again") {
  StreamWorld world;
  world.Say("chat", 9);
  world.Want(R"([{"stream":"chat","last":2}])");
  CHECK(world.Stored("chat").size() == 2);
  world.Want(R"([{"stream":"chat","last":1}])");
  CHECK(world.Stored("chat").size() == 2);
  world.Want(R"([{"stream":"chat","last":5}])");
  CHECK(world.Stored("chat").size() == 5);
  world.Say("chat");
  world.Sync();
  CHECK(world.Stored("chat").size() == 6);
}

TEST_CASE("streams: a wrong answer is refused as a whole") {
  const auto is_refused = [](std::string_view streams) {
    Data json = Json(R"({"time":1,"cursors":{"A":"3@90"},"changes":[]})");
    const Data more = Json(streams);
    for (const auto& [name, value] : more.members()) json.Set(name, value);
    return !ReadPullAnswer(SyncSchema(), json).ok();
  };
  const std::string id = SyncUuid(1);
  const auto with = [&](const std::string& action) {
    return R"({"streams":[{"realm":"A","stream":"chat","revision":3,"actions":[)" + action + "]}]}";
  };
  CHECK(!is_refused(
      with(R"({"id":")" + id + R"(","name":"x","arg":null,"at":1,"madeAt":1,"author":"bo"})")));
  CHECK(is_refused(with(R"({"id":"no","name":"x","at":1,"madeAt":1})")));
  CHECK(is_refused(with(R"({"id":")" + id + R"(","name":"x","at":1e99,"madeAt":1})")));
  CHECK(is_refused(R"({"streams":[{"realm":"A","stream":"chat","revision":0,"actions":[]}]})"));
  CHECK(is_refused(R"({"streams":[{"realm":"A","stream":"","revision":1,"actions":[]}]})"));
  CHECK(is_refused(R"({"streamsFilled":[{"stream":"chat","filled":{"A":-1}}]})"));
}

// The places of `chat` in realm A that a pull stores, if an own update at revision 4 appended to it.
// `behind`: how far the stream was; `filled`: how far the answer brings it, which has no other
// actions. The update is confirmed in these realms before.
Vector<uint64_t> StoredOwn(std::string_view behind, uint64_t filled,
                           Vector<std::string> confirmed = {}) {
  const std::string streams = R"([{"stream":"chat","behind":)" + std::string(behind) + "}]";
  SyncRecord sync = SyncOf(R"({"cursors":{"A":"7@70","B":"1@10"},"streams":)" + streams + "}");
  PullRequest request = MakePullRequest(SyncSchema(), sync, {}, 100);
  OutboxRecord own;
  own.id = SyncUuid(5);
  own.client = "c";
  own.after["A"] = {};
  own.after["B"] = {};
  own.state = OutboxState::kReceived;
  own.revisions = Revisions{{"A", 4}, {"B", 2}};
  own.confirmed = std::move(confirmed);
  Update update;
  update.id = own.id;
  update.after.emplace_back("A", Link{});
  update.after.emplace_back("B", Link{});
  update.actions.push_back({SyncUuid(6), "said", "null", 1});
  update.ops.push_back(AppendTo("chat", "A"));
  update.ops.push_back(CreateItem("b", "B", 1));
  own.body = WriteJson(UpdateToData(SyncSchema(), update));
  request.have.insert(own.id);
  const Result<PullAnswer> answer = ReadPullAnswer(
      SyncSchema(),
      Json(R"({"time":1,"cursors":{"A":"7@70","B":"1@10"},"changes":[],"streams":[],"own":{")" +
           own.id + R"(":{"A":{"revision":4,"at":40}}},
        "streamsFilled":[{"stream":"chat","filled":{"A":)" +
           std::to_string(filled) + "}}]}"));
  REQUIRE(answer.ok());
  PullFold fold(&SyncSchema(), "anna", &request, &answer.value(), 1, 0);
  REQUIRE(fold.Decide({own}, sync));
  Vector<uint64_t> stored;
  for (const Data& write : fold.Finish()) {
    if (!write["store"].Is("actions") || write.Find("put") == nullptr) continue;
    const auto actions = DecodeActions(SyncSchema(), write["put"]["body"].as_bytes());
    for (const StreamAction& action : actions.value()) stored.push_back(action.place.first);
  }
  return stored;
}

TEST_CASE("streams: an own action does not replace the row of a page that has it already") {
  CHECK(StoredOwn("{}", 7).empty());
  CHECK(StoredOwn(R"({"A":5})", 7).empty());
}

TEST_CASE("streams: an own action is stored when its update is confirmed, and once") {
  const Vector<uint64_t> once = {4};
  CHECK(StoredOwn(R"({"A":0})", 2) == once);
  // It is stored above the place that the stream has reached: the row is not written again.
  CHECK(StoredOwn(R"({"A":0})", 2, {"A"}).empty());
  // What reaches its place clears the range first. The realm may have been read again meanwhile.
  CHECK(StoredOwn(R"({"A":0})", 7, {"A"}) == once);
}

}  // namespace
}  // namespace skerry::sync_test
