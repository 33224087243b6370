// Pushing: what is sent, and what each answer does. Each rule that closes a hole has a test named for the hole.
#include "base/json.h"
#include "doctest/doctest.h"
#include "sync/pull.h"
#include "sync/push.h"
#include "sync/records.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::test {
namespace {

Data Scripted(double status, std::string_view body, std::string_view type = "application/json") {
  Data event = Data::MakeObject();
  return event.Set("status", status).Set("contentType", type).Set("body", Data::Bytes(std::string(body)));
}

struct Pushing : SyncWorld {
  Pushing() {
    Open();
    Settle();
  }
  Data FirstOutbox() const {
    const auto& store = const_cast<FakeStorage&>(storage).store("outbox");
    return store.empty() ? Data() : store.begin()->second;
  }
  // The last message of this type on the channel.
  Data Heard(std::string_view type) const {
    for (size_t i = messages.size(); i > 0; --i) {
      if (messages[i - 1]["type"].as_string() == type) return messages[i - 1];
    }
    return nullptr;
  }
  Data Inbox(size_t i) { return storage.Get("conflicts", static_cast<uint64_t>(i + 1)); }
};

TEST_CASE("`sent` is durable before the fetch") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.push_bodies.size() == 1);
  CHECK(world.FirstOutbox()["state"].as_string() == "sent");
  CHECK(world.FirstOutbox()["epoch"].as_number() == world.lease()["epoch"].as_number());
}

TEST_CASE("every resend is byte for byte the same update, whoever sends it") {
  Pushing world;
  const auto updates = [&world](size_t i) {
    const std::string& body = world.push_bodies[i];
    return body.substr(body.find("\"updates\":"));
  };
  world.network.lose_requests = 1;
  world.Mutate({CreateItem("a", "A", 1.5, "\xc3\x85re \"x\"")});
  world.Settle();
  world.host(0).Crash();
  world.Open();
  world.Run(60000);
  REQUIRE(world.push_bodies.size() == 2);
  CHECK(updates(0) == updates(1));
  CHECK(world.push_bodies[0] != world.push_bodies[1]);  // another epoch: only the envelope differs
  CHECK(world.Converged());
}

TEST_CASE("only a pull that contains an update removes it, never its answer") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  // One push gets through, and nothing after it.
  for (int i = 0; i < 1000 && world.server.rows().empty(); ++i) world.host(0).StepOnce();
  world.network.down = true;
  world.Settle();
  CHECK(world.FirstOutbox()["state"].as_string() == "received");
  CHECK(world.FirstOutbox()["revisions"]["A"].as_number() == 1);
  CHECK(world.storage.Count("mutations") == 1);
  world.network.down = false;
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
}

TEST_CASE("an answer acts only in a transaction that still finds the update") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({UpdateItem("a", "A", "bad")});
  world.Settle();
  // Somebody else was told first, and undid it.
  const Data update = world.FirstOutbox();
  world.storage.store("outbox").clear();
  world.network.hold_answers = false;
  world.network.down = true;
  world.Release();
  world.Settle();
  CHECK(world.storage.Count("conflicts") == 0);
  CHECK(world.storage.Count("mutations") == 1);
}

TEST_CASE("of a refused update the culprit and what depends on it go to the inbox, and the rest goes on") {
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
  CHECK(world.Inbox(0)["code"].as_string() == "unique");
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

TEST_CASE("a refusal is a record under a new n, and raises goneUpTo to the highest key removed") {
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
  bool told = false;
  for (const Data& message : world.messages) {
    for (const Data& result : message["results"].items()) told = told || result["status"].as_string() == "rejected";
  }
  CHECK(told);
}

TEST_CASE("where several actions fold into one refused op, each is sent alone, and only the culprit stays behind") {
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

TEST_CASE("a clone's action is known: it stays pending, is never grouped again, and is confirmed by the cursor") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({IncItem("a", "A", 1)});
  world.server.Foreign("a", "A", "x");
  world.Settle();
  // The server applied it; this profile is set back to before it was grouped (a restored clone of itself).
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
  CHECK(world.server.rows().at("a").props["n"].as_number() == 1);
  CHECK(world.sync()["known"].items().empty());
  CHECK(world.Converged());
}

TEST_CASE("a known mutation is marked so with its revisions, and waits until the cursors reach them") {
  Random random(std::string(32, 'x'));
  UuidGenerator ids(&random);
  Data mutation = MutationRecord(SyncUuid(1), {IncItem("a", "A", 1)});
  mutation.Set("update", "u1").Set("state", "grouped");
  Data outbox = Json(R"({"v":1,"id":"u1","client":"c","after":{"A":null},"state":"sent","confirmed":[],
    "mutations":[{"id":"x","key":1}]})");
  outbox.Set("mutations", Data(Data::Array{MutationName(SyncUuid(1), 1)}));
  Data result = Json(R"({"id":"u1","status":"rejected","rejected":[{"actions":[],"code":"known_action"}]})");
  Data known = Data::MakeObject();
  result.Set("known", known.Set(SyncUuid(1), 7));
  PushAnswer answer(&SyncSchema(), {"u1"}, Data(Data::Array{result}), 5);
  answer.Decide({outbox}, CompleteSyncRecord(Data(), "c", 1), &ids);
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
  REQUIRE(answer.sync()["known"].items().size() == 1);
  for (const int head : {6, 7}) {
    const PullRequest request = MakePullRequest(SyncSchema(), answer.sync(), {}, 10);
    Data json = Json(R"({"time":1,"changes":[]})");
    Data cursors = Data::MakeObject();
    json.Set("cursors", cursors.Set("A", MakeCursor(static_cast<uint64_t>(head), 9)));
    const skerry::Result<PullAnswer> pulled = ReadPullAnswer(SyncSchema(), json);
    REQUIRE(pulled.ok());
    PullFold fold(&SyncSchema(), &request, &pulled.value(), 1, 0);
    REQUIRE(fold.Decide({}, answer.sync()));
    fold.Finish();
    CHECK(fold.record()["confirmed"].items().size() == (head == 7 ? 1 : 0));
    CHECK(fold.sync()["known"].items().size() == (head == 7 ? 0 : 1));
  }
}

TEST_CASE("a fork takes a new identity with an empty chain, and nothing is lost or doubled") {
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
  CHECK(world.server.rows().at("a").props["n"].as_number() == 3);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

TEST_CASE("a server that has forgotten this client answers unknown_client: a new identity, and all is pushed") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string client = world.sync()["client"].as_string();
  world.network.hold_answers = true;
  world.Mutate({IncItem("a", "A", 1)});
  world.server = NaiveServer();  // nothing of it is left
  world.Settle();
  world.network.hold_answers = false;
  world.Release();
  world.Run(60000);
  CHECK(world.sync()["client"].as_string() != client);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("the oldest unconfirmed update is held though all before it were confirmed: as forked") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string client = world.sync()["client"].as_string();
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
  world.server.ForgetAfter("A", 1);
  world.Open();
  world.Run(60000);
  CHECK(world.sync()["client"].as_string() != client);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().at("a").props["n"].as_number() == 2);
}

TEST_CASE("a held update whose predecessor is unconfirmed waits, and takes no new identity") {
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

TEST_CASE("a received update that a pull passes without naming it is sent again: a restored server") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  for (int i = 0; i < 1000 && world.server.rows().empty(); ++i) world.host(0).StepOnce();
  // The answer arrives, then the server comes back without it, and somebody else's entry takes its revision.
  while (world.FirstOutbox()["state"].as_string() != "received") REQUIRE(world.host(0).StepOnce());
  world.server.ForgetAfter("A", 0);
  world.server.Foreign("z", "A", "other");
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.Converged());
}

TEST_CASE("a request that is too large is halved, down to the one update that is") {
  Pushing world;
  world.network.down = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Mutate({CreateItem("b", "B", 1)});
  world.Settle();
  world.network.down = false;
  world.Run(1);
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{},"changes":[]})"));
  world.network.scripted.push_back(Scripted(413, R"({"code":"too_large"})", "application/problem+json"));
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().size() == 2);
  const Data first_retry = Json(world.push_bodies[world.push_bodies.size() - 2]);
  CHECK(first_retry["updates"].items().size() == 1);
}

TEST_CASE("one update that the server cannot take at all does not block the queue for ever") {
  Pushing world;
  world.network.scripted.push_back(Scripted(422, R"({"code":"limit","detail":"too deep"})", "application/problem+json"));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.Inbox(0)["code"].as_string() == "limit");
  world.Mutate({CreateItem("b", "A", 1)});
  world.Settle();
  CHECK(world.server.rows().count("b") == 1);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("a mutation that cannot be read goes to the inbox whole, and the rest is pushed") {
  Pushing world;
  Data damaged = MutationRecord(SyncUuid(1), {CreateItem("a", "A", 1)});
  std::string body = damaged["body"].as_bytes();
  body[body.size() / 2] ^= 1;
  world.storage.Add("mutations", damaged.Set("body", Data::Bytes(body)));
  world.Mutate({CreateItem("b", "A", 1)});
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.Inbox(0)["code"].as_string() == "unreadable");
  CHECK(world.Inbox(0)["id"].as_string() == "a");
  CHECK(world.Inbox(0)["mutation"]["body"].as_bytes() == body);
  CHECK(world.server.rows().count("b") == 1);
}

TEST_CASE("objects that the server deleted with their parent are shown to their author in the inbox") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.held.size() == 1);
  Data answer = Json(world.held[0].second["body"].as_bytes());
  Data result = answer["results"].items()[0];
  result.Set("gone", Json("[0]"));
  answer.Set("results", Data(Data::Array{result}));
  world.held[0].second.Set("body", Data::Bytes(WriteJson(answer)));
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.Inbox(0)["code"].as_string() == "parent_deleted");
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("quota: a failed transaction loses nothing, is shown, and is tried again") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.storage.FailNextWrite("QuotaExceededError");
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "quota");
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.host(0).status["error"].is_null());
}

}  // namespace
}  // namespace skerry::test
