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

Vector<WantedScope> InnerScopes(const Schema& schema, const std::string& table, const Data& where) {
  Vector<WantedScope> inner;
  const TableIndex index = schema.FindTable(table);
  if (index == kNone) return inner;
  const Result<Filter> filter = ReadScope(schema, index, where);
  if (!filter.ok()) return inner;
  for (const SubSelect& select : FindSubSelects(filter.value(), where))
    inner.push_back({(*select.select)["table"].as_string(), select.where(), {}});
  return inner;
}

bool CanEvaluate(const Schema& schema, const SyncScope& scope, const Vector<SyncScope>& scopes) {
  const Vector<WantedScope> needed = InnerScopes(schema, scope.table, scope.where);
  return std::all_of(needed.begin(), needed.end(), [&](const WantedScope& inner) {
    return std::any_of(scopes.begin(), scopes.end(), [&](const SyncScope& other) {
      return other.table == inner.table && other.where == inner.where && other.filled.whole;
    });
  });
}

Step KeepStep(const Schema& schema, const Vector<SyncScope>& scopes) {
  const Data everything = Data::MakeArray().Push("true");
  Step step;
  step.kind = StepKind::kKeepScopes;
  for (const SyncScope& scope : scopes) {
    const TableIndex table = schema.FindTable(scope.table);
    if (table == kNone) continue;
    const bool can_evaluate = CanEvaluate(schema, scope, scopes);
    step.scopes.push_back({table, EncodeData(can_evaluate ? scope.where : everything)});
  }
  // Memberships are in scope whatever the windows want.
  if (schema.members() != kNone) {
    step.scopes.push_back({schema.members(), EncodeData(everything)});
  }
  return step;
}

UpdateRecord ScopesRecord(const Schema& schema, const Vector<Step>& steps, SyncRecord* sync) {
  UpdateRecord record;
  record.n = ++sync->n;
  record.kind = UpdateKind::kScopes;
  record.cursors = sync->cursors;
  record.body = EncodeSteps(schema, steps);
  sync->record_bytes += record.body->size();
  return record;
}

namespace {

double Day(double now) { return std::floor(now / kDayMs); }

bool IsStale(const SyncScope& scope, double today) {
  return scope.asked.has_value() && today - *scope.asked > kUnaskedDays;
}

// An entry of the union while it is made: a scope with the cost of its filter, and the scopes that
// it needs.
struct HeldScope {
  SyncScope scope;
  FilterCost cost;
  Vector<WantedScope> inner;
};

HeldScope MakeKept(const Schema& schema, SyncScope scope) {
  HeldScope kept;
  const TableIndex table = schema.FindTable(scope.table);
  // A table of a newer version's schema has no cost here: its scope is not sent.
  if (table != kNone) {
    const Result<Filter> filter = ReadScope(schema, table, scope.where);
    if (filter.ok()) kept.cost = CostOf(filter.value());
  }
  kept.inner = InnerScopes(schema, scope.table, scope.where);
  kept.scope = std::move(scope);
  return kept;
}

bool Fits(const Vector<HeldScope>& list) {
  FilterCost total;
  for (const HeldScope& kept : list) {
    total.comparisons += kept.cost.comparisons;
    total.values += kept.cost.values;
  }
  return AreWithinScopeLimits(total);
}

HeldScope* Find(Vector<HeldScope>* list, const WantedScope& scope) {
  for (HeldScope& kept : *list) {
    if (kept.scope.table == scope.table && kept.scope.where == scope.where) return &kept;
  }
  return nullptr;
}

bool IsNeeded(const Vector<HeldScope>& list, const SyncScope& scope) {
  for (const HeldScope& kept : list) {
    if (HoldsScope(kept.inner, scope)) return true;
  }
  return false;
}

// The one whose last request is oldest. Scopes of the last day are skipped, because a window that
// wants them may be open (it repeats its request each day), and those that others need. Null if
// there is no other.
HeldScope* Oldest(Vector<HeldScope>* list, double today) {
  HeldScope* oldest = nullptr;
  for (HeldScope& kept : *list) {
    const double asked = kept.scope.asked.value_or(0);
    if (today - asked <= 1 || IsNeeded(*list, kept.scope)) continue;
    if (oldest == nullptr || asked < oldest->scope.asked.value_or(0)) oldest = &kept;
  }
  return oldest;
}

// Removes the scopes of sub-selects that no window asks for and no scope needs any more.
void RemoveUnneeded(Vector<HeldScope>* list) {
  for (size_t i = list->size(); i-- > 0;) {
    const SyncScope& scope = (*list)[i].scope;
    if (scope.inner.value_or(false) && !IsNeeded(*list, scope)) list->erase(list->begin() + i);
  }
}

bool IsTooMuch(const Vector<HeldScope>& list, size_t most) {
  return list.size() > most || !Fits(list);
}

// Adds a scope with those that it needs. Returns whether there is room for them; if not, nothing is
// added.
bool Add(const Schema& schema, const WantedScope& scope, double today, bool may_drop,
         Vector<HeldScope>* kept, bool* dropped) {
  const size_t before = kept->size();
  kept->push_back(MakeKept(schema, {scope.table, scope.where, {}, today, {}, {}}));
  const Vector<WantedScope> needed = kept->back().inner;
  for (const WantedScope& inner : needed) {
    if (Find(kept, inner) == nullptr)
      kept->push_back(MakeKept(schema, {inner.table, inner.where, {}, today, true, {}}));
  }
  const size_t added = kept->size() - before;
  while (may_drop && IsTooMuch(*kept, kMaxKeptScopes)) {
    HeldScope* oldest = Oldest(kept, today);
    if (oldest == nullptr) break;
    kept->erase(oldest);
    RemoveUnneeded(kept);
    *dropped = true;
  }
  // Leave out what the server would reject together with all that windows are showing. The next
  // scope may fit.
  if (!IsTooMuch(*kept, kMaxScopes)) return true;
  kept->resize(kept->size() - added);
  return false;
}

}  // namespace

bool ChangeScopes(const Schema& schema, const Vector<WantedScope>& add,
                  const Vector<WantedScope>& drop, double now, SyncRecord* sync,
                  std::optional<UpdateRecord>* record, Vector<SyncScope>* left_out) {
  const double today = Day(now);
  // If the data is of a newer version, nothing is dropped: a record made by this version could not
  // name that version's tables, and would drop their rows.
  const bool may_drop = !IsFromNewerVersion(schema, *sync);
  Vector<HeldScope> kept;
  Vector<HeldScope> unwanted;
  bool changed = false;
  bool dropped = false;
  for (SyncScope& scope : sync->scopes) {
    // A window of a release with other names may have asked for it, too.
    if (Find(&kept, {scope.table, scope.where, {}}) != nullptr) {
      changed = true;
      continue;
    }
    const bool wanted = HoldsScope(add, scope);
    const bool stale = !add.empty() && IsStale(scope, today);
    const bool is_inner = scope.inner.value_or(false);
    if (may_drop && !Understands(schema, scope)) {
      dropped = true;
      continue;
    }
    const bool is_unwanted = !wanted && (is_inner || stale || HoldsScope(drop, scope));
    changed = changed || (wanted && is_inner);
    if (wanted) scope.inner.reset();
    if (wanted || !scope.asked.has_value()) scope.asked = today;
    (may_drop && is_unwanted ? unwanted : kept).push_back(MakeKept(schema, std::move(scope)));
  }
  for (HeldScope& one : unwanted) {
    if (!IsNeeded(kept, one.scope)) {
      dropped = true;
      continue;
    }
    changed = changed || !one.scope.inner.value_or(false);
    one.scope.inner = true;
    kept.push_back(std::move(one));
  }
  // More may be stored than a server accepts, however it came there.
  while (may_drop && !kept.empty() && IsTooMuch(kept, kMaxScopes)) {
    HeldScope* oldest = Oldest(&kept, today);
    kept.erase(oldest == nullptr ? kept.end() - 1 : oldest);
    RemoveUnneeded(&kept);
    dropped = true;
  }
  for (const WantedScope& scope : add) {
    if (!Understands(schema, scope)) continue;
    if (HeldScope* held = Find(&kept, scope)) {
      // Another scope of this call has brought it along.
      held->scope.inner.reset();
      continue;
    }
    if (Add(schema, scope, today, may_drop, &kept, &dropped)) {
      changed = true;
    } else {
      left_out->push_back({scope.table, scope.where, {}, today, {}, {}});
    }
  }
  sync->scopes.clear();
  for (HeldScope& one : kept) sync->scopes.push_back(std::move(one.scope));
  if (!changed && !dropped) return false;
  ++sync->scope_version;
  if (dropped) *record = ScopesRecord(schema, {KeepStep(schema, sync->scopes)}, sync);
  return true;
}

}  // namespace skerry
