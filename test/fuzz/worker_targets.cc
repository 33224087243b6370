// Targets of the sync worker: wrong answers of a server, records that another script of the origin
// has written, and messages of such a script on the channel.
#include <set>
#include <utility>

#include "base/fields.h"
#include "base/json.h"
#include "sync/answer.h"
#include "sync/pull.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"
#include "test/fuzz/snapshot.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

using namespace sync_test;  // NOLINT(google-build-using-namespace)

constexpr double kAWhile = 120'000;  // a few polls and pauses
constexpr double kLong = 700'000;    // more than twice the pause after a refused token

// Brings the world into use: filled scopes, a rejected mutation, an update whose answer was lost,
// and mutations that wait for it.
void Live(SyncWorld* world) {
  world->Open();
  world->host(0).Post(
      Json(R"({"type":"streams","add":[{"stream":"chat","last":5},{"stream":"doc/*"}]})"));
  world->server.ForeignAppend("chat", "A", "x");
  world->Mutate({AppendTo("doc/1", "A")});
  world->Mutate({CreateItem("a", "A", 1, "one"), CreateItem("b", "B", 2)});
  world->Run(2000);
  world->Mutate({UpdateItem("a", "A", "bad")});
  world->server.Foreign("f", "A", "foreign");
  world->Run(2000);
  world->network.lose_push_answers = 1;
  world->Mutate({IncItem("a", "A", 1)});
  world->Run(50);
  world->network.down = true;
  world->Run(5000);
  world->Mutate({UpdateItem("b", "B", "later")});
  world->Mutate({CreateChild("c", "A", "a")});
  world->Run(3000);
}

void Recover(SyncWorld* world) {
  world->network = Network();
  world->Run(kAWhile);
  if (GiveBack(&world->storage)) world->Run(kAWhile);
}

// Checks that a later change reaches the server, or that the window gets an error.
std::string StillSyncs(SyncWorld* world, size_t window, bool* taken) {
  const std::string id = world->Mutate({CreateItem("after", "A", 7)}, window);
  world->Run(kAWhile);
  *taken = world->server.rows().contains("after");
  if (*taken) return "";
  if (!world->host(window).status["error"].is_null()) return "";
  for (const auto& [key, entry] : world->storage.store("conflicts")) {
    if (entry["mutation"]["id"].as_string() == id) return "";
  }
  return "a change that is not pushed any more, and nothing says so";
}

bool Arrived(SyncWorld* world, const Data& mutation) {
  for (const auto& [place, count] : world->server.ActionCounts()) {
    if (place.second == mutation["id"].as_string()) return true;
  }
  return IsKept(&world->storage, mutation);
}

const Data& WorkerSnapshot() {
  static const Data whole = [] {
    SyncWorld world;
    Live(&world);
    return TakeSnapshot(&world.storage, {});
  }();
  return whole;
}

Vector<std::string> WorkerStorageSeeds() { return {EncodeData(WorkerSnapshot())}; }

// Whether a changed record names the mutation by its id or its key, and so may have confirmed it.
bool NamesMutation(const Data& record, const Data& row) {
  const Data& update =
      record.is_array() && !record.items().empty() ? record.items().back() : record;
  for (const Data& named : update["mutations"].items()) {
    if (named["key"] == row.items()[0]) return true;
  }
  const std::string& id = row.items()[1]["id"].as_string();
  return EncodeData(record).find(id) != std::string::npos;
}

std::string RunWorkerStorage(std::string_view input, bool* taken) {
  const Result<Data> snapshot = DecodeData(input);
  if (!snapshot.ok()) return "";
  SyncWorld world;
  Live(&world);
  world.host(0).Crash();
  world.damaged = true;
  Images images;
  PutSnapshot(snapshot.value(), &world.storage, &images);
  const Vector<Data> untouched = Untouched(WorkerSnapshot(), &world.storage);
  world.Open();
  Recover(&world);
  std::string problem = StillSyncs(&world, 1, taken);
  if (!problem.empty()) return problem;
  const bool same_sync = snapshot.value()["sync"] == WorkerSnapshot()["sync"];
  for (const Data& pending : untouched) {
    bool named = !same_sync && NamesMutation(snapshot.value()["sync"], pending);
    for (const Data& row : snapshot.value()["outbox"].items()) {
      bool same = false;
      for (const Data& other : WorkerSnapshot()["outbox"].items()) same = same || row == other;
      named = named || (!same && NamesMutation(row, pending));
    }
    if (!named && !Arrived(&world, pending.items()[1]))
      return "a pending mutation that nobody touched is lost";
  }
  return "";
}

Data Scenery(const char* type) { return Fields{{"type", type}}; }

Vector<std::string> WorkerMessageSeeds() {
  const Data& whole = WorkerSnapshot();
  Data record = whole["updates"].items().back().items()[1];
  record.Set("n", record["n"].as_u64() + 1);
  Data lease = Fields{{"v", 1}, {"owner", "tab-9"}, {"epoch", 9}, {"beat", 4}, {"job", "push"}};
  const Data::Array messages = {
      Scenery("added"),
      Scenery("left"),
      Fields{{"type", "wake"}, {"reason", "poke"}, {"realm", "A"}, {"revision", 90}},
      Fields{{"type", "lease"}, {"name", "push"}, {"outcome", "done"}, {"lease", lease}},
      Fields{{"type", "lease"},
             {"name", "image"},
             {"outcome", "left"},
             {"lease", Data::Object{{"owner", Data()}, {"epoch", 3}}}},
      Fields{{"type", "status"},
             {"n", 90},
             {"shared",
              Data::Object{{"phase", "pulling"},
                           {"pending", 3},
                           {"conflicts", 1},
                           {"progress", Data()},
                           {"lastSyncedAt", 4},
                           {"clockOffsetMs", 5},
                           {"nextTryAt", Data()},
                           {"needsAuth", false},
                           {"lease", Data()},
                           {"scopes", Data::Array{Data::Object{{"table", "items"},
                                                               {"where", Data::Array{"true"}},
                                                               {"filled", true}}}},
                           {"error", Data::Object{{"code", "x"}, {"message", "y"}}}}}},
      Fields{{"type", "pushed"}, {"results", Data::Array{}}},
      Fields{{"type", "serviceFailed"}, {"reason", "x"}},
      Scenery("fill"),
      Fields{{"type", "needToken"}, {"why", "expired"}},
      Fields{{"type", "synced"}, {"id", Data::Object{{"tab", "tab-0"}, {"id", 1}}}},
      Fields{{"type", "logged"},
             {"n", 50},
             {"cursors", Data::Object{{"A", "9@9"}}},
             {"recordBytes", 9000}},
      Fields{{"type", "record"}, {"record", std::move(record)}},
      Fields{{"type", "image"}, {"n", 4}, {"generation", "x"}},
  };
  return SeedsOfMessages(messages);
}

std::string RunWorkerMessages(std::string_view input, bool* taken) {
  const Result<Data> messages = DecodeData(input);
  if (!messages.ok()) return "";
  SyncWorld world;
  world.damaged = true;
  Live(&world);
  // Three workers: one holds the lease, one waits, and one leaves its work to a service worker that
  // does not exist.
  world.Open();
  world.Open(true, Data::Object{{"mode", "helper"}});
  for (const Data& message : messages.value().items()) {
    for (size_t i = 0; i < world.size(); ++i) {
      Data event = Fields{{"type", "message"}, {"message", message}};
      world.host(i).Deliver(std::move(event));
    }
    world.Settle();
  }
  Recover(&world);
  std::string problem = StillSyncs(&world, 0, taken);
  if (!problem.empty()) return problem;
  for (const Data& row : WorkerSnapshot()["mutations"].items()) {
    if (!Arrived(&world, row.items()[1])) return "a pending mutation is lost";
  }
  return "";
}

// The answers to the next requests, of any kind, in order: {status, contentType, body}.
Vector<std::string> WorkerAnswerSeeds() {
  SyncWorld world;
  Live(&world);
  const Data pull = world.server.Pull(Json(world.pull_bodies.back()));
  const Data push = world.server.Push(Json(world.push_bodies.back()));
  const auto answer = [](double status, const Data& json) {
    return Scripted(status, WriteJson(json));
  };
  const Data filled = Json(
      R"({"time":1000,"cursors":{"A":"3@1000004","B":"1@1000001"},"more":true,"own":{},"revoked":["B"],"reset":["A"],
      "fills":[{"table":"items","where":["true"],"above":"","upto":"m","realms":["A"],"ids":["a"]},
      {"realm":"A","revision":3,"at":5,"hash":"0123456789abcdef","bytes":99,"url":"/v1/images/x"}],
      "changes":[{"change":"create","table":"items","id":"z","realm":"A","set":{"n":1,"name":"z","parent":"a"},
      "createdAt":5,"modifiedAt":6,"revision":3}],"known":{},"realmsToken":"t",
      "streams":[{"realm":"A","stream":"chat","revision":3,"actions":[{"id":"01890000-0000-7000-8000-000000000007","name":"said",
      "arg":null,"at":5,"madeAt":4,"author":"bo"}]}],"streamsFilled":[{"stream":"chat","filled":{"A":3},"from":{"A":1}}]})");
  const Data refused = Json(
      R"({"time":1000,"results":[{"id":"00000000-0000-7000-8000-000000000001","status":"rejected","rejected":[{"op":0,"actions":
      ["00000000-0000-7000-8000-000000001003"],"code":"unique","detail":"taken","theirs":{"n":1}}],"known":{}},{"id":"x","status":"forked"}]})");
  Vector<std::string> seeds;
  for (const Data& one :
       {answer(200, pull), answer(200, push), answer(200, filled), answer(200, refused),
        answer(409, Json(R"({"code":"conflict","detail":"x"})")),
        answer(410, Json(R"({"code":"gone"})")), answer(413, Json(R"({"code":"too_large"})")),
        answer(422, Json(R"({"code":"invalid","detail":"x"})")),
        answer(401, Json(R"({"code":"unauthenticated"})")),
        answer(503, Json(R"({"code":"busy","retryAfter":1})"))}) {
    seeds.push_back(EncodeData(Data(Data::Array{one})));
    seeds.push_back(EncodeData(Data(Data::Array{answer(200, pull), one, answer(200, push), one})));
  }
  return seeds;
}

// Whether a client must accept the response as the server's answer. Then any result is right.
bool IsCredible(const Data& response) {
  const Answer answer = ReadAnswer(ReadKind<ResponseEvent>(response));
  if (answer.kind == AnswerKind::kFailed || answer.kind == AnswerKind::kAuth) return false;
  return answer.kind != AnswerKind::kOk || answer.json["results"].is_array() ||
         ReadPullAnswer(SyncSchema(), answer.json).ok();
}

std::string RunWorkerAnswers(std::string_view input, bool* taken) {
  const Result<Data> answers = DecodeData(input);
  if (!answers.ok()) return "";
  SyncWorld world;
  Live(&world);
  world.damaged = true;
  world.network = Network();
  bool credible = false;
  for (const Data& answer : answers.value().items()) {
    if (!answer.is_object()) continue;
    credible = credible || IsCredible(answer);
    world.network.scripted.push_back(answer);
  }
  world.Run(kAWhile);
  Recover(&world);
  std::string problem = StillSyncs(&world, 0, taken);
  if (!problem.empty() || credible) return problem;
  if (!*taken) world.Run(kLong);  // it waits, and says so
  for (const Data& row : WorkerSnapshot()["mutations"].items()) {
    if (!Arrived(&world, row.items()[1])) return "a pending mutation is lost";
  }
  if (world.storage.Count("mutations") > 0) return "something is still pending";
  return world.Converged() ? "" : "the client is not in step with the server";
}

}  // namespace

void AddWorkerTargets(Vector<Target>* targets) {
  targets->push_back({"worker-storage", Form::kData, 60, WorkerStorageSeeds, RunWorkerStorage});
  targets->push_back({"worker-messages", Form::kData, 40, WorkerMessageSeeds, RunWorkerMessages});
  targets->push_back({"worker-answers", Form::kData, 60, WorkerAnswerSeeds, RunWorkerAnswers});
}

}  // namespace skerry::fuzz
