#include "authority/result.h"

#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"

namespace skerry {
namespace {

Data Indexes(const Vector<uint32_t>& indexes) {
  Data out = Data::MakeArray();
  for (const uint32_t index : indexes) out.Push(index);
  return out;
}

// The ids of the actions that the op comes from. Null: the ids of all actions.
Data ActionIds(const Vector<Action>& actions, const Op* op) {
  Data ids = Data::MakeArray();
  if (!op) {
    for (const Action& action : actions) ids.Push(action.id);
    return ids;
  }
  for (const uint32_t index : op->by) {
    if (index < actions.size()) ids.Push(actions[index].id);
  }
  return ids;
}

// One reason in place of all: the first, with all actions to which any of them applies. Many ops, of
// many actions each, would make an answer many times as large as what was pushed.
Data Merged(const Data& rejected) {
  Data ids = Data::MakeArray();
  Set<std::string> seen;
  for (const Data& item : rejected.items()) {
    for (const Data& id : item["actions"].items()) {
      if (seen.insert(id.as_string()).second) ids.Push(id);
    }
  }
  const Data& first = rejected.items()[0];
  Data merged = Data::MakeObject();
  merged.Set("actions", std::move(ids)).Set("code", first["code"]).Set("detail", first["detail"]);
  return Data::MakeArray().Push(std::move(merged));
}

Data KnownToData(const KnownActions& known, bool one_realm) {
  Data out = Data::MakeObject();
  for (const auto& [action, revisions] : known) {
    Data by_realm = Data::MakeObject();
    for (const auto& [realm, revision] : revisions) by_realm.Set(realm, revision);
    out.Set(action, one_realm ? Data(revisions.begin()->second) : std::move(by_realm));
  }
  return out;
}

}  // namespace

Rejection OutcomeUnknown(std::string detail) { return {{}, "outcome_unknown", std::move(detail)}; }

Data AppliedResult(const std::string& id, const Applied& applied) {
  Data revisions = Data::MakeObject();
  for (const auto& [realm, revision] : applied.revisions) revisions.Set(realm, revision);
  Data result = PlainResult(id, "applied");
  result.Set("revisions", std::move(revisions)).Set("at", applied.at);
  if (!applied.noops.empty()) result.Set("noops", Indexes(applied.noops));
  if (!applied.gone.empty()) result.Set("gone", Indexes(applied.gone));
  if (!applied.missing.empty()) result.Set("missing", Indexes(applied.missing));
  if (!applied.dropped.is_null()) result.Set("dropped", applied.dropped);
  return result;
}

Data RejectedResult(const std::string& id, const Vector<Action>& actions, const Vector<Op>& ops,
                    const Vector<Rejection>& rejections, const KnownActions& known,
                    bool one_realm) {
  Data list = Data::MakeArray();
  for (const Rejection& rejection : rejections) {
    if (list.items().size() >= kMaxRejections) break;
    Data item = Data::MakeObject();
    const bool names_op = rejection.op && *rejection.op < ops.size();
    if (rejection.op) item.Set("op", *rejection.op);
    Data ids = ActionIds(actions, names_op ? &ops[*rejection.op] : nullptr);
    if (rejection.action) ids = Data::MakeArray().Push(actions[*rejection.action].id);
    item.Set("actions", std::move(ids)).Set("code", rejection.code).Set("detail", rejection.detail);
    list.Push(std::move(item));
  }
  Data result = PlainResult(id, "rejected");
  const bool is_long = list.items().size() > 1 && WriteJson(list).size() > kMaxRejectionBytes;
  result.Set("rejected", is_long ? Merged(list) : std::move(list));
  if (!known.empty()) result.Set("known", KnownToData(known, one_realm));
  return result;
}

Data PlainResult(const std::string& id, const char* status) {
  return Data::MakeObject().Set("id", id).Set("status", status);
}

Data WithStatus(Data answer, const char* status) {
  answer.Set("status", status);
  return answer;
}

}  // namespace skerry
