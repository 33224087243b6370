#include "sync/scopes.h"

#include <cmath>
#include <utility>

#include "base/limits.h"
#include "base/vector.h"
#include "log/codec.h"
#include "model/filter.h"
#include "model/filter_cost.h"
#include "sync/records.h"

namespace skerry {
namespace {

Result<Filter> ReadScope(const Schema& schema, TableIndex table, const Data& where) {
  return ParseFilter(schema, schema.table(table), where, /*allow_exists=*/false);
}

}  // namespace

bool Understands(const Schema& schema, const std::string& table, const Data& where) {
  const TableIndex index = schema.FindTable(table);
  if (index == kNone) return false;
  const Result<Filter> filter = ReadScope(schema, index, where);
  return filter.ok() && ScopeBudget().Add(filter.value()).ok();
}

Step KeepStep(const Schema& schema, const Vector<SyncScope>& scopes) {
  Step step;
  step.kind = StepKind::kKeepScopes;
  for (const SyncScope& scope : scopes) {
    const TableIndex table = schema.FindTable(scope.table);
    if (table != kNone) step.scopes.push_back({table, EncodeData(scope.where)});
  }
  // Memberships are in scope whatever the windows want.
  if (schema.members() != kNone) {
    step.scopes.push_back({schema.members(), EncodeData(Data::MakeArray().Push("true"))});
  }
  return step;
}

namespace {

UpdateRecord KeepRecord(const Schema& schema, SyncRecord* sync) {
  UpdateRecord record;
  record.n = ++sync->n;
  record.kind = UpdateKind::kScopes;
  record.cursors = sync->cursors;
  record.body = EncodeSteps(schema, {KeepStep(schema, sync->scopes)});
  sync->record_bytes += record.body->size();
  return record;
}

double Day(double now) { return std::floor(now / kDayMs); }

bool IsStale(const SyncScope& scope, double today) {
  return scope.asked.has_value() && today - *scope.asked > kUnaskedDays;
}

// An entry of the union while it is made: a scope with the cost of its filter.
struct Kept {
  SyncScope scope;
  FilterCost cost;
};

Kept MakeKept(const Schema& schema, SyncScope scope) {
  Kept kept;
  const TableIndex table = schema.FindTable(scope.table);
  // A table of a newer version's schema has no cost here: its scope is not sent.
  if (table != kNone) {
    const Result<Filter> filter = ReadScope(schema, table, scope.where);
    if (filter.ok()) kept.cost = CostOf(filter.value());
  }
  kept.scope = std::move(scope);
  return kept;
}

bool Fits(const Vector<Kept>& list) {
  FilterCost total;
  for (const Kept& kept : list) {
    total.comparisons += kept.cost.comparisons;
    total.values += kept.cost.values;
  }
  return AreWithinScopeLimits(total);
}

bool Holds(const Vector<Kept>& list, const WantedScope& scope) {
  for (const Kept& kept : list) {
    if (kept.scope.table == scope.table && kept.scope.where == scope.where) return true;
  }
  return false;
}

// The one whose last request is oldest. Scopes of the last day are skipped, because a window that
// wants them may be open (it repeats its request each day). Null if there is no other.
Kept* Oldest(Vector<Kept>* list, double today) {
  Kept* oldest = nullptr;
  for (Kept& kept : *list) {
    const double asked = kept.scope.asked.value_or(0);
    if (today - asked <= 1) continue;
    if (oldest == nullptr || asked < oldest->scope.asked.value_or(0)) oldest = &kept;
  }
  return oldest;
}

}  // namespace

bool ChangeScopes(const Schema& schema, const Vector<WantedScope>& add,
                  const Vector<WantedScope>& drop, double now, SyncRecord* sync,
                  std::optional<UpdateRecord>* record, Vector<SyncScope>* left_out) {
  const double today = Day(now);
  // If the data is of a newer version, nothing is dropped: a record made by this version could not
  // name that version's tables, and would drop their rows.
  const bool may_drop = !IsFromNewerVersion(schema, *sync);
  Vector<Kept> kept;
  bool dropped = false;
  for (SyncScope& scope : sync->scopes) {
    const bool wanted = HoldsScope(add, scope);
    const bool stale = !add.empty() && IsStale(scope, today);
    const bool unwanted = !wanted && (stale || HoldsScope(drop, scope));
    if (may_drop && (unwanted || !Understands(schema, scope))) {
      dropped = true;
      continue;
    }
    if (wanted || !scope.asked.has_value()) scope.asked = today;
    kept.push_back(MakeKept(schema, std::move(scope)));
  }
  // More may be stored than a server accepts, however it came there.
  while (may_drop && !kept.empty() && (kept.size() > kMaxScopes || !Fits(kept))) {
    Kept* oldest = Oldest(&kept, today);
    kept.erase(oldest == nullptr ? kept.end() - 1 : oldest);
    dropped = true;
  }
  bool added = false;
  for (const WantedScope& scope : add) {
    if (!Understands(schema, scope) || Holds(kept, scope)) continue;
    kept.push_back(MakeKept(schema, {scope.table, scope.where, {}, today, {}}));
    while (may_drop && (kept.size() > kMaxKeptScopes || !Fits(kept))) {
      Kept* oldest = Oldest(&kept, today);
      if (oldest == nullptr) break;
      kept.erase(oldest);
      dropped = true;
    }
    // Leave out what the server would reject together with all that windows are showing. The next
    // scope may fit.
    const bool fits = kept.size() <= kMaxScopes && Fits(kept);
    added = added || fits;
    if (fits) continue;
    left_out->push_back(std::move(kept.back().scope));
    kept.pop_back();
  }
  const bool changed = added || dropped;
  sync->scopes.clear();
  for (Kept& one : kept) sync->scopes.push_back(std::move(one.scope));
  if (!changed) return false;
  ++sync->scope_version;
  if (dropped) *record = KeepRecord(schema, sync);
  return true;
}

}  // namespace skerry
