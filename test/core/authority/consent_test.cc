// Goal: a membership that somebody else makes gives no right until the invited accepts it, and only the
// invited accepts it. Method: updates of several users, pushed into a small world.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

struct Asking {
  AuthorityWorld world;
  std::string name = Id(7);
  Author anna{&world, "c-anna", "anna"};
  Author bo{&world, "c-bo", "bo"};
  Author cy{&world, "c-cy", "cy"};

  explicit Asking(bool asks = true) {
    world.asks_consent = asks;
    world.AddRealm(name);
    REQUIRE(Push(anna, Invite("anna", "owner")) == "applied");
  }

  std::string On(const std::string& kind, const std::string& user, const std::string& set) const {
    return R"({"op":")" + kind + R"(","table":"$members","id":")" + name + "/" + user +
           R"(","realm":")" + name + R"(","set":)" + set + "}";
  }
  std::string Invite(const std::string& user, const std::string& role) const {
    return On("create", user, R"({"user":")" + user + R"(","role":")" + role + R"("})");
  }
  std::string Accept(const std::string& user) const {
    return On("update", user, R"({"accepted":true})");
  }
  std::string Delete(const std::string& user) const {
    return R"({"op":"delete","table":"$members","id":")" + name + "/" + user + R"(","realm":")" +
           name + "\"}";
  }
  std::string Item(const std::string& id) const {
    return R"({"op":"create","table":"items","id":")" + id + R"(","realm":")" + name +
           R"(","set":{"n":1}})";
  }
  // The status, or the code of the refusal.
  std::string Push(Author& author, const std::string& ops) {
    const Data result = author.Push("[" + ops + "]", {name});
    return Status(result) == "rejected" ? RejectCode(result) : Status(result);
  }
  Data Member(const std::string& user) const {
    return world.Row("$members", name + "/" + user)["props"];
  }
  // The users of whom the last commit has changed memberships, and invitations.
  std::string Told() const {
    const Data& touched = world.last_done()["touched"].items()[0];
    return WriteJson(touched["users"]) + WriteJson(touched["invited"]);
  }
};

TEST_CASE("an invitation waits, and gives no right until it is accepted") {
  for (const char* role : {"reader", "writer", "owner"}) {
    CAPTURE(role);
    Asking realm;
    REQUIRE(realm.Push(realm.anna, realm.Invite("bo", role)) == "applied");
    CHECK(realm.Member("bo")["accepted"] == Data(false));
    CHECK(realm.Member("bo")["by"].Is("anna"));
    CHECK(realm.Told() == R"(null["bo"])");
    // As if the realm had never been.
    CHECK(realm.Push(realm.bo, realm.Item("x")) == "forbidden");
    CHECK(realm.Push(realm.bo, realm.Invite("cy", "reader")) == "forbidden");
    CHECK(realm.Push(realm.bo, realm.Delete("anna")) == "forbidden");
    CHECK(realm.Push(realm.bo, realm.Accept("bo")) == "applied");
    CHECK(realm.Told() == R"(["bo"]["bo"])");
    CHECK(realm.Member("bo")["accepted"] == Data(true));
    CHECK(realm.Member("bo")["role"].Is(role));
    const bool writes = std::string(role) != "reader";
    CHECK(realm.Push(realm.bo, realm.Item("x")) == (writes ? "applied" : "forbidden"));
  }
}

TEST_CASE("an invitation is declined, and then it is as if it had never been") {
  Asking realm;
  REQUIRE(realm.Push(realm.anna, realm.Invite("bo", "owner")) == "applied");
  CHECK(realm.Push(realm.bo, realm.Delete("bo")) == "applied");
  CHECK(realm.Told() == R"(null["bo"])");
  CHECK(realm.Member("bo").is_null());
  CHECK(realm.Push(realm.bo, realm.Accept("bo")) == "forbidden");
  CHECK(realm.Push(realm.bo, realm.Delete("bo")) == "forbidden");
  CHECK(realm.Push(realm.anna, realm.Invite("bo", "reader")) == "applied");
  CHECK(realm.Push(realm.bo, realm.Accept("bo")) == "applied");
}

TEST_CASE("a withdrawn invitation cannot be accepted") {
  Asking realm;
  REQUIRE(realm.Push(realm.anna, realm.Invite("bo", "owner")) == "applied");
  REQUIRE(realm.Push(realm.anna, realm.Delete("bo")) == "applied");
  CHECK(realm.Push(realm.bo, realm.Accept("bo")) == "forbidden");
}

TEST_CASE("only the invited accepts, by an update that does nothing else") {
  Asking realm;
  REQUIRE(realm.Push(realm.anna, realm.Invite("bo", "writer")) == "applied");
  CHECK(realm.Push(realm.anna, realm.Accept("bo")) == "forbidden");
  CHECK(realm.Push(realm.cy, realm.Accept("bo")) == "forbidden");
  CHECK(realm.Push(realm.cy, realm.Accept("cy")) == "forbidden");
  for (const char* set :
       {R"({"accepted":true,"role":"owner"})", R"({"accepted":false})", R"({"accepted":null})",
        R"({"by":"cy"})", R"({"accepted":true,"by":"cy"})"}) {
    CAPTURE(set);
    CHECK(realm.Push(realm.bo, realm.On("update", "bo", set)) != "applied");
    CHECK(realm.Push(realm.anna, realm.On("update", "bo", set)) == "invalid");
  }
  for (const char* kind : {"create", "offer"}) {
    for (const char* more : {R"("accepted":true)", R"("accepted":false)", R"("by":"dan")"}) {
      CAPTURE(kind);
      CAPTURE(more);
      const std::string set = std::string(R"({"user":"cy","role":"reader",)") + more + "}";
      CHECK(realm.Push(realm.anna, realm.On(kind, "cy", set)) == "invalid");
    }
  }
  // Nor do an invitation to another role, or a change of the role, accept it.
  CHECK(realm.Push(realm.anna, realm.Invite("bo", "owner")) == "applied");
  CHECK(realm.Push(realm.anna, realm.On("update", "bo", R"({"role":"owner"})")) == "applied");
  CHECK(realm.Member("bo")["accepted"] == Data(false));
  CHECK(realm.Push(realm.bo, realm.Item("x")) == "forbidden");
}

TEST_CASE("an answer to an invitation stands alone in its realm, as one step") {
  Asking realm;
  REQUIRE(realm.Push(realm.anna, realm.Invite("bo", "owner")) == "applied");
  CHECK(realm.Push(realm.bo, realm.Accept("bo") + "," + realm.Item("x")) == "forbidden");
  CHECK(realm.Push(realm.bo, realm.Delete("bo") + "," + realm.Item("x")) == "forbidden");
  CHECK(realm.Member("bo")["accepted"] == Data(false));
}

TEST_CASE("an invitation offered again after a backup is an invitation") {
  Asking realm;
  CHECK(realm.Push(realm.anna, realm.On("offer", "bo", R"({"user":"bo","role":"writer"})")) ==
        "applied");
  CHECK(realm.Member("bo")["accepted"] == Data(false));
}

TEST_CASE("a self-made membership needs no acceptance, and direct invitations neither") {
  Asking realm;
  CHECK(realm.Member("anna").Find("accepted") == nullptr);
  Asking direct(false);
  REQUIRE(direct.Push(direct.anna, direct.Invite("bo", "writer")) == "applied");
  CHECK(direct.Told() == R"(["bo"]null)");
  CHECK(direct.Push(direct.bo, direct.Item("x")) == "applied");
  // Also where an earlier invitation waits.
  realm.Push(realm.anna, realm.Invite("bo", "writer"));
  realm.world.asks_consent = false;
  CHECK(realm.Push(realm.bo, realm.Item("x")) == "forbidden");
  CHECK(realm.Push(realm.bo, realm.Accept("bo")) == "applied");
}

TEST_CASE("an invited owner counts as a member, but not as an owner") {
  Asking realm;
  REQUIRE(realm.Push(realm.anna, realm.Invite("bo", "owner")) == "applied");
  CHECK(realm.Push(realm.anna, realm.Delete("anna")) == "last_owner");
  REQUIRE(realm.Push(realm.bo, realm.Accept("bo")) == "applied");
  CHECK(realm.Push(realm.anna, realm.Delete("anna")) == "applied");
  REQUIRE(realm.Push(realm.bo, realm.Invite("cy", "reader")) == "applied");
  CHECK(realm.Push(realm.bo, realm.Delete("bo")) == "last_owner");
  REQUIRE(realm.Push(realm.cy, realm.Delete("cy")) == "applied");
  CHECK(realm.Push(realm.bo, realm.Delete("bo")) == "applied");
}

TEST_CASE("the inviter's device learns by its next pull that its invitation waits") {
  Asking realm;
  realm.world.Grant("anna", realm.name, "own");
  const Data update = realm.anna.Make("[" + realm.Invite("bo", "writer") + "]", {realm.name});
  REQUIRE(Status(realm.anna.Send(update)) == "applied");
  Data have = Data::MakeArray();
  Data cursors = Data::MakeObject();
  cursors.Set(realm.name, realm.world.cursor(realm.name, 1));
  Data request = Data::MakeObject();
  request.Set("client", "c-anna")
      .Set("cursors", std::move(cursors))
      .Set("have", have.Push(update["id"]))
      .Set("scopes", Json(R"([{"table":"$members","where":["true"],"filled":true}])"));
  const Data answer = realm.world.Pull("anna", request);
  REQUIRE(answer["changes"].items().size() == 1);
  CHECK(answer["changes"].items()[0]["set"] == Json(R"({"accepted":false,"by":"anna"})"));
}

}  // namespace
}  // namespace skerry::authority_test
