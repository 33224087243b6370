#include "sync/push_result.h"

#include <algorithm>
#include <utility>

#include "log/wire/push.h"

namespace skerry {
std::optional<PushResults> ReadPushResults(Data answer) {
  return ReadRecord<wire::PushAnswer>(std::move(answer)).results;
}

void RemoveDropped(const Schema& schema, const Vector<DroppedOp>& dropped, Vector<Op>* ops) {
  Set<size_t> removed;
  for (const DroppedOp& one : dropped) {
    if (one.op >= ops->size()) continue;
    Op& op = (*ops)[one.op];
    if (!one.props.has_value()) removed.insert(one.op);
    if (!one.props.has_value() || op.table == kNone) continue;
    const Vector<PropDef>& props = schema.table(op.table).props;
    const auto is_named = [&](PropIndex prop) {
      return std::find(one.props->begin(), one.props->end(), props[prop].name) != one.props->end();
    };
    erase_if(op.set, [&](const PropValue& set) { return is_named(set.prop); });
    erase_if(op.add, [&](const PropAdd& add) { return is_named(add.prop); });
    if (!op.Has(kCreates) && op.set.empty() && op.add.empty()) removed.insert(one.op);
  }
  if (removed.empty()) return;
  Vector<Op> kept;
  for (size_t i = 0; i < ops->size(); ++i) {
    if (!removed.contains(i)) kept.push_back(std::move((*ops)[i]));
  }
  *ops = std::move(kept);
}

PushResults RejectedWhole(const std::string& id, const std::string& code,
                          const std::string& detail) {
  PushRejection entry;
  entry.code = code;
  entry.detail = detail;
  PushResult result;
  result.id = id;
  result.status = PushStatus::kRejected;
  result.rejected.push_back(std::move(entry));
  PushResults results;
  results.push_back(std::move(result));
  return results;
}

}  // namespace skerry
