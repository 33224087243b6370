// Answers to invitations: the one change of a membership whose row the window does not have.
#include <optional>
#include <utility>

#include "client/transaction.h"
#include "log/membership_op.h"
#include "model/members.h"

namespace skerry {

bool Transaction::IsAnswer(TableIndex table, const OpInput& input,
                           const std::optional<Row>& row) const {
  if (table != schema_->members()) return false;
  // A device that has the own membership of a lost realm accepts it again.
  const bool accepts = input.set.size() == 1 && input.set[0].prop == kMemberAccepted;
  return !row || (accepts && view_->IsFrozen(row->realm));
}

Result<OpOutcome> Transaction::Answer(TxCall call, OpInput input) {
  if (call != TxCall::kUpdate && call != TxCall::kDelete) return OpOutcome{};
  const OpKind kind = call == TxCall::kDelete ? OpKind::kDelete : OpKind::kUpdate;
  Op op = NewOp(kind, {schema_->members(), input.id}, input.realm);
  op.set = std::move(input.set);
  const bool is_own = options_.user && (IsLeave(*schema_, op, *options_.user) ||
                                        IsAcceptance(*schema_, op, *options_.user));
  if (!is_own) return OpOutcome{};
  SKERRY_RETURN_IF_ERROR(CheckRoom(1));
  SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  return OpOutcome{true, {}};
}

}  // namespace skerry
