// Goal: a delete has the same effect on other rows in the window that shows it, on the authority
// that decides it, and in grouping, which does not push what would be deleted at once. Method:
// random schemas whose refs cascade, set null, restrict or do nothing, to any table and to their
// own; random rows, so that refs form trees, rings and diamonds; then one transaction deletes some
// rows, or moves one. All are compared with the rule, applied literally; and window and authority
// with each other in what was touched.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "authority/judge_update.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/vector.h"
#include "client/transaction.h"
#include "client/view.h"
#include "doctest/doctest.h"
#include "log/fold.h"
#include "log/op.h"
#include "model/schema.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

using CascadeRows = std::map<ObjectKey, Row>;

// None: the delete is rejected.
using CascadeOutcome = std::optional<CascadeRows>;

struct Graph {
  Schema schema;
  CascadeRows rows;
  Vector<ObjectKey> roots;  // to delete
};

Schema AnyRefSchema(Random* random) {
  const uint64_t tables = 1 + random->Below(4);
  static constexpr const char* kRuleNames[] = {"\"cascade\"", "\"cascade\"",  "\"cascade\"",
                                               "\"setNull\"", "\"restrict\"", "null"};
  std::string text = R"({"version":1,"accepts":[1],"tables":[)";
  for (uint64_t table = 0; table < tables; ++table) {
    text += std::string(table == 0 ? "" : ",") + R"({"name":"t)" + std::to_string(table) +
            R"(","ids":"uuid","props":[)";
    const uint64_t props = 1 + random->Below(3);
    for (uint64_t prop = 0; prop < props; ++prop) {
      text += std::string(prop == 0 ? "" : ",") + R"({"name":"p)" + std::to_string(prop) +
              R"(","type":"ref","optional":true,"ref":{"touch":)" +
              (random->Below(3) == 0 ? "true" : "false") + R"(,"table":"t)" +
              std::to_string(random->Below(tables)) + R"(","onDelete":)" +
              kRuleNames[random->Below(6)] + "}}";
    }
    text += "]}";
  }
  Result<Schema> schema = Schema::Parse(ParseJson(text + "]}").value());
  REQUIRE(schema.ok());
  return std::move(schema.value());
}

Graph AnyGraph(Random* random, bool two_realms) {
  Graph graph{AnyRefSchema(random), {}, {}};
  const size_t tables = graph.schema.tables().size();
  Vector<ObjectKey> keys;
  const uint64_t count = 2 + random->Below(12);
  for (uint64_t i = 0; i < count; ++i) {
    const auto table = static_cast<TableIndex>(random->Below(tables));
    keys.push_back({table, TestUuid(static_cast<uint32_t>(i))});
    Row& row = graph.rows[keys.back()];
    row.realm = two_realms && random->Below(4) == 0 ? "B" : "A";
    row.created_at = row.modified_at = row.revision = 1;
    row.props.resize(graph.schema.table(table).props.size());
  }
  for (auto& [key, row] : graph.rows) {
    const TableDef& table = graph.schema.table(key.table);
    for (size_t i = 0; i < row.props.size(); ++i) {
      const ObjectKey& target = keys[random->Below(keys.size())];
      if (target.table != table.props[i].ref_table) continue;
      // The authority rejects a row whose restrict ref leads to another realm.
      const bool is_far = graph.rows[target].realm != row.realm;
      if (is_far && table.props[i].on_delete == OnDelete::kRestrict) continue;
      row.props[i] = Value::String(target.id);
    }
  }
  std::set<ObjectKey> roots;
  for (uint64_t n = 1 + random->Below(3); n > 0; --n)
    roots.insert(keys[random->Below(keys.size())]);
  for (const ObjectKey& root : roots) graph.roots.push_back(root);
  return graph;
}

// Whether a ref of the row, by this rule, names one of the rows that left its realm.
bool NamesOneOf(const std::set<ObjectKey>& left, const Graph& graph, const ObjectKey& key,
                size_t prop, OnDelete rule) {
  const PropDef& def = graph.schema.table(key.table).props[prop];
  const Row& row = graph.rows.at(key);
  if (def.on_delete != rule || row.props[prop].is_null()) return false;
  const ObjectKey target{def.ref_table, row.props[prop].text()};
  return left.contains(target) && graph.rows.at(target).realm == row.realm;
}

// All rows that cascade from the roots leave with them. `to`: the target realm; empty: they are
// deleted.
CascadeOutcome ExpectedRows(const Graph& graph, const std::string& to) {
  std::set<ObjectKey> left(graph.roots.begin(), graph.roots.end());
  for (size_t before = 0; before != left.size();) {
    before = left.size();
    for (const auto& [key, row] : graph.rows) {
      for (size_t i = 0; i < row.props.size(); ++i) {
        if (NamesOneOf(left, graph, key, i, OnDelete::kCascade)) left.insert(key);
      }
    }
  }
  CascadeRows rows;
  for (const auto& [key, row] : graph.rows) {
    if (left.contains(key) && to.empty()) continue;
    rows[key] = row;
    if (left.contains(key)) {
      rows[key].realm = to;
      continue;
    }
    for (size_t i = 0; i < row.props.size(); ++i) {
      if (NamesOneOf(left, graph, key, i, OnDelete::kRestrict)) return std::nullopt;
      if (NamesOneOf(left, graph, key, i, OnDelete::kSetNull)) rows[key].props[i] = Value();
    }
  }
  return rows;
}

// The authority also checks the refs of the rows that moved to `to`, because refs do not cross
// realms. The window leaves that to the authority, because it may not hold the targets.
CascadeOutcome WithOwnRefs(const Graph& graph, CascadeRows rows, const std::string& to) {
  for (auto& [key, row] : rows) {
    if (row.realm != to) continue;
    for (size_t i = 0; i < row.props.size(); ++i) {
      const PropDef& def = graph.schema.table(key.table).props[i];
      if (row.props[i].is_null() || def.on_delete == OnDelete::kNothing) continue;
      if (rows.at({def.ref_table, row.props[i].text()}).realm == to) continue;
      if (def.on_delete != OnDelete::kSetNull) return std::nullopt;
      row.props[i] = Value();
    }
  }
  return rows;
}

// The rows of a window after the roots were moved to `to`; empty: deleted. `ops`: what it logged.
CascadeOutcome OfWindow(const Graph& graph, const std::string& to, Random* random,
                        Vector<Op>* ops) {
  View view(&graph.schema);
  for (const auto& [key, row] : graph.rows) {
    view.PutBase(key, row);
    view.Touched(row.realm, key);
  }
  view.Derive();
  UuidGenerator ids(random);
  Transaction transaction(&view, &ids, {"A", std::nullopt, true});
  REQUIRE(transaction.Begin(2, 1).ok());
  Code code = Code::kOk;
  for (const ObjectKey& root : graph.roots) {
    Data operation = Data::MakeArray();
    operation.Push(root.id).Push(to.empty() ? Data() : Data(to)).Push(Data::MakeObject());
    const TxCall call = to.empty() ? TxCall::kDelete : TxCall::kMove;
    const Result<OpOutcome> outcome = transaction.Apply(call, root.table, operation);
    if (!outcome.ok()) code = outcome.status().code();
  }
  std::unique_ptr<Pending> pending;
  if (code == Code::kOk) {
    Result<std::unique_ptr<Pending>> committed = transaction.Commit("leave", "null");
    code = committed.status().code();
    if (committed.ok()) pending = std::move(committed.value());
  }
  if (code != Code::kOk) {
    CHECK(code == Code::kConflict);
    transaction.Rollback();
    return std::nullopt;
  }
  *ops = pending->mutation.ops;
  CascadeRows left;
  for (const auto& [key, row] : graph.rows) {
    if (const std::optional<Row> shown = view.Visible(key)) left[key] = *shown;
  }
  view.Detach(pending.get());
  return left;
}

// The authority's rows after these ops on these rows.
CascadeOutcome OfAuthority(const Graph& graph, const CascadeRows& stored, const Vector<Op>& ops) {
  WorkingSet rows(&graph.schema);
  for (const auto& [key, row] : stored) rows.Load({key, row, std::nullopt});
  const RealmState state{true, 1, 1};
  const Map<std::string, RealmState> realms{{"A", state}, {"B", state}};
  const Map<std::string, Right> rights{{"A", Right::kWrite}, {"B", Right::kWrite}};
  Set<std::string> locks;
  const Scene scene{&graph.schema, &rows, &realms, &rights, &locks, "c1", 2};
  Update update;
  update.after = {{"A", {}}, {"B", {}}};
  update.ops = ops;
  for (int round = 0; round < 100; ++round) {
    rows.Begin();
    const Judgement judgement = JudgeUpdate(scene, update, kMaxAdmissionWork);
    if (rows.has_needs()) {  // all rows are loaded: a missing row does not exist
      rows.Rollback();
      rows.TakeNeeds();
      rows.Settle();
      continue;
    }
    for (const Rejection& rejection : judgement.rejections) CHECK_EQ(rejection.code, "restrict");
    if (!judgement.rejections.empty()) return std::nullopt;
    CascadeRows left;
    for (const auto& [key, row] : graph.rows) {
      for (const char* realm : {"A", "B"}) {
        if (const Row* found = rows.Find({realm, key})) left[key] = *found;
      }
    }
    return left;
  }
  FAIL("the authority asks for ever");
  return std::nullopt;
}

Op OpOnRow(OpKind kind, const ObjectKey& key, const std::string& realm) {
  Op op = NewOp(kind, key, realm);
  op.by = {0};
  return op;
}

Vector<Op> Deletes(const Graph& graph) {
  Vector<Op> ops;
  for (const ObjectKey& root : graph.roots)
    ops.push_back(OpOnRow(OpKind::kDelete, root, graph.rows.at(root).realm));
  return ops;
}

// The grouped ops of a client that created all rows, and deleted some, before any push.
Vector<Op> GroupedOps(const Graph& graph) {
  Vector<Op> ops;
  for (const auto& [key, row] : graph.rows) {
    Op create = OpOnRow(OpKind::kCreate, key, row.realm);
    for (PropIndex i = 0; i < row.props.size(); ++i) {
      if (!row.props[i].is_null()) create.set.push_back({i, row.props[i]});
    }
    ops.push_back(std::move(create));
  }
  for (Op& op : Deletes(graph)) ops.push_back(std::move(op));
  return FoldOps(graph.schema, ops);
}

std::string OutcomeText(const CascadeOutcome& outcome) {
  if (!outcome) return "refused";
  std::string text;
  for (const auto& [key, row] : *outcome) {
    text += std::to_string(key.table) + "/" + key.id.substr(key.id.size() - 4) + "@" + row.realm;
    for (const Value& value : row.props)
      text += " " + (value.is_null() ? std::string("-") : std::string(value.text()).substr(32));
    text += "; ";
  }
  return text;
}

// Window and authority give each row the same time of its last change. Returns how many rows were
// only touched.
int CheckTouches(const Graph& graph, const CascadeOutcome& shown, const CascadeOutcome& admitted) {
  if (!shown || !admitted) return 0;
  int touched = 0;
  for (const auto& [key, row] : *shown) {
    CAPTURE(key.id);
    const Row& before = graph.rows.at(key);
    REQUIRE_EQ(row.modified_at, admitted->at(key).modified_at);
    const bool is_same = row.props == before.props && row.realm == before.realm;
    if (is_same && row.modified_at != before.modified_at) ++touched;
  }
  return touched;
}

TEST_CASE("cascades a delete alike in window, authority and grouping") {
  int refused = 0, cascaded = 0, nulled = 0, touched = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    const bool two_realms = random.Below(3) == 0;
    const Graph graph = AnyGraph(&random, two_realms);
    const CascadeOutcome expected = ExpectedRows(graph, "");
    Vector<Op> logged;
    const CascadeOutcome shown = OfWindow(graph, "", &random, &logged);
    const CascadeOutcome admitted = OfAuthority(graph, graph.rows, Deletes(graph));
    REQUIRE_EQ(OutcomeText(shown), OutcomeText(expected));
    REQUIRE_EQ(OutcomeText(admitted), OutcomeText(expected));
    touched += CheckTouches(graph, shown, admitted);
    const Vector<Op> grouped = GroupedOps(graph);
    // Not with a second realm: there, a created child follows its parent, too.
    if (!two_realms)
      REQUIRE_EQ(OutcomeText(OfAuthority(graph, {}, grouped)), OutcomeText(expected));
    refused += expected ? 0 : 1;
    if (!expected) continue;
    std::set<ObjectKey> made;
    for (const Op& op : grouped) made.insert(op.key());
    REQUIRE_EQ(made.size(), expected->size());
    for (const auto& [key, row] : *expected) {
      REQUIRE(made.contains(key));
      if (row.props != graph.rows.at(key).props) ++nulled;
    }
    const std::set<ObjectKey> roots(graph.roots.begin(), graph.roots.end());
    if (expected->size() + roots.size() < graph.rows.size()) ++cascaded;
  }
  // The random graphs reach all of these cases.
  CHECK(refused > 200);
  CHECK(cascaded > 500);
  CHECK(nulled > 200);
  CHECK(touched > 200);
}

TEST_CASE("moves all rows that cascade from a row, found in any order") {
  int refused = 0, rejected = 0, moved = 0, touched = 0;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    Graph graph = AnyGraph(&random, false);
    graph.roots.resize(1);
    const CascadeOutcome expected = ExpectedRows(graph, "B");
    Vector<Op> logged;
    const CascadeOutcome shown = OfWindow(graph, "B", &random, &logged);
    REQUIRE_EQ(OutcomeText(shown), OutcomeText(expected));
    refused += expected ? 0 : 1;
    if (expected) {  // else the window pushes nothing
      const CascadeOutcome admitted = OfAuthority(graph, graph.rows, logged);
      REQUIRE_EQ(OutcomeText(admitted), OutcomeText(WithOwnRefs(graph, *expected, "B")));
      touched += CheckTouches(graph, shown, admitted);
      rejected += admitted ? 0 : 1;
    }
    int in_b = 0;
    if (expected) {
      for (const auto& [key, row] : *expected) in_b += row.realm == "B" ? 1 : 0;
    }
    moved += in_b > 2 ? 1 : 0;
  }
  CHECK(refused > 100);
  CHECK(rejected > 100);
  CHECK(moved > 150);
  CHECK(touched > 100);
}

}  // namespace
}  // namespace skerry::test
