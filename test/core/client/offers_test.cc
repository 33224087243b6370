// Goal: a window gives back what it holds of a realm that the server has lost, or whose log goes on from
// an earlier point: before a pull replaces it, parents first, and as an owner memberships before all.
// Method: offers of a view.
#include "client/offers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "log/codec.h"
#include "log/own_record.h"
#include "test/core/client/offering.h"
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

struct Holder {
  Schema schema = OfferSchema();
  View view{&schema};
  Random random{"offers"};
  UuidGenerator ids{&random};

  void Put(const ObjectKey& key, Vector<Value> props, uint64_t revision = 7,
           std::string realm = kLost) {
    Row row;
    row.realm = std::move(realm);
    row.props = std::move(props);
    row.revision = revision;
    row.modified_at = 1000 + static_cast<double>(revision);
    view.PutBase(key, row);
    view.Touched(row.realm, key);
    view.Derive();
  }
  void Member(const std::string& user, const char* role) {
    Put({1, kLost + "/" + user},
        {Value::String(user), Value::String(role), Value::Bool(true), Value::String("anna")});
  }
  Mutation Found() { return MakeFounding(view, {kLost, "anna", 5000}, &ids); }
};

// The requests by which the rows of the realm are given back, above this revision.
Data Next(Holder* world, Offering* offering) {
  const Offering::Request request = offering->Ask(&world->ids, 5000);
  CHECK(request.path == "/offer");
  return ParseJson(request.body).value();
}

Vector<Data> Requests(Holder& world, uint64_t common) {
  Offering offering(&world.schema, &world.view);
  offering.Begin(kLost, "9@900", "me", {});
  Vector<Data> requests;
  Data first = Next(&world, &offering);
  CHECK(first["ops"].items().empty());
  CHECK(first["cursor"].Is("9@900"));
  CHECK(first["realm"].Is(kLost.c_str()));
  for (Data answer = Answer(common); offering.Take(answer);) {
    requests.push_back(Next(&world, &offering));
    const size_t count = requests.back()["ops"].items().size();
    REQUIRE(requests.back()["times"].items().size() == count);
    answer = Answer(common, count, 1);
  }
  return requests;
}

TEST_CASE("an owner founds a lost realm again with its members") {
  Holder world;
  world.Member("anna", "owner");
  world.Member("bo", "writer");
  CHECK(IsOwnRealm(world.view, {kLost, "anna", 0}));
  CHECK_FALSE(IsOwnRealm(world.view, {kLost, "bo", 0}));
  const Mutation made = world.Found();
  CHECK(made.action.name == "skerry/found");
  REQUIRE(made.ops.size() == 2);
  CHECK(made.ops[0].id == kLost + "/anna");
  CHECK(made.ops[0].kind == OpKind::kCreate);
  CHECK(made.ops[1].kind == OpKind::kOffer);
  // Who accepted is asked again, and accepts by itself.
  for (const Op& op : made.ops) CHECK(op.set.size() == 2);
}

TEST_CASE("an owner who wants to leave founds a lost realm again, as the owner that he was") {
  Holder world;
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
  const Mutation made = world.Found();
  REQUIRE(made.ops.size() == 1);
  CHECK(made.ops[0].kind == OpKind::kCreate);
  CHECK(made.ops[0].set[kMemberRole].value == Value::String("owner"));
  world.view.Detach(&pending);
}

TEST_CASE("rows are given back as base has them, parents first, and no memberships") {
  Holder world;
  world.Member("anna", "owner");
  world.Put({0, "z"}, {Value::Null()});
  world.Put({0, "elsewhere"}, {Value::Null()}, 7, "A");
  // Along a chain against the order of the ids.
  world.Put({0, "b"}, {Value::String("z")});
  world.Put({0, "a"}, {Value::String("b")});
  Op change = NewOp(OpKind::kUpdate, {0, "a"}, kLost);
  change.by = {0};
  change.set.push_back({0, Value::String("z")});
  Pending pending;
  pending.mutation.ops.push_back(std::move(change));
  world.view.Attach(&pending);
  world.view.Derive();
  const Vector<Data> requests = Requests(world, 0);
  REQUIRE(requests.size() == 1);
  CHECK(Ids(requests[0]) == Vector<std::string>{"z", "b", "a"});
  const Vector<Data>& ops = requests[0]["ops"].items();
  CHECK(ops[0]["op"].Is("offer"));
  // What is pending is pushed afterwards. What is null is said, too: somebody may have cleared it.
  CHECK(ops[2]["set"]["parent"].Is("b"));
  CHECK(ops[0]["set"].Find("parent") != nullptr);
  CHECK(requests[0]["times"].items()[0].as_number() == 1007);
  world.view.Detach(&pending);
}

TEST_CASE("rows that were not changed since the common point are not given back") {
  Holder world;
  world.Put({0, "before"}, {Value::Null()}, 6);
  world.Put({0, "at"}, {Value::String("before")}, 7);
  world.Put({0, "after"}, {Value::String("at")}, 8);
  const Vector<Data> requests = Requests(world, 7);
  REQUIRE(requests.size() == 1);
  CHECK(Ids(requests[0]) == Vector<std::string>{"after"});
  CHECK(Requests(world, 8).empty());
}

TEST_CASE("own deletes are given back after the rows, unless a row is there again") {
  Holder world;
  world.Put({0, "row"}, {Value::Null()}, 7);
  world.Put({0, "again"}, {Value::Null()}, 7);
  Offering offering(&world.schema, &world.view);
  offering.Begin(
      kLost, "9@900", "me",
      {{{"x", {0, "gone"}, 6, 600}, {"y", {0, "again"}, 6, 600}, {"z", {0, "before"}, 5, 500}},
       {}});
  Next(&world, &offering);
  REQUIRE(offering.Take(Answer(5)));
  const Data request = Next(&world, &offering);
  Vector<std::string> asked;
  for (const Data& op : request["ops"].items())
    asked.push_back(op["op"].as_string() + " " + op["id"].as_string());
  CHECK(asked == Vector<std::string>{"offer again", "offer row", "delete gone"});
  CHECK(request["times"] == ParseJson("[1007,1007,600]").value());
  CHECK_FALSE(offering.Take(Answer(5, 3, 3).Set("revision", 8).Set("at", 800)));
  REQUIRE(offering.not_taken().given.size() == 1);
  CHECK(offering.not_taken().given.at("x").revision == 8);
  CHECK(offering.not_taken().given.at("x").at == 800);
}

TEST_CASE("the deletes of a client are those of its own actions that it has not undone") {
  const Schema schema = OfferSchema();
  const auto record = [&](std::string realm, std::string of, std::optional<Times> times) {
    Mutation mutation;
    mutation.action = {"act", "remove", "null", 1};
    Op op = NewOp(OpKind::kDelete, {0, "x"}, std::move(realm));
    op.by = {0};
    op.of = std::move(of);
    mutation.ops = {op};
    OwnRecord own;
    own.revisions = {{kLost, 3}};
    own.times = std::move(times);
    own.body = EncodeMutation(schema, mutation);
    return Data::Object{{"key", 1}, {"value", own.Write()}};
  };
  const auto found = [&](Data row) {
    Vector<double> times;
    for (const OwnDelete& deleted : OwnDeletes(schema, Data(Data::Array{std::move(row)}), kLost)) {
      CHECK(deleted.revision == 3);
      times.push_back(deleted.at);
    }
    return times;
  };
  const Times times{{kLost, 30}};
  CHECK(found(record(kLost, "", times)) == Vector<double>{30});
  CHECK(found(record("A", "", times)).empty());
  CHECK(found(record(kLost, "01970000-0000-7000-8000-000000000009", times)).empty());
  // Of an earlier release.
  CHECK(found(record(kLost, "", {})).empty());
}

TEST_CASE("a large realm is given back by many requests") {
  Holder world;
  const size_t count = kMaxOffersAtOnce * 2 + 1;
  for (size_t i = 0; i < count; ++i) world.Put({0, std::to_string(i)}, {Value::Null()});
  const Vector<Data> requests = Requests(world, 0);
  CHECK(requests.size() == 3);
  size_t offered = 0;
  for (const Data& request : requests) offered += request["ops"].items().size();
  CHECK(offered == count);
}

TEST_CASE("a server that takes nothing is asked no more, and what it refuses is noted") {
  Holder world;
  for (size_t i = 0; i < 3; ++i) world.Put({0, std::to_string(i)}, {Value::Null()});
  Offering offering(&world.schema, &world.view);
  offering.Begin(kLost, "9@900", "me", {});
  Next(&world, &offering);
  CHECK_FALSE(offering.Take(Data::Object{{"common", 4}, {"nothing", "forbidden"}}));
  CHECK(offering.not_taken().common == 4);
  CHECK(offering.not_taken().all->code == "forbidden");
  offering.Begin(kLost, "9@900", "me", {});
  Next(&world, &offering);
  REQUIRE(offering.Take(Answer(0)));
  Next(&world, &offering);
  const Data refused = Data::Object{{"op", 1}, {"code", "unique"}, {"detail", "taken"}};
  const Data answer = Answer(0, 2, 1).Set("refused", Data(Data::Array{refused}));
  REQUIRE(offering.Take(answer));
  REQUIRE(offering.not_taken().objects.size() == 1);
  CHECK(offering.not_taken().objects.begin()->first == ObjectText(world.schema, 0, "1", kLost));
  CHECK(offering.not_taken().objects.begin()->second.code == "unique");
  CHECK_FALSE(offering.not_taken().all);
  CHECK(Ids(Next(&world, &offering)) == Vector<std::string>{"2"});
  // It never says that it has done what was not asked for, but if it does, nothing is passed over.
  CHECK_FALSE(offering.Take(Answer(0, 0)));
}

}  // namespace
}  // namespace skerry::client_test
