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

bool Same(const Data& a, const Data& b) {
  return a["table"] == b["table"] && a["where"] == b["where"];
}

Result<Filter> ReadScope(const Schema& schema, TableIndex table, const Data& scope) {
  return ParseFilter(schema, schema.table(table), scope["where"], /*allow_exists=*/false);
}

}  // namespace

bool HoldsScope(const Data& scopes, const Data& scope) {
  for (const Data& other : scopes.items()) {
    if (Same(other, scope)) return true;
  }
  return false;
}

bool Understands(const Schema& schema, const Data& scope) {
  const TableIndex table = schema.FindTable(scope["table"].as_string());
  if (table == kNone) return false;
  const Result<Filter> filter = ReadScope(schema, table, scope);
  return filter.ok() && ScopeBudget().Add(filter.value()).ok();
}

Step KeepStep(const Schema& schema, const Data& scopes) {
  Step step;
  step.kind = StepKind::kKeepScopes;
  for (const Data& scope : scopes.items()) {
    const TableIndex table = schema.FindTable(scope["table"].as_string());
    if (table != kNone) step.scopes.push_back({table, EncodeData(scope["where"])});
  }
  return step;
}

namespace {

UpdateRecord KeepRecord(const Schema& schema, Data* sync) {
  const Step step = KeepStep(schema, (*sync)["scopes"]);
  const uint64_t n = (*sync)["n"].as_u64() + 1;
  String body = EncodeSteps(schema, {step});
  sync->Set("n", n).Set("recordBytes", (*sync)["recordBytes"].as_u64() + body.size());
  UpdateRecord record;
  record.n = n;
  record.kind = UpdateKind::kScopes;
  FromData(Data((*sync)["cursors"]), &record.cursors);
  record.body = std::move(body);
  return record;
}

double Day(double now) { return std::floor(now / kDayMs); }

bool IsStale(const Data& scope, double today) {
  return scope["asked"].is_number() && today - scope["asked"].as_number() > kUnaskedDays;
}

// The union while it is made: each scope with what its filter costs.
struct Kept {
  Data scope;
  FilterCost cost;
};

Kept MakeKept(const Schema& schema, Data scope) {
  Kept kept;
  const TableIndex table = schema.FindTable(scope["table"].as_string());
  // Of a newer version's schema: it is not sent.
  if (table != kNone) {
    const Result<Filter> filter = ReadScope(schema, table, scope);
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
  return FitScopes(total);
}

bool Holds(const Vector<Kept>& list, const Data& scope) {
  for (const Kept& kept : list) {
    if (Same(kept.scope, scope)) return true;
  }
  return false;
}

// The one that was asked for longest ago; null: a window may be open that wants it, which asks each
// day.
Kept* Oldest(Vector<Kept>* list, double today) {
  Kept* oldest = nullptr;
  for (Kept& kept : *list) {
    const double asked = kept.scope["asked"].as_number();
    if (today - asked <= 1) continue;
    if (oldest == nullptr || asked < oldest->scope["asked"].as_number()) oldest = &kept;
  }
  return oldest;
}

}  // namespace

bool ChangeScopes(const Schema& schema, const Data& add, const Data& drop, double now, Data* sync,
                  std::optional<UpdateRecord>* record, Data* left_out) {
  const double today = Day(now);
  // A record that this version makes could not name tables of a newer one, and drop their rows.
  const bool may_drop = !IsOfNewer(schema, *sync);
  Vector<Kept> kept;
  bool dropped = false;
  for (Data scope : (*sync)["scopes"].items()) {
    const bool wanted = HoldsScope(add, scope);
    const bool stale = !add.items().empty() && IsStale(scope, today);
    const bool unwanted = !wanted && (stale || HoldsScope(drop, scope));
    if (may_drop && (unwanted || !Understands(schema, scope))) {
      dropped = true;
      continue;
    }
    if (wanted || !scope["asked"].is_number()) scope.Set("asked", today);
    kept.push_back(MakeKept(schema, std::move(scope)));
  }
  // However it came into storage: what no server takes.
  while (may_drop && !kept.empty() && (kept.size() > kMaxScopes || !Fits(kept))) {
    Kept* oldest = Oldest(&kept, today);
    kept.erase(oldest == nullptr ? kept.end() - 1 : oldest);
    dropped = true;
  }
  bool added = false;
  for (const Data& scope : add.items()) {
    if (!Understands(schema, scope) || Holds(kept, scope)) continue;
    Data fresh = Data::MakeObject();
    fresh.Set("table", scope["table"]).Set("where", scope["where"]).Set("filled", false);
    kept.push_back(MakeKept(schema, std::move(fresh.Set("asked", today))));
    while (may_drop && (kept.size() > kMaxKeptScopes || !Fits(kept))) {
      Kept* oldest = Oldest(&kept, today);
      if (oldest == nullptr) break;
      kept.erase(oldest);
      dropped = true;
    }
    // What the server would refuse, together with all that windows are showing. The next may fit.
    const bool fits = kept.size() <= kMaxScopes && Fits(kept);
    added = added || fits;
    if (fits) continue;
    left_out->Push(std::move(kept.back().scope));
    kept.pop_back();
  }
  const bool changed = added || dropped;
  Data scopes = Data::MakeArray();
  for (Kept& one : kept) scopes.Push(std::move(one.scope));
  sync->Set("scopes", std::move(scopes));
  if (!changed) return false;
  sync->Set("scopeVersion", (*sync)["scopeVersion"].as_u64() + 1);
  if (dropped) *record = KeepRecord(schema, sync);
  return true;
}

}  // namespace skerry
