// Undo in a transaction: the ops of an UndoStep, and those that undo what was committed.
#include <utility>

#include "base/json.h"
#include "client/inverse.h"
#include "client/transaction.h"

namespace skerry {

Status Transaction::Undo(const UndoStep& step, Vector<KeptProp>* kept) {
  if (!open()) return {Code::kInvalidArgument, "no transaction is open"};
  SKERRY_RETURN_IF_ERROR(CheckRoom(step.ops.size()));
  for (Op op : step.ops) {
    op.of = step.id;
    const TableDef& table = schema_->table(op.table);
    const std::optional<Row> row =
        op.was.empty() ? std::nullopt : view_->Visible(KeyOf(*schema_, op));
    for (size_t i = 0; row && i < op.was.size() && kept->size() < kMaxKeptNamed; ++i) {
      const Value& now = row->props[op.was[i].prop];
      if (now != op.was[i].value && now != op.set[i].value)
        kept->push_back({table.name, op.id, table.props[op.was[i].prop].name});
    }
    SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  }
  undoes_ = true;
  Data arg = Data::MakeObject();
  arg.Set("of", step.id);
  pending_->mutation.action.arg = WriteJson(arg);
  return Status::Ok();
}

std::optional<Vector<Op>> Transaction::Inverse(const Mutation& committed) const {
  const size_t most = options_.pushed ? kMaxRowsBeforeBytes : kMaxMutationBytes;
  return InverseOf(*view_, committed, changed_, most, options_.pushed);
}

}  // namespace skerry
