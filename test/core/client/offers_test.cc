// Goal: a window gives back what it holds of a realm that the server has lost: once, before a pull
// replaces it, parents first, and as an owner memberships before all. Method: offers of a view, and
// windows over a fake IndexedDB.
#include "client/offers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

const std::string kLost = "01970000-0000-7000-8000-00000000000a";

Schema OfferSchema() {
  const Data description = ParseJson(R"({"version":1,"tables":[
    {"name":"items","ids":"string","props":[
      {"name":"parent","type":"ref","optional":true,
       "ref":{"table":"items","onDelete":"cascade","touch":false}}]},
    {"name":"$members","ids":"string","props":[
      {"name":"user","type":"string"},
      {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},
    {"name":"by","type":"string","optional":true}]}]})")
                               .value();
  return std::move(Schema::Parse(description).value());
}

struct Offering {
  Schema schema = OfferSchema();
  View view{&schema};
  Random random{"offers"};
  UuidGenerator ids{&random};

  void Put(const ObjectKey& key, Vector<Value> props, std::string realm = kLost) {
    Row row;
    row.realm = std::move(realm);
    row.props = std::move(props);
    view.PutBase(key, row);
    view.Touched(row.realm, key);
    view.Derive();
  }
  void Member(const std::string& user, const char* role) {
    Put({1, kLost + "/" + user},
        {Value::String(user), Value::String(role), Value::Bool(true), Value::String("anna")});
  }
  Vector<Mutation> Make() { return MakeOffers(view, {kLost, "anna", 5000}, &ids); }
};

Vector<std::string> Ids(const Mutation& mutation) {
  Vector<std::string> ids;
  for (const Op& op : mutation.ops) ids.push_back(op.id);
  return ids;
}

TEST_CASE("an owner founds a lost realm again with its members, and offers its rows") {
  Offering world;
  world.Member("anna", "owner");
  world.Member("bo", "writer");
  world.Put({0, "z"}, {Value::Null()});
  world.Put({0, "elsewhere"}, {Value::Null()}, "A");
  // Parents come first, also along a chain against the order of the ids.
  world.Put({0, "b"}, {Value::String("z")});
  world.Put({0, "a"}, {Value::String("b")});
  const Vector<Mutation> made = world.Make();
  REQUIRE(made.size() == 2);
  CHECK(made[0].action.name == "skerry/found");
  REQUIRE(made[0].ops.size() == 2);
  CHECK(made[0].ops[0].id == kLost + "/anna");
  CHECK(made[0].ops[0].kind == OpKind::kCreate);
  CHECK(made[0].ops[1].kind == OpKind::kOffer);
  // Who accepted is asked again, and accepts by itself.
  for (const Op& op : made[0].ops) CHECK(op.set.size() == 2);
  CHECK(Ids(made[1]) == Vector<std::string>{"z", "b", "a"});
  CHECK(made[1].ops[0].kind == OpKind::kOffer);
}

TEST_CASE("an owner who wants to leave founds a lost realm again, as the owner that he was") {
  Offering world;
  world.Member("anna", "owner");
  Op leave = NewOp(OpKind::kDelete, {1, kLost + "/anna"}, kLost);
  leave.by = {0};
  Mutation mutation;
  mutation.ops.push_back(std::move(leave));
  Pending pending;
  pending.mutation = std::move(mutation);
  world.view.Attach(&pending);
  world.view.Derive();
  REQUIRE_FALSE(world.view.Visible({1, kLost + "/anna", kLost}).has_value());
  const Vector<Mutation> made = world.Make();
  REQUIRE(made.size() == 1);
  CHECK(made[0].action.name == "skerry/found");
  REQUIRE(made[0].ops.size() == 1);
  CHECK(made[0].ops[0].kind == OpKind::kCreate);
  CHECK(made[0].ops[0].set[kMemberRole].value == Value::String("owner"));
  world.view.Detach(&pending);
}

TEST_CASE("another member offers rows of a lost realm, and no memberships") {
  Offering world;
  world.Member("anna", "writer");
  world.Member("bo", "owner");
  world.Put({0, "a"}, {Value::Null()});
  const Vector<Mutation> made = world.Make();
  REQUIRE(made.size() == 1);
  CHECK(Ids(made[0]) == Vector<std::string>{"a"});
}

TEST_CASE("offers of a large realm are many mutations") {
  Offering world;
  const size_t count = kMaxOffersPerMutation * 2 + 1;
  for (size_t i = 0; i < count; ++i) world.Put({0, std::to_string(i)}, {Value::Null()});
  const Vector<Mutation> made = world.Make();
  CHECK(made.size() == 3);
  size_t offered = 0;
  for (const Mutation& mutation : made) offered += mutation.ops.size();
  CHECK(offered == count);
}

// A record of the worker that says that realm A is lost, and what is asked of windows.
Data Lose(Storage* storage, bool is_due) {
  Data message = Data::Object{{"type", "record"}, {"record", storage->Work({}, {}, {})}};
  Data lost = Data::MakeArray();
  lost.Push("A");
  Data record = message["record"];
  record.Set("lost", lost);
  storage->updates[storage->n()] = record;
  storage->sync.Set("lost", lost);
  if (is_due) storage->sync.Set("offers", One("A", false));
  return message.Set("record", record);
}

TEST_CASE("one window logs the rows of a lost realm that the server has again") {
  Pair pair;
  const Data message = Lose(&pair.storage, true);
  pair.A().Hear(message);
  pair.B().Hear(message);
  // Both read `sync` at the same time, and the second finds that it is done.
  pair.A().Settle();
  pair.B().Settle();
  REQUIRE(pair.storage.mutations.size() == 1);
  CHECK(pair.storage.sync["offers"] == One("A", true));
  CHECK(!Message(pair.A(), "wake").is_null());
  CHECK(!Message(pair.A(), "left").is_null());
  CHECK(Message(pair.B(), "left").is_null());
  // The rows stay when base loses them.
  Step drop;
  drop.kind = StepKind::kDropRealm;
  drop.realm = "A";
  Vector<Step> steps;
  steps.push_back(std::move(drop));
  const Data record = pair.storage.Work({}, {}, std::move(steps));
  pair.A().Hear(Data::Object{{"type", "record"}, {"record", record}});
  pair.A().Settle();
  CHECK(Count(pair.A()) == 0);
  CHECK(pair.A().client().tab().mirror().pending().size() == 1);
}

TEST_CASE("rows of a lost realm are not logged before the server has it, but by an owner") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, false));
  pair.A().Settle();
  CHECK(pair.storage.mutations.empty());
  CHECK(pair.storage.sync.Find("offers") == nullptr);
}

TEST_CASE("a window that lacks a record reads it before it offers rows") {
  Pair pair;
  const Data message = Lose(&pair.storage, true);
  pair.A().Hear(message);
  pair.storage.Work({}, {}, {});
  pair.A().Settle();
  CHECK(pair.storage.mutations.size() == 1);
}

TEST_CASE("offers that could not be stored are made later") {
  Pair pair;
  pair.A().Hear(Lose(&pair.storage, true));
  Next(pair.A(), Outcome::kFailed);
  CHECK(pair.storage.mutations.empty());
  Fire(pair.A(), "reread");
  pair.A().Settle();
  CHECK(pair.storage.mutations.size() == 1);
}

}  // namespace
}  // namespace skerry::client_test
