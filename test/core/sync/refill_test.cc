// Goal: the client fills scopes again when their changes were too large to send, and recovers from
// answers that are too large to read.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "sync/chain.h"
#include "sync/pull.h"
#include "sync/records.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

constexpr char kTwoItems[] = R"({"time":1,"cursors":{"A":"1@1"},"changes":[
  {"change":"create","table":"items","id":"a","realm":"A","set":{},"createdAt":1,"modifiedAt":1,"revision":1},
  {"change":"create","table":"items","id":"b","realm":"A","set":{},"createdAt":1,"modifiedAt":1,"revision":1}]})";
constexpr char kRefill[] = R"({"time":1,"cursors":{"A":"2@2"},"changes":[],"more":true,
  "refill":[{"table":"items","where":["true"]}]})";

Data TooLarge() {
  Data event = Data::MakeObject();
  return event.Set("error", Json(R"({"name":"too-large","message":""})"));
}

struct Refilling : SyncWorld {
  Refilling() {
    Open();
    network.scripted.push_back(Scripted(200, kTwoItems));
    Settle();
    REQUIRE(Fold()->BaseKeys(0).size() == 2);
    REQUIRE(filled() == Data(true));
    pull_bodies.clear();
  }
  void Pull() {
    host(0).Post(Json(R"({"type":"sync","id":1})"));
    for (int i = 0; i < 1000 && network.scripted.size() > 0; ++i) host(0).StepOnce();
  }
  Data filled() const { return sync()["scopes"].items()[0]["filled"]; }
};

TEST_CASE("keeps a layout's mark of missing rows when another layout misses some, too") {
  SyncRecord sync;
  const std::string own = Layout(SyncSchema());
  NoteLeftOut(own, &sync);
  CHECK(!MustReadAgain(SyncSchema(), sync));
  NoteLeftOut("0123456789abcdef", &sync);
  CHECK(MustReadAgain(SyncSchema(), sync));
  NoteLeftOut(own, &sync);
  CHECK(MustReadAgain(SyncSchema(), sync));
}

TEST_CASE("unfills a scope with its cursor's move; old rows stay until pages replace them") {
  Refilling world;
  const uint64_t version = world.sync()["scopeVersion"].as_u64();
  world.network.scripted.push_back(Scripted(200, kRefill));
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"2@2"},"changes":[
    {"change":"create","table":"items","id":"a","realm":"A","set":{"n":2},"createdAt":1,"modifiedAt":2,"revision":2}],
    "more":true,"fills":[{"table":"items","where":["true"],"above":"","upto":"a","ids":["a"]}]})"));
  world.Pull();
  REQUIRE(world.pull_bodies.size() == 2);
  CHECK(Json(world.pull_bodies[0])["refill"].as_bool());
  const Data asked = Json(world.pull_bodies[1]);
  CHECK(asked["scopes"].items()[0]["filled"] == Data(false));
  CHECK(asked["cursors"] == Json(R"({"A":"2@2"})"));
  CHECK(world.Fold()->BaseKeys(0).size() == 2);
  CHECK(world.host(0).status["phase"].as_string() == "filling");
  CHECK(world.host(0).status["error"].is_null());
  // An image that was requested before fills nothing.
  CHECK(world.sync()["scopeVersion"].as_u64() > version);
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"2@2"},"changes":[
    {"change":"create","table":"items","id":"c","realm":"A","set":{},"createdAt":1,"modifiedAt":2,"revision":2}],
    "fills":[{"table":"items","where":["true"],"above":"a","upto":null,"ids":["c"]}]})"));
  world.Settle();
  CHECK(world.filled() == Data(true));
  CHECK(world.Fold()->GetBase("A", {0, "a"})->revision == 2);
  CHECK_FALSE(world.Fold()->GetBase("A", {0, "b"}).has_value());
  CHECK(world.Fold()->GetBase("A", {0, "c"}).has_value());
}

TEST_CASE("marks no scope as filled by an answer that fills another one again") {
  Refilling world;
  world.network.down = true;
  world.host(0).Post(Json(R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})"));
  world.Settle();
  world.network.down = false;
  // Without `more`.
  world.network.scripted.push_back(Scripted(200, R"({"time":1,"cursors":{"A":"2@2"},"changes":[],
    "refill":[{"table":"items","where":["true"]}]})"));
  world.Pull();
  world.network.down = true;  // the server of this test has no such revision
  for (int i = 0; i < 100 && world.filled() == Data(true); ++i) world.host(0).StepOnce();
  const Data scopes = world.sync()["scopes"];
  REQUIRE(scopes.items().size() == 2);
  for (const Data& scope : scopes.items()) CHECK(scope["filled"] == Data(false));
}

// The kinds of steps of an answer that names an own update, for a scope of items with the name
// `here`. `newest`: the newest version that has opened the database. `after`: gets `sync` as it is
// then.
Vector<StepKind> StepsOf(std::string_view refill, uint64_t newest = 1, Data* after = nullptr) {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.Mutate({UpdateItem("a", "A", "elsewhere")});
  world.Settle();
  Data outbox = Data::MakeArray();
  for (const auto& [key, value] : world.storage.store("outbox")) {
    Data row = Data::MakeObject();
    outbox.Push(row.Set("key", key.ToData()).Set("value", value));
  }
  const Vector<OutboxRecord> updates = InChainOrder(outbox);
  Data sync = world.sync();
  sync.Set("cursors", Json(R"({"A":"1@1"})")).Set("schema", newest);
  sync.Set("scopes", Json(R"([{"table":"items","where":["=","name","here"],"filled":true}])"));
  const PullRequest request = MakePullRequest(SyncSchema(), SyncRecord::Read(sync), updates, 100);
  Data own = Data::MakeObject();
  own.Set(updates[0].id, Json(R"({"A":{"revision":2,"at":70}})"));
  Data json = Json(R"({"time":1,"cursors":{"A":"2@70"},"changes":[],"more":true})");
  json.Set("own", std::move(own));
  if (!refill.empty()) json.Set("refill", Json(refill));
  const Result<PullAnswer> answer = ReadPullAnswer(SyncSchema(), json);
  REQUIRE(answer.ok());
  PullFold fold(&SyncSchema(), "", &request, &answer.value(), 1, 0);
  REQUIRE(fold.Decide(updates, SyncRecord::Read(sync)));
  const Data::Array writes = fold.Finish();
  if (after != nullptr) *after = writes.back()["put"];
  Vector<StepKind> kinds;
  const auto steps = DecodeSteps(SyncSchema(), *fold.record()->body);
  for (const Step& step : steps.value()) kinds.push_back(step.kind);
  return kinds;
}

TEST_CASE("removes rows that own ops took out of every scope when no page will") {
  const Vector<StepKind> expected{StepKind::kOwnOps};
  const Vector<StepKind> omitted{StepKind::kOwnOps, StepKind::kKeepScopes};
  CHECK(StepsOf("") == expected);
  CHECK(StepsOf(R"([{"table":"items","where":["=","name","here"]}])") == omitted);
  CHECK(StepsOf("[]") == omitted);  // of a table that no scope names
}

TEST_CASE("makes a newer version load all again when an older one cannot apply its scopes") {
  Data sync;
  CHECK(StepsOf("", 9, &sync) == Vector<StepKind>{StepKind::kOwnOps});
  CHECK(sync["lacks"].is_null());
  CHECK(StepsOf("[]", 9, &sync) == Vector<StepKind>{StepKind::kOwnOps});
  CHECK(sync["lacks"].is_string());
}

TEST_CASE("rejects an answer with a malformed `refill`") {
  for (const char* refill :
       {R"({})", R"("items")", R"([{"table":1,"where":["true"]}])", R"([{"table":"items"}])"}) {
    Data json = Json(R"({"time":1,"cursors":{},"changes":[]})");
    CHECK_FALSE(ReadPullAnswer(SyncSchema(), json.Set("refill", Json(refill))).ok());
  }
}

TEST_CASE("asks for fewer entries after an answer too large to read, then for more again") {
  Refilling world;
  for (int i = 0; i < 2; ++i) world.network.scripted.push_back(TooLarge());
  world.server.Foreign("x", "A", "y");
  for (int i = 0; i < 4; ++i)
    world.network.scripted.push_back(
        Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[],"more":true})"));
  world.network.scripted.push_back(
      Scripted(200, R"({"time":1,"cursors":{"A":"1@1"},"changes":[]})"));
  world.Pull();
  Vector<uint64_t> limits;
  for (const std::string& body : world.pull_bodies) limits.push_back(Json(body)["limit"].as_u64());
  CHECK(limits == Vector<uint64_t>{10'000, 100, 1, 10, 100, 1'000, 10'000});
}

TEST_CASE("starts again from empty cursors when one entry is too large, then retries") {
  SyncWorld world;
  world.server.Foreign("a", "A", "x");
  world.Open();
  world.Settle();
  const Data cursors = world.sync()["cursors"];
  world.pull_bodies.clear();
  for (int i = 0; i < 5; ++i) world.network.scripted.push_back(TooLarge());
  world.server.Foreign("b", "A", "y");
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  REQUIRE(world.pull_bodies.size() >= 4);
  CHECK(Json(world.pull_bodies[2])["limit"].as_u64() == 1);
  CHECK(Json(world.pull_bodies[2])["cursors"] == cursors);
  CHECK(Json(world.pull_bodies[3])["cursors"] == Json("{}"));
  CHECK(world.pull_bodies.size() == 4);
  CHECK(world.host(0).status["phase"].as_string() == "waiting");
  CHECK(world.host(0).status["error"]["code"].as_string() == "too_large");
  CHECK(world.host(0).status["error"]["retryable"].as_bool());
  world.Run(120'000);
  CHECK(world.host(0).status["error"].is_null());
  CHECK(world.Converged());
}

}  // namespace
}  // namespace skerry::sync_test
