// Goal: each kind of step changes base as defined, names the rows that it touches, and does the
// same to every BaseRows. Method: each kind by itself on a plain map; then random steps on the
// plain map and on Base in parallel.
#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/base.h"
#include "test/core/log/log_fixture.h"
#include "test/core/log/row_map.h"

namespace skerry::test {
namespace {

Row Tag(const std::string& realm, const std::string& label, double modified_at = 10) {
  Row row;
  row.realm = realm;
  row.created_at = 1;
  row.modified_at = modified_at;
  row.revision = 1;
  row.props.resize(LogSchema().table(kTags).props.size());
  row.props[PropOf(kTags, "label")] = Value::String(label);
  return row;
}

ObjectKey TagKey(const std::string& id) { return {kTags, id}; }

Step ChangeStep(ChangeKind kind, const std::string& id, const std::string& realm,
                const std::string& label = "") {
  Step step;
  step.change.kind = kind;
  step.change.key = TagKey(id);
  step.change.realm = realm;
  step.change.created_at = 2;
  step.change.modified_at = 20;
  step.change.revision = 7;
  if (!label.empty()) step.change.set = {{PropOf(kTags, "label"), Value::String(label)}};
  return step;
}

// A filter as in steps; text that is not JSON stays as it is.
std::string Where(std::string_view json) {
  const Result<Data> parsed = ParseJson(json);
  return parsed.ok() ? EncodeData(parsed.value()) : std::string(json);
}

Step Page(const std::string& above, std::optional<std::string> upto, Vector<std::string> ids,
          const std::string& where = R"(["true"])") {
  Step step;
  step.kind = StepKind::kPage;
  step.page = {kTags, Where(where), above, std::move(upto), {}, std::move(ids)};
  return step;
}

struct RecordWorld {
  RowMap rows;
  TouchedKeys touched;
  Status Apply(const Vector<Step>& steps) {
    return ApplySteps(LogSchema(), steps, &rows, &touched);
  }
  bool Has(const std::string& realm, const std::string& id) {
    return rows.GetBase(realm, TagKey(id)).has_value();
  }
};

TEST_CASE("folds own ops into their realm's base with the entry's time and revision") {
  RecordWorld world;
  world.rows.PutBase(TagKey("a"), Tag("A", "old"));
  world.rows.PutBase(TagKey("a"), Tag("B", "other"));
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "A";
  step.at = 50;
  step.revision = 9;
  Op update;
  update.kind = OpKind::kUpdate;
  update.table = kTags;
  update.id = "a";
  update.realm = "A";
  update.by = {0};
  update.set = {{PropOf(kTags, "label"), Value::String("new")}};
  Op missing = update;
  missing.id = "b";
  step.ops = {update, missing};
  REQUIRE(world.Apply({step}).ok());
  CHECK(world.rows.GetBase("A", TagKey("a"))->props[0] == Value::String("new"));
  CHECK(world.rows.GetBase("A", TagKey("a"))->modified_at == 50);
  CHECK(world.rows.GetBase("A", TagKey("a"))->revision == 9);
  CHECK(world.rows.GetBase("B", TagKey("a")) == Tag("B", "other"));
  CHECK(world.touched.keys == std::set<ObjectKey>{TagKey("a")});
}

TEST_CASE("moves a row to the other realm's base only by that realm's changes") {
  RecordWorld world;
  world.rows.PutBase(TagKey("a"), Tag("A", "x"));
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "A";
  step.at = 50;
  Op move;
  move.kind = OpKind::kMove;
  move.table = kTags;
  move.id = "a";
  move.realm = "A";
  move.to = "B";
  move.by = {0};
  step.ops = {move};
  REQUIRE(world.Apply({step}).ok());
  CHECK(world.rows.rows.empty());
}

TEST_CASE("creates whole rows, updates the named props, and removes, for changes") {
  RecordWorld world;
  REQUIRE(world.Apply({ChangeStep(ChangeKind::kCreate, "a", "A", "one")}).ok());
  const Row row = *world.rows.GetBase("A", TagKey("a"));
  CHECK(row.created_at == 2);
  CHECK(row.modified_at == 20);
  CHECK(row.revision == 7);
  CHECK(row.props == Vector<Value>{Value::String("one"), Value::Null(), Value::Null()});
  REQUIRE(world
              .Apply({ChangeStep(ChangeKind::kUpdate, "a", "A", "two"),
                      ChangeStep(ChangeKind::kUpdate, "b", "A", "two")})
              .ok());
  CHECK(world.rows.GetBase("A", TagKey("a"))->props[0] == Value::String("two"));
  CHECK_FALSE(world.Has("A", "b"));
  Step move = ChangeStep(ChangeKind::kMove, "a", "A", "three");
  move.change.to = "B";
  REQUIRE(world.Apply({move}).ok());
  CHECK_FALSE(world.Has("A", "a"));
  CHECK(world.rows.GetBase("B", TagKey("a"))->props[0] == Value::String("three"));
  REQUIRE(world.Apply({ChangeStep(ChangeKind::kDelete, "a", "A")}).ok());
  CHECK(world.Has("B", "a"));
  REQUIRE(world.Apply({ChangeStep(ChangeKind::kLeave, "a", "B")}).ok());
  CHECK(world.rows.rows.empty());
}

TEST_CASE("replaces the whole row of base for a create, also props that it does not name") {
  RecordWorld world;
  Row old = Tag("A", "old");
  old.props[PropOf(kTags, "uses")] = Value::Number(5);
  world.rows.PutBase(TagKey("a"), old);
  REQUIRE(world.Apply({ChangeStep(ChangeKind::kCreate, "a", "A", "new")}).ok());
  CHECK(world.rows.GetBase("A", TagKey("a"))->props[PropOf(kTags, "uses")].is_null());
}

TEST_CASE("replaces a page's whole range of ids") {
  RecordWorld world;
  for (const char* id : {"a", "b", "c", "d", "e"}) world.rows.PutBase(TagKey(id), Tag("A", "x"));
  REQUIRE(
      world.Apply({ChangeStep(ChangeKind::kCreate, "c", "A", "x"), Page("a", "d", {"c"})}).ok());
  CHECK(world.Has("A", "a"));
  CHECK_FALSE(world.Has("A", "b"));
  CHECK(world.Has("A", "c"));
  CHECK_FALSE(world.Has("A", "d"));
  CHECK(world.Has("A", "e"));
  CHECK(world.touched.keys == std::set<ObjectKey>{TagKey("b"), TagKey("c"), TagKey("d")});
  REQUIRE(world.Apply({Page("d", std::nullopt, {})}).ok());
  CHECK_FALSE(world.Has("A", "e"));
  REQUIRE(world.Apply({Page("", "b", {})}).ok());
  CHECK_FALSE(world.Has("A", "a"));
}

TEST_CASE("leaves a realm alone that a page does not name: it comes by image") {
  RecordWorld world;
  world.rows.PutBase(TagKey("b"), Tag("A", "x"));
  world.rows.PutBase(TagKey("c"), Tag("B", "x"));
  Step page = Page("", std::nullopt, {});
  page.page.realms = {"B"};
  REQUIRE(world.Apply({page}).ok());
  CHECK(world.Has("A", "b"));
  CHECK_FALSE(world.Has("B", "c"));
}

TEST_CASE("leaves the rows of a table's other scopes alone for a page") {
  RecordWorld world;
  world.rows.PutBase(TagKey("b"), Tag("A", "red"));
  world.rows.PutBase(TagKey("c"), Tag("A", "blue"));
  REQUIRE(world.Apply({Page("", std::nullopt, {}, R"(["=","label","red"])")}).ok());
  CHECK_FALSE(world.Has("A", "b"));
  CHECK(world.Has("A", "c"));
}

TEST_CASE("keeps a page's object only in the realm in which it came") {
  RecordWorld world;
  // Created and moved in one commit: their times are equal.
  world.rows.PutBase(TagKey("k"), Tag("B", "before", 20));
  const Step to_a = ChangeStep(ChangeKind::kCreate, "k", "A", "after");
  REQUIRE(world.Apply({to_a, Page("", std::nullopt, {"k"})}).ok());
  CHECK(world.Has("A", "k"));
  CHECK_FALSE(world.Has("B", "k"));
  const Step to_c = ChangeStep(ChangeKind::kCreate, "k", "C", "again");
  REQUIRE(world.Apply({to_c, Page("", std::nullopt, {"k"})}).ok());
  CHECK(world.Has("C", "k"));
  CHECK_FALSE(world.Has("A", "k"));
}

TEST_CASE("removes a dropped realm's rows in all tables, and no others") {
  RecordWorld world;
  Random random(SeedText(3));
  OpMaker maker(&random);
  world.rows.PutBase(TagKey("a"), Tag("A", "x"));
  world.rows.PutBase(TagKey("a"), Tag("B", "x"));
  world.rows.PutBase({kGroups, TestUuid(1)}, maker.AnyRow(kGroups, "A"));
  Step drop;
  drop.kind = StepKind::kDropRealm;
  drop.realm = "A";
  REQUIRE(world.Apply({drop}).ok());
  CHECK(world.rows.rows.size() == 1);
  CHECK(world.Has("B", "a"));
}

TEST_CASE("keeps rows as long as one of the kept scopes holds them") {
  RecordWorld world;
  Random random(SeedText(3));
  OpMaker maker(&random);
  for (const char* label : {"red", "green", "blue"})
    world.rows.PutBase(TagKey(label), Tag("A", label));
  world.rows.PutBase({kGroups, TestUuid(1)}, maker.AnyRow(kGroups, "A"));
  Step keep;
  keep.kind = StepKind::kKeepScopes;
  keep.scopes = {{kTags, Where(R"(["=","label","red"])")},
                 {kTags, Where(R"(["=","label","blue"])")}};
  REQUIRE(world.Apply({keep}).ok());
  CHECK(world.Has("A", "red"));
  CHECK_FALSE(world.Has("A", "green"));
  CHECK(world.Has("A", "blue"));
  CHECK(world.rows.rows.size() == 2);
}

TEST_CASE("evaluates a kept scope's sub-select on the rows before any is removed") {
  RecordWorld world;
  Random random(SeedText(4));
  OpMaker maker(&random);
  const auto member = [&](const std::string& realm, uint32_t group, double points) {
    Row row = maker.AnyRow(kMembers, realm);
    row.props[PropOf(kMembers, "group")] = Value::String(TestUuid(group));
    row.props[PropOf(kMembers, "points")] = Value::Number(points);
    return row;
  };
  for (uint32_t group = 1; group <= 3; ++group) {
    world.rows.PutBase({kGroups, TestUuid(group)}, maker.AnyRow(kGroups, "A"));
  }
  world.rows.PutBase({kMembers, TestUuid(11)}, member("A", 1, 5));
  world.rows.PutBase({kMembers, TestUuid(12)}, member("A", 2, 1));
  world.rows.PutBase({kMembers, TestUuid(13)}, member("B", 3, 5));
  Step keep;
  keep.kind = StepKind::kKeepScopes;
  keep.scopes = {
      {kGroups,
       Where(R"(["in","id",{"table":"members","select":"group","where":[">","points",2]}])")}};
  const Status applied = world.Apply({keep});
  REQUIRE_MESSAGE(applied.ok(), applied.detail());
  CHECK(world.rows.rows.size() == 1);
  CHECK(world.rows.GetBase("A", {kGroups, TestUuid(1)}).has_value());
}

TEST_CASE("reports a filter that does not parse") {
  RecordWorld world;
  CHECK_FALSE(world.Apply({Page("", std::nullopt, {}, R"(["=","color",1])")}).ok());
  CHECK_FALSE(world.Apply({Page("", std::nullopt, {}, "[")}).ok());
}

Step AnyStep(Random* random) {
  OpMaker maker(random);
  Step step;
  switch (random->Below(12)) {
    case 0:
      step.kind = StepKind::kDropRealm;
      step.realm = random->Below(2) == 0 ? "A" : "B";
      return step;
    case 1:
      step.kind = StepKind::kKeepScopes;
      step.scopes = {{kTags, Where(R"(["true"])")},
                     {kCities, Where(R"([">","population",0])")},
                     {kMembers, Where(R"(["true"])")}};
      return step;
    case 2:
      step.kind = StepKind::kPage;
      step.page = {kTags, Where(R"(["true"])"), "tag-0", "tag-101", {}, {"tag-1"}};
      return step;
    case 3:
    case 4:
    case 5: {
      step.kind = StepKind::kOwnOps;
      step.realm = random->Below(2) == 0 ? "A" : "B";
      step.at = 100 + static_cast<double>(random->Below(100));
      step.revision = 1 + random->Below(50);
      step.ops = maker.AnyUpdate().ops;
      for (Op& op : step.ops) op.realm = step.realm;
      return step;
    }
    default:
      step.change = maker.AnyChange();
      step.change.realm = random->Below(2) == 0 ? "A" : "B";
      if (step.change.kind == ChangeKind::kMove)
        step.change.to = step.change.realm == "A" ? "B" : "A";
      return step;
  }
}

TEST_CASE("holds in Base what a plain map holds after random steps, all changes touched") {
  size_t rows_in_second_realm = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    RowMap map;
    Base base(&LogSchema());
    auto before = AllRows(map);
    for (int i = 0; i < 40; ++i) {
      const Vector<Step> steps = {AnyStep(&random)};
      TouchedKeys touched;
      TouchedKeys touched_in_base;
      REQUIRE(ApplySteps(LogSchema(), steps, &map, &touched).ok());
      REQUIRE(ApplySteps(LogSchema(), steps, &base, &touched_in_base).ok());
      const auto after = AllRows(map);
      REQUIRE(AllRows(base) == after);
      REQUIRE(touched.keys == touched_in_base.keys);
      for (const auto& [place, row] : before) {
        const auto found = after.find(place);
        if (found == after.end() || found->second != row)
          REQUIRE(touched.keys.contains(place.first));
      }
      for (const auto& [place, row] : after) {
        if (!before.contains(place)) REQUIRE(touched.keys.contains(place.first));
      }
      before = after;
      rows_in_second_realm += base.rows_in_second_realm().size();
    }
  }
  CHECK(rows_in_second_realm > 100);
}

}  // namespace
}  // namespace skerry::test
