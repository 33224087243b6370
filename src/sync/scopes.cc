#include "sync/scopes.h"

#include <utility>

#include "log/codec.h"
#include "sync/records.h"

namespace skerry {
namespace {

bool Same(const Data& a, const Data& b) {
  return a["table"] == b["table"] && a["where"] == b["where"];
}

bool Holds(const Data& scopes, const Data& scope) {
  for (const Data& other : scopes.items()) {
    if (Same(other, scope)) return true;
  }
  return false;
}

Data KeepRecord(const Schema& schema, Data* sync) {
  Step step;
  step.kind = StepKind::kKeepScopes;
  for (const Data& scope : (*sync)["scopes"].items()) {
    const TableIndex table = schema.FindTable(scope["table"].as_string());
    if (table != kNone) step.scopes.push_back({table, EncodeData(scope["where"])});
  }
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

}  // namespace

bool ChangeScopes(const Schema& schema, const Data& add, const Data& drop, Data* sync,
                  Data* record) {
  Data kept = Data::MakeArray();
  bool dropped = false;
  for (const Data& scope : (*sync)["scopes"].items()) {
    if (Holds(drop, scope) && !Holds(add, scope)) {
      dropped = true;
    } else {
      kept.Push(scope);
    }
  }
  bool added = false;
  for (const Data& scope : add.items()) {
    if (schema.FindTable(scope["table"].as_string()) == kNone || Holds(kept, scope)) continue;
    Data fresh = Data::MakeObject();
    kept.Push(std::move(
        fresh.Set("table", scope["table"]).Set("where", scope["where"]).Set("filled", false)));
    added = true;
  }
  if (!added && !dropped) return false;
  sync->Set("scopes", std::move(kept)).Set("scopeVersion", (*sync)["scopeVersion"].as_u64() + 1);
  if (dropped) *record = KeepRecord(schema, sync);
  return true;
}

}  // namespace skerry
