#include "sync/scopes.h"

#include <cmath>
#include <utility>

#include "log/codec.h"
#include "model/filter.h"
#include "sync/records.h"

namespace skerry {
namespace {

bool Same(const Data& a, const Data& b) {
  return a["table"] == b["table"] && a["where"] == b["where"];
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
  return table != kNone &&
         ParseFilter(schema, schema.table(table), scope["where"], /*allow_exists=*/false).ok();
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

Data KeepRecord(const Schema& schema, Data* sync) {
  const Step step = KeepStep(schema, (*sync)["scopes"]);
  const uint64_t n = (*sync)["n"].as_u64() + 1;
  String body = EncodeSteps(schema, {step});
  sync->Set("n", n).Set("recordBytes", (*sync)["recordBytes"].as_u64() + body.size());
  Data record = Data::MakeObject();
  record.Set("v", kRecordVersion).Set("n", n).Set("kind", "scopes");
  record.Set("confirmed", Data::MakeArray())
      .Set("refused", Data::MakeArray())
      .Set("partly", Data::MakeArray());
  record.Set("cursors", (*sync)["cursors"]).Set("body", Data::Bytes(std::move(body)));
  return record;
}

double Day(double now) { return std::floor(now / kDayMs); }

bool IsStale(const Data& scope, double today) {
  return scope["asked"].is_number() && today - scope["asked"].as_number() > kUnaskedDays;
}

// The one of `scopes` that was asked for longest ago; null: a window may be open that wants it,
// which asks each day.
const Data* Oldest(const Data& scopes, double today) {
  const Data* oldest = nullptr;
  for (const Data& scope : scopes.items()) {
    if (today - scope["asked"].as_number() <= 1) continue;
    if (oldest == nullptr || scope["asked"].as_number() < (*oldest)["asked"].as_number())
      oldest = &scope;
  }
  return oldest;
}

Data Without(const Data& scopes, const Data& one) {
  Data left = Data::MakeArray();
  for (const Data& scope : scopes.items()) {
    if (!Same(scope, one)) left.Push(scope);
  }
  return left;
}

}  // namespace

bool ChangeScopes(const Schema& schema, const Data& add, const Data& drop, double now, Data* sync,
                  Data* record) {
  const double today = Day(now);
  // A record that this version makes could not name tables of a newer one, and drop their rows.
  const bool may_drop = !IsOfNewer(schema, *sync);
  Data kept = Data::MakeArray();
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
    kept.Push(std::move(scope));
  }
  bool added = false;
  for (const Data& scope : add.items()) {
    if (!Understands(schema, scope) || HoldsScope(kept, scope)) continue;
    Data fresh = Data::MakeObject();
    fresh.Set("table", scope["table"]).Set("where", scope["where"]).Set("filled", false);
    kept.Push(std::move(fresh.Set("asked", today)));
    added = true;
  }
  while (added && may_drop && kept.items().size() > kMaxKeptScopes) {
    const Data* oldest = Oldest(kept, today);
    if (oldest == nullptr) break;  // the server says whether it is too many
    kept = Without(kept, Data(*oldest));
    dropped = true;
  }
  const bool changed = added || dropped;
  sync->Set("scopes", std::move(kept));
  if (!changed) return false;
  sync->Set("scopeVersion", (*sync)["scopeVersion"].as_u64() + 1);
  if (dropped) *record = KeepRecord(schema, sync);
  return true;
}

}  // namespace skerry
