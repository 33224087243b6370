// Undo in a transaction: the ops of an UndoStep, and those that undo what was committed.
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "client/inverse.h"
#include "client/transaction.h"

namespace skerry {

Status CheckAction(std::string_view name, std::string_view arg) {
  SKERRY_RETURN_IF_ERROR(CheckName("an action's name", name, kMaxNameBytes));
  if (!IsStorableJson(arg))
    return {Code::kWrongType, "an argument: text that no database can hold"};
  if (JsonDepth(arg) <= kMaxValueDepth) return Status::Ok();
  return TooDeep("an argument", kMaxValueDepth);
}

Status CheckItem(const StreamItem& item) {
  SKERRY_RETURN_IF_ERROR(CheckAction(item.name, item.arg));
  return item.arg.size() <= kMaxObjectBytes ? Status::Ok() : TooLargeForStream();
}

Status Transaction::Undo(const UndoStep& step, UndoWay way, Vector<KeptProp>* kept) {
  if (!open()) return {Code::kInvalidArgument, "no transaction is open"};
  SKERRY_RETURN_IF_ERROR(CheckRoom(step.ops.size()));
  for (Op op : step.ops) {
    op.of = step.id;
    const std::optional<Row> row =
        op.was.empty() ? std::nullopt : view_->Visible(KeyOf(*schema_, op));
    for (size_t i = 0; row && i < op.was.size() && kept->size() < kMaxKeptNamed; ++i) {
      const TableDef& table = schema_->table(op.table);
      const Value& now = row->props[op.was[i].prop];
      if (now != op.was[i].value && now != op.set[i].value)
        kept->push_back({table.name, op.id, table.props[op.was[i].prop].name});
    }
    SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  }
  undoes_ = true;
  Action& action = pending_->mutation.action;
  if (step.is_of_stream()) {
    const bool is_undo = way == UndoWay::kUndo;
    action.name = is_undo ? step.inverse.name : step.made.name;
    action.arg = is_undo ? step.inverse.arg : step.made.arg;
    return Status::Ok();
  }
  Data arg = Data::MakeObject();
  arg.Set("of", step.id);
  action.arg = WriteJson(arg);
  return Status::Ok();
}

std::optional<Vector<Op>> Transaction::Inverse(const Mutation& committed) const {
  const size_t most = options_.pushed ? kMaxRowsBeforeBytes : kMaxMutationBytes;
  return InverseOf(*view_, committed, changed_, most, options_.pushed);
}

}  // namespace skerry
