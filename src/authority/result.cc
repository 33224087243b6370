#include "authority/result.h"

#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"

namespace skerry {
namespace {

// The ids of the actions that the op comes from. Null: the ids of all actions.
Vector<std::string> ActionIds(const Vector<Action>& actions, const Op* op) {
  Vector<std::string> ids;
  if (!op) {
    for (const Action& action : actions) ids.push_back(action.id);
    return ids;
  }
  for (const uint32_t index : op->by) {
    if (index < actions.size()) ids.push_back(actions[index].id);
  }
  return ids;
}

// One reason in place of all: the first, with all actions to which any of them applies. Many ops, of
// many actions each, would make an answer many times as large as what was pushed.
PushRejection Merged(const Vector<PushRejection>& rejected) {
  PushRejection merged;
  Set<std::string> seen;
  for (const PushRejection& item : rejected) {
    for (const std::string& id : item.actions) {
      if (seen.insert(id).second) merged.actions.push_back(id);
    }
  }
  merged.code = rejected[0].code;
  merged.detail = rejected[0].detail;
  return merged;
}

}  // namespace

Rejection OutcomeUnknown(std::string detail) { return {{}, "outcome_unknown", std::move(detail)}; }

PushResult RejectedResult(const std::string& id, const Vector<Action>& actions,
                          const Vector<Op>& ops, const Vector<Rejection>& rejections,
                          const KnownActions& known, bool one_realm) {
  PushResult result;
  result.id = id;
  result.status = PushStatus::kRejected;
  for (const Rejection& rejection : rejections) {
    if (result.rejected.size() >= kMaxRejections) break;
    PushRejection& item = result.rejected.emplace_back();
    const bool names_op = rejection.op && *rejection.op < ops.size();
    if (rejection.op) item.op = *rejection.op;
    item.actions = ActionIds(actions, names_op ? &ops[*rejection.op] : nullptr);
    if (rejection.action) item.actions = {actions[*rejection.action].id};
    item.code = rejection.code;
    item.detail = rejection.detail;
  }
  const bool is_long =
      result.rejected.size() > 1 && WriteJson(ToData(result.rejected)).size() > kMaxRejectionBytes;
  if (is_long) result.rejected = {Merged(result.rejected)};
  for (const auto& [action, revisions] : known) {
    KnownAt& at = result.known[action];
    if (one_realm) {
      at.bare = revisions.begin()->second;
    } else {
      at.by_realm = revisions;
    }
  }
  return result;
}

Data PlainResult(const std::string& id, PushStatus status) {
  PushResult result;
  result.id = id;
  result.status = status;
  return WriteMembers(result);
}

}  // namespace skerry
