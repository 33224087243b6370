// Goal: rejections, forks and clones: what the worker does for an answer other than `applied`.
#include "base/fields.h"
#include "base/json.h"
#include "doctest/doctest.h"
#include "sync/pull.h"
#include "sync/push.h"
#include "sync/quarantine.h"
#include "sync/records.h"
#include "test/core/sync/pushing.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("names the realm in the inbox when a mutation is rejected for its realm") {
  Pushing world;
  const std::string action = world.Log({CreateItem("a", "nowhere", 1)});
  world.network.hold_answers = true;
  world.host(0).Post(Json(R"({"type":"mutated"})"));
  world.Settle();
  const Data refused = Json(R"([{"op":0,"code":"forbidden","detail":"no right"}])");
  Data result = Json(R"({"status":"rejected"})");
  result.Set("id", world.FirstOutbox()["id"]).Set("rejected", refused);
  const Data results = Data::MakeObject().Set("results", Data(Data::Array{result}));
  REQUIRE(world.held.size() == 1);
  Data answer = Scripted(200, WriteJson(results));
  answer.Set("type", "response").Set("id", world.held[0].second["id"]);
  world.held[0].second = std::move(answer);
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.Inbox(0)["mutation"]["id"].as_string() == action);
  CHECK(world.Inbox(0)["detail"].as_string() == R"(no right: "nowhere")");
}

TEST_CASE("moves the culprit and its dependants to the inbox, and pushes the rest again") {
  Pushing world;
  const std::string good = world.Mutate({CreateItem("a", "A", 1)});
  const std::string culprit = world.Mutate({CreateItem("b", "A", 1, "bad")});
  const std::string other = world.Mutate({CreateItem("c", "A", 1)});
  const std::string dependant = world.Mutate({IncItem("b", "A", 1), CreateItem("d", "A", 4)});
  const std::string dependant_of_it = world.Mutate({IncItem("d", "A", 1)});
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("conflicts") == 3);
  CHECK(world.Inbox(0)["mutation"]["id"].as_string() == culprit);
  CHECK(world.Inbox(0)["code"].as_string() == "wrong_type");
  CHECK(world.Inbox(0)["table"].as_string() == "items");
  CHECK(world.Inbox(0)["id"].as_string() == "b");
  CHECK(world.Inbox(0)["mine"]["name"].as_string() == "bad");
  CHECK(world.Inbox(0)["mutation"]["body"].is_bytes());
  CHECK(world.Inbox(1)["mutation"]["id"].as_string() == dependant);
  CHECK(world.Inbox(1)["code"].as_string() == "depends");
  CHECK(world.Inbox(2)["mutation"]["id"].as_string() == dependant_of_it);
  CHECK(world.server.rows().size() == 2);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.server.rows().count("c") == 1);
  CHECK(world.Converged());
}

TEST_CASE("an entry says under which schema it was refused, if a rule failed over it") {
  for (const char* code : {"internal", "rule"}) {
    CAPTURE(code);
    Quarantine quarantine(&SyncSchema(), "anna", 1000);
    InboxReason why;
    why.code = code;
    quarantine.Refuse(SyncUuid(1), why);
    Data range = Data::MakeArray();
    range.Push(Fields{{"key", Data(1.0)},
                      {"value", MutationRecord(SyncUuid(1), {CreateItem("a", "A", 1)})}});
    Data::Array writes;
    quarantine.Add(range, &writes);
    Data entry;
    for (const Data& write : writes) {
      if (write["store"].Is("conflicts")) entry = write["add"];
    }
    REQUIRE(entry["code"].Is(code));
    const bool is_said = entry["schema"].as_u64() == SyncSchema().version();
    CHECK(is_said == (std::string(code) == "internal"));
  }
}

TEST_CASE("an entry of the inbox is about the object that the server names") {
  Quarantine quarantine(&SyncSchema(), "anna", 1000);
  InboxReason why;
  why.code = "unique";
  why.table = "items";
  why.id = "b";
  quarantine.Refuse(SyncUuid(1), why);
  Data range = Data::MakeArray();
  range.Push(Fields{
      {"key", Data(1.0)},
      {"value", MutationRecord(SyncUuid(1), {CreateItem("a", "A", 1), CreateItem("b", "A", 2)})}});
  Data::Array writes;
  quarantine.Add(range, &writes);
  Vector<std::string> ids;
  for (const Data& write : writes) {
    if (write["store"].Is("conflicts")) ids.push_back(write["add"]["id"].as_string());
  }
  CHECK(ids == Vector<std::string>{"b"});
}

TEST_CASE("keeps changes of the same id in another realm out of the inbox") {
  const auto row = [](uint64_t key, const char* realm) {
    return Fields{{"key", Data(static_cast<double>(key))},
                  {"value", MutationRecord(SyncUuid(key), {IncItem("theme", realm, 1)})}};
  };
  Quarantine quarantine(&SyncSchema(), "anna", 1000);
  quarantine.Refuse(SyncUuid(1), {});
  Data range = Data::MakeArray();
  range.Push(row(1, "A")).Push(row(2, "B")).Push(row(3, "A"));
  Data::Array writes;
  quarantine.Add(range, &writes);
  REQUIRE(quarantine.refused().size() == 2);
  CHECK(quarantine.refused()[0].id == SyncUuid(1));
  CHECK(quarantine.refused()[1].id == SyncUuid(3));
}

TEST_CASE("moves children of an object that was never created to the inbox with it") {
  Pushing world;
  const std::string culprit = world.Mutate({CreateItem("list", "A", 1, "bad")});
  const std::string inside = world.Mutate({CreateChild("note", "A", "list")});
  const std::string below = world.Mutate({CreateChild("remark", "A", "note")});
  world.Mutate({CreateItem("other", "A", 1)});
  world.Mutate({CreateChild("apart", "A", "other")});
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  REQUIRE(world.storage.Count("conflicts") == 3);
  CHECK(world.Inbox(0)["mutation"]["id"].as_string() == culprit);
  CHECK(world.Inbox(1)["mutation"]["id"].as_string() == inside);
  CHECK(world.Inbox(1)["code"].as_string() == "depends");
  CHECK(world.Inbox(1)["mutation"]["body"].is_bytes());
  CHECK(world.Inbox(2)["mutation"]["id"].as_string() == below);
  CHECK(world.server.rows().size() == 2);
  CHECK(world.server.rows().count("apart") == 1);
  CHECK(world.Converged());
}

TEST_CASE("records a rejection under a new n, raises goneUpTo to the highest removed key") {
  Pushing world;
  world.Mutate({CreateItem("b", "A", 1, "bad")});
  world.Settle();
  Data refusal;
  for (const auto& [key, record] : world.storage.store("updates")) {
    if (record["kind"].as_string() == "refusal") refusal = record;
  }
  REQUIRE(refusal.is_object());
  REQUIRE(refusal["refused"].items().size() == 1);
  CHECK(refusal["refused"].items()[0]["key"].as_number() == 1);
  CHECK(world.sync()["goneUpTo"].as_number() == 1);
  CHECK(world.Heard("record")["record"]["n"].as_number() == world.sync()["n"].as_number());
  bool notified = false;
  for (const Data& message : world.messages) {
    for (const Data& result : message["results"].items())
      notified = notified || result["status"].as_string() == "rejected";
  }
  CHECK(notified);
}

TEST_CASE("sends the actions of a rejected op one by one, and keeps only the culprit back") {
  Pushing world;
  world.Mutate({CreateItem("b", "A", 1)});
  const std::string culprit = world.Mutate({UpdateItem("b", "A", "bad")});
  world.Mutate({CreateItem("c", "A", 1)});
  world.Settle();
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.Inbox(0)["mutation"]["id"].as_string() == culprit);
  CHECK(world.server.rows().count("b") == 1);
  CHECK(world.server.rows().count("c") == 1);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

TEST_CASE("keeps a clone's known action pending until the cursor confirms it") {
  Pushing world;
  SUBCASE("the server says what its log holds") {}
  SUBCASE("the server does not say") { world.server.says_known = false; }
  world.network.hold_answers = true;
  world.Mutate({IncItem("a", "A", 1)});
  world.server.Foreign("a", "A", "x");
  world.Settle();
  // The server applied it; this profile is set back to before it was grouped (a restored clone of
  // itself).
  Data mutation = world.storage.Get("mutations", 1);
  world.storage.Put("mutations", 1, mutation.Set("update", nullptr).Set("state", "pending"));
  world.storage.store("outbox").clear();
  Data sync = world.sync();
  Data chain = sync["chain"];
  world.storage.Put("sync", "sync", sync.Set("chain", chain.Set("links", Data::MakeObject())));
  world.network.hold_answers = false;
  world.held.clear();
  world.host(0).Crash();
  world.Open();
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  for (const auto& [action, count] : world.server.ActionCounts()) CHECK(count == 1);
  CHECK(world.server.n("a") == 1);
  CHECK(world.sync()["known"].items().empty());
  CHECK(world.Converged());
}

TEST_CASE("marks a known mutation with its revisions, confirms it when cursors get there") {
  Random random(std::string(32, 'x'));
  UuidGenerator ids(&random);
  Data mutation = MutationRecord(SyncUuid(1), {IncItem("a", "A", 1)});
  mutation.Set("update", "u1").Set("state", "grouped");
  Data outbox =
      Json(R"({"v":1,"id":"u1","client":"c","after":{"A":null},"state":"sent","confirmed":[],
    "mutations":[{"id":"x","key":1}]})");
  outbox.Set("mutations", Data(Data::Array{ToData(NamedMutation{SyncUuid(1), 1, {}})}));
  Data result =
      Json(R"({"id":"u1","status":"rejected","rejected":[{"actions":[],"code":"known_action"}]})");
  Data known = Data::MakeObject();
  result.Set("known", known.Set(SyncUuid(1), 7));
  Data body = Data::MakeObject();
  body.Set("results", Data(Data::Array{result}));
  PushAnswer answer(&SyncSchema(), "", {"", {"u1"}, {}}, *ReadPushResults(body), 5);
  answer.Decide({OutboxRecord::Read(outbox)}, CompleteSyncRecord(Data(), "c", SyncSchema()), &ids);
  REQUIRE(answer.needs_mutations());
  Data row = Data::MakeObject();
  answer.AddMutations(Data(Data::Array{row.Set("key", 1).Set("value", mutation)}));
  Data marked;
  for (const Data& write : answer.Finish()) {
    CHECK(write["store"].as_string() != "conflicts");
    if (write["store"].as_string() == "mutations") marked = write["put"];
  }
  CHECK(marked["known"] == Json(R"({"A":7})"));
  CHECK(marked["update"].is_null());
  REQUIRE(answer.sync().known.size() == 1);
  SyncRecord sync = answer.sync();
  sync.cursors["A"] = "5@8";
  for (const int head : {6, 7}) {
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {}, 10);
    Data json = Json(R"({"time":1,"changes":[]})");
    Data cursors = Data::MakeObject();
    json.Set("cursors", cursors.Set("A", MakeCursor(static_cast<uint64_t>(head), 9)));
    const skerry::Result<PullAnswer> pulled = ReadPullAnswer(SyncSchema(), json);
    REQUIRE(pulled.ok());
    PullFold fold(&SyncSchema(), "", &request, &pulled.value(), 1, 0);
    REQUIRE(fold.Decide({}, sync));
    fold.Finish();
    CHECK((fold.record() ? fold.record()->confirmed.size() : 0) == (head == 7 ? 1 : 0));
    CHECK(fold.sync().known.size() == (head == 7 ? 0 : 1));
  }
}

TEST_CASE("takes a new identity with an empty chain after a fork, nothing lost or doubled") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string client = world.sync()["client"].as_string();
  const Data copy = world.sync();
  world.Mutate({IncItem("a", "A", 1)});
  world.Settle();
  // The profile is restored from the copy: its chain is behind the server's.
  world.host(0).Crash();
  Data sync = world.sync();
  world.storage.Put("sync", "sync", sync.Set("chain", copy["chain"]));
  world.Open();
  world.Settle();
  world.Mutate({IncItem("a", "A", 1)}, 1);
  world.Run(60000);
  CHECK(world.sync()["client"].as_string() != client);
  CHECK(world.sync()["chain"]["client"] == world.sync()["client"]);
  CHECK(world.server.n("a") == 3);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

TEST_CASE("takes a new identity and pushes all when the server answers unknown_client") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string client = world.sync()["client"].as_string();
  world.network.hold_answers = true;
  world.Mutate({IncItem("a", "A", 1)});
  world.server = SyncServer();  // nothing of it is left
  world.Settle();
  world.network.hold_answers = false;
  world.Release();
  world.Run(60000);
  CHECK(GiveBack(&world.storage));
  world.Run(60000);
  CHECK(world.sync()["client"].as_string() != client);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("forks when the oldest unconfirmed update is held") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string client = world.sync()["client"].as_string();
  const SyncServer copy = world.server;
  world.network.hold_answers = true;
  world.Mutate({IncItem("a", "A", 1)});
  world.Settle();
  const std::string id = world.FirstOutbox()["id"].as_string();
  world.held.clear();
  world.network.hold_answers = false;
  world.network.lose_requests = 0;
  world.host(0).Crash();
  // The server lost the update's application and does not know what came before it either.
  world.server.held.insert(id);
  world.server.Restore(copy);
  world.Open();
  world.Run(60000);
  CHECK(world.sync()["client"].as_string() != client);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.n("a") == 2);
}

TEST_CASE("waits, under the same identity, with a held update after an unconfirmed one") {
  Pushing world;
  const std::string client = world.sync()["client"].as_string();
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Mutate({MoveItem("a", "A", "B")});
  world.Settle();
  REQUIRE(world.held.size() == 1);
  Data answer = Json(world.held[0].second["body"].as_bytes());
  REQUIRE(answer["results"].items().size() == 2);
  Data second = answer["results"].items()[1];
  second.Set("status", "held");
  answer.Set("results", Data(Data::Array{answer["results"].items()[0], second}));
  world.held[0].second.Set("body", Data::Bytes(WriteJson(answer)));
  world.network.hold_answers = false;
  world.Release();
  world.Run(60000);
  CHECK(world.sync()["client"].as_string() == client);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

}  // namespace
}  // namespace skerry::sync_test
