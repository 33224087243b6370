// Goal: a push sends the right updates at the right time.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/mutation_record.h"
#include "sync/pull.h"
#include "sync/records.h"
#include "test/core/sync/pushing.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("pauses before it asks a server again that calls everything forked") {
  SyncWorld world;
  world.Open();
  world.Run(1000);
  world.server.forks = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Run(5000);
  CHECK(world.push_bodies.size() < 40);
  CHECK(world.host(0).status["error"]["code"].Is("no_progress"));
  world.server.forks = false;
  world.Run(120'000);
  CHECK(world.Converged());
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("a new identity names its predecessor as long as it sends that one's mutations") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string before = world.sync()["client"].as_string();
  const Data seen = world.sync()["seen"];
  CHECK(seen["A"].as_u64() == 1);
  CHECK(world.LastPush()["follows"].is_null());
  // The profile continues from a place that the server has passed.
  Data sync = world.sync();
  Data chain = sync["chain"];
  world.storage.Put("sync", "sync", sync.Set("chain", chain.Set("links", Data::MakeObject())));
  world.Mutate({IncItem("a", "A", 1)});
  world.Mutate({IncItem("a", "A", 2)});
  world.Run(60000);
  REQUIRE(world.sync()["client"].as_string() != before);
  CHECK(world.LastPush()["follows"]["client"].as_string() == before);
  CHECK(world.LastPush()["follows"]["seen"] == seen);
  world.Mutate({IncItem("a", "A", 4)});
  world.Run(60000);
  CHECK(world.LastPush()["follows"].is_null());
  CHECK(world.server.n("a") == 8);
}

TEST_CASE("stores `sent` before the fetch") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.push_bodies.size() == 1);
  CHECK(world.FirstOutbox()["state"].as_string() == "sent");
  CHECK(world.FirstOutbox()["epoch"].as_number() == world.lease()["epoch"].as_number());
}

TEST_CASE("pushes a mutation that comes during a push in the same job") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.held.size() == 1);
  world.Mutate({CreateItem("b", "A", 1)});
  world.Settle();
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.server.rows().count("b") == 1);
}

TEST_CASE("removes an update only by a pull that contains it, never by the push's answer") {
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

TEST_CASE("reports no lack of progress when another window confirmed the update first") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.held.size() == 1);
  // A window's pull under the lease, while a service worker waits for its answer.
  world.storage.store("outbox").clear();
  world.storage.store("mutations").clear();
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.host(0).status["error"].is_null());
  CHECK(world.host(0).status["phase"].Is("idle"));
}

TEST_CASE("resends a received update that a restored server's pull passes without naming") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  for (int i = 0; i < 1000 && world.server.rows().empty(); ++i) world.host(0).StepOnce();
  // The answer arrives. Then the server is restored without the update, and another client's entry
  // gets its revision.
  while (world.FirstOutbox()["state"].as_string() != "received") REQUIRE(world.host(0).StepOnce());
  world.server.Restore(SyncServer());
  world.server.Foreign("z", "A", "other");
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.Converged());
}

TEST_CASE("resends a received update that a restored server lost, while nobody else writes") {
  Pushing world;
  world.Mutate({CreateItem("a", "A", 1)});
  for (int i = 0; i < 1000 && world.server.rows().empty(); ++i) world.host(0).StepOnce();
  while (world.FirstOutbox()["state"].as_string() != "received") REQUIRE(world.host(0).StepOnce());
  world.server.Restore(SyncServer());
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.Converged());
}

TEST_CASE("halves a request that is too large, down to one update") {
  Pushing world;
  world.network.down = true;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Mutate({CreateItem("b", "B", 1)});
  world.Settle();
  world.network.down = false;
  world.Run(1);
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{},"changes":[]})"));
  world.network.scripted.push_back(
      Scripted(413, R"({"code":"too_large"})", "application/problem+json"));
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.server.rows().size() == 2);
  const Data first_retry = Json(world.push_bodies[world.push_bodies.size() - 2]);
  CHECK(first_retry["updates"].items().size() == 1);
}

// After this answer, the update's mutation is in the inbox under this code, and the next is pushed.
void BlocksNothing(Data answer, const char* code) {
  Pushing world;
  world.network.scripted.push_back(std::move(answer));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.Inbox(0)["code"].as_string() == code);
  world.Mutate({CreateItem("b", "A", 1)});
  world.Settle();
  CHECK(world.server.rows().count("b") == 1);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("blocks nothing when a proxy answers 413 with an HTML page") {
  BlocksNothing(Scripted(413, "<h1>Too large</h1>", "text/html"), "too_large");
}

TEST_CASE("blocks nothing when the server cannot take one of the updates at all") {
  BlocksNothing(
      Scripted(422, R"({"code":"limit","detail":"too deep"})", "application/problem+json"),
      "limit");
}

TEST_CASE("moves an unreadable mutation to the inbox whole, and pushes the rest") {
  Pushing world;
  Data damaged = MutationRecord(SyncUuid(1), {CreateItem("a", "A", 1)});
  std::string body = damaged["body"].as_bytes();
  body.data()[body.size() / 2] ^= 1;
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

TEST_CASE("moves an unreadable mutation whose update is gone to the inbox") {
  Pushing world;
  Data damaged = MutationRecord(SyncUuid(1), {CreateItem("a", "A", 1)});
  damaged.Set("body", Data::Bytes("no body")).Set("state", "grouped").Set("update", SyncUuid(7));
  world.storage.Add("mutations", damaged);
  world.storage.Put("mutations", Data(-3), MutationRecord(SyncUuid(2), {CreateItem("b", "A", 1)}));
  world.Mutate({CreateItem("c", "A", 1)});
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("conflicts") == 2);
  CHECK(world.server.rows().count("c") == 1);
}

TEST_CASE("pushes mutations after those that need updates of their own, in each realm") {
  Pushing world;
  const std::string first = world.Log({CreateItem("a", "A", 1)});
  world.Log({MoveItem("a", "A", "A")});  // no server accepts it
  const std::string both = world.Log({IncItem("a", "A", 2), CreateItem("b", "B", 1)});
  const std::string last = world.Mutate({IncItem("a", "A", 3)});
  const std::string other = world.Mutate({IncItem("b", "B", 3)});
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("conflicts") == 1);
  CHECK(world.server.ActionsAfter("A", 0) == Vector<std::string>{first, both, last});
  CHECK(world.server.ActionsAfter("B", 0) == Vector<std::string>{both, other});
}

TEST_CASE("shows objects that the server deleted with their parent in the author's inbox") {
  Pushing world;
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 1), CreateItem("b", "A", 1)});
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
  CHECK(world.Heard("conflicts").is_object());
  // A retry repeats only the op that was lost, not the one that had its effect.
  const skerry::Result<Mutation> again =
      DecodeMutation(SyncSchema(), world.Inbox(0)["mutation"]["body"].as_bytes());
  REQUIRE(again.ok());
  REQUIRE(again.value().ops.size() == 1);
  CHECK(again.value().ops[0].id == "a");
}

TEST_CASE("shows an object deleted with its parent when a pull overtakes the push's answer") {
  for (const std::string_view state : {"sent", "received"}) {
    Update update;
    update.id = SyncUuid(2);
    update.after.emplace_back("A", Link{});
    update.base.emplace_back("A", 0);
    update.actions.push_back({SyncUuid(1), "add", "null", 1000});
    update.ops = {CreateChild("note", "A", "list")};
    OutboxRecord outbox;
    outbox.id = update.id;
    outbox.client = "c";
    outbox.after["A"];
    outbox.state = state == "sent" ? OutboxState::kSent : OutboxState::kReceived;
    outbox.mutations.push_back({SyncUuid(1), 1, {}});
    outbox.body = WriteJson(UpdateToData(SyncSchema(), update));
    const SyncRecord sync = CompleteSyncRecord(Data(), "c", SyncSchema());
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {outbox}, 10);
    Data json = Json(R"({"time":1,"cursors":{"A":"1@1"},"changes":[]})");
    Data own = Data::MakeObject();
    own.Set(update.id, Json(R"({"A":{"revision":1,"at":1,"gone":[0]}})"));
    const skerry::Result<PullAnswer> pulled =
        ReadPullAnswer(SyncSchema(), json.Set("own", std::move(own)));
    REQUIRE(pulled.ok());
    PullFold fold(&SyncSchema(), "", &request, &pulled.value(), 1, 0);
    REQUIRE(fold.Decide({outbox}, sync));
    Mutation mutation;
    mutation.action = update.actions[0];
    mutation.ops = update.ops;
    skerry::MutationRecord record = MakeMutationRecord(SyncSchema(), mutation);
    record.update = update.id;
    Data page = Data::MakeArray();
    page.Push(Data::MakeObject().Set("key", 1.0).Set("value", record.Write()));
    if (fold.needs_mutations()) fold.AddMutations(page);
    int notices = 0;
    for (const Data& write : fold.Finish()) {
      if (!write["store"].Is("conflicts")) continue;
      ++notices;
      CHECK(write["add"]["code"].Is("parent_deleted"));
      CHECK(write["add"]["id"].Is("note"));
      CHECK(write["add"]["mutation"]["body"].is_bytes());
    }
    // If the push's answer came first, it has written the inbox entry already.
    CHECK(notices == (state == "sent" ? 1 : 0));
  }
}

TEST_CASE("loses nothing when a transaction fails for quota; reports it and tries again") {
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
}  // namespace skerry::sync_test
