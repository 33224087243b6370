// Goal: ops, updates and changes round-trip through the wire's JSON, and any invalid update is
// rejected with a code and a detail that names the place. Method: round trips through JSON text;
// one mistake at a time in an update that is right otherwise; random damage to the text.
#include <utility>

#include "base/limits.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

TEST_CASE("round-trips updates through JSON text") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    OpMaker maker(&random);
    const skerry::Update update = maker.AnyUpdate();
    const std::string text = WriteJson(UpdateToData(LogSchema(), update));
    CAPTURE(text);
    const Result<skerry::Update> read = UpdateFromData(LogSchema(), ParseJson(text).value());
    REQUIRE_MESSAGE(read.ok(), read.status().detail());
    REQUIRE(read.value() == update);
    // Resends are byte for byte the same only if writing has one outcome.
    REQUIRE(WriteJson(UpdateToData(LogSchema(), read.value())) == text);
  }
}

TEST_CASE("round-trips changes through JSON text") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    OpMaker maker(&random);
    const Change change = maker.AnyChange();
    const std::string text = WriteJson(ChangeToData(LogSchema(), change));
    const Result<Change> read = ChangeFromData(LogSchema(), ParseJson(text).value());
    REQUIRE_MESSAGE(read.ok(), read.status().detail());
    REQUIRE(read.value() == change);
  }
}

constexpr char kRight[] =
    R"({"id":"01890000-0000-7000-8000-000000000001","after":{"public":{"seq":11,"id":"01890000-0000-7000-8000-000000000002"},"team-1":null},)"
    R"("base":{"public":41},"at":1760000000000,)"
    R"("actions":[{"id":"01890000-0000-7000-8000-000000000003","name":"a","arg":{"x":1},"at":1},)"
    R"({"id":"01890000-0000-7000-8000-000000000004","name":"b","at":2}],)"
    R"("ops":[{"op":"create","table":"tags","id":"se","realm":"public","set":{"label":"x"},"by":[0]},)"
    R"({"op":"update","table":"cities","id":"01890000-0000-7000-8000-000000000005","realm":"public","set":{"name":"Åre"},"by":[1]},)"
    R"({"op":"inc","table":"tags","id":"se","realm":"public","add":{"uses":5},"by":[0,1]},)"
    R"({"op":"move","table":"tags","id":"se","realm":"public","to":"team-1","by":[0]},)"
    R"({"op":"delete","table":"tags","id":"se","realm":"public","by":[0],"if":52},)"
    R"({"op":"append","stream":"chat","realm":"public","by":[0]}]})";

Data Right() { return ParseJson(kRight).value(); }

Data& Member(Data* data, std::string_view key) {
  for (Data::Member& member : data->mutable_members()) {
    if (member.first == key) return member.second;
  }
  return data->Set(key, Data()).mutable_members().back().second;
}

Data& OpAt(Data* update, size_t op) { return Member(update, "ops").mutable_items()[op]; }

struct Refusal {
  Status status;
  Vector<OpProblem> problems;
};

Refusal Refuse(const Data& data) {
  Refusal refusal;
  const Result<skerry::Update> read = UpdateFromData(LogSchema(), data, &refusal.problems);
  if (!read.ok()) refusal.status = read.status();
  return refusal;
}

bool Says(const Status& status, std::string_view words) {
  return status.detail().find(words) != std::string::npos;
}

// A member of op `op` set to `value` is refused with `code` and with `words` in the detail.
void CheckOpRefused(size_t op, std::string_view key, Data value, Code code,
                    std::string_view words) {
  Data data = Right();
  OpAt(&data, op).Set(key, std::move(value));
  const Refusal refusal = Refuse(data);
  CAPTURE(op);
  CAPTURE(key);
  CAPTURE(refusal.status.detail());
  CHECK(refusal.status.code() == code);
  CHECK(Says(refusal.status, words));
  CHECK(Says(refusal.status, "op " + std::to_string(op)));
  REQUIRE(refusal.problems.size() == 1);
  CHECK(refusal.problems[0].op == op);
  CHECK(refusal.problems[0].status.code() == code);
}

Data Object(std::string_view key, Data value) {
  Data object = Data::MakeObject();
  object.Set(key, std::move(value));
  return object;
}

TEST_CASE("accepts the update from which the rejected ones are made") {
  const Result<skerry::Update> read = UpdateFromData(LogSchema(), Right());
  REQUIRE_MESSAGE(read.ok(), read.status().detail());
  CHECK(read.value().actions[1].arg == "null");
  CHECK(read.value().ops[4].if_revision == 52);
}

TEST_CASE("rejects unknown ops, tables and props by name") {
  CheckOpRefused(0, "op", "upsert", Code::kInvalidArgument, "upsert");
  CheckOpRefused(0, "table", "planets", Code::kUnknownTable, "planets");
  CheckOpRefused(0, "set", Object("color", "red"), Code::kUnknownProp, "color");
  CheckOpRefused(2, "add", Object("color", 1), Code::kUnknownProp, "color");
  CheckOpRefused(5, "stream", "", Code::kInvalidArgument, "name");
  CheckOpRefused(5, "stream", std::string(kMaxNameBytes + 1, 's'), Code::kLimit, "128");
  Data data = Right();
  Member(&data, "ops").Push(Data(7));
  CHECK(Refuse(data).problems.size() == 1);
}

TEST_CASE("checks realms and ids") {
  CheckOpRefused(0, "realm", std::string(kMaxIdBytes + 1, 'r'), Code::kLimit, "realm");
  CheckOpRefused(0, "realm", "", Code::kInvalidArgument, "realm");
  CheckOpRefused(0, "realm", Data(), Code::kInvalidArgument, "realm");
  CheckOpRefused(0, "realm", "elsewhere", Code::kInvalidArgument, "elsewhere");
  CheckOpRefused(3, "to", "elsewhere", Code::kInvalidArgument, "elsewhere");
  CheckOpRefused(3, "to", "public", Code::kInvalidArgument, "same realm");
  CheckOpRefused(0, "id", std::string(kMaxIdBytes + 1, 'i'), Code::kInvalidId, "tags");
  CheckOpRefused(0, "id", "", Code::kInvalidId, "tags");
  CheckOpRefused(1, "id", "01890000-0000-7000-8000-00000000000A", Code::kInvalidId, "cities");
  CheckOpRefused(1, "id", "5", Code::kInvalidId, "cities");
  CheckOpRefused(0, "if", -1, Code::kInvalidArgument, "if");
}

TEST_CASE("accepts in `by` only actions of the update, ascending") {
  for (const char* by :
       {"[]", "[2]", "[1,0]", "[0,0]", "[-1]", "[0.5]", "[\"0\"]", "{}", "null", "0"}) {
    CheckOpRefused(1, "by", ParseJson(by).value(), Code::kInvalidArgument, "by");
  }
  Data data = Right();
  OpAt(&data, 1).Remove("by");
  CHECK(Says(Refuse(data).status, "by"));
  Member(&data, "actions").mutable_items().pop_back();
  Data& inc = OpAt(&data, 2);
  inc.Set("by", ParseJson("[0]").value());
  CHECK(Refuse(data).status.ok());
}

TEST_CASE("rejects values that do not fit their props") {
  const auto city = [](std::string_view prop, Data value, Code code) {
    CheckOpRefused(1, "set", Object(prop, std::move(value)), code, prop);
  };
  city("name", 5, Code::kWrongType);
  city("name", Data(), Code::kMissingProp);
  city("population", "5", Code::kWrongType);
  city("capital", 1, Code::kWrongType);
  city("founded", "1", Code::kWrongType);
  city("founded", 8.7e15, Code::kWrongType);
  city("flag", "***", Code::kWrongType);
  city("size", "xl", Code::kWrongType);
  city("group", std::string(kMaxIdBytes + 1, 'g'), Code::kInvalidId);
  city("price", Object("$type", "Euro"), Code::kWrongType);
  CheckOpRefused(2, "add", Object("label", 1), Code::kWrongType, "label");
  CheckOpRefused(2, "add", Object("uses", "1"), Code::kWrongType, "uses");
  CheckOpRefused(2, "add", 1, Code::kInvalidArgument, "add");
  CheckOpRefused(0, "set", 1, Code::kInvalidArgument, "set");
  Data data = Right();
  Data create = OpAt(&data, 1);
  create.Set("op", "create").Set("set", Object("population", 1));
  OpAt(&data, 1) = create;
  CHECK(Refuse(data).status.code() == Code::kMissingProp);
  CHECK(Says(Refuse(data).status, "cities.name"));
}

TEST_CASE("rejects numbers out of range, also those that JSON text cannot hold") {
  const double infinity = 1e308 * 10;
  CheckOpRefused(1, "set", Object("population", infinity), Code::kWrongType, "population");
  CheckOpRefused(1, "set", Object("info", infinity), Code::kWrongType, "info");
  CheckOpRefused(2, "add", Object("uses", infinity), Code::kWrongType, "uses");
  Data data = Right();
  data.Set("at", infinity);
  CHECK(Refuse(data).status.code() == Code::kInvalidArgument);
  CHECK(ParseJson(R"({"x":1e200000})").status().code() == Code::kParse);
}

TEST_CASE("rejects text that a database cannot hold, in every place") {
  const std::string zero("a\0b", 3);
  const std::string lone_surrogate = "\xed\xa0\x80";
  const std::string overlong = "\xc0\x80";
  for (const std::string& text : {zero, lone_surrogate, overlong}) {
    CheckOpRefused(1, "set", Object("name", text), Code::kWrongType, "name");
    CheckOpRefused(1, "set", Object("info", Object("a", text)), Code::kWrongType, "info");
    CheckOpRefused(1, "set", Object("info", Object(text, 1)), Code::kWrongType, "info");
    CheckOpRefused(1, "set", Object("group", text), Code::kInvalidId, "group");
    CheckOpRefused(1, "set", Object(text, 1), Code::kUnknownProp, "unreadable");
    CheckOpRefused(0, "id", text, Code::kInvalidId, "tags");
    CheckOpRefused(0, "realm", text, Code::kInvalidArgument, "realm");
    CheckOpRefused(0, "table", text, Code::kUnknownTable, "unreadable");
    CheckOpRefused(5, "stream", text, Code::kInvalidArgument, "name");
    Data data = Right();
    Member(&data, "actions").mutable_items()[0].Set("arg", Object("a", text));
    CHECK(Says(Refuse(data).status, "action 0"));
    data = Right();
    Member(&data, "actions").mutable_items()[1].Set("name", text);
    CHECK(Says(Refuse(data).status, "action 1"));
  }
  CHECK_FALSE(ParseJson("\"\\ud800\"").ok());
}

Data Nested(int depth) {
  Data data(1);
  for (int i = 0; i < depth; ++i) {
    Data array = Data::MakeArray();
    array.Push(std::move(data));
    data = std::move(array);
  }
  return data;
}

TEST_CASE("limits the depth of a value, so that its request can still be parsed") {
  Data data = Right();
  OpAt(&data, 1).Set("set", Object("info", Nested(kMaxValueDepth)));
  CHECK(Refuse(data).status.ok());
  // As the server wraps it for the authority: {"requests":[{"updates":[update]}]}.
  Data updates = Data::MakeArray();
  updates.Push(data);
  Data requests = Data::MakeArray();
  requests.Push(Object("updates", updates));
  CHECK(ParseJson(WriteJson(Object("requests", requests))).ok());
  CheckOpRefused(1, "set", Object("info", Nested(kMaxValueDepth + 1)), Code::kLimit, "info");
  data = Right();
  Member(&data, "actions").mutable_items()[0].Set("arg", Nested(kMaxValueDepth + 1));
  CHECK(Refuse(data).status.code() == Code::kLimit);
}

TEST_CASE("limits sizes and counts") {
  CheckOpRefused(1, "set", Object("name", std::string(kMaxObjectBytes, 'x')), Code::kLimit,
                 "cities");
  Data two = Object("name", std::string(kMaxObjectBytes / 2, 'x'));
  two.Set("info", std::string(kMaxObjectBytes / 2, 'y'));
  CheckOpRefused(1, "set", two, Code::kLimit, "cities");
  Data data = Right();
  Member(&data, "ops").mutable_items().pop_back();  // an append has less room
  // As large as the client accepts: the server must not reject such a mutation forever.
  Member(&data, "actions").mutable_items()[0].Set("arg", std::string(kMaxMutationBytes - 2, 'x'));
  CHECK(Refuse(data).status.ok());
  Member(&data, "actions").mutable_items()[0].Set("arg", std::string(kMaxMutationBytes - 1, 'x'));
  CHECK(Refuse(data).status.code() == Code::kLimit);
  data = Right();
  const Data op = OpAt(&data, 4);
  while (Member(&data, "ops").items().size() < kMaxOpsPerUpdate) Member(&data, "ops").Push(op);
  CHECK(Refuse(data).status.ok());
  Member(&data, "ops").Push(op);
  CHECK(Refuse(data).status.code() == Code::kLimit);
}

TEST_CASE("checks the update around the ops") {
  const auto refused = [](std::string_view key, const char* json, Code code,
                          std::string_view words) {
    Data data = Right();
    data.Set(key, ParseJson(json).value());
    const Refusal refusal = Refuse(data);
    CAPTURE(key);
    CAPTURE(json);
    CAPTURE(refusal.status.detail());
    CHECK(refusal.status.code() == code);
    CHECK(Says(refusal.status, words));
    CHECK(refusal.problems.empty());
  };
  refused("id", "\"5\"", Code::kInvalidId, "UUID");
  refused("id", "null", Code::kInvalidId, "UUID");
  refused("after", "null", Code::kInvalidArgument, "after");
  refused("after", "{}", Code::kInvalidArgument, "after");
  refused("after", R"({"public":{"seq":0,"id":"01890000-0000-7000-8000-000000000002"}})",
          Code::kInvalidArgument, "seq");
  refused("after", R"({"public":{"seq":1.5,"id":"01890000-0000-7000-8000-000000000002"}})",
          Code::kInvalidArgument, "seq");
  refused("after", R"({"public":{"seq":1}})", Code::kInvalidId, "UUID");
  refused("after", R"({"":null})", Code::kInvalidArgument, "realm");
  refused("base", R"({"public":-1})", Code::kInvalidArgument, "base");
  refused("base", "5", Code::kInvalidArgument, "base");
  refused("at", "\"now\"", Code::kInvalidArgument, "time");
  refused("actions", "{}", Code::kInvalidArgument, "actions");
  refused("actions", "[5]", Code::kInvalidId, "action 0");
  refused("actions", R"([{"id":"01890000-0000-7000-8000-000000000003","name":"","at":1}])",
          Code::kInvalidArgument, "name");
  refused("actions", R"([{"id":"01890000-0000-7000-8000-000000000003","name":"a"}])",
          Code::kInvalidArgument, "time");
  refused(
      "actions",
      R"([{"id":"01890000-0000-7000-8000-000000000003","name":"a","at":1},{"id":"01890000-0000-7000-8000-000000000003","name":"a","at":1}])",
      Code::kInvalidArgument, "twice");
  refused("ops", "5", Code::kInvalidArgument, "ops");
  CHECK_FALSE(UpdateFromData(LogSchema(), Data(5)).ok());
  Data data = Right();
  data.Set("ops", Data::MakeArray()).Set("actions", Data::MakeArray());
  CHECK(Refuse(data).status.code() == Code::kInvalidArgument);
}

TEST_CASE("names all wrong ops of an update at once") {
  Data data = Right();
  OpAt(&data, 0).Set("table", "planets");
  OpAt(&data, 2).Set("add", Object("label", 1));
  OpAt(&data, 4).Set("realm", "elsewhere");
  const Refusal refusal = Refuse(data);
  REQUIRE(refusal.problems.size() == 3);
  CHECK(refusal.problems[0].op == 0);
  CHECK(refusal.problems[1].op == 2);
  CHECK(refusal.problems[2].op == 4);
  CHECK(refusal.status.code() == Code::kUnknownTable);
}

TEST_CASE("writes details as storable text of bounded length for every input") {
  Data data = Right();
  std::string name;
  while (name.size() < 10'000) name += "日本";
  OpAt(&data, 0).Set("table", name);
  const Refusal refusal = Refuse(data);
  CHECK(refusal.status.detail().size() < 200);
  CHECK(ParseJson(WriteJson(Data(refusal.status.detail()))).ok());
}

// Damage to the text: an update that is taken all the same must be whole, so that it can be written
// and read again.
TEST_CASE("rejects damaged JSON or reads it as another whole update") {
  Random random(SeedText(7));
  const std::string right = kRight;
  size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = right;
    for (uint64_t j = 1 + random.Below(3); j > 0; --j) {
      const size_t place = random.Below(text.size());
      switch (random.Below(3)) {
        case 0:
          text.data()[place] = static_cast<char>(random.Below(256));
          break;
        case 1:
          text.erase(place, 1 + random.Below(20));
          break;
        default:
          text = text.substr(0, place) + text.substr(random.Below(text.size()), random.Below(20)) +
                 text.substr(place);
      }
    }
    const Result<Data> data = ParseJson(text);
    const Result<skerry::Update> read =
        data.ok() ? UpdateFromData(LogSchema(), data.value()) : data.status();
    if (!read.ok()) {
      ++refused;
      continue;
    }
    const Data again = UpdateToData(LogSchema(), read.value());
    const Result<skerry::Update> twice =
        UpdateFromData(LogSchema(), ParseJson(WriteJson(again)).value());
    REQUIRE_MESSAGE(twice.ok(), text);
    REQUIRE(twice.value() == read.value());
  }
  CHECK(refused > 10'000);
}

TEST_CASE("rejects changes that do not fit, and names what is wrong") {
  const char* right =
      R"({"change":"update","table":"tags","id":"se","realm":"public","set":{"uses":null},"createdAt":1,"modifiedAt":2,"revision":3})";
  const auto refused = [&](std::string_view key, Data value) {
    Data data = ParseJson(right).value();
    data.Set(key, std::move(value));
    const Result<Change> read = ChangeFromData(LogSchema(), data);
    return read.ok() ? Code::kOk : read.status().code();
  };
  CHECK(refused("change", "update") == Code::kOk);
  CHECK(refused("change", "patch") == Code::kInvalidArgument);
  CHECK(refused("table", "planets") == Code::kUnknownTable);
  CHECK(refused("id", "") == Code::kInvalidId);
  CHECK(refused("realm", "") == Code::kInvalidArgument);
  CHECK(refused("set", Object("color", 1)) == Code::kUnknownProp);
  CHECK(refused("set", Object("uses", "1")) == Code::kWrongType);
  CHECK(refused("createdAt", "1") == Code::kInvalidArgument);
  CHECK(refused("revision", -1) == Code::kInvalidArgument);
  CHECK(refused("change", "move") == Code::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::test
