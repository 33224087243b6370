// Goal: a mutation is stored with what it changed from: each object as the window showed it before, by
// its first change, cascades included; whole where that is small, else the changed props; nothing above
// the limit. Method: a table of transactions over the same rows, and rows at the limits.
#include "log/rows_before.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "doctest/doctest.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

struct BeforeWorld : Pair {
  BeforeWorld() {
    Hold(
        {CreateStep(kBoardTable, kBoardId, MakeRow(kBoardTable, {{"name", "plan"}})),
         CreateStep(kCardTable, kCardId, MakeRow(kCardTable, {{"board", kBoardId}, {"text", "x"}})),
         CreateStep(kPersonTable, "boss", MakeRow(kPersonTable, {{"name", "B"}})),
         CreateStep(kPersonTable, "p", MakeRow(kPersonTable, {{"name", "P"}, {"boss", "boss"}}))});
  }
  void Hold(Vector<Step> steps) {
    A().Hear(Data::Object{{"type", "record"}, {"record", storage.Work({}, {}, std::move(steps))}});
    A().Settle();
  }
  // What the transaction has stored: "table id [whole] {props}".
  Vector<std::string> Do(Vector<Operation> operations) {
    REQUIRE_FALSE(A().DoAll(std::move(operations)).empty());
    A().Settle();
    const Data before = storage.mutations.rbegin()->second["before"];
    if (before.is_null()) return {};
    const Result<RowsBefore> rows = DecodeRowsBefore(TestSchema(), before.as_bytes());
    REQUIRE(rows.ok());
    Vector<std::string> texts;
    for (const RowBefore& row : rows.value()) {
      const TableDef& table = TestSchema().table(row.key.table);
      Data props = Data::MakeObject();
      for (const PropValue& set : row.set)
        props.Set(table.props[set.prop].name, ValueToData(table.props[set.prop], set.value, true));
      texts.push_back(table.name + ' ' + row.key.id.substr(row.key.id.size() - 1) +
                      (row.is_whole ? " whole " : " ") + WriteJson(props));
      CHECK(row.realm == "A");
    }
    return texts;
  }
};

using Texts = Vector<std::string>;

TEST_CASE("stores what each object was like before a transaction changed it") {
  const std::string board = R"(boards 0 whole {"name":"plan"})";
  const std::string card = R"(cards 0 whole {"board":")" + kBoardId + R"(","text":"x"})";
  const std::string group = R"(groups g whole {"name":"base","count":0})";
  const Operation rename = {kUpdate, kBoardTable, kBoardId, One("name", "b")};
  const Operation remove = {kDelete, kBoardTable, kBoardId, {}};
  const Operation inc = {kInc, kGroupTable, "g", One("count", 1)};
  const Operation create = {kCreate, kBoardTable, kNewId, One("name", "new")};
  struct Case {
    const char* name;
    Vector<Operation> operations;
    Texts before;
  };
  const Case cases[] = {
      {"an update", {rename}, {board}},
      {"two updates", {rename, {kUpdate, kBoardTable, kBoardId, One("name", "c")}}, {board}},
      {"an inc", {inc}, {group}},
      {"incs", {inc, inc, inc}, {group}},
      {"a create", {create}, {}},
      {"a create that is changed", {create, {kUpdate, kBoardTable, kNewId, One("name", "n")}}, {}},
      {"a create that is deleted", {inc, create, {kDelete, kBoardTable, kNewId, {}}}, {group}},
      {"a move, and what it takes along", {{kMove, kBoardTable, kBoardId, {}, "B"}}, {board, card}},
      {"a delete, and what it takes along", {remove}, {board, card}},
      {"an update, then a delete", {rename, remove}, {board, card}},
      {"a delete, then a create",
       {remove, {kCreate, kBoardTable, kBoardId, One("name", "z"), "A"}},
       {board, card}},
      {"a child, then its parent", {{kDelete, kCardTable, kCardId, {}}, remove}, {card, board}},
      {"a ref that a delete sets to null",
       {{kDelete, kPersonTable, "boss", {}}},
       {R"(people s whole {"name":"B"})", R"(people p whole {"name":"P","boss":"boss"})"}},
      {"a master that is only touched", {{kUpdate, kCardTable, kCardId, One("text", "y")}}, {card}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    BeforeWorld world;
    Texts texts = world.Do(one.operations);
    for (const std::string& want : one.before) {
      CAPTURE(want);
      CHECK(std::find(texts.begin(), texts.end(), want) != texts.end());
    }
    CHECK(texts.size() == one.before.size());
  }
}

TEST_CASE("stores what the window showed, with what was pending already") {
  BeforeWorld world;
  world.Do({{kUpdate, kBoardTable, kBoardId, One("name", "first")}});
  CHECK(world.Do({{kUpdate, kBoardTable, kBoardId, One("name", "second")}}) ==
        Texts{R"(boards 0 whole {"name":"first"})"});
}

TEST_CASE("stores whole rows, then changed props, then nothing, as they grow") {
  // So many rows of so many bytes: 40 a row and 10 a value, beside their texts.
  const auto before = [](size_t rows, size_t bytes, const char* changed) {
    BeforeWorld world;
    Vector<Step> steps;
    Vector<Operation> operations;
    for (size_t i = 0; i < rows; ++i) {
      const std::string id = "big" + std::to_string(i);
      steps.push_back(
          CreateStep(kPersonTable, id, MakeRow(kPersonTable, {{"name", std::string(bytes, 'x')}})));
      operations.push_back({kUpdate, kPersonTable, id, One(changed, "p")});
    }
    world.Hold(std::move(steps));
    return world.Do(std::move(operations));
  };
  const auto is_whole = [](const Texts& texts) {
    return texts[0].find(" whole ") != std::string::npos;
  };
  // Of two props of a person.
  const size_t most = kMaxWholeRowsBytes - 60;
  CHECK(is_whole(before(1, most, "boss")));
  CHECK(before(1, most + 1, "boss") == Texts{R"(people 0 {"boss":null})"});
  CHECK(before(1, kMaxRowsBeforeBytes - 50, "name").size() == 1);
  CHECK(before(1, kMaxRowsBeforeBytes - 49, "name").empty());
  CHECK(before(2, kMaxRowsBeforeBytes / 2 - 50, "name").size() == 2);
  CHECK(before(2, kMaxRowsBeforeBytes / 2 - 49, "name").empty());
}

TEST_CASE("stores a row whole that is deleted, however large it is") {
  BeforeWorld world;
  const std::string name(kMaxWholeRowsBytes + 1, 'x');
  world.Hold({CreateStep(kPersonTable, "large", MakeRow(kPersonTable, {{"name", name}}))});
  CHECK(world.Do({{kDelete, kPersonTable, "large", {}}}) ==
        Texts{R"(people e whole {"name":")" + name + R"("})"});
}

TEST_CASE("reads rows of another schema as they are, and leaves out what has no place") {
  RowsBefore rows;
  rows.push_back({{kBoardTable, kBoardId}, "A", true, 7, {{0, Value::String("plan")}}});
  rows.push_back({{kPersonTable, "p", "A"}, "A", false, 0, {{1, Value::Null()}}});
  const std::string bytes = EncodeRowsBefore(TestSchema(), rows);
  const Result<RowsBefore> same = DecodeRowsBefore(TestSchema(), bytes);
  REQUIRE(same.ok());
  REQUIRE(same.value().size() == 2);
  CHECK(same.value()[0].key == rows[0].key);
  CHECK(same.value()[0].created_at == 7);
  CHECK(same.value()[0].set == rows[0].set);
  CHECK(same.value()[1].key == rows[1].key);
  CHECK(same.value()[1].set == rows[1].set);
  const Schema other =
      std::move(Schema::Parse(ParseJson(R"({"version":2,"tables":[{"name":"boards","ids":"uuid",
          "props":[{"name":"title","type":"string","optional":true}]}]})")
                                  .value())
                    .value());
  const Result<RowsBefore> less = DecodeRowsBefore(other, bytes);
  REQUIRE(less.ok());
  REQUIRE(less.value().size() == 1);
  CHECK(less.value()[0].set.empty());
  Schema names = Schema::OfNames({});
  const Result<RowsBefore> all = DecodeRowsBeforeAsTheyAre(other, bytes, &names);
  REQUIRE(all.ok());
  REQUIRE(all.value().size() == 2);
  CHECK(names.table(all.value()[0].key.table).name == "boards");
  CHECK(all.value()[0].set[0].value == Value::String("plan"));
  for (size_t end = 1; end < bytes.size(); ++end)
    CHECK_FALSE(DecodeRowsBefore(TestSchema(), bytes.substr(0, end)).ok());
}

}  // namespace
}  // namespace skerry::client_test
