// The authority: updates and pulls as clients send them, and the input of its own server. After
// hostile requests of one client, the valid requests of another client still work.
#include <memory>
#include <utility>

#include "authority/admission_json.h"
#include "authority/pull_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "test/core/authority/pulling.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

using authority_test::Id;
using authority_test::Json;
using authority_test::WorldSchema;

constexpr int kMostLocks = 10;

// As the server would say it of one user with one token, for realms A and B with nothing in them but
// item x.
Data StartOf(const Data& requests) {
  Data in = Json(R"({"now":1000,"realms":{"A":{"head":3,"headAt":900},"B":{"head":0,"headAt":0}},
    "rights":[{"A":"write","B":"write"}],"chains":[],"applied":[],"actions":[],"refuse":null})");
  return in.Set("requests", requests);
}

Data RequestOf(const char* client, const Data& updates) {
  return Fields{{"client", client},
                {"user", "anna"},
                {"rights", 0},
                {"epoch", nullptr},
                {"updates", updates}};
}

Data AnUpdate(uint64_t number, const char* ops) {
  Data update = Json(
      R"({"after":{"A":null,"B":null},"base":{"A":1},"at":1,"actions":[{"name":"act","arg":{"a":[1]},"at":1}]})");
  update.Set("id", Id(number)).Set("ops", Json(ops));
  update.mutable_members();
  Data actions = update["actions"];
  actions.mutable_items()[0].Set("id", Id(100 + number));
  return update.Set("actions", std::move(actions));
}

constexpr const char* kOps[] = {
    R"([{"op":"create","table":"items","id":"y","realm":"A","set":{"n":1,"u":5,"parent":"x","note":"new"}}])",
    R"([{"op":"update","table":"items","id":"x","realm":"A","set":{"note":null},"if":2},{"op":"inc","table":"items","id":"x","realm":"A","add":{"n":2}}])",
    R"([{"op":"move","table":"items","id":"x","realm":"A","to":"B"},{"op":"delete","table":"items","id":"x","realm":"B"}])",
    R"([{"op":"create","table":"groups","id":"g","realm":"B","set":{"name":"g"}},{"op":"create","table":"members","id":"m","realm":"B","set":{"group":"g"}},
        {"op":"delete","table":"groups","id":"g","realm":"B"},{"op":"append","stream":"chat","realm":"B"}])",
    R"([{"op":"append","stream":"chat","realm":"A","by":[0]},{"op":"append","stream":"doc/1","realm":"B","by":[0]}])",
};

Vector<std::string> PushSeeds() {
  Vector<std::string> seeds;
  for (uint64_t i = 0; i < std::size(kOps); ++i)
    seeds.push_back(WriteJson(Data(Data::Array{AnUpdate(i + 1, kOps[i])})));
  return seeds;
}

const char* const kRowX =
    R"({"table":"items","id":"x","realm":"A","createdAt":1,"modifiedAt":2,"revision":1,"deletedAt":null,"movedTo":null,"props":{"n":1,"note":"old"}})";

// What the server reads for an admission, of a database that holds only item x.
Data RowsFor(const Data& needs) {
  Data rows = Data::MakeArray();
  for (const Data& key : needs["rows"].items()) {
    if (key.items()[1].as_string() == "x" && key.items()[0].as_string() == "items")
      rows.Push(Json(kRowX));
  }
  return Fields{{"rows", std::move(rows)}, {"others", Data::MakeArray()}};
}

// What an admission comes to: what it says last ({"done"}, {"error"}), and all that it was told.
struct Admitted {
  Data out;
  Data steps = Data::MakeArray();
  bool has_ended = false;
};

// As the server runs it: it gives rows, and begins again with more realms where locks are asked for.
Admitted Admit(Data start) {
  Admitted admitted;
  for (int attempt = 0; attempt < kMostLocks; ++attempt) {
    AdmissionSession session(&WorldSchema());
    admitted.steps = Data::MakeArray();
    Data in = start;
    // Whatever is asked after its own bound is for updates that it has not judged so far.
    for (int round = 0; round < 2 * kMaxAdmissionRounds; ++round) {
      admitted.steps.Push(in);
      admitted.out = authority_test::ReadStep(session.Step(WriteJson(in)));
      if (admitted.out.Find("needs") == nullptr) break;
      in = RowsFor(admitted.out["needs"]);
    }
    if (admitted.out.Find("needs") != nullptr) return admitted;
    if (admitted.out.Find("lock") == nullptr) {
      admitted.has_ended = true;
      return admitted;
    }
    Data realms = start["realms"];
    for (const Data& realm : admitted.out["lock"].items()) {
      if (realms.Find(realm.as_string()) == nullptr) realms.Set(realm.as_string(), nullptr);
    }
    start.Set("realms", std::move(realms));
  }
  return admitted;
}

// Whether an update was applied, and its entry is there to be written.
bool IsApplied(const Data& out, size_t request) {
  const Data& results = out["done"]["results"];
  if (results.items().size() <= request || results.items()[request].items().empty()) return false;
  return results.items()[request].items()[0]["status"].Is("applied") &&
         !out["done"]["entries"].items().empty();
}

// What no client's request may come to: the server keeps to the contract here.
std::string ProblemOf(const Data& out) {
  const Data* error = out.Find("error");
  if (error == nullptr) return "";
  if ((*error)["code"].is_null()) return "an error without a code";
  if (!(*error)["code"].Is("misuse")) return "";
  return "a client's request makes the server misuse it: " + (*error)["detail"].as_string();
}

// Another client's update, which meets nothing that a changed seed would name.
Data OtherUpdate() {
  return AnUpdate(
      0xabcdef,
      R"([{"op":"create","table":"items","id":"of another","realm":"A","set":{"note":"its own"}}])");
}

// One commit of both: what is wrong with the first does not reach the second.
std::string RunPush(std::string_view input, bool* taken) {
  const Result<Data> updates = ParseJson(input);
  if (!updates.ok()) return "";
  Data requests = Data::MakeArray();
  requests.Push(RequestOf("c1", updates.value()));
  requests.Push(RequestOf("c2", Data::Array{OtherUpdate()}));
  const Admitted admitted = Admit(StartOf(requests));
  if (!admitted.has_ended) return "an admission that does not end";
  std::string problem = ProblemOf(admitted.out);
  if (!problem.empty() || admitted.out.Find("error") != nullptr) return problem;
  *taken = IsApplied(admitted.out, 0);
  return IsApplied(admitted.out, 1) ? "" : "the update of another client is not applied";
}

// The steps of an admission that is applied.
Vector<std::string> AdmissionSeeds() {
  Vector<std::string> seeds;
  for (uint64_t i = 0; i < std::size(kOps); ++i) {
    const Data updates = Data::Array{AnUpdate(i + 1, kOps[i])};
    seeds.push_back(WriteJson(Admit(StartOf(Data::Array{RequestOf("c1", updates)})).steps));
  }
  return seeds;
}

// Also what the server says of its rows: another version of it may run beside.
std::string RunAdmission(std::string_view input, bool* taken) {
  const Result<Data> steps = ParseJson(input);
  if (!steps.ok()) return "";
  AdmissionSession session(&WorldSchema());
  for (const Data& step : steps.value().items()) {
    const Data out = authority_test::ReadStep(session.Step(WriteJson(step)));
    if (out.Find("error") != nullptr && out["error"]["code"].is_null())
      return "an error without a code";
    *taken = *taken || IsApplied(out, 0);
  }
  static_cast<void>(session.Step(input));
  const Admitted sane = Admit(StartOf(Data::Array{RequestOf("c2", Data::Array{OtherUpdate()})}));
  return IsApplied(sane.out, 0) ? "" : "an update that was valid is not applied afterwards";
}

// As a pull runs: who asks, then what is read for it. By the log, with its rows in a round of their
// own and then beside the changes; and a realm that comes whole.
constexpr const char* kPulls[] = {
    R"([{"now":1000,"realms":{"A":{"head":2,"headAt":8,"rows":2},"B":{"head":1,"headAt":5,"rows":1}},
      "request":{"client":"c1","schema":1,"cursors":{"A":"1@5","B":"1@5"},"realmsToken":null,"have":["01890000-0000-7000-8000-000000000001"],
      "scopes":[{"table":"items","where":["or",["=","n",1],["like","note","a%"]],"filled":true},{"table":"groups","where":["true"],"filled":"g"}],
      "limit":100,"known":["01890000-0000-7000-8000-000000000002"]}},
     {"entries":[{"realm":"A","revision":1,"client":"c2","update":"01890000-0000-7000-8000-000000000003","declared":true,"at":5,"spans":{"A":1},"gone":null},
        {"realm":"A","revision":2,"client":"c1","update":"01890000-0000-7000-8000-000000000001","declared":true,"at":8,"spans":{"A":2},"gone":[0]},
        {"realm":"B","revision":1,"client":"c2","update":"01890000-0000-7000-8000-000000000004","declared":true,"at":5,"spans":{"B":1},"gone":null}],
      "changes":[{"realm":"A","revision":2,"table":"items","id":"x","before":null}],
      "own":[{"update":"01890000-0000-7000-8000-000000000001","realm":"A","revision":2,"at":8,"ops":[],"gone":[0]}],
      "actions":[{"realm":"A","id":"01890000-0000-7000-8000-000000000002","revision":2}],"state":[],"images":[],"rows":[],
      "pages":[{"rows":[{"table":"groups","id":"h","realm":"B","createdAt":1,"modifiedAt":2,"revision":1,"props":{"name":"h"}}],"more":false}]},
     {"rows":[{"realm":"A","table":"items","id":"x","row":{"table":"items","id":"x","realm":"A","createdAt":1,"modifiedAt":2,"revision":2,"props":{"n":1,"note":"new"}}}]}])",
    R"([{"now":1000,"realms":{"A":{"head":2,"headAt":8,"rows":2}},
      "request":{"client":"c1","cursors":{"A":"1@5","C":"1@5"},"have":[],"scopes":[{"table":"items","filled":true}]}},
     {"entries":[{"realm":"A","revision":1,"client":"c2","update":"u1","declared":true,"at":5},
        {"realm":"A","revision":2,"client":"c2","update":"u2","declared":true,"at":8}],
      "changes":[{"realm":"A","revision":2,"table":"items","id":"x",
        "before":{"table":"items","id":"x","realm":"A","createdAt":1,"modifiedAt":1,"revision":1,"props":{"n":1,"note":"old"}},
        "row":{"createdAt":1,"modifiedAt":2,"revision":2,"props":{"n":2,"note":"new"}}}]}])",
    R"([{"now":1000,"realms":{"A":{"head":2,"headAt":8,"rows":2}},
      "request":{"client":"c1","cursors":{"A":"1@5"},"have":[],"scopes":[{"table":"items","filled":true}],
        "streams":[{"stream":"chat","filled":{"A":1},"last":3},{"stream":"doc/*","filled":{}}]}},
     {"entries":[{"realm":"A","revision":1,"client":"c2","update":"u1","declared":true,"at":5},
        {"realm":"A","revision":2,"client":"c2","update":"u2","declared":true,"at":8,"streams":["chat"]}],
      "changes":[{"realm":"A","revision":2,"table":"items","id":"x","before":null,
        "row":{"createdAt":1,"modifiedAt":2,"revision":2,"props":{"n":2,"note":"new"}}}]},
     {"streams":[{"actions":[{"stream":"chat","revision":2,"position":0,"action":"{\"id\":1}"}],"more":false},
        {"actions":[{"stream":"doc/1","revision":1,"position":0,"action":"{}"}],"more":true}]}])",
    R"([{"now":1000,"realms":{"A":{"head":2,"headAt":8,"rows":2}},
      "request":{"client":"c1","cursors":{},"have":[],"scopes":[{"table":"items","where":["=","n",1],"filled":true}],"refill":true}},
     {"entries":[],"state":[{"table":"items","id":"x","realm":"A","createdAt":1,"modifiedAt":2,"revision":2,"props":{"n":1,"note":"new"}}]}])",
};

Vector<std::string> PullSessionSeeds() { return {std::begin(kPulls), std::end(kPulls)}; }

// The database makes the text of each action: it is JSON, whatever was stored.
Data WithJsonActions(Data step) {
  if (!step["streams"].is_array()) return step;
  Data streams = Data::MakeArray();
  for (Data stream : step["streams"].items()) {
    Data actions = Data::MakeArray();
    for (Data action : stream["actions"].items()) {
      if (action.is_object() && !ParseJson(action["action"].as_string()).ok())
        action.Set("action", "null");
      actions.Push(std::move(action));
    }
    if (stream.is_object()) stream.Set("actions", std::move(actions));
    streams.Push(std::move(stream));
  }
  return step.Set("streams", std::move(streams));
}

std::string RunPullSession(std::string_view input, bool* taken) {
  const Result<Data> steps = ParseJson(input);
  if (!steps.ok()) return "";
  PullSession session(&WorldSchema());
  for (const Data& step : steps.value().items()) {
    const Result<Data> out = ParseJson(session.Step(WriteJson(WithJsonActions(step))));
    if (!out.ok()) return "what it says is no JSON";
    if (out.value().Find("error") != nullptr && out.value()["error"]["code"].is_null())
      return "an error without a code";
    *taken = *taken || !out.value()["answer"]["changes"].items().empty();
  }
  static_cast<void>(session.Step(input));
  return "";
}

// A whole world: a changed pull of one client, then a valid pull of another.
Vector<std::string> PullRequestSeeds() {
  const authority_test::PulledScenery scenery;
  Vector<std::string> seeds{
      WriteJson(authority_test::Request("c9", authority_test::At(scenery.world, 1))),
      WriteJson(authority_test::Request("c9", "{}"))};
  seeds.push_back(WriteJson(authority_test::Request(
      "c9", R"({"A":"0@0"})", {Data(Id(1))},
      R"([{"table":"items","where":["and",["=","n",1],["like","note","%o_d"]],"filled":"b"}])")));
  return seeds;
}

std::string RunPullRequest(std::string_view input, bool* taken) {
  const Result<Data> request = ParseJson(input);
  if (!request.ok() || !request.value().is_object()) return "";
  static const auto scenery = std::make_unique<authority_test::PulledScenery>();
  static_cast<void>(CheckScopes(WorldSchema(), input));
  const Data answer = scenery->world.Pull("anna", request.value());
  std::string problem = ProblemOf(answer);
  if (!problem.empty()) return problem;
  *taken = !answer["changes"].items().empty();
  const Data sane = scenery->world.Pull("anna", authority_test::Request("c8", "{}"));
  return sane.Find("error") == nullptr ? "" : "a pull that was valid fails afterwards";
}

}  // namespace

void AddAuthorityTargets(Vector<Target>* targets) {
  targets->push_back({"push-request", Form::kJson, 400, PushSeeds, RunPush});
  targets->push_back({"admission", Form::kJson, 400, AdmissionSeeds, RunAdmission});
  targets->push_back({"pull-session", Form::kJson, 600, PullSessionSeeds, RunPullSession});
  targets->push_back({"pull-request", Form::kJson, 250, PullRequestSeeds, RunPullRequest});
}

}  // namespace skerry::fuzz
