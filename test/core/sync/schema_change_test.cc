// Goal: when an older or a newer version of the application has written into storage, no user's
// change is lost, and no row of the server stays missing. Method: two schemas over one storage;
// the newer one has a prop more, or one less.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "sync/image_job.h"
#include "sync/records.h"
#include "test/core/sync/pushing.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

// The fixture's schema under a version, with or without the prop `name`.
Data Version(int version, bool has_name) {
  Data description = SyncSchemaDescription();
  Data table = description["tables"].items()[0];
  Data::Array props;
  for (const Data& prop : table["props"].items()) {
    if (has_name || !prop["name"].Is("name")) props.push_back(prop);
  }
  table.Set("props", Data(std::move(props)));
  description.Set("version", version).Set("tables", Data(Data::Array{table}));
  Data extra = Data::MakeObject();
  extra.Set("schema", std::move(description));
  return extra;
}

struct Changing : SyncWorld {
  // Ends the open window, and opens one of this version.
  void Reopen(int version, bool has_name) {
    if (size() > 0) host(size() - 1).Crash();
    Open(true, Version(version, has_name));
    Run(60'000);
  }
  // Of an item at the server: a change that will have no place, whose id it returns, and one that will have.
  std::string LogBoth() {
    Reopen(1, true);
    Mutate({CreateItem("a", "A", 7)});
    Run(60'000);
    window().Crash();
    const std::string id = Log({UpdateItem("a", "A", "dropped")});
    Log({IncItem("a", "A", 1)});
    return id;
  }
  void Hold(uint64_t key) {
    Data mutation = storage.Get("mutations", key);
    storage.Put("mutations", key, mutation.Set("held", true));
  }
  SyncHost& window() { return host(size() - 1); }
  void SetSync(const char* name, const char* json) {
    Data changed = sync();
    storage.Put("sync", "sync", changed.Set(name, Json(json)));
  }
};

// The only entry of the inbox: of the dropped prop of an item, with its content.
void CheckDropped(Changing* world, const std::string& id, const char* name) {
  REQUIRE(world->storage.Count("conflicts") == 1);
  const Data entry = world->storage.store("conflicts").begin()->second;
  CHECK(entry["reason"].Is("dropped"));
  CHECK(entry["code"].Is("no_place"));
  CHECK(entry["detail"].as_string().find("items") != std::string::npos);
  CHECK(entry["detail"].as_string().find("name") != std::string::npos);
  CHECK(entry["table"].Is("items"));
  CHECK(entry["id"].as_string() == id);
  CHECK(entry["mine"] == Data::MakeObject().Set("name", name));
  CHECK(entry["part"].as_bool());
  const Result<Mutation> again = DecodeMutation(SyncSchema(), entry["mutation"]["body"].as_bytes());
  REQUIRE(again.ok());
  REQUIRE(again.value().ops.size() == 1);
  CHECK(again.value().ops[0].kind == OpKind::kUpdate);
}

TEST_CASE("moves a dropped prop of pending mutations to the inbox, and pushes the rest") {
  Changing world;
  world.Reopen(1, true);
  world.window().Crash();
  world.Mutate({CreateItem("a", "A", 7, "dropped")}, 0);
  world.Reopen(2, false);
  CHECK(world.server.n("a") == 7);
  CHECK(world.server.rows().at("a").row.props[1].is_null());
  CHECK(world.storage.store("mutations").empty());
  CheckDropped(&world, "a", "dropped");
  CHECK(world.window().status["conflicts"].as_number() == 1);
}

TEST_CASE("moves what has no place at all to the inbox, and refuses no other for it") {
  Changing world;
  const std::string id = world.LogBoth();
  world.Reopen(2, false);
  REQUIRE(world.storage.Count("conflicts") == 1);
  const Data entry = world.storage.store("conflicts").begin()->second;
  CHECK(entry["reason"].Is("dropped"));
  CHECK(entry["mine"] == Json(R"({"name":"dropped"})"));
  CHECK_FALSE(entry["part"].as_bool());
  CHECK(entry["mutation"]["id"].as_string() == id);
  CHECK(world.server.n("a") == 8);
  CHECK(world.storage.store("mutations").empty());
  CHECK(world.storage.Count("conflicts") == 1);
  CHECK_FALSE(world.server.ActionCounts().contains({"A", id}));
}

TEST_CASE("leaves a held mutation alone if a change of its object before it has no place") {
  Changing world;
  world.LogBoth();
  world.Hold(3);
  world.Reopen(2, false);
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.storage.store("conflicts").begin()->second["code"].Is("no_place"));
  CHECK(world.storage.Count("mutations") == 1);
  CHECK(world.server.n("a") == 7);
}

TEST_CASE("moves what is dropped of a mutation that is held, and holds the rest") {
  Changing world;
  world.Reopen(1, true);
  world.window().Crash();
  world.Log({CreateItem("a", "A", 7, "dropped")});
  world.Hold(1);
  world.Reopen(2, false);
  CheckDropped(&world, "a", "dropped");
  CHECK(world.storage.Count("mutations") == 1);
  CHECK(world.server.rows().empty());
}

TEST_CASE("moves no default that an earlier release filled in to the inbox") {
  Changing world;
  world.Reopen(1, true);
  world.SetSync("defaults", R"({"items":{"name":"\"none\""}})");
  world.window().Crash();
  world.Log({CreateItem("a", "A", 7, "none")});
  world.Log({CreateItem("b", "A", 8, "given")});
  world.Reopen(2, false);
  CheckDropped(&world, "b", "given");
  CHECK(world.server.n("a") == 7);
}

TEST_CASE("groups a former schema's rejected update again, with no mutation at fault") {
  Changing world;
  world.Reopen(1, true);
  world.network.lose_push_requests = 1;
  world.Mutate({CreateItem("a", "A", 7, "dropped")}, 0);
  world.Settle();
  const auto& outbox = world.storage.store("outbox");
  REQUIRE(outbox.size() == 1);
  const std::string id = outbox.begin()->second["id"].as_string();
  const auto refusal = [&id] {
    return Scripted(200, R"({"time":1000000,"results":[{"id":")" + id +
                             R"(","status":"rejected","rejected":[{"op":0,"actions":[],)" +
                             R"("code":"unknown_prop","detail":"items has no prop name"}]}]})");
  };
  world.window().Crash();
  world.Open(true, Version(2, false));
  // The first request is a pull.
  for (int i = 0; i < 1000 && world.pull_bodies.size() < 2; ++i) world.window().StepOnce();
  world.network.scripted.push_back(refusal());
  world.Run(60'000);
  CheckDropped(&world, "a", "dropped");
  CHECK(world.storage.store("mutations").empty());
  CHECK(world.server.n("a") == 7);
  CHECK(world.server.rows().at("a").row.props[1].is_null());
}

TEST_CASE("moves what a newer server has left out of an update to the inbox") {
  Changing world;
  world.Reopen(1, true);
  world.network.hold_answers = true;
  world.Mutate({CreateItem("a", "A", 7), CreateItem("b", "A", 7, "one")});
  world.Settle();
  REQUIRE(world.held.size() == 1);
  Data answer = Json(world.held[0].second["body"].as_bytes());
  Data result = answer["results"].items()[0];
  SUBCASE("props") { result.Set("dropped", Json(R"([{"op":1,"props":["name"]}])")); }
  SUBCASE("whole ops") { result.Set("dropped", Json(R"([{"op":1}])")); }
  SUBCASE("an op that is not there") {
    result.Set("dropped", Json(R"([{"op":9},{"op":-1},{},7])"));
  }
  const bool is_any = result["dropped"].items().size() == 1;
  answer.Set("results", Data(Data::Array{result}));
  world.held[0].second.Set("body", Data::Bytes(WriteJson(answer)));
  world.network.hold_answers = false;
  world.Release();
  world.Run(60'000);
  CHECK(world.storage.Count("mutations") == 0);
  REQUIRE(world.storage.Count("conflicts") == (is_any ? 1 : 0));
  if (!is_any) return;
  const Data entry = world.storage.store("conflicts").begin()->second;
  CHECK(entry["reason"].Is("dropped"));
  CHECK(entry["id"].Is("b"));
  CHECK(entry["mine"]["name"].Is("one"));
}

TEST_CASE("folds what a newer server has stored, and reports the rest once") {
  for (const std::string_view state : {"sent", "received"}) {
    CAPTURE(state);
    Update update;
    update.id = SyncUuid(2);
    update.after.emplace_back("A", Link{});
    update.base.emplace_back("A", 0);
    update.actions.push_back({SyncUuid(1), "add", "null", 1000});
    update.ops = {CreateItem("a", "A", 7, "dropped"), UpdateItem("b", "A", "dropped"),
                  IncItem("c", "A", 1)};
    for (Op& op : update.ops) op.by = {0};
    Mutation mutation;
    mutation.action = update.actions[0];
    mutation.ops = update.ops;
    OutboxRecord outbox;
    outbox.id = update.id;
    outbox.client = "c";
    outbox.after["A"];
    outbox.state = state == "sent" ? OutboxState::kSent : OutboxState::kReceived;
    outbox.mutations.push_back({SyncUuid(1), 1, {}});
    outbox.body = WriteJson(UpdateToData(SyncSchema(), update));
    const SyncRecord sync = CompleteSyncRecord(Data(), "c", SyncSchema());
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {outbox}, 10);
    Data own = Data::MakeObject();
    own.Set(update.id, Json(R"({"A":{"revision":1,"at":1,"dropped":[
      {"op":0,"props":["name"]},{"op":1,"props":["name"]},{"op":2}]}})"));
    Data json = Json(R"({"time":1,"cursors":{"A":"1@1"},"changes":[]})");
    const skerry::Result<PullAnswer> pulled =
        ReadPullAnswer(SyncSchema(), json.Set("own", std::move(own)));
    REQUIRE(pulled.ok());
    PullFold fold(&SyncSchema(), "", &request, &pulled.value(), 1, 0);
    REQUIRE(fold.Decide({outbox}, sync));
    skerry::MutationRecord record = MakeMutationRecord(SyncSchema(), mutation);
    record.update = update.id;
    CHECK(fold.needs_mutations() == (state == "sent"));
    Data row = Data::MakeObject();
    row.Set("key", 1).Set("value", record.Write());
    fold.AddMutations(Data(Data::Array{row}));
    Vector<std::string> reported;
    for (const Data& write : fold.Finish()) {
      if (write["store"].Is("conflicts")) reported.push_back(write["add"]["id"].as_string());
    }
    // If the push's answer came first, it has written the inbox entries already.
    CHECK(reported ==
          (state == "sent" ? Vector<std::string>{"a", "b", "c"} : Vector<std::string>()));
    const auto steps = DecodeSteps(SyncSchema(), *fold.record()->body);
    REQUIRE(steps.ok());
    REQUIRE(steps.value()[0].ops.size() == 1);
    CHECK(steps.value()[0].ops[0].id == "a");
    CHECK(steps.value()[0].ops[0].set == Vector<PropValue>{{0, Value::Number(7)}});
  }
}

TEST_CASE("confirms an applied update that has become unreadable by its actions") {
  Changing world;
  world.Reopen(1, true);
  world.Mutate({CreateItem("a", "A", 7, "dropped")}, 0);
  const auto& outbox = world.storage.store("outbox");
  const auto is_received = [&outbox] {
    return outbox.size() == 1 && outbox.begin()->second["state"].Is("received");
  };
  for (int i = 0; i < 1000 && !is_received(); ++i) world.window().StepOnce();
  REQUIRE(is_received());
  world.window().Crash();
  SUBCASE("an image brought its rows without naming it") {
    Data cursors = Data::MakeObject();
    cursors.Set("A", MakeCursor(1, world.server.log("A")[0]["at"].as_number()));
    Data sync = world.sync();
    world.storage.Put("sync", "sync", sync.Set("cursors", std::move(cursors)));
    world.Reopen(2, false);
    CHECK(world.push_bodies.size() == 1);
  }
  SUBCASE("the server lost it: it is pushed again") {
    world.server.Restore(SyncServer());
    world.Reopen(2, false);
    CHECK(world.push_bodies.size() == 2);
  }
  CHECK(outbox.empty());
  CHECK(world.storage.store("mutations").empty());
}

TEST_CASE("leaves what a newer version may have written alone: no push, no inbox") {
  Changing world;
  world.Reopen(2, true);
  world.window().Crash();
  world.Mutate({CreateItem("b", "A", 1)}, 0);
  world.Mutate({CreateItem("a", "A", 7, "new")}, 0);
  world.Reopen(1, false);
  CHECK(world.server.rows().count("b") == 1);
  CHECK(world.server.rows().count("a") == 0);
  CHECK(world.storage.store("conflicts").empty());
  CHECK(world.storage.store("mutations").size() == 1);
  world.Reopen(2, true);
  CHECK(world.server.rows().at("a").row.props[1].text() == "new");
  CHECK(world.storage.store("mutations").empty());
}

TEST_CASE("omits props beyond the schema; a newer schema fetches them") {
  Changing world;
  world.Reopen(1, false);
  world.server.Foreign("a", "A", "new");
  world.Run(60'000);
  REQUIRE(world.sync()["lacks"].is_string());
  CHECK_FALSE(world.Converged());
  const size_t pulls = world.pull_bodies.size();
  world.Reopen(1, false);  // the same schema again: it would get nothing more
  CHECK(Json(world.pull_bodies[pulls])["cursors"].members().size() == 1);
  world.Reopen(2, true);
  CHECK(world.sync()["lacks"].is_null());
  CHECK(world.Converged());
}

TEST_CASE("omits a change of a table that only the server knows") {
  Changing world;
  world.Reopen(1, true);
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"5@5"},"changes":[
    {"change":"create","table":"nothing","id":"c","realm":"A","set":{},"createdAt":1,"modifiedAt":2,"revision":5}]})"));
  world.window().Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.window().status["error"].is_null());
  CHECK(world.sync()["cursors"]["A"].as_string() == "5@5");
  CHECK(world.sync()["lacks"].is_string());
}

TEST_CASE("drops scopes that the schema does not understand, and does not request them") {
  Changing world;
  world.Reopen(2, true);
  const char* scopes = R"([{"table":"items","where":["true"],"filled":true},
    {"table":"items","where":["=","name","x"],"filled":true},
    {"table":"gone","where":["true"],"filled":true}])";
  world.SetSync("scopes", scopes);
  size_t pulls = world.pull_bodies.size();
  SUBCASE("dropped by a version as new as any") {
    const Data before = world.sync()["n"];
    world.Reopen(3, false);
    CHECK(world.sync()["scopes"].items().size() == 1);
    CHECK(world.storage.Get("updates", before.as_u64() + 1)["kind"].as_string() == "scopes");
  }
  SUBCASE("an older version keeps them for the newer, which loads all again") {
    world.Reopen(1, false);
    CHECK(world.sync()["scopes"].items().size() == 3);
    CHECK(world.sync()["lacks"].is_string());
  }
  for (; pulls < world.pull_bodies.size(); ++pulls)
    CHECK(Json(world.pull_bodies[pulls])["scopes"].items().size() == 1);
}

TEST_CASE("makes no image in an older version; compacts another layout at the next record") {
  SyncRecord sync = SyncRecord::Read(
      Json(R"({"n":5,"recordBytes":10,"image":{"generation":"g","n":4,"recordBytes":9,"layout":"a",
    "cursors":{},"parts":[{"file":"rows","bytes":1000}]}})"));
  CHECK(IsCompactionDue(sync, {}, "b"));
  CHECK_FALSE(IsCompactionDue(sync, {}, "a"));
  sync.n = 4;
  CHECK_FALSE(IsCompactionDue(sync, {}, "b"));
}

}  // namespace
}  // namespace skerry::sync_test
