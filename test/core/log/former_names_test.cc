// Goal: what was stored under former names of tables and props is the same under the present ones,
// and under the former ones again, after a rollback. Method: two schemas that differ in names alone,
// an image, records and mutations of the one, read by the other.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "log/codec.h"
#include "log/convert.h"
#include "log/left_out.h"
#include "log/mutation_record.h"
#include "log/sync_record.h"
#include "model/present_names.h"
#include "test/core/log/log_fixture.h"
#include "test/core/log/renamed_schema.h"

namespace skerry::test {
namespace {

Schema FormerTowns() {
  return ParsedTowns(R"({"version":1,"tables":[
    {"name":"towns","ids":"string","props":[
      {"name":"name","type":"string"},
      {"name":"pop","type":"number","default":3},
      {"name":"kind","type":"enum","optional":true,"enum":{"values":["a","b"]}}]},
    {"name":"roads","ids":"string","props":[{"name":"to","type":"ref","optional":true,
      "ref":{"table":"towns"}}]}]})");
}

Op OnTown(OpKind kind, const char* id) {
  Op op = NewOp(kind, {0, id}, "A");
  op.by = {0};
  return op;
}

std::string TownsBody(Vector<Op> ops) {
  Mutation mutation;
  mutation.action = {TestUuid(9), "change", "null", 5};
  mutation.ops = std::move(ops);
  return EncodeMutation(FormerTowns(), mutation);
}

}  // namespace

TEST_CASE("names that a table or prop had are its own") {
  const Schema schema = PresentCities();
  CHECK(schema.FindTable("towns") == 1);
  CHECK(schema.FindTable("places") == 1);
  CHECK(schema.table(1).FindProp("pop") == 1);
  CHECK(schema.table(1).FindProp("people") == 1);
  CHECK(schema.table(0).FindProp("pop") == kNone);
  CHECK(schema.table(1).former.First("cities") == "towns");
  CHECK(schema.table(0).former.First("roads") == "roads");
}

TEST_CASE("an image is read under other names, and under the former ones again") {
  const Schema former = FormerTowns();
  const Schema present = PresentCities();
  Base before(&former);
  Row town;
  town.realm = "A";
  town.props = {Value::String("Ulm"), Value::Number(7), Value::String("a")};
  before.PutBase({0, "u"}, town);
  Row road;
  road.realm = "A";
  road.props = {Value::String("u")};
  before.PutBase({1, "r"}, road);
  Base after(&present);
  bool left_out = false;
  Convert(before, &after, &left_out);
  CHECK_FALSE(left_out);
  const auto city = after.GetBase("A", {1, "u"});
  REQUIRE(city);
  CHECK(city->props == Vector<Value>{Value::String("a"), Value::Number(7), Value::String("Ulm")});
  CHECK(after.GetBase("A", {0, "r"})->props[0] == Value::String("u"));
  Base again(&former);
  Convert(after, &again, &left_out);
  CHECK_FALSE(left_out);
  CHECK(again.GetBase("A", {0, "u"})->props == town.props);
  CHECK(again.GetBase("A", {1, "r"})->props == road.props);
}

TEST_CASE("a mutation of former names is whole, and what has no place is found") {
  Op create = OnTown(OpKind::kCreate, "u");
  create.set = {{0, Value::String("Ulm")}, {1, Value::Number(3)}, {2, Value::String("b")}};
  Op inc = OnTown(OpKind::kInc, "v");
  inc.add = {{1, 5}};
  const std::string body = TownsBody({create, inc});
  Status left_out;
  const Result<Mutation> read = DecodeMutation(PresentCities(), body, &left_out);
  REQUIRE(read.ok());
  REQUIRE(read.value().ops.size() == 2);
  CHECK(read.value().ops[0].table == 1);
  CHECK(read.value().ops[0].set ==
        Vector<PropValue>{{1, Value::Number(3)}, {2, Value::String("Ulm")}});
  CHECK(read.value().ops[1].add[0].prop == 1);
  CHECK_FALSE(left_out.ok());
  const auto parts = FindLeftOut(PresentCities(), body, {});
  REQUIRE(parts.ok());
  REQUIRE(parts.value().size() == 1);
  CHECK(parts.value()[0].table == "cities");
  CHECK(WriteJson(parts.value()[0].mine) == R"({"type":"b"})");
  // And so is what a server has left out, whichever name it says.
  ServerLeftOut items;
  items.emplace(ObjectName("cities", "u", "A"), Vector<std::string>{"population"});
  CHECK(FindLeftOut(PresentCities(), items, body, {}).value().size() == 1);
  // A default that the former release has filled in is not the user's.
  CHECK(FindLeftOut(PresentCities(), items, body, {{"towns", {{"pop", "3"}}}}).value().empty());
}

TEST_CASE("what a release writes is read by the one before") {
  Op create = NewOp(OpKind::kCreate, {1, "u"}, "A");
  create.by = {0};
  create.set = {{0, Value::String("a")}, {1, Value::Number(7)}, {2, Value::String("Ulm")}};
  Mutation mutation;
  mutation.action = {TestUuid(9), "change", "null", 5};
  mutation.ops = {create};
  Status left_out;
  const Result<Mutation> read =
      DecodeMutation(FormerTowns(), EncodeMutation(PresentCities(), mutation), &left_out);
  REQUIRE(read.ok());
  CHECK(left_out.ok());
  CHECK(read.value().ops[0].set == Vector<PropValue>{{0, Value::String("Ulm")},
                                                     {1, Value::Number(7)},
                                                     {2, Value::String("a")}});
  SyncRecord sync;
  NoteDefaults(PresentCities(), &sync);
  CHECK(sync.defaults->at("towns").at("pop") == "3");
}

TEST_CASE("an object has the same key in the records of both releases") {
  CHECK(ObjectText(FormerTowns(), 0, "u", "A") == ObjectText(PresentCities(), 1, "u", "A"));
}

TEST_CASE("a stored scope has the present names, and nothing else of it changes") {
  SyncRecord stored;
  const char* where = R"(["and",["=","pop",4],["or",["in","kind",["pop","kind","x"]],
      ["not",["like","name","towns"]]],["in","id",{"table":"roads","select":"to",
      "where":["!=","to","pop"]}],["=","unknown",1],["true"]])";
  stored.scopes.push_back({"towns", ParseJson(where).value(), {}, {}, {}, {}});
  stored.scopes.push_back({"unknown", ParseJson(R"(["=","pop",1])").value(), {}, {}, {}, {}});
  const SyncRecord sync = CompleteSyncRecord(stored.Write(), "c", PresentCities());
  REQUIRE(sync.scopes.size() == 2);
  CHECK(sync.scopes[0].table == "cities");
  CHECK(WriteJson(sync.scopes[0].where) ==
        WriteJson(ParseJson(R"(["and",["=","population",4],["or",["in","type",["pop","kind","x"]],
      ["not",["like","name","towns"]]],["in","id",{"table":"roads","select":"goal",
      "where":["!=","goal","pop"]}],["=","unknown",1],["true"]])")
                      .value()));
  CHECK(sync.scopes[1].table == "unknown");
  CHECK(sync.scopes[1].where == stored.scopes[1].where);
}

}  // namespace skerry::test
