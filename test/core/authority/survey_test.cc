// Goal: a survey says of an update what the rules will look at, by their own predicates. Method: ops of
// every kind as JSON, in updates of one user, surveyed by themselves.
#include "authority/survey.h"

#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "log/codec.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

const std::string kRealm = "01970000-0000-7000-8000-000000000007";

// What the text says of an update of anna's with these ops, one action for each.
Data Surveyed(const std::string& ops, bool is_older = false,
              const std::string& action = R"("name":"n","arg":null)") {
  const Data list = Json(ops);
  Data actions = Data::MakeArray(), named = Data::MakeArray();
  for (uint64_t i = 0; i < list.items().size(); ++i) {
    actions.Push(Json(R"({"id":")" + Id(100 + i) + R"(",)" + action + R"(,"at":1})"));
    Data op = list.items()[i];
    if (list.items().size() > 1) op.Set("by", Data::MakeArray().Push(i));
    named.Push(std::move(op));
  }
  Data after = Data::MakeObject();
  after.Set("A", nullptr).Set("B", nullptr).Set("user:anna", nullptr);
  after.Set(std::string_view(kRealm), Data());
  Data update = Data::MakeObject();
  update.Set("id", Id(1)).Set("after", std::move(after)).Set("at", 1);
  update.Set("actions", std::move(actions)).Set("ops", std::move(named));
  Data item = Data::MakeObject();
  item.Set("user", "anna").Set("older", is_older).Set("update", std::move(update));
  Data in = Data::MakeObject();
  in.Set("updates", Data::MakeArray().Push(std::move(item)));
  const Data out = Json(SurveyJson(WorldSchema(), WriteJson(in)));
  REQUIRE(out["surveys"].items().size() == 1);
  return out["surveys"].items()[0];
}

std::string OnMember(const std::string& op, const std::string& user, const std::string& content) {
  return R"({"op":")" + op + R"(","table":"$members","id":")" + kRealm + "/" + user +
         R"(","realm":")" + kRealm + "\"" + content + "}";
}
std::string Set(const std::string& user, const std::string& role) {
  return R"(,"set":{"user":")" + user + R"(","role":")" + role + R"("})";
}

TEST_CASE("a survey names the rows of every op, and where a move leads") {
  const Data survey = Surveyed(R"([
      {"op":"create","table":"items","id":"i","realm":"A","set":{"n":1}},
      {"op":"update","table":"items","id":"i","realm":"A","set":{"n":2}},
      {"op":"inc","table":"items","id":"k","realm":"A","add":{"n":1}},
      {"op":"move","table":"groups","id":"g","realm":"A","to":"B"},
      {"op":"offer","table":"items","id":"o","realm":"B","set":{"n":1}},
      {"op":"delete","table":"items","id":"d","realm":"B"},
      {"op":"append","stream":"chat","realm":"A"}])");
  CHECK(survey["rows"] == Json(R"({"A":{"items":["i","k"],"groups":["g"]},
                                   "B":{"items":["d","o"],"groups":["g"]}})"));
  CHECK(survey["streams"] == Json(R"([{"realm":"A","stream":"chat"}])"));
  CHECK(survey["members"] == Json("[]"));
  CHECK(survey["founds"] == Json("[]"));
}

TEST_CASE("a realm is founded by whatever makes its author the owner") {
  for (const char* op : {"create", "offer"}) {
    CAPTURE(op);
    CHECK(Surveyed("[" + OnMember(op, "anna", Set("anna", "owner")) + "]")["founds"] ==
          Data::MakeArray().Push(kRealm));
    CHECK(Surveyed("[" + OnMember(op, "anna", Set("anna", "writer")) + "]")["founds"] ==
          Json("[]"));
    CHECK(Surveyed("[" + OnMember(op, "bo", Set("bo", "owner")) + "]")["founds"] == Json("[]"));
  }
  const std::string raised = OnMember("update", "anna", R"(,"set":{"role":"owner"})");
  CHECK(Surveyed("[" + raised + "]")["founds"] == Json("[]"));
}

// "adds accepts" of the only membership.
std::string Effect(const std::string& op) {
  const Data survey = Surveyed("[" + op + "]");
  if (survey["members"].items().empty()) return "none";
  const Data& member = survey["members"].items()[0];
  CHECK(member["realm"].as_string() == kRealm);
  return member["user"].as_string() + (member["adds"].as_bool() ? " added" : "") +
         (member["accepts"].as_bool() ? " accepted" : "");
}

TEST_CASE("memberships are added by what makes rows, and by nothing else") {
  CHECK(Effect(OnMember("create", "bo", Set("bo", "reader"))) == "bo added");
  CHECK(Effect(OnMember("offer", "bo", Set("bo", "reader"))) == "bo added");
  CHECK(Effect(OnMember("update", "bo", R"(,"set":{"role":"reader"})")) == "bo");
  CHECK(Effect(OnMember("delete", "bo", "")) == "bo");
  // No membership moves, and there is nothing in one to add to.
  CHECK(Effect(OnMember("move", "bo", R"(,"to":"A")")) == "none");
  CHECK(Effect(OnMember("inc", "bo", R"(,"add":{"role":1})")) == "none");
}

TEST_CASE("a membership is accepted by its own user alone") {
  CHECK(Effect(OnMember("update", "anna", R"(,"set":{"accepted":true})")) == "anna accepted");
  CHECK(Effect(OnMember("update", "anna", R"(,"set":{"accepted":false})")) == "none");
  CHECK(Effect(OnMember("update", "bo", R"(,"set":{"accepted":true})")) == "bo");
}

TEST_CASE("who is blocked is said by the action, in the author's own stream") {
  const auto blocks = [](const std::string& realm, const std::string& action) {
    return Surveyed(R"([{"op":"append","stream":"$blocked","realm":")" + realm + "\"}]", false,
                    action)["blocks"];
  };
  const std::string eve = R"("name":"skerry/block","arg":{"user":"eve"})";
  CHECK(blocks("user:anna", eve) == Json(R"(["eve"])"));
  CHECK(blocks("A", eve) == Json("[]"));
  CHECK(blocks("user:anna", R"("name":"other","arg":{"user":"eve"})") == Json("[]"));
  CHECK(blocks("user:anna", R"("name":"skerry/block","arg":{"user":"anna"})") == Json("[]"));
  CHECK(blocks("user:anna", R"("name":"skerry/block","arg":{"user":5})") == Json("[]"));
}

TEST_CASE("an update that will be refused for its form names nothing") {
  const std::string item = R"({"op":"create","table":"items","id":"i","realm":"A","set":{"n":1}})";
  const std::string unknown = R"({"op":"create","table":"files","id":"f","realm":"A","set":{}})";
  const std::string elsewhere = R"({"op":"delete","table":"items","id":"i","realm":"undeclared"})";
  const Data none = Surveyed("[" + item + "," + unknown + "]");
  CHECK(none["rows"] == Json("{}"));
  CHECK(Surveyed("[" + item + "," + elsewhere + "]")["rows"] == Json("{}"));
  // Of an earlier release, what there is no place for is left out.
  CHECK(Surveyed("[" + item + "," + unknown + "]", true)["rows"] ==
        Json(R"({"A":{"items":["i"]}})"));
}

TEST_CASE("a survey of what is no list of updates says nothing, or why") {
  CHECK(Json(SurveyJson(WorldSchema(), "{}"))["surveys"] == Json("[]"));
  CHECK(Json(SurveyJson(WorldSchema(), R"({"updates":[{"update":5},{}]})"))["surveys"]
            .items()
            .size() == 2);
  CHECK(Json(SurveyJson(WorldSchema(), "{"))["error"]["code"].as_string() == "parse");
}

}  // namespace
}  // namespace skerry::authority_test
