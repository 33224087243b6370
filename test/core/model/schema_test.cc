// Goal: valid schemas, values and ids are accepted; invalid ones are rejected with a name or a
// code.
#include "model/schema.h"

#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "base/vector.h"

namespace skerry {
namespace {

constexpr const char* kSchema = R"({"version":2,"accepts":[1],"tables":[
 {"name":"cities","ids":"string","props":[
  {"name":"name","type":"string"},{"name":"population","type":"number","default":0},{"name":"founded","type":"date","optional":true},
  {"name":"size","type":"enum","enum":{"values":["s","m"]},"optional":true},{"name":"flag","type":"bytes","optional":true},
  {"name":"extra","type":"json","optional":true},{"name":"gdp","type":"class","class":{"type":"Money","version":2},"optional":true},
  {"name":"capital","type":"boolean","optional":true}]},
 {"name":"groups","props":[{"name":"name","type":"string","index":true}]},
 {"name":"members","props":[{"name":"group","type":"ref","ref":{"table":"groups","onDelete":"cascade","touch":true}},
  {"name":"city","type":"ref","optional":true,"ref":{"table":"cities","onDelete":"setNull"}}]}]})";

Result<Schema> Parse(const std::string& text) { return Schema::Parse(ParseJson(text).value()); }

TEST_CASE("finds a schema's tables, props and refs by name and by number") {
  Schema schema = std::move(Parse(kSchema).value());
  CHECK(schema.version() == 2);
  CHECK(schema.accepts() == Vector<uint32_t>{1});
  const TableDef& members = schema.table(schema.FindTable("members"));
  CHECK(members.props[members.FindProp("group")].ref_table == schema.FindTable("groups"));
  CHECK(members.props[0].indexed);
  CHECK(schema.FindTable("nothing") == kNone);
  CHECK(members.FindColumn("modifiedAt") == kModifiedAtColumn);
  REQUIRE(schema.back_refs(schema.FindTable("groups")).size() == 1);
  CHECK(schema.back_refs(schema.FindTable("groups"))[0].table == members.index);
}

TEST_CASE("changes the fingerprint with the layout, and only with it") {
  const uint64_t one = Parse(kSchema).value().fingerprint();
  std::string other = kSchema;
  other.replace(other.find("\"version\":2"), 11, "\"version\":3");
  CHECK(Parse(std::string(other)).value().fingerprint() == one);
  other.replace(other.find("\"type\":\"boolean\""), 16, "\"type\":\"number\"");
  CHECK(Parse(std::string(other)).value().fingerprint() != one);
}

TEST_CASE("rejects a wrong schema, and names what is wrong") {
  const auto refused = [](const std::string& tables) {
    const Status status = Parse(R"({"version":1,"tables":[)" + tables + "]}").status();
    CHECK(status.code() == Code::kSchema);
    return status.detail();
  };
  CHECK(refused(R"({"name":"a b","props":[]})").find("a b") == 0);
  CHECK(refused(R"({"name":"a","props":[]},{"name":"a","props":[]})").find("a: repeated") == 0);
  CHECK(refused(R"({"name":"a","props":[{"name":"id","type":"string"}]})").find("a.id") == 0);
  CHECK(refused(R"({"name":"a","props":[{"name":"x","type":"text"}]})").find("a.x") == 0);
  CHECK(refused(R"({"name":"a","props":[{"name":"x","type":"ref","ref":{"table":"b"}}]})")
            .find("a.x: no table b") == 0);
  CHECK(refused(R"({"name":"a","props":[{"name":"x","type":"enum","enum":{"values":[]}}]})")
            .find("a.x") == 0);
  CHECK(
      refused(R"({"name":"a","props":[{"name":"x","type":"number","default":"1"}]})").find("a.x") ==
      0);
  CHECK(
      refused(
          R"({"name":"a","props":[{"name":"x","type":"ref","ref":{"table":"a","onDelete":"setNull"}}]})")
          .find("a.x") == 0);
  CHECK(Parse(R"({"version":0,"tables":[]})").status().code() == Code::kSchema);
}

TEST_CASE("takes the table of memberships as it is, and as earlier releases had it") {
  const auto takes = [](const std::string& more) {
    const std::string text = R"({"version":1,"tables":[{"name":"$members","ids":"string","props":[
        {"name":"user","type":"string"},
        {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}})" +
                             more + "]}]}";
    return Schema::Parse(ParseJson(text).value()).ok();
  };
  const std::string accepted = R"(,{"name":"accepted","type":"boolean","optional":true})";
  const std::string by = R"(,{"name":"by","type":"string","optional":true})";
  CHECK(takes(""));
  CHECK(takes(accepted + by));
  CHECK_FALSE(takes(accepted));
  CHECK_FALSE(takes(by + accepted));
  CHECK_FALSE(takes(accepted + by + R"(,{"name":"more","type":"string"})"));
  CHECK_FALSE(takes(R"(,{"name":"accepted","type":"boolean"})" + by));
}

TEST_CASE("round-trips values through their plain form, by the prop's type") {
  Schema schema = std::move(Parse(kSchema).value());
  const TableDef& cities = schema.table(0);
  const auto check = [&](const char* name, const char* json) {
    const PropDef& prop = cities.props[cities.FindProp(name)];
    Result<Value> value = ValueFromData(prop, ParseJson(json).value());
    REQUIRE(value.ok());
    CHECK(CheckValue(cities, prop, value.value()).ok());
    CHECK(WriteJson(ValueToData(prop, value.value(), true)) == json);
  };
  check("name", "\"Åre\"");
  check("population", "820.5");
  check("founded", "-1000");
  check("size", "\"m\"");
  check("flag", "\"AAH/\"");
  check("extra", R"({"$type":"Unknown","v":[1,{"$$escaped":null}]})");
  check("gdp", R"({"$type":"Money","v":"12 SEK","version":1})");
  check("capital", "true");
}

TEST_CASE("accepts envelopes of dates and bytes in place of the plain form") {
  Schema schema = std::move(Parse(kSchema).value());
  const TableDef& cities = schema.table(0);
  const auto value = [&](const char* name, const char* json) {
    return ValueFromData(cities.props[cities.FindProp(name)], ParseJson(json).value()).value();
  };
  CHECK(value("founded", R"({"$type":"date","v":5})") == Value::Date(5));
  CHECK(value("flag", R"({"$type":"bytes","v":"AAH/"})") ==
        Value::Bytes(std::string("\0\1\xff", 3)));
}

TEST_CASE("a date that is written is one that a database can hold") {
  Schema schema = std::move(Parse(kSchema).value());
  const TableDef& cities = schema.table(0);
  const PropDef& founded = cities.props[cities.FindProp("founded")];
  for (const double ms : {kFirstDateMs, -1.0, 0.0, kMaxTimeMs}) {
    CHECK(CheckValue(cities, founded, Value::Date(ms)).ok());
    CHECK(CheckNewValue(cities, founded, Value::Date(ms)).ok());
  }
  for (const double ms : {kFirstDateMs - 1, -kMaxTimeMs}) {
    CHECK(CheckValue(cities, founded, Value::Date(ms)).ok());
    const Status status = CheckNewValue(cities, founded, Value::Date(ms));
    CHECK(status.code() == Code::kWrongType);
    CHECK(status.detail() == "cities.founded: a date before 4714 BC, which no database can hold");
  }
  for (const double ms : {kMaxTimeMs + 1, -kMaxTimeMs - 1, 0.5}) {
    CHECK(CheckNewValue(cities, founded, Value::Date(ms)).code() == Code::kWrongType);
  }
}

TEST_CASE("rejects values that do not fit with a code") {
  Schema schema = std::move(Parse(kSchema).value());
  const TableDef& cities = schema.table(0);
  const auto code = [&](const char* name, const char* json) {
    const PropDef& prop = cities.props[cities.FindProp(name)];
    Result<Value> value = ValueFromData(prop, ParseJson(json).value());
    return value.ok() ? CheckValue(cities, prop, value.value()).code() : value.status().code();
  };
  CHECK(code("name", "1") == Code::kWrongType);
  CHECK(code("name", "null") == Code::kMissingProp);
  CHECK(code("name", "\"a\\u0000b\"") == Code::kWrongType);
  CHECK(code("population", "\"1\"") == Code::kWrongType);
  CHECK(code("founded", "1e300") == Code::kWrongType);
  CHECK(code("founded", "0.5") == Code::kWrongType);
  CHECK(code("size", "\"xl\"") == Code::kWrongType);
  CHECK(code("flag", "\"?\"") == Code::kWrongType);
  CHECK(code("extra", R"(["a\u0000"])") == Code::kWrongType);
  CHECK(code("extra", R"(["\\u0000"])") == Code::kOk);
  CHECK(code("gdp", R"({"$type":"Other","v":1})") == Code::kWrongType);
  CHECK(code("capital", "0") == Code::kWrongType);
}

TEST_CASE("accepts UUIDs as ids, or the application's texts in tables that allow them") {
  Schema schema = std::move(Parse(kSchema).value());
  CHECK(CheckId(schema.table(0), "SE-820").ok());
  CHECK(CheckId(schema.table(0), "").code() == Code::kInvalidId);
  CHECK(CheckId(schema.table(0), std::string(129, 'x')).code() == Code::kInvalidId);
  CHECK(CheckId(schema.table(1), "0199c0de-0000-7abc-8def-0123456789ab").ok());
  CHECK(CheckId(schema.table(1), "SE-820").code() == Code::kInvalidId);
}

}  // namespace
}  // namespace skerry
