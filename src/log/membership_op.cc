#include "log/membership_op.h"

#include "model/members.h"

namespace skerry {

bool IsOnMembership(const Schema& schema, const Op& op) {
  return op.Has(kOnRow) && op.table == schema.members() && op.table != kNone;
}

const Value* ValueSet(const Op& op, PropIndex prop) {
  for (const PropValue& set : op.set) {
    if (set.prop == prop) return &set.value;
  }
  return nullptr;
}

namespace {

bool AcceptsAlone(const Op& op) {
  if (op.Has(kCreates) || op.Has(kDeletes) || op.Has(kMoves) || !op.add.empty()) return false;
  if (op.set.size() != 1 || op.set[0].prop != kMemberAccepted) return false;
  return !op.set[0].value.is_null() && op.set[0].value.boolean();
}

}  // namespace

const char* FaultOfMembershipOp(const Op& op) {
  if (!IsFoundable(op.realm)) return "only a realm that was founded has members";
  const std::string_view user = UserOfMembership(op.realm, op.id);
  if (user.empty()) return "the id of a membership is `<realm>/<user>`";
  if (op.Has(kMoves)) return "a membership does not move";
  const Value* named = ValueSet(op, kMemberUser);
  if (named && named->text() != user) return "the user of a membership is that of its id";
  if (ValueSet(op, kMemberBy)) return "the inviter is always the author: `by` must not be set";
  if (ValueSet(op, kMemberAccepted) && !AcceptsAlone(op))
    return "a membership is accepted by an update that sets `accepted` to true, and nothing else";
  return nullptr;
}

bool MakesOwner(const Schema& schema, const Op& op, std::string_view user) {
  if (!IsOnMembership(schema, op) || !op.Has(kCreates)) return false;
  const Value* named = ValueSet(op, kMemberUser);
  const Value* role = ValueSet(op, kMemberRole);
  return op.id == MembershipId(op.realm, user) && named && named->text() == user && role &&
         !role->is_null() && RoleOf(*role) == MemberRole::kOwner;
}

bool IsAcceptance(const Schema& schema, const Op& op, std::string_view user) {
  return IsOnMembership(schema, op) && AcceptsAlone(op) && op.id == MembershipId(op.realm, user);
}

bool IsLeave(const Schema& schema, const Op& op, std::string_view user) {
  return IsOnMembership(schema, op) && op.Has(kDeletes) && op.id == MembershipId(op.realm, user);
}

}  // namespace skerry
