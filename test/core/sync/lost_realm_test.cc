// Goal: a client keeps what it holds of a realm that the server has lost, confirms nothing there, and
// replaces rows only after a window has offered them. Method: workers of one client and a
// server that loses a realm; and answers, given to the class that folds them.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "sync/pull.h"
#include "sync/push.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

// A worker that has pulled a row of A, and one of R.
struct TwoRealms : SyncWorld {
  TwoRealms() {
    server.Foreign("a", "A", "x");
    server.Foreign("r", "R", "x");
    Open();
    Settle();
    REQUIRE(Converged());
  }
};

TEST_CASE("keeps the rows of a lost realm, until the server has it again") {
  TwoRealms world;
  const auto sync = [&] {
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
  };
  world.server.revoked.insert("R");
  world.server.lost.insert("R");
  sync();
  CHECK(world.Fold()->BaseKeys(0).size() == 2);
  CHECK(world.sync()["cursors"].Find("R") == nullptr);
  CHECK(world.sync()["lost"] == Json(R"(["R"])"));
  CHECK(world.storage.Get("updates", world.sync()["n"])["lost"] == Json(R"(["R"])"));
  // It is not asked for any more: so it is not revoked, either.
  world.server.lost.clear();
  world.server.Foreign("a", "A", "y");
  sync();
  CHECK(world.Fold()->BaseKeys(0).size() == 2);
  CHECK(world.sync()["lost"] == Json(R"(["R"])"));
  CHECK(world.storage.Get("updates", world.sync()["n"]).Find("lost") == nullptr);
  world.server.revoked.clear();
  world.server.Foreign("r", "R", "z");
  sync();
  // No window has offered the rows yet.
  CHECK(world.sync()["lostAt"]["R"]["offered"] == Json("false"));
  CHECK(world.storage.Get("updates", world.sync()["n"])["lost"] == Json(R"(["R"])"));
  const Data waiting = world.sync();
  sync();
  CHECK(world.sync() == waiting);
  CHECK(world.Fold()->BaseKeys(0).size() == 2);
  Data logged = world.sync();
  world.storage.Put("sync", "sync",
                    logged.Set("lostAt", Json(R"({"R":{"cursor":"1@1","offered":true}})")));
  sync();
  CHECK(world.Converged());
  CHECK(world.sync().Find("lostAt") == nullptr);
  CHECK(world.sync().Find("lost") == nullptr);
  CHECK(world.storage.Get("updates", world.sync()["n"])["lost"] == Json("[]"));
}

TEST_CASE("drops a realm that was revoked before it was read again, and keeps a lost one") {
  for (const bool is_lost : {false, true}) {
    TwoRealms world;
    // The server forgets this client's place in its log, so that the next pull has no cursors.
    world.network.scripted.push_back(
        Scripted(410, R"({"code":"gone"})", "application/problem+json"));
    world.server.revoked.insert("R");
    if (is_lost) world.server.lost.insert("R");
    world.pull_bodies.clear();
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    REQUIRE(world.pull_bodies.size() >= 2);
    CHECK(Json(world.pull_bodies[1])["cursors"] == Json("{}"));
    CHECK(Json(world.pull_bodies[1])["lost"] == Json(R"(["A","R"])"));
    CHECK(world.Fold()->BaseKeys(0).size() == (is_lost ? 2 : 1));
    CHECK(world.sync()["refill"] == Json(is_lost ? R"(["R"])" : "[]"));
    CHECK(world.sync()["lost"] == (is_lost ? Json(R"(["R"])") : Data()));
    CHECK(world.sync()["revokedAt"] == (is_lost ? Data() : world.sync()["n"]));
  }
}

TEST_CASE("takes a realm that is to be read again for revoked only if nothing brings it") {
  constexpr std::string_view kFill =
      R"({"realm":"R","revision":7,"at":70,"epoch":"1","hash":"0123456789abcdef","bytes":5000,
      "url":"/v1/snapshot/R/1/7/0123456789abcdef"})";
  for (const bool comes_by_image : {false, true}) {
    CAPTURE(comes_by_image);
    TwoRealms world;
    const std::string fills = comes_by_image ? std::string(kFill) : "";
    world.network.scripted.push_back(
        Scripted(410, R"({"code":"gone"})", "application/problem+json"));
    for (int i = 0; i < 10; ++i) {
      world.network.scripted.push_back(Scripted(
          200, R"({"time":1,"cursors":{"A":"0@0"},"changes":[],"fills":[)" + fills + "]}"));
    }
    world.host(0).Post(Json(R"({"type":"sync","id":1})"));
    world.Settle();
    CHECK(world.sync()["revokedAt"].is_null() == comes_by_image);
  }
}

TEST_CASE("does not take an update for confirmed that a lost realm had") {
  SyncWorld world;
  world.server.Foreign("r", "R", "x");
  world.Open();
  world.Settle();
  world.network.hold_answers = true;
  world.Mutate({UpdateItem("r", "R", "mine")});
  world.Run(20000);
  world.server.revoked.insert("R");
  world.server.lost.insert("R");
  world.network.hold_answers = false;
  world.Release();
  world.Run(20000);
  CHECK(world.sync()["lost"] == Json(R"(["R"])"));
  CHECK(world.storage.Count("mutations") == 1);
  CHECK(world.storage.Count("outbox") == 0);
  // It is pushed as soon as the server has the realm again.
  world.server.revoked.clear();
  world.server.lost.clear();
  Data logged = world.sync();
  world.storage.Put("sync", "sync",
                    logged.Set("lostAt", Json(R"({"R":{"cursor":"1@1","offered":true}})")));
  world.host(0).Post(Json(R"({"type":"sync","id":1})"));
  world.Run(20000);
  CHECK(world.storage.Count("mutations") + world.storage.Count("conflicts") == 0);
  CHECK(world.Converged());
}

enum class Fate { kKept, kConfirmed, kUndone };
struct Folded {
  Fate fate;
  bool resend;
  OutboxRecord update;  // as it is left, if it is kept
};

// Gives the answer to the fold of a client whose only update was applied in R.
Folded FoldOf(OutboxRecord update, const SyncRecord& sync, const PullAnswer& answer) {
  update.state = OutboxState::kReceived;
  update.revisions = Revisions{{"R", 3}};
  update.mutations = {{SyncUuid(7), Key(1), {}}};
  const PullRequest request = MakePullRequest(SyncSchema(), sync, {update}, 100);
  PullFold fold(&SyncSchema(), "anna", &request, &answer, 1, 0);
  REQUIRE(fold.Decide({update}, sync));
  const Data::Array writes = fold.Finish();
  const auto has = [&](const Data& write) {
    return std::find(writes.begin(), writes.end(), write) != writes.end();
  };
  for (const Data& write : writes) {
    if (write["key"] == Data(update.id)) update = OutboxRecord::Read(write["put"]);
  }
  if (!has(DeleteWrite(Store::kOutbox, update.id))) return {Fate::kKept, fold.resend(), update};
  const bool is_confirmed = has(DeleteWrite(Store::kMutations, Key(1)));
  return {is_confirmed ? Fate::kConfirmed : Fate::kUndone, fold.resend(), update};
}

OutboxRecord FoundingUpdate() {
  OutboxRecord founding;
  founding.id = SyncUuid(9);
  founding.after["R"] = {};
  founding.body = "{}";
  return founding;
}

TEST_CASE("pushes an update once more, if no pull has the realm that had applied it") {
  SyncRecord sync;
  PullAnswer answer;
  SUBCASE("the server was restored from a backup of before, and this client has no token") {}
  SUBCASE("the realm had been lost, and is lost again, or another has taken it") {
    sync.lost = {"R"};
    answer.lost = {"R"};
  }
  const Folded sent = FoldOf(FoundingUpdate(), sync, answer);
  CHECK(sent.fate == Fate::kKept);
  CHECK(sent.resend);
  CHECK(sent.update.state == OutboxState::kSent);
  CHECK(!sent.update.revisions.has_value());
  // The server has answered again that it is applied.
  const Folded again = FoldOf(sent.update, sync, answer);
  CHECK(again.fate == Fate::kConfirmed);
  CHECK(!again.resend);
}

TEST_CASE("pushes an update again that was applied only now, if no pull has its realm") {
  OutboxRecord founding = FoundingUpdate();
  founding.state = OutboxState::kSent;
  founding.checked = true;
  for (const bool is_new : {true, false}) {
    Data body = Data::MakeObject();
    body.Set("results",
             Data::MakeArray().Push(Json(R"({"revisions":{"R":1}})")
                                        .Set("id", founding.id)
                                        .Set("status", is_new ? "applied" : "duplicate")));
    PushAnswer answer(&SyncSchema(), "", {"", {founding.id}, {}}, *ReadPushResults(std::move(body)),
                      5);
    Random random("applied");
    UuidGenerator ids(&random);
    answer.Decide({founding}, SyncRecord(), &ids);
    const Data::Array writes = answer.Finish();
    OutboxRecord received;
    for (const Data& write : writes) {
      if (write["store"].Is("outbox")) received = OutboxRecord::Read(write["put"]);
    }
    REQUIRE(received.received());
    const Folded folded = FoldOf(std::move(received), SyncRecord(), PullAnswer());
    CHECK(folded.fate == (is_new ? Fate::kKept : Fate::kConfirmed));
  }
}

TEST_CASE("undoes an update that was pushed once more, if its realm is lost again") {
  SyncRecord sync;
  const Folded sent = FoldOf(FoundingUpdate(), sync, PullAnswer());
  REQUIRE(sent.fate == Fate::kKept);
  PullAnswer answer;
  answer.lost = {"R"};
  CHECK(FoldOf(sent.update, sync, answer).fate == Fate::kUndone);
}

TEST_CASE("pushes an update that was asked for again, if the server was restored since") {
  SyncRecord sync;
  sync.cursors = {{"A", "5@5"}, {"S", "1@1"}};
  OutboxRecord asked = FoundingUpdate();
  asked.checked = true;
  PullAnswer answer;
  SUBCASE("another realm has another history") {
    sync.cursors.erase("A");
    sync.lost = {"A"};
    sync.lost_at["A"] = {"5@5", {}, true, {}, {}};
    answer.cursors = {{"A", "1@1"}};
  }
  SUBCASE("another realm is lost") { answer.lost = {"S"}; }
  const Folded folded = FoldOf(asked, sync, answer);
  CHECK(folded.fate == Fate::kKept);
  CHECK(folded.resend);
}

// Gives the answer to the fold of a client with one mutation in R, whose action the server knew.
PullFold FoldOfKnown(SyncRecord sync, const PullRequest& request, const PullAnswer& answer) {
  PullFold fold(&SyncSchema(), "anna", &request, &answer, 1, 0);
  REQUIRE(fold.Decide({}, std::move(sync)));
  skerry::MutationRecord mutation = skerry::MutationRecord::Read(MutationRecord(SyncUuid(7), {}));
  mutation.known = Revisions{{"R", 3}};
  Data row = Data::MakeObject();
  if (fold.needs_mutations())
    fold.AddMutations(Data(Data::Array{row.Set("key", 1).Set("value", mutation.Write())}));
  return fold;
}

TEST_CASE("a known action in a lost realm waits, and does not count if the loss is new") {
  SyncRecord sync;
  sync.known = {{SyncUuid(7), Key(1), Revisions{{"R", 3}}, {}}};
  PullAnswer answer;
  answer.known.emplace();
  answer.lost = {"R"};
  SUBCASE("another has taken the realm: it is not pushed again and again") {
    sync.lost = {"R"};
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {}, 100);
    PullFold fold = FoldOfKnown(sync, request, answer);
    fold.Finish();
    CHECK(fold.sync().known.size() == 1);
    CHECK(!fold.resend());
  }
  SUBCASE("it was known before the realm was lost") {
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {}, 100);
    PullFold fold = FoldOfKnown(sync, request, answer);
    CHECK(fold.sync().known.empty());
    Vector<Data> put;
    for (const Data& write : fold.Finish()) {
      if (write["store"].Is("mutations")) put.push_back(write["put"]);
    }
    REQUIRE(put.size() == 1);
    CHECK(put[0]["known"].is_null());
  }
}

TEST_CASE("an increment that may have been in a lost log is not pushed again") {
  // Whether another client gives it back is not known.
  const auto inbox = [](OutboxState state, std::string realm) {
    OutboxRecord update = FoundingUpdate();
    update.state = state;
    update.revisions = Revisions{{"R", 3}};
    update.mutations = {{SyncUuid(7), Key(1), {}}};
    SyncRecord sync;
    sync.cursors = {{"R", "2@1"}};
    PullAnswer answer;
    answer.reset = {"R"};
    answer.cursors = {{"R", "1@1"}};
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {update}, 100);
    PullFold fold(&SyncSchema(), "anna", &request, &answer, 1, 0);
    SKERRY_CHECK(fold.Decide({update}, std::move(sync)));
    Data record = MutationRecord(SyncUuid(7), {IncItem("a", std::move(realm), 1)});
    record.Set("update", update.id).Set("state", "grouped");
    Data row = Data::MakeObject();
    SKERRY_CHECK(fold.needs_mutations());
    fold.AddMutations(Data(Data::Array{row.Set("key", 1).Set("value", record)}));
    Vector<std::string> codes;
    for (const Data& write : fold.Finish()) {
      if (write["store"].Is("conflicts")) codes.push_back(write["add"]["code"].as_string());
      if (write["store"].Is("mutations") && write["put"].is_object()) codes.push_back("pending");
    }
    return codes;
  };
  CHECK(inbox(OutboxState::kSent, "R") == Vector<std::string>{"outcome_unknown"});
  CHECK(inbox(OutboxState::kReceived, "R") == Vector<std::string>{"outcome_unknown"});
  CHECK(inbox(OutboxState::kNew, "R") == Vector<std::string>{"pending"});
  CHECK(inbox(OutboxState::kSent, "S") == Vector<std::string>{"pending"});
}

TEST_CASE("confirms an update at once whose realm was revoked") {
  OutboxRecord update = FoundingUpdate();
  update.after["R"] = {1, SyncUuid(8), {}};
  SyncRecord sync;
  sync.cursors = {{"R", "2@1"}};
  PullAnswer answer;
  answer.revoked = {"R"};
  CHECK(FoldOf(update, sync, answer).fate == Fate::kConfirmed);
}

}  // namespace
}  // namespace skerry::sync_test
