// Goal: whatever a schema has no place for is found in a mutation with its content, and nothing else
// is; and where there is a place for it again, it can be made again. Method: a table of releases that
// drop or change something, and mutations made before them.
#include "log/left_out.h"

#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "log/codec.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

// A release whose table `cities` has a name and these props besides.
Schema CitiesWith(const std::string& props, const std::string& ids = "uuid") {
  const std::string table = R"({"name":"cities","ids":")" + ids +
                            R"(","props":[{"name":"name","type":"string"})" + props + "]}";
  Result<Data> description = ParseJson(R"({"version":4,"tables":[)" + table + "]}");
  REQUIRE(description.ok());
  Result<Schema> schema = Schema::Parse(description.value());
  REQUIRE(schema.ok());
  return std::move(schema.value());
}

Op NewCityOp(OpKind kind) { return NewOp(kind, {kCities, TestUuid(1)}, "public"); }

Op SettingOf(OpKind kind, const char* prop, Value value) {
  Op op = NewCityOp(kind);
  op.by = {0};
  op.set = {{PropOf(kCities, "name"), Value::String("Åre")}};
  op.set.push_back({PropOf(kCities, prop), std::move(value)});
  return op;
}

Op AddingTo(const char* prop) {
  Op op = NewCityOp(OpKind::kInc);
  op.add = {{PropOf(kCities, prop), 2}};
  return op;
}

Op TagOf(OpKind kind, const char* id) {
  Op op = NewOp(kind, {kTags, id}, "public");
  op.set = {{PropOf(kTags, "label"), Value::String("x")}};
  return op;
}

std::string BodyOf(Vector<Op> ops) {
  Mutation mutation;
  mutation.action = {TestUuid(9), "change", "null", 5};
  mutation.base = {{"public", 3}};
  for (Op& op : ops) op.by = {0};
  mutation.ops = std::move(ops);
  return EncodeMutation(LogSchema(), mutation);
}

struct LeftOutCase {
  const char* what;
  const char* props;  // that the later release has besides the name
  Op op;
  const char* mine;    // "": nothing is left out; "null": a delete is
  const char* detail;  // a part of it
  bool is_whole;
};

Vector<LeftOutCase> LeftOutCases() {
  constexpr auto kCreate = OpKind::kCreate, kUpdate = OpKind::kUpdate;
  const char* text = R"(,{"name":"population","type":"string","optional":true})";
  const char* sizes =
      R"(,{"name":"size","type":"enum","optional":true,"enum":{"type":null,"values":["s"]}})";
  const char* required = R"(,{"name":"population","type":"number","default":0})";
  const auto number = [](OpKind kind) { return SettingOf(kind, "population", Value::Number(7)); };
  const auto cleared = SettingOf(kUpdate, "population", Value::Null());
  const auto size = [](const char* name) {
    return SettingOf(OpKind::kCreate, "size", Value::String(name));
  };
  return {
      {"a prop, of a create", "", number(kCreate), R"({"population":7})",
       "cities has no prop \"population\"", false},
      {"a prop, of an update", "", number(kUpdate), R"({"population":7})",
       "cities has no prop \"population\"", false},
      {"a prop, of an inc", "", AddingTo("visits"), R"({"visits":2})",
       "cities has no prop \"visits\"", true},
      {"a date", "", SettingOf(kUpdate, "founded", Value::Date(86400000)),
       R"({"founded":{"$type":"date","v":86400000}})", "\"founded\"", false},
      {"a value that is cleared", "", cleared, R"({"population":null})", "\"population\"", false},
      {"a table", "", TagOf(kCreate, "se"), R"({"label":"x"})", "there is no table \"tags\"", true},
      {"a delete in a table", "", NewOp(OpKind::kDelete, {kTags, "se"}, "public"), "null",
       "there is no table \"tags\"", true},
      {"another type", text, number(kUpdate), R"({"population":7})", "cities.population", false},
      {"an inc of what is text now", text, AddingTo("population"), R"({"population":2})",
       "cities.population", true},
      {"a member of an enum", sizes, size("m"), R"({"size":"m"})", "cities.size", false},
      {"a member of an enum that stays", sizes, size("s"), "", "", false},
      {"what may not be null any more", required, cleared, R"({"population":null})",
       "cities.population", false},
      {"what a server may have lost", "", number(OpKind::kOffer), "", "", false},
      {"nothing", "", NewCityOp(OpKind::kDelete), "", "", false},
  };
}

TEST_CASE("finds what each kind of release has no place for, with its content") {
  for (const LeftOutCase& one : LeftOutCases()) {
    CAPTURE(one.what);
    const auto parts = FindLeftOut(CitiesWith(one.props), BodyOf({one.op}), {});
    REQUIRE(parts.ok());
    if (*one.mine == '\0') {
      CHECK(parts.value().empty());
      continue;
    }
    REQUIRE(parts.value().size() == 1);
    const LeftOutPart& part = parts.value()[0];
    CHECK(part.table == LogSchema().table(one.op.table).name);
    CHECK(part.id == one.op.id);
    CHECK(WriteJson(part.mine) == one.mine);
    CHECK(part.detail.find(one.detail) != std::string::npos);
    CHECK(part.is_whole == one.is_whole);
    // The former schema, or one that brings it back, can make it again.
    Status left_out;
    const auto again = DecodeMutation(LogSchema(), part.body, &left_out);
    REQUIRE(again.ok());
    CHECK(left_out.ok());
    REQUIRE(again.value().ops.size() == 1);
    const bool is_update = one.op.Has(kCreates) && !one.is_whole;
    CHECK(again.value().ops[0].kind == (is_update ? OpKind::kUpdate : one.op.kind));
    CHECK(again.value().action.id == TestUuid(9));
  }
}

TEST_CASE("finds objects whose ids are of a kind that the table had before") {
  const Schema own = CitiesWith("", "string");
  const std::string made = EncodeMutation(own, [] {
    Mutation mutation;
    mutation.action = {TestUuid(9), "change", "null", 5};
    mutation.ops = {NewOp(OpKind::kUpdate, {0, "se"}, "public")};
    mutation.ops[0].set = {{0, Value::String("x")}};
    mutation.ops[0].by = {0};
    return mutation;
  }());
  CHECK(FindLeftOut(own, made, {}).value().empty());
  const auto parts = FindLeftOut(CitiesWith(""), made, {});
  REQUIRE(parts.value().size() == 1);
  CHECK(parts.value()[0].detail.find("UUID") != std::string::npos);
  CHECK(parts.value()[0].is_whole);
}

TEST_CASE("finds no default that a client has filled in, but every other value") {
  const auto count = [](Value value, OpKind kind) {
    const std::string body = BodyOf({SettingOf(kind, "population", std::move(value))});
    return FindLeftOut(CitiesWith(""), body, {{"cities", {{"population", "0"}}}}).value().size();
  };
  CHECK(count(Value::Number(0), OpKind::kCreate) == 0);
  CHECK(count(Value::Number(1), OpKind::kCreate) == 1);
  CHECK(count(Value::Number(0), OpKind::kUpdate) == 1);
}

TEST_CASE("finds a part for each object, and leaves the others whole") {
  const Op city = SettingOf(OpKind::kCreate, "population", Value::Number(1));
  Op named = TagOf(OpKind::kUpdate, "se");
  named.set = {{PropOf(kTags, "uses"), Value::Number(2)}};
  const std::string body =
      BodyOf({TagOf(OpKind::kCreate, "se"), city, TagOf(OpKind::kCreate, "no"), named});
  const auto parts = FindLeftOut(CitiesWith(""), body, {});
  REQUIRE(parts.ok());
  REQUIRE(parts.value().size() == 3);
  CHECK(parts.value()[0].id == "se");
  CHECK(WriteJson(parts.value()[0].mine) == R"({"label":"x","uses":2})");
  CHECK(parts.value()[1].id == TestUuid(1));
  CHECK(parts.value()[2].id == "no");
  for (const LeftOutPart& part : parts.value()) CHECK_FALSE(part.is_whole);
  CHECK(DecodeMutation(LogSchema(), parts.value()[0].body).value().ops.size() == 2);
}

TEST_CASE("finds what a server has left out by its names, without the server's schema") {
  const std::string body = BodyOf({SettingOf(OpKind::kCreate, "population", Value::Number(1))});
  const auto find = [&](const char* realm, std::optional<Vector<std::string>> props) {
    ServerLeftOut items;
    items.emplace(ObjectName("cities", TestUuid(1), realm), std::move(props));
    return FindLeftOut(LogSchema(), items, body, {}).value();
  };
  const auto props = find("public", Vector<std::string>{"population"});
  REQUIRE(props.size() == 1);
  CHECK(WriteJson(props[0].mine) == R"({"population":1})");
  CHECK(props[0].detail == "The server's schema cannot hold cities.population.");
  const auto whole = find("public", std::nullopt);
  REQUIRE(whole.size() == 1);
  CHECK(WriteJson(whole[0].mine) == R"({"name":"Åre","population":1})");
  // The log has its action already.
  CHECK_FALSE(whole[0].is_whole);
  CHECK(find("other", std::nullopt).empty());
}

TEST_CASE("what an action did to an object that moves is one part, else one for each realm") {
  const auto add = [](const char* realm) {
    Op op = AddingTo("population");
    op.realm = realm;
    return op;
  };
  Op move = NewCityOp(OpKind::kMove);
  move.to = "team";
  const std::string body = BodyOf({add("public"), move, add("team")});
  for (const char* ids : {"uuid", "string"}) {
    const Schema schema =
        CitiesWith(R"(,{"name":"population","type":"number","optional":true})", ids);
    Set<std::string> lost;
    for (const char* realm : {"public", "team"})
      lost.insert(ObjectName(schema, "cities", TestUuid(1), realm));
    const auto parts = FindOpsOn(schema, lost, body).value();
    CHECK(parts.size() == lost.size());
    CHECK(lost.size() == (ids == std::string("uuid") ? 1 : 2));
  }
}

TEST_CASE("reports a body that is damaged, and leaves nothing out of it") {
  CHECK(FindLeftOut(LogSchema(), "x", {}).status().code() == Code::kCorrupt);
}

}  // namespace
}  // namespace skerry::test
