// Pulling, filling and the loop: what is asked, what is folded, what is thrown away, and when it is tried again.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "sync/chain.h"
#include "sync/pull.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::test {
namespace {

Data Scripted(double status, std::string_view body, std::string_view type = "application/json") {
  Data event = Data::MakeObject();
  return event.Set("status", status).Set("contentType", type).Set("body", Data::Bytes(std::string(body)));
}

Data With(std::string_view json) { return Json(json); }

TEST_CASE("own updates are folded as pushed with the server's time, in the order of each realm's log, before the changes") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("a", "A", 1, "mine")});
  world.Settle();
  REQUIRE(world.Converged());  // created_at and modified_at are compared as well
  world.Mutate({UpdateItem("a", "A", "newer")});
  world.server.Foreign("a", "A", "theirs");
  world.Settle();
  CHECK(world.Converged());
}

// The fold of an answer that names one own update; `asked`: the request was made with it in the outbox.
Data FoldOwn(bool asked, double cursor) {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.Mutate({IncItem("a", "A", 5)});
  world.Settle();
  Data outbox = Data::MakeArray();
  for (const auto& [key, value] : world.storage.store("outbox")) {
    Data row = Data::MakeObject();
    outbox.Push(row.Set("key", key.ToData()).Set("value", value));
  }
  SKERRY_CHECK(outbox.items().size() == 1);
  const std::vector<Data> updates = InChainOrder(outbox);
  Data sync = world.sync();
  Data cursors = Data::MakeObject();
  if (cursor > 0) cursors.Set("A", MakeCursor(static_cast<uint64_t>(cursor), 1));
  sync.Set("cursors", cursors);
  const PullRequest request = MakePullRequest(SyncSchema(), sync, asked ? updates : std::vector<Data>(), 100);
  Data own = Json(R"({"A":{"revision":2,"at":70}})");
  Data json = Json(R"({"time":1,"cursors":{"A":"3@90"},"changes":[
    {"change":"create","table":"items","id":"a","realm":"A","set":{"n":6},"createdAt":1,"modifiedAt":70,"revision":2}]})");
  Data all = Data::MakeObject();
  json.Set("own", all.Set(updates[0]["id"].as_string(), own));
  const Result<PullAnswer> answer = ReadPullAnswer(SyncSchema(), json);
  SKERRY_CHECK(answer.ok());
  PullFold fold(&SyncSchema(), &request, &answer.value(), 1, 0);
  SKERRY_CHECK(fold.Decide(updates, sync));
  const Data::Array writes = fold.Finish();
  SKERRY_CHECK(fold.unconfirmed() == 0);  // confirmed in any case: by its place in the log
  return fold.record();
}

size_t OwnSteps(const Data& record) {
  const auto steps = DecodeSteps(SyncSchema(), record["body"].as_bytes());
  size_t count = 0;
  for (const Step& step : steps.value()) {
    if (step.kind != StepKind::kOwnOps) continue;
    ++count;
    CHECK(step.at == 70);
    CHECK(step.revision == 2);
    CHECK(step.ops.size() == 1);
  }
  return count;
}

TEST_CASE("only updates in the `have` of this very request are folded: one pushed after it comes in full") {
  CHECK(OwnSteps(FoldOwn(true, 1)) == 1);
  CHECK(OwnSteps(FoldOwn(false, 1)) == 0);
}

TEST_CASE("an own update at or below the cursor is confirmed, not folded: an image or a page held it") {
  CHECK(OwnSteps(FoldOwn(true, 2)) == 0);
}

TEST_CASE("an answer is discarded when another tab's pull was faster") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.server.Foreign("a", "A", "1");
  world.network.hold_answers = true;
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(world.held.size() == 1);
  Data sync = world.sync();
  Data cursors = sync["cursors"];
  world.storage.Put("sync", "sync", sync.Set("cursors", cursors.Set("B", "3@4")));
  world.network.hold_answers = false;
  const uint64_t n = world.sync()["n"].as_u64();
  world.network.down = true;
  world.Release();
  world.Settle();
  CHECK(world.sync()["n"].as_u64() == n);
  CHECK(world.storage.Count("updates") == n);
}

TEST_CASE("an answer is discarded when the scopes are others than those asked with") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.server.Foreign("a", "A", "1");
  world.network.hold_answers = true;
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  world.host(0).Post(With(R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})"));
  for (int i = 0; i < 100; ++i) world.host(0).StepOnce();
  const uint64_t n = world.sync()["n"].as_u64();
  world.network.down = true;
  world.network.hold_answers = false;
  world.Release();
  world.Settle();
  CHECK(world.sync()["n"].as_u64() == n);
  CHECK(world.sync()["scopes"].items().size() == 2);
  CHECK(world.sync()["scopes"].items()[1]["filled"] == Data(false));
}

TEST_CASE("an answer that counts an update as folded is discarded when that update is no longer in the outbox") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("a", "A", 1)});
  for (int i = 0; i < 1000 && world.server.rows().empty(); ++i) world.host(0).StepOnce();
  world.network.hold_answers = true;
  world.Settle();
  REQUIRE(world.held.size() == 1);
  const Data outbox = world.storage.store("outbox").begin()->second;
  world.storage.store("outbox").clear();
  world.network.down = true;
  world.Release();
  world.Settle();
  CHECK(world.sync()["n"].as_number() == 0);
  world.storage.Put("outbox", outbox["id"], outbox);
  world.network.down = world.network.hold_answers = false;
  world.Run(60000);
  CHECK(world.Converged());
}

TEST_CASE("a mutation that spans realms is removed only when it is confirmed in every one of them") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string moved = world.Mutate({MoveItem("a", "A", "B")});
  for (int i = 0; i < 1000 && world.server.rows().at("a").realm == "A"; ++i) world.host(0).StepOnce();
  // The first pull after it shows realm A only.
  Data partly = Data::MakeObject();
  world.network.hold_answers = true;
  world.Settle();
  REQUIRE(world.held.size() == 1);
  Data answer = Json(world.held[0].second["body"].as_bytes());
  Data own = answer["own"];
  Data cursors = answer["cursors"];
  const std::string id = own.members()[0].first;
  Data realms = own[id];
  realms.Remove("B");
  cursors.Set("B", "0@0");
  Data changes = Data::MakeArray();
  for (const Data& change : answer["changes"].items()) {
    if (change["realm"].as_string() == "A") changes.Push(change);
  }
  answer.Set("own", own.Set(id, realms)).Set("cursors", cursors).Set("changes", changes);
  world.held[0].second.Set("body", Data::Bytes(WriteJson(answer)));
  world.network.hold_answers = false;
  world.network.down = true;
  world.Release();
  world.Settle();
  CHECK(world.storage.Count("mutations") == 1);
  const Data record = world.storage.Get("updates", world.sync()["n"]);
  REQUIRE(record["partly"].items().size() == 1);
  CHECK(record["partly"].items()[0]["id"].as_string() == moved);
  CHECK(record["partly"].items()[0]["realms"] == Json(R"(["A"])"));
  world.network.down = false;
  world.Run(60000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.Converged());
}

TEST_CASE("where this client may not read, being applied confirms") {
  SyncWorld world;
  world.server.write_only.insert("W");
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("w", "W", 1)});
  world.Run(20000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
}

TEST_CASE("at most four pulls in a row, then a push has its turn, also under steady traffic") {
  SyncWorld world;
  world.server.entries_a_pull = 1;
  for (int i = 0; i < 12; ++i) world.server.Foreign("x" + std::to_string(i), "A", "y");
  world.storage.Add("mutations", MutationRecord(SyncUuid(1), {CreateItem("mine", "A", 1)}));
  world.Open();
  for (int i = 0; i < 5000 && world.push_bodies.empty(); ++i) world.host(0).StepOnce();
  CHECK(world.pull_bodies.size() == 4);
  world.Run(60000);
  CHECK(world.Converged());
}

TEST_CASE("a revoked realm's rows leave, its pending mutations go to the inbox, and a sent one waits for its outcome") {
  SyncWorld world;
  world.server.Foreign("r", "R", "x");
  world.Open();
  world.Settle();
  REQUIRE(world.Converged());
  Data held = MutationRecord(SyncUuid(1), {UpdateItem("r", "R", "pending")});
  world.storage.Add("mutations", held.Set("held", true));
  world.server.revoked.insert("R");
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.Fold()->BaseKeys(0).empty());
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.storage.Get("conflicts", 1)["reason"].as_string() == "revoked");
  CHECK(world.sync()["cursors"].Find("R") == nullptr);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("a log that no longer reaches back is taken anew, and the old rows leave with the first new answer") {
  SyncWorld world;
  world.server.Foreign("a", "A", "x");
  world.Open();
  world.Settle();
  world.server.ForgetAfter("A", 0);
  world.server.Foreign("b", "A", "y");
  world.network.scripted.push_back(Scripted(410, R"({"code":"gone"})", "application/problem+json"));
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.sync()["refill"].items().empty());
  CHECK(world.Converged());
}

TEST_CASE("a realm that the answer resets is dropped before its rows come anew") {
  SyncWorld world;
  world.server.Foreign("a", "A", "x");
  world.Open();
  world.Settle();
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"9@9"},"reset":["A"],"changes":[
    {"change":"create","table":"items","id":"b","realm":"A","set":{"n":1},"createdAt":1,"modifiedAt":2,"revision":9}]})"));
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  const auto keys = world.Fold()->BaseKeys(0);
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].first == "b");
}

TEST_CASE("a fill page replaces its range and moves the scope on") {
  SyncWorld world;
  world.Open();
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[
    {"change":"create","table":"items","id":"b","realm":"A","set":{},"createdAt":1,"modifiedAt":1,"revision":1}],
    "more":true,"fills":[{"table":"items","where":["true"],"above":"","upto":"b","ids":["b"]}]})"));
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[
    {"change":"create","table":"items","id":"c","realm":"A","set":{},"createdAt":1,"modifiedAt":1,"revision":1}],
    "fills":[{"table":"items","where":["true"],"above":"b","upto":null,"ids":["c"]}]})"));
  world.Settle();
  REQUIRE(world.pull_bodies.size() >= 2);
  CHECK(Json(world.pull_bodies[0])["scopes"].items()[0]["filled"] == Data(false));
  CHECK(Json(world.pull_bodies[1])["scopes"].items()[0]["filled"].as_string() == "b");
  CHECK(world.sync()["scopes"].items()[0]["filled"] == Data(true));
  CHECK(world.Fold()->BaseKeys(0).size() == 2);
}

TEST_CASE("an answer that does not reach the heads fills no scope that it does not name") {
  SyncWorld world;
  world.Open();
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[],"more":true})"));
  for (int i = 0; i < 1000 && world.pull_bodies.size() < 2; ++i) world.host(0).StepOnce();
  CHECK(Json(world.pull_bodies.back())["scopes"].items()[0]["filled"] == Data(false));
}

constexpr std::string_view kImageAnswer = R"({"time":1,"cursors":{},"changes":[],"fills":[{"realm":"A","revision":7,"at":70,
  "epoch":1,"hash":"0123456789abcdef","bytes":5000,"url":"/v1/snapshot/A/1/7/0123456789abcdef"}]})";

struct Filling : SyncWorld {
  Filling() {
    network.scripted.push_back(Scripted(200, kImageAnswer));
    Open(true, Json(R"({"images":true})"));
    Settle();
  }
  void Finish(std::string_view event) {
    Data done = Json(event);
    host(0).Deliver(done.Set("type", "image").Set("id", host(0).image_jobs.back()["id"]));
  }
};

TEST_CASE("a whole realm is filled by the server's image: pointer, cursor and record in one transaction") {
  Filling world;
  REQUIRE(world.host(0).image_jobs.size() == 1);
  const Data job = world.host(0).image_jobs[0]["job"];
  CHECK(job["kind"].as_string() == "fill");
  CHECK(job["roll"] == Data(false));
  CHECK(job["fetch"]["checksum"].as_string() == "0123456789abcdef");
  CHECK(world.host(0).status["phase"].as_string() == "filling");
  CHECK(world.lease()["owner"].is_string());
  CHECK(world.pull_bodies.size() == 1);  // nothing is pulled meanwhile
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"7@70"},"changes":[]})"));
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  const Data sync = world.sync();
  CHECK(sync["cursors"]["A"].as_string() == "7@70");
  CHECK(sync["image"]["generation"] == job["generation"]);
  CHECK(sync["image"]["cursors"]["A"].as_string() == "7@70");
  CHECK(sync["image"]["n"].as_number() == 0);
  CHECK(sync["scopes"].items()[0]["filled"] == Data(true));
  CHECK(sync["generations"].items().empty());
  const Data record = world.storage.Get("updates", sync["n"]);
  CHECK(record["kind"].as_string() == "image");
  CHECK(record["generation"] == job["generation"]);
  CHECK(Json(world.pull_bodies[1])["cursors"]["A"].as_string() == "7@70");
}

TEST_CASE("mutations are pushed while an image is on its way") {
  Filling world;
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.server.rows().count("a") == 1);
  CHECK(world.pull_bodies.size() == 1);
}

TEST_CASE("an image that was fetched under a lost lease is not made the pointer") {
  Filling world;
  Data lease = world.lease();
  world.storage.Put("sync", "push", lease.Set("owner", "other").Set("epoch", lease["epoch"].as_u64() + 1));
  world.claims[lease["epoch"].as_u64()] = "other";
  world.Finish(R"({"parts":[{"file":"realm","bytes":5000,"checksum":"0123456789abcdef"}]})");
  world.Settle();
  CHECK(world.sync()["image"].is_null());
  CHECK(world.sync()["cursors"].members().empty());
}

TEST_CASE("a fill that fails is tried again, and says what went wrong") {
  Filling world;
  world.Finish(R"({"error":{"name":"checksum","message":"the file is damaged"}})");
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "image");
  CHECK(world.lease()["owner"].is_null());
  world.network.scripted.push_back(Scripted(200, kImageAnswer));
  world.Run(10000);
  REQUIRE(world.host(0).image_jobs.size() >= 2);
  CHECK(world.host(0).image_jobs.back()["job"]["kind"].as_string() == "fill");
}

TEST_CASE("records are rolled up under the lease image, and only up to the previous generation are they removed") {
  SyncWorld world;
  world.Open(true, Json(R"({"images":true,"limits":{"imageRecords":3}})"));
  world.Settle();
  uint64_t first_upto = 0;
  for (int round = 0; round < 3; ++round) {
    const size_t jobs = world.host(0).image_jobs.size();
    for (int i = 0; i < 10 && world.host(0).image_jobs.size() == jobs; ++i) {
      world.Mutate({IncItem("a", "A", 1)});
      world.Settle();
    }
    REQUIRE(world.host(0).image_jobs.size() == jobs + 1);
    const Data job = world.host(0).image_jobs.back()["job"];
    CHECK(job["kind"].as_string() == "roll");
    CHECK(world.lease("image")["owner"].as_string() == "tab-0");
    Data done = Json(R"({"parts":[{"file":"rows","bytes":10,"checksum":"0123456789abcdef"}]})");
    world.host(0).Deliver(done.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
    world.Settle();
    CHECK(world.sync()["image"]["generation"] == job["generation"]);
    if (round == 0) {
      first_upto = job["upto"].as_u64();
      CHECK(world.storage.store("updates").begin()->first.number == 1);  // no previous image: every record stays
    } else if (round == 1) {
      CHECK(world.storage.store("updates").begin()->first.number == static_cast<double>(first_upto + 1));
    } else {
      // What was previous before is deleted, and forgotten when that is done.
      const Data last = world.host(0).image_jobs.back()["job"];
      REQUIRE(last["kind"].as_string() == "delete");
      CHECK(last["generations"].items().size() == 1);
      Data gone = Json(R"({"parts":[]})");
      world.host(0).Deliver(gone.Set("type", "image").Set("id", world.host(0).image_jobs.back()["id"]));
      world.Settle();
      CHECK(world.sync()["generations"].items().empty());
      CHECK(world.lease("image")["owner"].is_null());
    }
  }
}

TEST_CASE("something that is no JSON answers: a typed error, a pause, and nothing is lost") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.scripted.push_back(Scripted(200, "<html>please log in</html>", "text/html"));
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "not_json");
  CHECK(world.host(0).status["phase"].as_string() == "waiting");
  CHECK(world.storage.Count("mutations") == 1);
  world.Run(10000);
  CHECK(world.host(0).status["error"].is_null());
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("an answer with a wrong member is used in no part") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"5@5"},"changes":[
    {"change":"create","table":"items","id":"b","realm":"A","set":{"n":1},"createdAt":1,"modifiedAt":2,"revision":5},
    {"change":"create","table":"nothing","id":"c","realm":"A","set":{},"createdAt":1,"modifiedAt":2,"revision":5}]})"));
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.host(0).status["error"]["code"].as_string() == "bad_answer");
  CHECK(world.sync()["cursors"].members().empty());
  CHECK(world.storage.Count("updates") == 0);
}

TEST_CASE("failures pause five seconds, doubling to sixty with jitter, and online cuts the pause short") {
  SyncWorld world;
  world.network.down = true;
  world.Open();
  world.Run(400000);
  const std::vector<double>& times = world.host(0).pull_times;
  REQUIRE(times.size() >= 8);
  double least = 5000 * 0.75, most = 5000 * 1.25;
  for (size_t i = 1; i < times.size(); ++i) {
    const double pause = times[i] - times[i - 1];
    CHECK(pause >= least);
    CHECK(pause <= most);
    least = std::min(least * 2, 60000 * 0.75);
    most = std::min(most * 2, 60000 * 1.25);
  }
  const size_t before = times.size();
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(times.size() == before);  // typing does not hammer a server that is down
  world.network.down = false;
  world.host(0).Post(With(R"({"type":"online","online":false})"));
  world.host(0).Post(With(R"({"type":"online","online":true})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("an idle client polls about once a minute, and pause stops it") {
  SyncWorld world;
  world.Open();
  world.Settle();
  const size_t before = world.pull_bodies.size();
  world.Run(600000);
  const size_t polls = world.pull_bodies.size() - before;
  CHECK(polls >= 7);
  CHECK(polls <= 14);
  world.host(0).Post(With(R"({"type":"pause"})"));
  world.Run(600000);
  CHECK(world.pull_bodies.size() == before + polls);
  CHECK(world.host(0).status["phase"].as_string() == "paused");
  world.Mutate({CreateItem("a", "A", 1)});
  world.Run(1000);
  CHECK(world.storage.Count("mutations") == 1);
  world.host(0).Post(With(R"({"type":"resume"})"));
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("an expired token is asked for anew; refused again, syncing waits for a person") {
  SyncWorld world;
  world.Open(true, Json(R"({"auth":true})"));
  world.Settle();
  CHECK(world.host(0).token_whys == std::vector<std::string>{"start"});
  const auto refuse = [&world] {
    world.network.scripted.push_back(Scripted(401, R"({"code":"unauthenticated"})", "application/problem+json"));
  };
  refuse();
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  CHECK(world.host(0).token_whys.back() == "expired");
  CHECK(world.storage.Count("mutations") == 0);
  refuse();
  refuse();
  world.Mutate({CreateItem("b", "A", 1)});
  world.Settle();
  CHECK(world.host(0).status["needsAuth"].as_bool());
  CHECK(world.host(0).status["phase"].as_string() == "blocked");
  const size_t requests = world.push_bodies.size() + world.pull_bodies.size();
  world.Run(600000);
  CHECK(world.push_bodies.size() + world.pull_bodies.size() == requests);
  CHECK(world.storage.Count("mutations") == 1);
  Data event = Json(R"({"type":"token","token":"fresh"})");
  world.host(0).Deliver(event);
  world.Settle();
  CHECK(world.storage.Count("mutations") == 0);
  CHECK_FALSE(world.host(0).status["needsAuth"].as_bool());
}

TEST_CASE("without a token nothing is sent, and the application is told") {
  SyncWorld world;
  world.token = nullptr;
  world.Open(true, Json(R"({"auth":true})"));
  world.Run(100000);
  CHECK(world.pull_bodies.empty());
  CHECK(world.host(0).status["needsAuth"].as_bool());
}

TEST_CASE("sync.now() is answered when a whole round is done, and with the error when it failed") {
  SyncWorld world;
  world.Open();
  world.Settle();
  const auto answer = [&world](double id) {
    for (const Data& post : world.host(0).posts) {
      if (post["type"].as_string() == "synced" && post["id"].as_number() == id) return post;
    }
    return Data();
  };
  world.host(0).Post(With(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(answer(1).is_object());
  CHECK(answer(1)["error"].is_null());
  world.network.down = true;
  world.host(0).Post(With(R"({"type":"sync","id":2})"));
  world.Settle();
  CHECK(answer(2)["error"]["code"].as_string() == "network");
  world.host(0).Post(With(R"({"type":"online","online":false})"));
  world.host(0).Post(With(R"({"type":"sync","id":3})"));
  world.Settle();
  CHECK(answer(3)["error"]["code"].as_string() == "offline");
}

TEST_CASE("one window holds the poke socket; a poke pulls, and one for what is here already does not") {
  SyncWorld world;
  world.Open(true, Json(R"({"socket":true})"));
  world.Open(true, Json(R"({"socket":true})"));
  world.Run(2000);
  const size_t holder = world.lease("listen")["owner"].as_string() == "tab-0" ? 0 : 1;
  CHECK(world.host(holder).socket == std::vector<std::string>{"open"});
  CHECK(world.host(1 - holder).socket.empty());
  const auto tell = [&](std::string_view event) { world.host(holder).Deliver(Json(event)); };
  tell(R"({"type":"socket","state":"open"})");
  world.Settle();
  REQUIRE(world.host(holder).sent_texts.size() == 1);
  const Data hello = Json(world.host(holder).sent_texts[0]);
  CHECK(hello["type"].as_string() == "hello");
  CHECK(hello["client"] == world.sync()["client"]);
  CHECK(hello["scopes"].items().size() == 1);
  world.server.Foreign("a", "A", "x");
  const size_t before = world.pull_bodies.size();
  tell(R"({"type":"socket","state":"message","text":"{\"type\":\"poke\",\"realm\":\"A\",\"revision\":1,\"tables\":[\"items\"]}"})");
  world.Settle();
  CHECK(world.pull_bodies.size() == before + 1);
  CHECK(world.Converged());
  tell(R"({"type":"socket","state":"message","text":"{\"type\":\"poke\",\"realm\":\"A\",\"revision\":1,\"tables\":[\"items\"]}"})");
  world.Settle();
  CHECK(world.pull_bodies.size() == before + 1);
  tell(R"({"type":"socket","state":"closed","code":1006})");
  world.Run(1500);
  CHECK(world.host(holder).socket.back() == "open");
  world.host(holder).Post(With(R"({"type":"visible","visible":false})"));
  world.Run(6000);
  CHECK(world.host(holder).socket.back() == "close");
  CHECK(world.host(1 - holder).socket.back() == "open");
}

TEST_CASE("a dropped scope is a record under a new n, and a scope that comes back starts unfilled") {
  SyncWorld world;
  world.Open();
  world.Settle();
  REQUIRE(world.sync()["scopes"].items()[0]["filled"] == Data(true));
  const uint64_t version = world.sync()["scopeVersion"].as_u64();
  world.network.down = true;
  world.host(0).Post(With(R"({"type":"scopes","add":[],"drop":[{"table":"items","where":["true"]}]})"));
  world.Settle();
  CHECK(world.storage.Get("updates", world.sync()["n"])["kind"].as_string() == "scopes");
  CHECK(world.sync()["scopeVersion"].as_u64() == version + 1);
  world.host(0).Post(With(R"({"type":"scopes","add":[{"table":"items","where":["true"]}]})"));
  world.Settle();
  CHECK(world.sync()["scopes"].items()[0]["filled"] == Data(false));
}

TEST_CASE("a record of a newer version of the package is left alone, and reported") {
  SyncWorld world;
  Data newer = Json(R"({"v":2,"secret":true})");
  world.storage.Put("sync", "sync", newer);
  world.Open();
  world.Run(100000);
  CHECK(world.sync() == newer);
  CHECK(world.host(0).status["error"]["code"].as_string() == "newer_tab");
}

}  // namespace
}  // namespace skerry::test
