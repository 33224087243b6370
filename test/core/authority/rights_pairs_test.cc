// Goal: an update is admitted if its author's role before it allows each of its ops, whatever other ops
// stand beside them. Method: every role, with every op alone and every pair of ops in both orders, against
// a table of what the role allows.
#include <doctest/doctest.h>

#include <string>

#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

// A realm with members, and B, in which everybody may write. Each op has rows of its own, so that no two ops
// disturb each other. `$` stands for the realm's name.
struct RoledOp {
  const char* name;
  const char* op;
  // The first role, of none, reader, writer and owner, that may do it.
  size_t from;
};
constexpr size_t kReader = 1, kWriter = 2, kOwner = 3;
constexpr RoledOp kRoledOps[] = {
    {"create", R"({"op":"create","table":"items","id":"new","realm":"$","set":{"n":1}})", kWriter},
    {"update", R"({"op":"update","table":"items","id":"updated","realm":"$","set":{"n":2}})",
     kWriter},
    {"inc", R"({"op":"inc","table":"items","id":"added","realm":"$","add":{"n":2}})", kWriter},
    {"delete", R"({"op":"delete","table":"items","id":"deleted","realm":"$"})", kWriter},
    {"offer", R"({"op":"offer","table":"items","id":"offered","realm":"$","set":{"n":1}})",
     kWriter},
    {"move out", R"({"op":"move","table":"items","id":"out of $","realm":"$","to":"B"})", kWriter},
    {"move in", R"({"op":"move","table":"items","id":"in of $","realm":"B","to":"$"})", kWriter},
    {"append", R"({"op":"append","stream":"s","realm":"$"})", kWriter},
    {"invite",
     R"({"op":"create","table":"$members","id":"$/dan","realm":"$","set":{"user":"dan","role":"reader"}})",
     kOwner},
    {"set a role",
     R"({"op":"update","table":"$members","id":"$/cy","realm":"$","set":{"role":"writer"}})",
     kOwner},
    {"remove", R"({"op":"delete","table":"$members","id":"$/eve","realm":"$"})", kOwner},
    {"leave", R"({"op":"delete","table":"$members","id":"$/bo","realm":"$"})", kReader},
};
constexpr const char* kRoles[] = {"", "reader", "writer", "owner"};

std::string With(std::string text, const std::string& realm) {
  for (size_t at = 0; (at = text.find('$', at)) != std::string::npos; at += realm.size()) {
    if (text.compare(at, 8, "$members") == 0) {
      at += 8 - realm.size();
      continue;
    }
    text.replace(at, 1, realm);
  }
  return text;
}

// A world for some outcomes; each has a realm of its own, which anna founds. (A world keeps every state of
// every realm, so one for all outcomes would be slow.)
struct Roles {
  AuthorityWorld world;
  Author anna{&world, "c-anna", "anna"};
  Author bo{&world, "c-bo", "bo"};
  uint64_t realms = 0;

  Roles() {
    for (const char* user : {"anna", "bo"}) world.Grant(user, "B", "write");
  }
  static std::string Member(const std::string& user, const std::string& role) {
    return R"({"op":"create","table":"$members","id":"$/)" + user +
           R"(","realm":"$","set":{"user":")" + user + R"(","role":")" + role + R"("}})";
  }
  static std::string Item(const std::string& id, const char* realm) {
    return R"({"op":"create","table":"items","id":")" + id + R"(","realm":")" + realm +
           R"(","set":{"n":1}})";
  }
  // bo's outcome in a realm in which bo has the role.
  std::string Outcome(size_t role, const std::string& ops) {
    const std::string realm = Id(++realms);
    world.AddRealm(realm);
    std::string setup =
        Member("anna", "owner") + "," + Member("cy", "reader") + "," + Member("eve", "reader");
    if (role > 0) setup += "," + Member("bo", kRoles[role]);
    for (const char* id : {"updated", "added", "deleted", "out of $"}) setup += "," + Item(id, "$");
    setup += "," + Item("in of $", "B");
    REQUIRE(Status(anna.Push(With("[" + setup + "]", realm), {realm, "B"})) == "applied");
    const bool moves = ops.find(R"("op":"move")") != std::string::npos;
    Vector<std::string> named{realm};
    if (moves) named.push_back("B");
    const Data result = bo.Push(With("[" + ops + "]", realm), named);
    return Status(result) == "rejected" ? RejectCode(result) : Status(result);
  }
};

TEST_CASE("each role may do each op, alone, as the table of roles says") {
  Roles roles;
  for (size_t role = 0; role < std::size(kRoles); ++role) {
    for (const RoledOp& one : kRoledOps) {
      CAPTURE(kRoles[role]);
      CAPTURE(one.name);
      CHECK(roles.Outcome(role, one.op) == (role >= one.from ? "applied" : "forbidden"));
    }
  }
}

TEST_CASE("no op gains or loses a right by another op in the same update") {
  for (size_t role = kReader; role < std::size(kRoles); ++role) {
    for (const RoledOp& first : kRoledOps) {
      Roles roles;
      for (const RoledOp& second : kRoledOps) {
        // Rows follow one rule whatever their order is; memberships change the rights themselves.
        const bool rows_only = first.from == kWriter && second.from == kWriter;
        if (rows_only ? &first >= &second : &first == &second) continue;
        CAPTURE(kRoles[role]);
        CAPTURE(first.name);
        CAPTURE(second.name);
        const bool is_allowed = role >= first.from && role >= second.from;
        CHECK(roles.Outcome(role, std::string(first.op) + "," + second.op) ==
              (is_allowed ? "applied" : "forbidden"));
      }
    }
  }
}

}  // namespace
}  // namespace skerry::authority_test
