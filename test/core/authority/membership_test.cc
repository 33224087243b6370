// Goal: the rules of memberships hold in the order of the log: who founds a realm, who changes its
// members, and what their rights allow. Method: updates of several users, pushed into a small world.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

// The status, or the code of the refusal.
std::string Outcome(const Data& result) {
  return Status(result) == "rejected" ? RejectCode(result) : Status(result);
}

struct Realm {
  AuthorityWorld world;
  std::string name = Id(7);
  Author anna{&world, "c-anna", "anna"};
  Author bo{&world, "c-bo", "bo"};
  Author cy{&world, "c-cy", "cy"};

  Realm() { world.AddRealm(name); }

  std::string Member(const char* kind, const char* user, const char* rest = "") const {
    return std::string(R"({"op":")") + kind + R"(","table":"$members","id":")" + name + "/" + user +
           R"(","realm":")" + name + "\"" + rest + "}";
  }
  std::string Invite(const char* user, const char* role) const {
    const std::string set =
        std::string(R"(,"set":{"user":")") + user + R"(","role":")" + role + R"("})";
    return Member("create", user, set.c_str());
  }
  std::string SetRole(const char* user, const char* role) const {
    const std::string set = std::string(R"(,"set":{"role":")") + role + R"("})";
    return Member("update", user, set.c_str());
  }
  std::string Item(const char* id) const {
    return std::string(R"({"op":"create","table":"items","id":")") + id + R"(","realm":")" + name +
           R"(","set":{"n":1}})";
  }
  Data Push(Author& author, const std::string& ops) { return author.Push("[" + ops + "]", {name}); }
  std::string RoleOf(const char* user) const {
    return world.Row("$members", name + "/" + user)["props"]["role"].as_string();
  }
  // One commit of an update each of anna and bo. Returns their outcomes.
  std::pair<std::string, std::string> PushTogether(const std::string& of_anna,
                                                   const std::string& of_bo) {
    const Data first = anna.Make("[" + of_anna + "]", {name});
    const Data second = bo.Make("[" + of_bo + "]", {name});
    const Data results = world.Commit({{"c-anna", "anna", {first}}, {"c-bo", "bo", {second}}});
    return {Outcome(results.items()[0].items()[0]), Outcome(results.items()[1].items()[0])};
  }
  void Found() { REQUIRE(Status(Push(anna, Invite("anna", "owner"))) == "applied"); }
};

TEST_CASE("a realm is founded by its first update, with members and rows in it") {
  Realm realm;
  CHECK(Status(realm.Push(realm.anna, realm.Item("early") + "," + realm.Invite("anna", "owner") +
                                          "," + realm.Invite("bo", "reader"))) == "applied");
  CHECK(realm.RoleOf("anna") == "owner");
  CHECK(realm.RoleOf("bo") == "reader");
  CHECK(!realm.world.Row("items", "early").is_null());
}

// An update of two actions, with an op each.
Data TwoActions(const Realm& realm, Author* author, std::string first, std::string second) {
  first.insert(first.size() - 1, R"(,"by":[0])");
  second.insert(second.size() - 1, R"(,"by":[1])");
  Data update = author->Make("[" + first + "," + second + "]", {realm.name});
  Data actions = Data::MakeArray();
  static uint64_t made = 1'000'000;
  for (const uint64_t number : {1, 2}) {
    const std::string id = Id(made += number);
    Data action = Data::MakeObject();
    actions.Push(action.Set("id", id).Set("name", "act").Set("arg", Data()).Set("at", 1));
  }
  return update.Set("actions", std::move(actions));
}

TEST_CASE("an action has the rights that the actions before it have left") {
  Realm realm;
  const auto blamed = [&](Author* author, const std::string& first, const std::string& second) {
    const Data update = TwoActions(realm, author, first, second);
    const Data result = author->Send(update);
    if (Status(result) == "applied") return std::string("applied");
    author->TakeBack(update);
    REQUIRE(result["rejected"].items().size() == 1);
    const Data& at_fault = result["rejected"].items()[0]["actions"];
    REQUIRE(at_fault.items().size() == 1);
    const bool is_first = at_fault.items()[0] == update["actions"].items()[0]["id"];
    return (is_first ? "0 " : "1 ") + RejectCode(result);
  };
  // Nothing is in the realm before it is founded.
  CHECK(blamed(&realm.anna, realm.Item("early"), realm.Invite("anna", "owner")) == "0 forbidden");
  CHECK(blamed(&realm.anna, realm.Invite("anna", "owner"), realm.Item("x")) == "applied");
  REQUIRE(Status(realm.Push(realm.anna, realm.Invite("bo", "owner"))) == "applied");
  CHECK(blamed(&realm.anna, realm.Member("delete", "anna"), realm.Item("y")) == "1 forbidden");
  CHECK(blamed(&realm.anna, realm.SetRole("bo", "reader"), realm.Member("delete", "anna")) ==
        "1 last_owner");
  CHECK(blamed(&realm.anna, realm.Item("z"), realm.Member("delete", "anna")) == "applied");
}

TEST_CASE("nobody writes to a realm that was not founded, and no claim makes one") {
  Realm realm;
  realm.world.Grant("bo", realm.name, "write");
  CHECK(Outcome(realm.Push(realm.bo, realm.Item("x"))) == "forbidden");
  // To make another the owner founds nothing.
  CHECK(Outcome(realm.Push(realm.bo, realm.Invite("anna", "owner"))) == "forbidden");
  CHECK(Outcome(realm.Push(realm.bo, realm.Invite("bo", "writer"))) == "forbidden");
  CHECK(realm.world.head(realm.name) == 0);
  realm.Found();
  CHECK(Outcome(realm.Push(realm.bo, realm.Item("x"))) == "applied");
}

TEST_CASE("a realm is founded once; it stays taken when all its members have left") {
  Realm realm;
  realm.Found();
  CHECK(Outcome(realm.Push(realm.bo, realm.Invite("bo", "owner"))) == "forbidden");
  CHECK(Outcome(realm.Push(realm.anna, realm.Member("delete", "anna"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Invite("bo", "owner"))) == "forbidden");
  CHECK(Outcome(realm.Push(realm.anna, realm.Invite("anna", "owner"))) == "forbidden");
}

TEST_CASE("readers read, writers write rows, and only owners change members") {
  Realm realm;
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("bo", "reader"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Item("x"))) == "forbidden");
  REQUIRE(Outcome(realm.Push(realm.anna, realm.SetRole("bo", "writer"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Item("x"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Invite("cy", "reader"))) == "forbidden");
  CHECK(Outcome(realm.Push(realm.bo, realm.SetRole("bo", "owner"))) == "forbidden");
  CHECK(Outcome(realm.Push(realm.bo, realm.Member("delete", "anna"))) == "forbidden");
  CHECK(realm.RoleOf("bo") == "writer");
}

TEST_CASE("an offer restores missing rows, and neither changes nor revives anything") {
  Realm realm;
  const auto offered = [&](const char* id, int n) {
    return std::string(R"({"op":"offer","table":"items","id":")") + id + R"(","realm":")" +
           realm.name + R"(","set":{"n":)" + std::to_string(n) + "}}";
  };
  const auto n = [&](const char* id) { return realm.world.Row("items", id)["props"]["n"]; };
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Item("there") + "," + realm.Item("gone") + "," +
                                             realm.Invite("bo", "reader"))) == "applied");
  REQUIRE(Outcome(realm.Push(realm.anna, R"({"op":"delete","table":"items","id":"gone","realm":")" +
                                             realm.name + "\"}")) == "applied");
  const Data result = realm.Push(
      realm.anna, offered("missing", 2) + "," + offered("there", 2) + "," + offered("gone", 2) +
                      "," + realm.Member("offer", "bo", R"(,"set":{"user":"bo","role":"owner"})") +
                      "," + realm.Member("offer", "cy", R"(,"set":{"user":"cy","role":"writer"})"));
  CHECK(Outcome(result) == "applied");
  CHECK(result["noops"] == Json("[1,2,3]"));
  CHECK(n("missing") == Data(2.0));
  CHECK(n("there") == Data(1.0));
  CHECK(n("gone").is_null());
  CHECK(realm.RoleOf("bo") == "reader");
  CHECK(realm.RoleOf("cy") == "writer");
  // Rights are those of any other op.
  CHECK(Outcome(realm.Push(realm.bo, offered("more", 1))) == "forbidden");
}

TEST_CASE("a right is asked in the order of the log, within one commit") {
  Realm realm;
  realm.Found();
  auto outcomes = realm.PushTogether(realm.Invite("bo", "writer"), realm.Item("x"));
  CHECK(outcomes.second == "applied");
  outcomes = realm.PushTogether(realm.Member("delete", "bo"), realm.Item("y"));
  CHECK(outcomes.first == "applied");
  CHECK(outcomes.second == "forbidden");
}

TEST_CASE("an update is judged by its author's rights before it") {
  Realm realm;
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("bo", "owner"))) == "applied");
  // An owner who leaves still writes in the same update, before or after.
  CHECK(Outcome(realm.Push(realm.bo, realm.Member("delete", "bo") + "," + realm.Item("x"))) ==
        "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Item("y"))) == "forbidden");
  // An update cannot give its author the right that it needs.
  CHECK(Outcome(realm.Push(realm.bo, realm.Invite("bo", "owner") + "," + realm.Item("y"))) ==
        "forbidden");
}

TEST_CASE("two invitations of one person are one, with the higher role; setRole lowers it") {
  Realm realm;
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("bo", "owner"))) == "applied");
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("cy", "writer"))) == "applied");
  REQUIRE(Outcome(realm.Push(realm.bo, realm.Invite("cy", "reader"))) == "applied");
  CHECK(realm.RoleOf("cy") == "writer");
  REQUIRE(Outcome(realm.Push(realm.bo, realm.Invite("cy", "owner"))) == "applied");
  CHECK(realm.RoleOf("cy") == "owner");
  REQUIRE(Outcome(realm.Push(realm.bo, realm.SetRole("cy", "reader"))) == "applied");
  CHECK(realm.RoleOf("cy") == "reader");
  // Invited again after a removal, the role is the new one.
  REQUIRE(Outcome(realm.Push(realm.bo, realm.Member("delete", "anna"))) == "applied");
  REQUIRE(Outcome(realm.Push(realm.bo, realm.Invite("anna", "reader"))) == "applied");
  CHECK(realm.RoleOf("anna") == "reader");
}

TEST_CASE("a realm with members has an owner after every update; the last member may leave") {
  Realm realm;
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("bo", "reader"))) == "applied");
  CHECK(Outcome(realm.Push(realm.anna, realm.Member("delete", "anna"))) == "last_owner");
  CHECK(Outcome(realm.Push(realm.anna, realm.SetRole("anna", "writer"))) == "last_owner");
  // The order within an update does not matter.
  CHECK(Outcome(realm.Push(realm.anna, realm.SetRole("anna", "writer") + "," +
                                           realm.SetRole("bo", "owner"))) == "applied");
  CHECK(Outcome(realm.Push(realm.anna, realm.Member("delete", "anna"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Member("delete", "bo"))) == "applied");
}

TEST_CASE("an update does not found a realm whose members are left without an owner") {
  Realm realm;
  const std::string founded = realm.Invite("anna", "owner");
  const std::string with_bo = founded + "," + realm.Invite("bo", "writer");
  CHECK(Outcome(realm.Push(realm.anna, with_bo + "," + realm.Member("delete", "anna"))) ==
        "last_owner");
  CHECK(Outcome(realm.Push(realm.anna, with_bo + "," + realm.SetRole("anna", "reader"))) ==
        "last_owner");
  CHECK(Outcome(realm.Push(realm.anna, with_bo + "," + realm.Member("delete", "anna") + "," +
                                           realm.SetRole("bo", "owner"))) == "applied");
}

TEST_CASE("two owners who leave at once: the second is the last") {
  Realm realm;
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("bo", "owner") + "," +
                                             realm.Invite("cy", "reader"))) == "applied");
  const auto outcomes =
      realm.PushTogether(realm.Member("delete", "anna"), realm.Member("delete", "bo"));
  CHECK(outcomes.first == "applied");
  CHECK(outcomes.second == "last_owner");
}

TEST_CASE("a reader may leave, and do nothing else in the same update") {
  Realm realm;
  realm.Found();
  REQUIRE(Outcome(realm.Push(realm.anna, realm.Invite("bo", "reader"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Member("delete", "bo") + "," + realm.Item("x"))) ==
        "forbidden");
  CHECK(Outcome(realm.Push(realm.bo, realm.Member("delete", "bo"))) == "applied");
  CHECK(Outcome(realm.Push(realm.bo, realm.Member("delete", "bo"))) == "forbidden");
}

TEST_CASE("a membership's id, realm and user are one: anything else is invalid") {
  Realm realm;
  realm.Found();
  const std::string other = Id(8);
  realm.world.AddRealm(other);
  REQUIRE(Outcome(realm.bo.Push(R"([{"op":"create","table":"$members","id":")" + other +
                                    R"(/bo","realm":")" + other +
                                    R"(","set":{"user":"bo","role":"owner"}}])",
                                {other})) == "applied");
  // Squatting: a membership of this realm, made in one's own.
  const auto in_other = [&](const std::string& id, const char* set) {
    return Outcome(realm.bo.Push(R"([{"op":"create","table":"$members","id":")" + id +
                                     R"(","realm":")" + other + R"(","set":)" + set + "}]",
                                 {other}));
  };
  CHECK(in_other(realm.name + "/cy", R"({"user":"cy","role":"reader"})") == "invalid");
  CHECK(in_other(other + "/cy", R"({"user":"dan","role":"reader"})") == "invalid");
  CHECK(in_other(other + "/", R"({"user":"","role":"reader"})") == "invalid");
  CHECK(in_other("cy", R"({"user":"cy","role":"reader"})") == "invalid");
  CHECK(in_other(other + "/cy", R"({"user":"cy","role":"king"})") == "wrong_type");
  CHECK(in_other(other + "/cy", R"({"user":"cy"})") == "missing_prop");
  const std::string moved = R"(,"to":")" + other + "\"";
  CHECK(Outcome(realm.anna.Push("[" + realm.Member("move", "anna", moved.c_str()) + "]",
                                {realm.name, other})) != "applied");
  CHECK(Outcome(realm.Push(
            realm.anna, realm.Member("update", "anna", R"(,"set":{"user":"bo"})"))) == "invalid");
  realm.world.Grant("anna", "A", "write");
  CHECK(
      Outcome(realm.anna.Push(
          R"([{"op":"create","table":"$members","id":"A/bo","realm":"A","set":{"user":"bo","role":"writer"}}])")) ==
      "invalid");
  CHECK(realm.RoleOf("anna") == "owner");
  CHECK(realm.world.Row("$members", realm.name + "/cy").is_null());
}

TEST_CASE("what a realm is, exists or not, a stranger cannot tell from the answer") {
  Realm realm;
  realm.Found();
  const std::string unknown = Id(9);
  realm.world.AddRealm(unknown);
  const auto refused = [&](const std::string& name, const char* table, const char* set) {
    const Data result =
        realm.bo.Push(std::string(R"([{"op":"create","table":")") + table + R"(","id":")" + name +
                          R"(/cy","realm":")" + name + R"(","set":)" + set + "}]",
                      {name});
    return result["rejected"].items()[0]["code"].as_string() + ": " +
           result["rejected"].items()[0]["detail"].as_string();
  };
  CHECK(refused(realm.name, "items", "{}") == refused(unknown, "items", "{}"));
  const char* member = R"({"user":"cy","role":"reader"})";
  CHECK(refused(realm.name, "$members", member) == refused(unknown, "$members", member));
}

}  // namespace
}  // namespace skerry::authority_test
