// Goal: what is in a realm depends on the mutation that founds it: it is held with it and refused
// with it. A leave of a realm that is gone is done. Method: pages of mutations, given to the classes
// that decide.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "base/random.h"
#include "log/mutation_record.h"
#include "model/members.h"
#include "sync/grouping.h"
#include "sync/quarantine.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

const std::string kRealm = SyncUuid(77);
constexpr TableIndex kItems = 0, kMembers = 1;

const Schema& MemberSchema() {
  static const Schema schema = [] {
    const Data description = Json(R"({"version":1,"tables":[
      {"name":"items","ids":"string","props":[{"name":"n","type":"number","optional":true}]},
      {"name":"$members","ids":"string","props":[
        {"name":"user","type":"string"},
        {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},
    {"name":"by","type":"string","optional":true}]}]})");
    return std::move(Schema::Parse(description).value());
  }();
  return schema;
}

Op OpOn(OpKind kind, TableIndex table, std::string id, std::string realm) {
  Op op;
  op.kind = kind;
  op.table = table;
  op.id = std::move(id);
  op.realm = std::move(realm);
  op.by = {0};
  return op;
}
Op Item(std::string id, std::string realm) {
  return OpOn(OpKind::kCreate, kItems, std::move(id), std::move(realm));
}
Op Member(OpKind kind, const std::string& user, const char* role = nullptr) {
  Op op = OpOn(kind, kMembers, MembershipId(kRealm, user), kRealm);
  if (role == nullptr) return op;
  op.set.push_back({kMemberUser, Value::String(user)});
  op.set.push_back({kMemberRole, Value::String(role)});
  return op;
}
Op Founding() { return Member(OpKind::kCreate, "anna", "owner"); }

skerry::MutationRecord Record(uint64_t number, Vector<Op> ops) {
  Mutation mutation;
  mutation.action = {SyncUuid(number), "change", "null", 1000};
  mutation.ops = std::move(ops);
  return MakeMutationRecord(MemberSchema(), mutation);
}
Data Page(const Vector<skerry::MutationRecord>& records) {
  Data page = Data::MakeArray();
  for (size_t i = 0; i < records.size(); ++i) {
    Data row = Data::MakeObject();
    page.Push(row.Set("key", static_cast<uint64_t>(i + 1)).Set("value", records[i].Write()));
  }
  return page;
}

const InboxReason kForbidden{"rejected", "forbidden", "", "", {}};

// The codes of the refused mutations, by their numbers; those that stay are left out.
using Codes = std::map<uint64_t, std::string>;
Codes Refused(const Quarantine& quarantine) {
  Codes codes;
  for (const RefusedMutation& refused : quarantine.refused())
    codes[refused.key.number()] = refused.code;
  return codes;
}

TEST_CASE("a refused founding takes along all in its realm, and nothing else") {
  Quarantine quarantine(&MemberSchema(), "anna", 5000);
  quarantine.Refuse(SyncUuid(1), kForbidden);
  // The server has refused this one for itself, too.
  quarantine.Refuse(SyncUuid(2), kForbidden);
  Data::Array writes;
  quarantine.Add(
      Page({Record(1, {Founding()}), Record(2, {Item("a", kRealm)}),
            Record(3, {Member(OpKind::kCreate, "bo", "writer")}), Record(4, {Item("b", "A")}),
            Record(5, {Item("c", "A"), Item("d", kRealm)})}),
      &writes);
  CHECK(Refused(quarantine) ==
        Codes{{1, "forbidden"}, {2, "depends"}, {3, "depends"}, {5, "depends"}});
  Vector<std::string> depends_on;
  for (const Data& write : writes) {
    if (write["store"].Is("conflicts"))
      depends_on.push_back(
          write["add"]["dependsOn"].is_string() ? write["add"]["dependsOn"].as_string() : "");
  }
  CHECK(depends_on == Vector<std::string>{"", SyncUuid(1), SyncUuid(1), SyncUuid(1)});
}

TEST_CASE("what founds a realm again, and offers rows, depends on no refused founding") {
  Quarantine quarantine(&MemberSchema(), "anna", 5000);
  quarantine.Refuse(SyncUuid(1), kForbidden);
  Op row = Item("a", kRealm);
  row.kind = OpKind::kOffer;
  Data::Array writes;
  quarantine.Add(Page({Record(1, {Founding(), Item("a", kRealm), Item("e", "A")}),
                       Record(2, {Item("b", kRealm)}), Record(3, {Founding()}), Record(4, {row}),
                       Record(5, {Item("a", kRealm)}), Record(6, {Item("e", "A")})}),
                 &writes);
  CHECK(Refused(quarantine) == Codes{{1, "forbidden"}, {2, "depends"}, {6, "depends"}});
}

TEST_CASE("a founding that was refused for itself goes to the inbox, with its offers") {
  Quarantine quarantine(&MemberSchema(), "anna", 5000);
  quarantine.Refuse(SyncUuid(1), kForbidden);
  quarantine.Refuse(SyncUuid(2), kForbidden);
  Data::Array writes;
  quarantine.Add(
      Page({Record(1, {Founding()}), Record(2, {Founding()}), Record(3, {Item("b", kRealm)})}),
      &writes);
  CHECK(Refused(quarantine) == Codes{{1, "forbidden"}, {2, "forbidden"}, {3, "depends"}});
}

// The mutations of anna's that are sent, in order, by their keys; `lost`: realms that the server has lost.
Vector<uint64_t> Sent(const Data& page, const Vector<std::string>& lost) {
  Random random("founding");
  UuidGenerator ids(&random);
  Chain chain;
  chain.client = SyncUuid(50);
  Grouping grouping(&MemberSchema(), 0);
  grouping.OfUser("anna");
  grouping.Lose(lost);
  grouping.Add(page);
  Data::Array writes;
  Vector<uint64_t> keys;
  for (const OutboxRecord& update : grouping.Finish(1000, 1000, &ids, &chain, &writes)) {
    for (const NamedMutation& named : update.mutations) keys.push_back(named.key.number());
  }
  return keys;
}

TEST_CASE("in a lost realm nothing is sent but its founding, and what it lacks waits") {
  const Data page = Page({Record(1, {Item("a", kRealm)}), Record(2, {Item("b", "A")}),
                          Record(3, {Founding()}), Record(4, {Item("c", kRealm)})});
  CHECK(Sent(page, {kRealm}) == Vector<uint64_t>{2, 3});
  CHECK(Sent(page, {}) == Vector<uint64_t>{1, 3, 4, 2});
}

TEST_CASE("an acceptance of a lost realm is sent, of one's own membership only") {
  const auto accepting = [](const char* user) {
    Op op = Member(OpKind::kUpdate, user);
    op.set.push_back({kMemberAccepted, Value::Bool(true)});
    return op;
  };
  const Data page = Page({Record(1, {Item("a", kRealm)}), Record(2, {accepting("ben")}),
                          Record(3, {accepting("anna")})});
  CHECK(Sent(page, {kRealm}) == Vector<uint64_t>{3});
}

TEST_CASE("a leave of a lost realm waits, and so does what needs objects that wait") {
  const Data page = Page({Record(1, {Member(OpKind::kDelete, "anna")}),
                          Record(2, {Member(OpKind::kCreate, "ben", "reader")}),
                          Record(3, {Item("a", "A"), Item("b", kRealm)}),
                          Record(4, {Item("a", "A")}), Record(5, {Item("c", "A")}),
                          Record(6, {Founding(), Member(OpKind::kOffer, "ben", "reader")})});
  CHECK(Sent(page, {kRealm}) == Vector<uint64_t>{5, 6});
}

TEST_CASE("a refused change of members takes along no rows of the realm") {
  Quarantine quarantine(&MemberSchema(), "anna", 5000);
  quarantine.Refuse(SyncUuid(1), kForbidden);
  Data::Array writes;
  quarantine.Add(
      Page({Record(1, {Member(OpKind::kCreate, "bo", "owner")}), Record(2, {Item("a", kRealm)})}),
      &writes);
  CHECK(Refused(quarantine).size() == 1);
}

TEST_CASE("a leave of a realm that is revoked, or unknown to the server, is done") {
  for (const bool pulled : {true, false}) {
    Quarantine quarantine(&MemberSchema(), "anna", 5000);
    if (pulled)
      quarantine.RefuseRealm(kRealm, {"revoked", "revoked", "", "", {}});
    else
      quarantine.Refuse(SyncUuid(1), kForbidden);
    Data::Array writes;
    quarantine.Add(Page({Record(1, {Member(OpKind::kDelete, "anna")}),
                         Record(2, {Member(OpKind::kDelete, "bo")})}),
                   &writes);
    REQUIRE(quarantine.done().size() == 1);
    CHECK(quarantine.done()[0].id == SyncUuid(1));
    CHECK(quarantine.refused().size() == (pulled ? 1 : 0));
    CHECK(quarantine.highest_removed_key() == (pulled ? 2 : 1));
  }
  // One that is refused for another reason is not.
  Quarantine quarantine(&MemberSchema(), "anna", 5000);
  quarantine.Refuse(SyncUuid(1), {"rejected", "last_owner", "", "", {}});
  Data::Array writes;
  quarantine.Add(Page({Record(1, {Member(OpKind::kDelete, "anna")})}), &writes);
  CHECK(quarantine.done().empty());
  CHECK(quarantine.refused().size() == 1);
}

TEST_CASE("a held founding holds all in its realm, and nothing else") {
  Random random(std::string(32, 'x'));
  UuidGenerator ids(&random);
  Grouping grouping(&MemberSchema(), 0);
  grouping.OfUser("anna");
  skerry::MutationRecord founding = Record(1, {Founding()});
  founding.held = true;
  grouping.Add(Page({founding, Record(2, {Item("a", kRealm)}), Record(3, {Item("b", "A")}),
                     Record(4, {Item("c", "B"), Item("d", kRealm)})}));
  Chain chain;
  chain.client = "c1";
  Data::Array writes;
  const Vector<OutboxRecord> updates = grouping.Finish(1, 1, &ids, &chain, &writes);
  REQUIRE(updates.size() == 1);
  REQUIRE(updates[0].mutations.size() == 1);
  CHECK(updates[0].mutations[0].id == SyncUuid(3));
}

}  // namespace
}  // namespace skerry::sync_test
