// Goal: a folded sequence of ops gives the same rows as its ops one by one, names the actions that
// it comes from, and cannot be folded further. Method: the rules of docs/design.md, "Grouping",
// one at a time; then random histories over few objects, compared row by row in a view, in base
// (per realm), and as the authority applies them (in the realm where the row really is).
#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/fold.h"
#include "test/core/log/log_fixture.h"
#include "test/core/rounds.h"

namespace skerry::test {
namespace {

const PropIndex kVisits = PropOf(kCities, "visits");

// A sequence of ops on one city in realm A; the n-th op comes from action n, or all from one.
class Sequence {
 public:
  static Sequence OneAction() {
    Sequence sequence;
    sequence.is_one_action_ = true;
    return sequence;
  }
  Sequence& Create(Vector<PropValue> set) { return Add(OpKind::kCreate, std::move(set), {}); }
  Sequence& Update(Vector<PropValue> set) { return Add(OpKind::kUpdate, std::move(set), {}); }
  Sequence& Inc(Vector<PropAdd> add) { return Add(OpKind::kInc, {}, std::move(add)); }
  Sequence& Offer(Vector<PropValue> set) { return Add(OpKind::kOffer, std::move(set), {}); }
  Sequence& Delete() { return Add(OpKind::kDelete, {}, {}); }
  Sequence& On(TableIndex table, std::string id) {
    table_ = table;
    id_ = std::move(id);
    return *this;
  }
  Vector<Op> Fold() const { return FoldOps(LogSchema(), ops_); }
  Vector<Op>& ops() { return ops_; }

 private:
  Sequence& Add(OpKind kind, Vector<PropValue> set, Vector<PropAdd> add) {
    Op op;
    op.kind = kind;
    op.table = table_;
    op.id = id_;
    op.realm = "A";
    op.set = std::move(set);
    op.add = std::move(add);
    op.by = {is_one_action_ ? 0 : static_cast<uint32_t>(ops_.size())};
    ops_.push_back(std::move(op));
    return *this;
  }
  bool is_one_action_ = false;
  TableIndex table_ = kCities;
  std::string id_ = TestUuid(1);
  Vector<Op> ops_;
};

using By = Vector<uint32_t>;

TEST_CASE("folds create and update to one create that names both actions") {
  const auto ops = Sequence()
                       .Create({{kName, Value::String("a")}})
                       .Update({{kName, Value::String("b")}, {kPopulation, Value::Number(1)}})
                       .Fold();
  REQUIRE(ops.size() == 1);
  CHECK(ops[0].kind == OpKind::kCreate);
  CHECK(ops[0].set ==
        Vector<PropValue>{{kName, Value::String("b")}, {kPopulation, Value::Number(1)}});
  CHECK(ops[0].by == By{0, 1});
}

TEST_CASE("sums incs, and adds them to a value that was set before") {
  const auto sums = Sequence().Inc({{kPopulation, 2}}).Inc({{kPopulation, 3}, {kVisits, 1}}).Fold();
  REQUIRE(sums.size() == 1);
  CHECK(sums[0].add == Vector<PropAdd>{{kPopulation, 5}, {kVisits, 1}});
  CHECK(sums[0].by == By{0, 1});
  const auto set =
      Sequence().Update({{kPopulation, Value::Number(10)}}).Inc({{kPopulation, 3}}).Fold();
  REQUIRE(set.size() == 1);
  CHECK(set[0].kind == OpKind::kUpdate);
  CHECK(set[0].set == Vector<PropValue>{{kPopulation, Value::Number(13)}});
  const auto null =
      Sequence().Update({{kPopulation, Value::Null()}}).Inc({{kPopulation, 3}}).Fold();
  REQUIRE(null.size() == 1);
  CHECK(null[0].set == Vector<PropValue>{{kPopulation, Value::Number(3)}});
}

TEST_CASE("keeps an inc of a prop that a create does not set, as the row may exist") {
  const auto ops = Sequence().Create({{kName, Value::String("a")}}).Inc({{kPopulation, 3}}).Fold();
  REQUIRE(ops.size() == 2);
  CHECK(ops[1].kind == OpKind::kInc);
}

TEST_CASE("drops the incs of a prop that an update sets, and their actions") {
  const auto ops =
      Sequence().Inc({{kPopulation, 3}}).Update({{kPopulation, Value::Number(1)}}).Fold();
  REQUIRE(ops.size() == 1);
  CHECK(ops[0].set == Vector<PropValue>{{kPopulation, Value::Number(1)}});
  CHECK(ops[0].by == By{0, 1});
  const auto rest = Sequence()
                        .Inc({{kPopulation, 3}, {kVisits, 1}})
                        .Update({{kPopulation, Value::Number(1)}})
                        .Fold();
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].add == Vector<PropAdd>{{kVisits, 1}});
}

TEST_CASE("keeps both delete and create") {
  const auto ops = Sequence().Delete().Create({{kName, Value::String("a")}}).Fold();
  REQUIRE(ops.size() == 2);
  CHECK(ops[0].kind == OpKind::kDelete);
  CHECK(ops[1].kind == OpKind::kCreate);
  CHECK(Sequence::OneAction().Delete().Create({}).Delete().Fold().size() == 1);
}

TEST_CASE("folds create and delete to nothing for a UUID, to a delete for any other id") {
  CHECK(Sequence::OneAction().Create({}).Update({}).Inc({}).Delete().Fold().empty());
  const auto tag = Sequence::OneAction().On(kTags, "se").Create({}).Delete().Fold();
  REQUIRE(tag.size() == 1);
  CHECK(tag[0].kind == OpKind::kDelete);
}

TEST_CASE("keeps the delete of an object that existed before its create") {
  const auto ops = Sequence::OneAction().Update({}).Create({}).Delete().Fold();
  REQUIRE(ops.size() == 1);
  CHECK(ops[0].kind == OpKind::kDelete);
}

TEST_CASE("drops creates that cascade from a created and deleted object, transitively") {
  const PropIndex parent = PropOf(kGroups, "parent");
  const PropIndex group = PropOf(kMembers, "group");
  Sequence sequence = Sequence::OneAction();
  // The grandchild comes before its parent, and one member is not below the deleted group.
  sequence.On(kMembers, TestUuid(30)).Create({{group, Value::String(TestUuid(21))}});
  sequence.On(kGroups, TestUuid(20)).Create({});
  sequence.On(kGroups, TestUuid(21)).Create({{parent, Value::String(TestUuid(20))}});
  sequence.On(kMembers, TestUuid(31)).Create({{group, Value::String(TestUuid(22))}});
  sequence.On(kGroups, TestUuid(20)).Delete();
  const auto ops = sequence.Fold();
  REQUIRE(ops.size() == 1);
  CHECK(ops[0].id == TestUuid(31));
}

TEST_CASE("keeps a child with a live parent, a setNull ref, or the application's own ids") {
  const PropIndex group = PropOf(kMembers, "group");
  Sequence sequence = Sequence::OneAction();
  sequence.On(kGroups, TestUuid(20)).Create({});
  sequence.On(kMembers, TestUuid(30)).Create({{group, Value::String(TestUuid(20))}});
  sequence.On(kCities, TestUuid(1))
      .Create({{PropOf(kCities, "group"), Value::String(TestUuid(20))}});
  sequence.On(kGroups, TestUuid(20)).Delete();
  sequence.On(kMembers, TestUuid(30)).Update({{group, Value::String(TestUuid(22))}});
  const auto ops = sequence.Fold();
  REQUIRE(ops.size() == 2);
  CHECK(ops[0].id == TestUuid(30));
  CHECK(ops[1].id == TestUuid(1));
  Sequence tags = Sequence::OneAction();
  tags.On(kTags, "a")
      .Create({})
      .On(kTags, "b")
      .Create({{PropOf(kTags, "parent"), Value::String("a")}});
  tags.On(kTags, "a").Delete();
  CHECK(tags.Fold().size() == 2);
}

TEST_CASE("guards a folded op by the older revision") {
  Sequence sequence = Sequence::OneAction();
  sequence.Update({}).Update({}).Update({});
  sequence.ops()[1].if_revision = 7;
  sequence.ops()[2].if_revision = 5;
  CHECK(sequence.Fold()[0].if_revision == 5);
}

TEST_CASE("lists the realms of the ops and of the targets of moves, sorted") {
  Random random(SeedText(1));
  OpMaker maker(&random);
  const Vector<Op> ops = {maker.Delete(kTags, "x", "B"), maker.Move(kTags, "y", "B", "A")};
  CHECK(RealmsOf(ops) == Vector<std::string>{"A", "B"});
}

TEST_CASE("merges an offer with nothing") {
  const Vector<PropValue> set = {{kName, Value::String("a")}};
  CHECK(Sequence().Update(set).Offer(set).Update(set).Fold().size() == 3);
  CHECK(Sequence().Create(set).Offer(set).Fold().size() == 2);
  CHECK(Sequence().Offer(set).Delete().Fold().size() == 2);
}

// The server judges each action by itself: it must see what every one of them did.
TEST_CASE("merges ops of different actions only if no rule looks at them") {
  const PropIndex group = PropOf(kCities, "group");
  const auto refer = [&](uint32_t to) {
    return Vector<PropValue>{{group, Value::String(TestUuid(to))}};
  };
  const Vector<PropValue> name = {{kName, Value::String("a")}};
  auto ops = Sequence().Update(name).Update(refer(20)).Update(refer(21)).Update(name).Fold();
  REQUIRE(ops.size() == 3);
  CHECK(ops[1].by == By{1});
  CHECK(ops[2].by == By{2, 3});
  CHECK(ops[2].set.size() == 2);
  ops = Sequence().Create(refer(20)).Update(name).Delete().Fold();
  REQUIRE(ops.size() == 2);
  CHECK(ops[0].by == By{0, 1});
  CHECK(ops[1].by == By{2});
  CHECK(Sequence().Create(name).Create(name).Fold().size() == 2);
  CHECK(Sequence().Delete().Delete().Fold().size() == 2);
  Sequence guarded;
  guarded.Update(name).Update(name);
  guarded.ops()[1].if_revision = 7;
  CHECK(guarded.Fold().size() == 2);
}

TEST_CASE("merges no writes of a unique prop by different actions, nor of a role") {
  const Result<Schema> schema =
      Schema::Parse(ParseJson(R"({"version":1,"tables":[{"name":"people","ids":"uuid","props":[
          {"name":"mail","type":"string","unique":true},
          {"name":"rank","type":"number","unique":true},{"name":"note","type":"string"}]},
          {"name":"$members","ids":"string","props":[{"name":"user","type":"string"},
          {"name":"role","type":"enum","enum":{"type":null,"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},
    {"name":"by","type":"string","optional":true}]}]})")
                        .value());
  REQUIRE(schema.ok());
  const auto count = [&](OpKind kind, const char* table, Vector<PropValue> set,
                         Vector<PropAdd> add) {
    Op op = NewOp(kind, {schema.value().FindTable(table), TestUuid(1)}, "A");
    op.set = std::move(set);
    op.add = std::move(add);
    Op later = op;
    op.by = {0};
    later.by = {1};
    const size_t apart = FoldOps(schema.value(), {op, later}).size();
    later.by = {0};
    CHECK(FoldOps(schema.value(), {op, later}).size() == 1);
    return apart;
  };
  const Value text = Value::String("a");
  CHECK(count(OpKind::kUpdate, "people", {{2, text}}, {}) == 1);
  CHECK(count(OpKind::kUpdate, "people", {{0, text}}, {}) == 2);
  CHECK(count(OpKind::kUpdate, "people", {{0, text}, {2, text}}, {}) == 2);
  CHECK(count(OpKind::kInc, "people", {}, {{1, 2}}) == 2);
  CHECK(count(OpKind::kUpdate, "$members", {{1, Value::String("owner")}}, {}) == 2);
}

// ---- random histories ----

using Rows = std::map<ObjectKey, Row>;

enum class Landing { kDeclaredRealm, kActualRealm };

void Apply(const Vector<Op>& ops, FoldTarget target, Landing landing, Rows* rows) {
  for (Op op : ops) {
    const ObjectKey key{op.table, op.id};
    std::optional<Row> row;
    if (const auto found = rows->find(key); found != rows->end()) row = found->second;
    if (landing == Landing::kActualRealm && row) op.realm = row->realm;
    FoldOp(LogSchema(), op, {5000, 0}, target, &row);
    if (row) {
      (*rows)[key] = *row;
    } else {
      rows->erase(key);
    }
  }
}

void RemoveOrphans(Rows* rows) {
  for (bool again = true; again;) {
    again = false;
    for (auto row = rows->begin(); row != rows->end();) {
      const TableDef& table = LogSchema().table(row->first.table);
      bool orphan = false;
      for (size_t i = 0; i < table.props.size(); ++i) {
        const Value& ref = row->second.props[i];
        if (table.props[i].on_delete != OnDelete::kCascade || ref.is_null()) continue;
        orphan |= !rows->contains({table.props[i].ref_table, ref.text()});
      }
      again |= orphan;
      row = orphan ? rows->erase(row) : std::next(row);
    }
  }
}

// Whether the rows are equal, except for rows of `one_by_one` whose parent was created and deleted
// in the sequence: a cascade deletes them.
bool SameRows(const Rows& one_by_one, const Rows& folded, int* orphans) {
  Rows without_orphans = one_by_one;
  RemoveOrphans(&without_orphans);
  for (const auto& [key, row] : folded) {
    const auto other = one_by_one.find(key);
    if (other == one_by_one.end() || other->second != row) return false;
  }
  for (const auto& [key, row] : one_by_one) {
    if (folded.contains(key)) continue;
    if (without_orphans.contains(key)) return false;
    ++*orphans;
  }
  return true;
}

struct History {
  Rows rows;
  Vector<Op> ops;
};

History MakeHistory(Random* random) {
  OpMaker maker(random);
  History history;
  const std::string realms[] = {"A", "B"};
  for (TableIndex table = 0; table < 4; ++table) {
    for (int i = 0; i < 3; ++i) {
      const ObjectKey key{table, maker.AnyId(table, false)};
      if (random->Below(2) == 0) history.rows[key] = maker.AnyRow(table, realms[random->Below(2)]);
    }
  }
  Rows view = history.rows;
  std::set<ObjectKey> touched;
  const uint64_t length = 1 + random->Below(60);
  const uint64_t moves = random->Below(3) == 0 ? 2 : 0;
  // Few histories have offers, which keep objects from being dropped as unknown to others.
  const bool has_offers = random->Below(5) == 0;
  // Few are of several actions, of which few ops are merged.
  const bool has_actions = random->Below(6) == 0;
  const uint64_t per_action = has_actions ? 1 + 3 * random->Below(2) : 60;
  const auto add = [&](Op op, uint64_t action) {
    op.by = {static_cast<uint32_t>(action)};
    touched.insert({op.table, op.id});
    Apply({op}, FoldTarget::kView, Landing::kDeclaredRealm, &view);
    history.ops.push_back(std::move(op));
  };
  for (uint64_t i = 0; i < length; ++i) {
    // Sometimes an object is made with a child, and deleted: a cascade deletes the child.
    if (random->Below(200) == 0) {
      Op parent = maker.Create(kGroups, maker.AnyId(kGroups, true), "A");
      Op child = maker.Create(kGroups, maker.AnyId(kGroups, true), "A");
      const PropIndex to_parent = PropOf(kGroups, "parent");
      erase_if(child.set, [&](const PropValue& each) { return each.prop == to_parent; });
      child.set.push_back({to_parent, Value::String(parent.id)});
      std::sort(child.set.begin(), child.set.end(),
                [](const PropValue& a, const PropValue& b) { return a.prop < b.prop; });
      const Op gone = maker.Delete(kGroups, parent.id, "A");
      for (const Op& op : {parent, child, gone}) add(op, i / per_action);
    }
    const auto table = static_cast<TableIndex>(random->Below(4));
    const bool fresh = random->Below(2) == 0;
    const ObjectKey key{table, maker.AnyId(table, fresh)};
    const auto row = view.find(key);
    std::string realm =
        row != view.end() ? row->second.realm : realms[random->Below(moves ? 2 : 1)];
    if (random->Below(12) == 0) realm = realms[random->Below(2)];
    // A UUID is created once, unless the sequence has touched it before: no other client can make
    // the same one.
    const bool may_create = fresh || touched.contains(key) || LogSchema().table(table).custom_ids;
    const uint64_t dice = random->Below(8 + moves);
    Op op;
    if (dice < 2 && may_create) {
      op = maker.Create(table, key.id, realm);
    } else if (dice < 4) {
      op = maker.Update(table, key.id, realm);
    } else if (dice < 6) {
      op = maker.Inc(table, key.id, realm);
    } else if (dice < 8) {
      op = maker.Delete(table, key.id, realm);
    } else {
      op = maker.Move(table, key.id, realm, realm == "A" ? "B" : "A");
    }
    if (has_offers && random->Below(6) == 0) {
      op = maker.Create(table, key.id, realm);
      op.kind = OpKind::kOffer;
    }
    if (has_offers && random->Below(6) == 0) maker.Undo(&op);
    add(std::move(op), i / per_action);
  }
  return history;
}

void CheckBy(const History& history, const Vector<Op>& folded) {
  std::map<ObjectKey, std::set<uint32_t>> named;
  for (const Op& op : folded) {
    CHECK(!op.by.empty());
    CHECK(std::is_sorted(op.by.begin(), op.by.end()));
    named[{op.table, op.id}].insert(op.by.begin(), op.by.end());
  }
  for (const Op& op : history.ops) {
    // Objects with UUIDs can fold to nothing, and so lose their first actions.
    if (!LogSchema().table(op.table).custom_ids) continue;
    CHECK(named[{op.table, op.id}].contains(op.by[0]));
  }
}

TEST_CASE("gives the same rows for folded ops as for the ops one by one") {
  size_t before = 0;
  size_t after = 0;
  int orphans = 0;
  const uint64_t rounds = Rounds(4000, 1000);
  for (uint64_t seed = 0; seed < rounds; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    const History history = MakeHistory(&random);
    const Vector<Op> folded = FoldOps(LogSchema(), history.ops);
    before += history.ops.size();
    after += folded.size();
    REQUIRE(folded.size() <= history.ops.size());
    for (const Landing landing : {Landing::kDeclaredRealm, Landing::kActualRealm}) {
      Rows one_by_one = history.rows;
      Rows at_once = history.rows;
      Apply(history.ops, FoldTarget::kView, landing, &one_by_one);
      Apply(folded, FoldTarget::kView, landing, &at_once);
      REQUIRE(SameRows(one_by_one, at_once, &orphans));
    }
    for (const std::string& realm : {std::string("A"), std::string("B")}) {
      const auto of_realm = [&](Vector<Op> ops) {
        erase_if(ops, [&](const Op& op) { return op.realm != realm; });
        return ops;
      };
      Rows one_by_one = history.rows;
      erase_if(one_by_one, [&](const auto& item) { return item.second.realm != realm; });
      Rows at_once = one_by_one;
      Apply(of_realm(history.ops), FoldTarget::kBase, Landing::kDeclaredRealm, &one_by_one);
      Apply(of_realm(folded), FoldTarget::kBase, Landing::kDeclaredRealm, &at_once);
      REQUIRE(SameRows(one_by_one, at_once, &orphans));
    }
    REQUIRE(FoldOps(LogSchema(), folded) == folded);
    CheckBy(history, folded);
  }
  // The histories have reductions and cascades; else the checks above would show little.
  CHECK(after * 4 < before * 3);
  CHECK(static_cast<uint64_t>(orphans) > rounds / 200);
}

TEST_CASE("folds ops of thousands of objects at once") {
  Vector<Op> ops;
  Random random(SeedText(5));
  OpMaker maker(&random);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 5000; ++i) {
      Op op = round == 0 ? maker.Create(kCities, TestUuid(i), "A")
                         : maker.Inc(kCities, TestUuid(i), "A");
      op.by = {static_cast<uint32_t>(ops.size())};
      ops.push_back(std::move(op));
    }
  }
  const Vector<Op> folded = FoldOps(LogSchema(), ops);
  CHECK(folded.size() <= 10'000);
  CHECK(folded.front().id == TestUuid(0));
}

}  // namespace
}  // namespace skerry::test
