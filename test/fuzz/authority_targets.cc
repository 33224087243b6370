// The authority: updates and pulls as clients send them, and the input of its own server. After
// hostile requests of one client, a valid pull of another client still works.
#include <memory>
#include <utility>

#include "authority/admission_json.h"
#include "authority/pull_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "test/core/authority/pulling.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

using authority_test::Id;
using authority_test::Json;
using authority_test::WorldSchema;

// The first input of an admission, for realms A and B, which have only the item x.
Data StartOf(Data update) {
  Data in = Json(R"({"now":1000,"realms":{"A":{"head":3,"headAt":900},"B":{"head":0,"headAt":0}},
    "users":{"anna":{"A":"write","B":"write"}},"chains":[],"applied":[],"actions":[],"refuse":null})");
  Data::Array updates{std::move(update)};
  return in.Set("requests",
                Data::Array{Data::Object{
                    {"client", "c1"}, {"user", "anna"}, {"updates", Data(std::move(updates))}}});
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
};

Vector<std::string> PushSeeds() {
  Vector<std::string> seeds;
  for (uint64_t i = 0; i < std::size(kOps); ++i)
    seeds.push_back(WriteJson(Data(Data::Array{AnUpdate(i + 1, kOps[i])})));
  return seeds;
}

const char* const kRowX =
    R"({"table":"items","id":"x","realm":"A","createdAt":1,"modifiedAt":2,"revision":1,"deletedAt":null,"movedTo":null,"props":{"n":1,"note":"old"}})";

// Runs an admission to its end, or for 40 rounds. It has only the item x.
std::string Admit(const Data& start) {
  AdmissionSession session(&WorldSchema());
  Data in = start;
  for (int round = 0; round < 40; ++round) {
    const std::string text = session.Step(WriteJson(in));
    const Data out = authority_test::ReadStep(text);
    if (const Data* error = out.Find("error"))
      return (*error)["code"].is_null() ? "an error without a code" : "";
    if (out.Find("lock") != nullptr || out.Find("done") != nullptr) return "";
    Data rows = Data::MakeArray();
    for (const Data& key : out["needs"]["rows"].items()) {
      if (key.items()[1].as_string() == "x" && key.items()[0].as_string() == "items")
        rows.Push(Json(kRowX));
    }
    in = Fields{{"rows", std::move(rows)}, {"others", Data::MakeArray()}};
  }
  return "";
}

std::string RunPush(std::string_view input) {
  const Result<Data> updates = ParseJson(input);
  if (!updates.ok()) return "";
  Data start = StartOf(Data());
  Data requests = Data::MakeArray();
  requests.Push(Fields{{"client", "c1"}, {"user", "anna"}, {"updates", updates.value()}});
  requests.Push(
      Fields{{"client", "c2"}, {"user", "anna"}, {"updates", Data::Array{AnUpdate(50, kOps[0])}}});
  start.Set("requests", std::move(requests));
  return Admit(start);
}

Vector<std::string> AdmissionSeeds() {
  Vector<std::string> seeds;
  for (uint64_t i = 0; i < std::size(kOps); ++i) {
    Data session = Data::MakeArray();
    session.Push(StartOf(AnUpdate(i + 1, kOps[i])));
    session.Push(Fields{{"rows", Data::Array{Json(kRowX)}}, {"others", Data::MakeArray()}});
    seeds.push_back(WriteJson(session));
  }
  return seeds;
}

// Also changes the server's own input, because a server of another version may have written rows.
std::string RunAdmission(std::string_view input) {
  const Result<Data> steps = ParseJson(input);
  if (!steps.ok()) return "";
  AdmissionSession session(&WorldSchema());
  for (const Data& step : steps.value().items()) {
    const Data out = authority_test::ReadStep(session.Step(WriteJson(step)));
    if (out.Find("error") != nullptr && out["error"]["code"].is_null())
      return "an error without a code";
  }
  static_cast<void>(session.Step(input));
  return Admit(StartOf(AnUpdate(60, kOps[1])));
}

// The two inputs of a pull: the request, and the rows that the server reads for it.
Vector<std::string> PullSessionSeeds() {
  Data start = Json(
      R"({"now":1000,"user":"anna","rights":{"A":"read","B":"write"},"heads":{"A":{"head":3,"headAt":900},"B":{"head":1,"headAt":5}},
      "request":{"client":"c1","schema":1,"cursors":{"A":"1@5"},"realmsToken":null,"have":["01890000-0000-7000-8000-000000000001"],
      "seen":{"A":1},"scopes":[{"table":"items","where":["or",["=","n",1],["like","note","a%"]],"filled":true},{"table":"groups","where":["true"],"filled":"g"}],
      "limit":100,"known":["01890000-0000-7000-8000-000000000002"]}})");
  Data read = Json(
      R"({"entries":[{"realm":"A","revision":2,"client":"c1","update":"01890000-0000-7000-8000-000000000001","declared":true,"at":8,"answer":{},"gone":[0]}],
      "changes":[{"realm":"A","revision":2,"table":"items","id":"x","before":null}],"own":[],"state":[],"pages":[],"rows":[],"images":[],"actions":[],"after":[]})");
  read.Set("rows", Data::Array{Json(kRowX)});
  return {WriteJson(Data(Data::Array{start, read}))};
}

std::string RunPullSession(std::string_view input) {
  const Result<Data> steps = ParseJson(input);
  if (!steps.ok()) return "";
  PullSession session(&WorldSchema());
  for (const Data& step : steps.value().items()) {
    const Result<Data> out = ParseJson(session.Step(WriteJson(step)));
    if (!out.ok()) return "what it says is no JSON";
    if (out.value().Find("error") != nullptr && out.value()["error"]["code"].is_null())
      return "an error without a code";
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

std::string RunPullRequest(std::string_view input) {
  const Result<Data> request = ParseJson(input);
  if (!request.ok() || !request.value().is_object()) return "";
  static const auto scenery = std::make_unique<authority_test::PulledScenery>();
  static_cast<void>(CheckScopes(WorldSchema(), input));
  const Data answer = scenery->world.Pull("anna", request.value());
  if (answer.Find("error") != nullptr && answer["error"]["code"].is_null())
    return "an error without a code";
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
