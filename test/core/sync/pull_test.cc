// Goal: a pull asks for the right ranges, folds the answer into storage, and discards an answer
// that does not fit any more.
#include "sync/pull.h"

#include <memory>

#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "sync/chain.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

TEST_CASE("folds own updates as pushed, in log order, before the changes") {
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

// The fold of an answer that names one own update; `asked`: the request was made with it in the
// outbox.
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
  const Vector<OutboxRecord> updates = InChainOrder(outbox);
  Data sync = world.sync();
  Data cursors = Data::MakeObject();
  if (cursor > 0) cursors.Set("A", MakeCursor(static_cast<uint64_t>(cursor), 1));
  sync.Set("cursors", cursors);
  const PullRequest request = MakePullRequest(SyncSchema(), SyncRecord::Read(sync),
                                              asked ? updates : Vector<OutboxRecord>(), 100);
  Data own = Json(R"({"A":{"revision":2,"at":70}})");
  Data json = Json(R"({"time":1,"cursors":{"A":"3@90"},"changes":[
    {"change":"create","table":"items","id":"a","realm":"A","set":{"n":6},"createdAt":1,"modifiedAt":70,"revision":2}]})");
  Data all = Data::MakeObject();
  json.Set("own", all.Set(updates[0].id, own));
  const Result<PullAnswer> answer = ReadPullAnswer(SyncSchema(), json);
  SKERRY_CHECK(answer.ok());
  PullFold fold(&SyncSchema(), "", &request, &answer.value(), 1, 0);
  SKERRY_CHECK(fold.Decide(updates, SyncRecord::Read(sync)));
  const Data::Array writes = fold.Finish();
  SKERRY_CHECK(fold.unconfirmed() == 0);  // confirmed in any case: by its place in the log
  return fold.record()->Write();
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

TEST_CASE("folds only updates in this request's `have`; a later one comes in full") {
  CHECK(OwnSteps(FoldOwn(true, 1)) == 1);
  CHECK(OwnSteps(FoldOwn(false, 1)) == 0);
}

TEST_CASE("confirms an own update at or below the cursor without folding it") {
  CHECK(OwnSteps(FoldOwn(true, 2)) == 0);
}

// A mutation that the answer to a push named as known, at revision 3 of the log; and the fold of a
// pull's answer up to `cursor`, to which `answer` adds fields.
struct KnownFold {
  SyncWorld world;
  std::unique_ptr<PullFold> fold;
  Data writes = Data::MakeArray();

  KnownFold(std::string_view cursor, std::string_view answer, std::string_view before = "2@20") {
    world.Open();
    world.Settle();
    Data record = MutationRecord("m", {IncItem("a", "A", 5)});
    record.Set("known", Json(R"({"A":3})"));
    Data sync = world.sync();
    Data cursors = Data::MakeObject();
    if (!before.empty()) cursors.Set("A", before);
    sync.Set("cursors", cursors).Set("known", Json(R"([{"id":"m","key":7,"realms":{"A":3}}])"));
    request_ = MakePullRequest(SyncSchema(), SyncRecord::Read(sync), {}, 100);
    CHECK(request_.known.contains("m"));
    CHECK(ParseJson(request_.body).value()["known"] == Json(R"(["m"])"));
    Data json = Json(R"({"time":1,"changes":[]})");
    Data moved = Data::MakeObject();
    json.Set("cursors", moved.Set("A", cursor));
    const Data more = Json(answer);
    for (const auto& [name, value] : more.members()) json.Set(name, value);
    Result<PullAnswer> read = ReadPullAnswer(SyncSchema(), json);
    SKERRY_CHECK(read.ok());
    answer_ = std::move(read.value());
    fold = std::make_unique<PullFold>(&SyncSchema(), "", &request_, &answer_, 1, 0);
    SKERRY_CHECK(fold->Decide({}, SyncRecord::Read(sync)));
    if (fold->needs_mutations()) {
      Data row = Data::MakeObject();
      fold->AddMutations(Data(Data::Array{row.Set("key", 7).Set("value", record)}));
    }
    writes = Data(fold->Finish());
  }

  size_t confirmed() const { return fold->record()->confirmed.size(); }
  bool waits() const { return fold->sync().known.size() == 1; }
  // It was put into the inbox, with this code.
  bool set_aside(const char* code) const {
    for (const Data& write : writes.items()) {
      if (write["store"].Is("conflicts")) return write["add"]["code"].Is(code) && !waits();
    }
    return false;
  }
  // It is written back without the mark, so that it is grouped again.
  bool pending_again() const {
    for (const Data& write : writes.items()) {
      if (write["store"].Is("mutations") && write["put"].is_object())
        return write["put"]["known"].is_null() && fold->resend() && !waits();
    }
    return false;
  }

 private:
  PullRequest request_;
  PullAnswer answer_;
};

TEST_CASE("confirms an action logged under another update only if the server says so") {
  KnownFold held("5@50", R"({"known":{"m":{"A":4}}})");
  CHECK(held.confirmed() == 1);
  CHECK_FALSE(held.waits());

  KnownFold lost("5@50", R"({"known":{}})");
  CHECK(lost.confirmed() == 0);
  CHECK(lost.pending_again());

  KnownFold beyond("3@30", R"({"known":{},"more":true})");
  CHECK(beyond.waits());
  CHECK(beyond.confirmed() == 0);

  KnownFold unreadable("5@50", R"({"known":{},"cursors":{"B":"1@1"}})");
  CHECK(unreadable.confirmed() == 1);
}

TEST_CASE("puts a known action into the inbox that the log has forgotten, and no other") {
  KnownFold forgotten("5@50", R"({"known":{},"floors":{"A":{"revision":3,"at":30}}})");
  CHECK(forgotten.set_aside("outcome_unknown"));
  CHECK(forgotten.confirmed() == 0);
  CHECK_FALSE(forgotten.fold->resend());
  // The log is kept from the revision on at which it was, or still names it.
  CHECK(KnownFold("5@50", R"({"known":{},"floors":{"A":{"revision":2,"at":20}}})").pending_again());
  KnownFold held("5@50", R"({"known":{"m":{"A":3}},"floors":{"A":{"revision":4,"at":40}}})");
  CHECK(held.confirmed() == 1);
  CHECK(held.fold->sync().forgotten == ForgottenUpTo{{"A", 40}});
}

TEST_CASE("believes a server that does not name known actions, unless the realm is new") {
  KnownFold reached("5@50", "{}");
  CHECK(reached.confirmed() == 1);
  CHECK_FALSE(reached.waits());

  CHECK(KnownFold("2@20", "{}").waits());
  CHECK(KnownFold("5@50", "{}", "").pending_again());  // as a new realm, after 410
}

TEST_CASE("discards an answer when the scopes have changed since the request") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.server.Foreign("a", "A", "1");
  world.network.hold_answers = true;
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  world.host(0).Post(Json(R"({"type":"scopes","add":[{"table":"items","where":["=","n",1]}]})"));
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

TEST_CASE("discards an answer that folds an update which has left the outbox") {
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

TEST_CASE("removes a mutation over realms only when each of them has confirmed it") {
  SyncWorld world;
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("a", "A", 1)});
  world.Settle();
  const std::string moved = world.Mutate({MoveItem("a", "A", "B")});
  for (int i = 0; i < 1000 && world.server.rows().at("a").row.realm == "A"; ++i)
    world.host(0).StepOnce();
  // The first pull after the push covers realm A only.
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

TEST_CASE("refuses an answer whose time of an own update no record can hold") {
  for (const auto& [at, ok] : {std::pair("8640000000000000", true),
                               {"8640000000000001", false},
                               {"-1e300", false},
                               {"null", false}}) {
    const std::string own = R"({"u":{"A":{"revision":1,"at":)" + std::string(at) + "}}}";
    Data json = Json(R"({"time":1,"cursors":{"A":"1@1"},"changes":[]})");
    CHECK_MESSAGE(ReadPullAnswer(SyncSchema(), json.Set("own", Json(own))).ok() == ok, own);
  }
}

TEST_CASE("confirms by the push's answer where the client may not read") {
  SyncWorld world;
  world.server.write_only.insert("W");
  world.Open();
  world.Settle();
  world.Mutate({CreateItem("w", "W", 1)});
  world.Run(20000);
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
}

TEST_CASE("removes a revoked realm's rows, moves its pending mutations to the inbox") {
  SyncWorld world;
  world.server.Foreign("r", "R", "x");
  world.Open();
  world.Settle();
  REQUIRE(world.Converged());
  Data held = MutationRecord(SyncUuid(1), {UpdateItem("r", "R", "pending")});
  world.storage.Add("mutations", held.Set("held", true));
  world.server.revoked.insert("R");
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.Fold()->BaseKeys(0).empty());
  REQUIRE(world.storage.Count("conflicts") == 1);
  CHECK(world.storage.Get("conflicts", 1)["reason"].as_string() == "revoked");
  CHECK(world.sync()["cursors"].Find("R") == nullptr);
  CHECK(world.storage.Count("mutations") == 0);
}

TEST_CASE("an update that was sent keeps its id and place after its realm is revoked") {
  for (const bool arrived : {true, false}) {
    SyncWorld world;
    world.server.Foreign("r", "R", "x");
    world.Open();
    world.Settle();
    (arrived ? world.network.lose_push_answers : world.network.lose_push_requests) = 1;
    world.Mutate({IncItem("r", "R", 1)});
    world.Settle();
    REQUIRE(world.storage.Count("outbox") == 1);
    const Data sent = world.storage.store("outbox").begin()->second;
    REQUIRE(sent["state"].Is("sent"));
    world.server.revoked.insert("R");
    world.network.hold_answers = true;
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    world.Release();  // of the pull; the push is held
    world.Settle();
    REQUIRE(world.sync()["cursors"].Find("R") == nullptr);
    REQUIRE(world.storage.Count("outbox") == 1);
    CHECK(world.storage.store("outbox").begin()->second["id"] == sent["id"]);
    CHECK(world.storage.store("outbox").begin()->second["body"] == sent["body"]);
    world.network.hold_answers = false;
    world.Release();
    world.Run(60'000);
    CHECK(world.server.bodies.size() == 1);
    CHECK(world.server.bodies.begin()->second.size() == 1);
    CHECK(world.storage.Count("outbox") == 0);
    CHECK(world.storage.Count("mutations") == 0);
    CHECK(world.storage.Count("conflicts") == (arrived ? 0 : 1));
    CHECK(world.server.n("r") == (arrived ? 1 : 0));
  }
}

TEST_CASE("starts a realm again when the log was cut; old rows leave with the first answer") {
  SyncWorld world;
  world.server.Foreign("a", "A", "x");
  world.Open();
  world.Settle();
  world.server.Restore(SyncServer());
  world.server.Foreign("b", "A", "y");
  world.network.scripted.push_back(Scripted(410, R"({"code":"gone"})", "application/problem+json"));
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Settle();
  CHECK(world.sync()["refill"].items().empty());
  CHECK(world.Converged());
}

TEST_CASE("drops the rows of another history when they were given back, and no earlier") {
  SyncWorld world;
  world.server.Foreign("a", "A", "x");
  world.Open();
  world.Settle();
  const auto shown = [&] {
    Vector<std::string> ids;
    for (const auto& [id, realm] : world.Fold()->BaseKeys(0)) ids.push_back(id);
    return ids;
  };
  const auto answer = [&](std::string_view reset) {
    Data body = Json(R"({"time":1,"cursors":{"A":"9@9"},"changes":[
    {"change":"create","table":"items","id":"b","realm":"A","set":{"n":1},"createdAt":1,"modifiedAt":2,"revision":9}]})");
    if (!reset.empty()) body.Set("reset", Data(Data::Array{Data(reset)}));
    world.network.scripted.push_back(Scripted(200, WriteJson(body)));
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
  };
  answer("A");
  CHECK(shown() == Vector<std::string>{"a"});
  answer("");
  CHECK(shown() == Vector<std::string>{"a"});
  CHECK(GiveBack(&world.storage));
  answer("");
  CHECK(shown() == Vector<std::string>{"b"});
}

}  // namespace
}  // namespace skerry::sync_test
