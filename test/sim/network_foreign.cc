// Other programs that write to the database by SQL: what they write is logged at their commit, and followed up by a
// node (docs/design.md, "Other programs that write"). Nothing that a unique prop or `restrict` forbids is written: of
// the one the triggers refuse it, and the other would stay broken.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "authority/row_data.h"
#include "base/random.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/network.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kMostRows = 3;

// Writes as ops, each of another row; empty if they would break a rule. Rows that rules of the application
// concern are not written: nobody asks these rules.
Vector<test::naive::Op> AnyWrites(const test::naive::Server& naive,
                                  const test::naive::Names& realms, bool has_rules, Random* random,
                                  uint64_t* serial) {
  test::naive::Rows visible;
  for (const std::string& realm : realms) {
    for (const auto& [key, row] : naive.rows(realm)) {
      if (test::naive::TableOf(key) != "$members") visible.emplace(key, row);
    }
  }
  Vector<test::naive::Op> ops;
  std::set<test::naive::Key> keys;
  for (uint64_t n = 1 + random->Below(kMostRows); n > 0; --n) {
    test::naive::Op op = test::AnyOp(visible, realms, 0.1, random, serial);
    const bool is_total = op.key.rfind("items/total", 0) == 0;
    if (is_total || op.op == "inc" || op.op == "append" || !keys.insert(op.key).second) continue;
    if (has_rules) {
      op.set.erase("n");
      op.set.erase("u");
    }
    const bool is_there = naive.rows(op.realm).contains(op.key);
    if (is_there ? op.op == "create" : op.op != "create") continue;
    // An object with a UUID is in one realm.
    const bool is_elsewhere =
        std::any_of(realms.begin(), realms.end(), [&](const std::string& realm) {
          return realm != op.realm && naive.rows(realm).contains(op.key);
        });
    if (is_elsewhere) continue;
    ops.push_back(std::move(op));
  }
  return ops;
}

}  // namespace

void Network::WriteForeign(uint32_t which, uint32_t how) {
  // The program waits for the locks of the transaction that is open.
  if (open_) Commit();
  Random random("write " + std::to_string(which) + " " + std::to_string(how));
  test::naive::Server& naive = world_->checks().naive();
  test::naive::Names realms;
  for (const auto& [realm, head] : database_.heads()) {
    if (!test::naive::CanHaveMembers(realm) || head.head > 0) realms.insert(realm);
  }
  const Vector<test::naive::Op> ops =
      AnyWrites(naive, realms, world_->Has(Part::kRules), &random, &foreign_serial_);
  const double at = clock_ = std::max(clock_ + 1, std::floor(world_->mono()));
  test::naive::Server trial = naive;
  trial.FollowUp(ops, trial.WriteForeign(ops, at), at + 1);
  if (ops.empty() || !trial.IsSound()) return;
  world_->Happened(Kind::kForeignWrite);
  world_->TraceServer("foreign", 0, "");

  const Schema& served = *database_.newest();
  Vector<test::MemoryDatabase::ForeignWrite> writes;
  test::MemoryDatabase::Rows space;
  const test::MemoryDatabase::Rows& rows = database_.RowsOf(served, &space);
  for (const test::naive::Op& op : ops) {
    const ObjectKey object = test::OpOf(op, served).key();
    const PlacedKey key{op.realm, object};
    if (op.op == "delete" || op.op == "move") {
      writes.push_back({key, std::nullopt, op.to});
      continue;
    }
    const TableDef& table = served.table(object.table);
    Data props = Data::MakeObject();
    for (const auto& [name, value] : op.set) props.Set(name, value);
    const Row set = RowOfTable(table, op.realm, Data::MakeObject().Set("props", props)).value();
    const auto stored = rows.find(key);
    const bool is_there = stored != rows.end() && !stored->second.deleted_at;
    Row row = is_there ? stored->second.row : set;
    for (const auto& [name, value] : op.set) {
      const PropIndex prop = table.FindProp(name);
      row.props[prop] = set.props[prop];
    }
    SetDefaults(table, &row);
    writes.push_back({key, std::move(row)});
  }
  const std::map<std::string, Database::Head> before = database_.heads();
  const std::string name = "foreign " + std::to_string(at);
  database_.WriteForeign(served, writes, at, name, name);
  const test::naive::Server::AllRows naive_before = naive.WriteForeign(ops, at);
  world_->checks().CommittedAll(database_);
  ++clock_;
  database_.FollowUp(served, ~size_t{0}, clock_, name + " owed", name + " owed");
  naive.FollowUp(ops, naive_before, clock_);
  world_->checks().CommittedAll(database_);
  std::map<std::string, uint64_t> moved;
  for (const auto& [realm, head] : database_.heads()) {
    if (head.head > before.at(realm).head) moved[realm] = head.head;
  }
  pokes_.Committed(moved, {}, Readers());
}

}  // namespace skerry::sim
