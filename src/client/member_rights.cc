#include "client/member_rights.h"

#include "log/membership_op.h"

namespace skerry {

std::optional<MemberRole> MemberRights::RoleIn(const std::string& realm) {
  const TableIndex members = view_->schema().members();
  if (!user_ || members == kNone || !IsFoundable(realm)) return std::nullopt;
  const auto [known, is_new] = roles_.try_emplace(realm);
  if (is_new) {
    const auto own =
        view_->Visible(KeyIn(view_->schema(), members, MembershipId(realm, *user_), realm));
    if (own && !IsPending(*own)) known->second = RoleOf(own->props[kMemberRole]);
  }
  return known->second;
}

Status MemberRights::Check(const Op& op) {
  const bool is_membership = IsOnMembership(view_->schema(), op);
  if (is_membership) {
    if (const char* fault = FaultOfMembershipOp(op)) return {Code::kInvalidArgument, fault};
    // Also of a realm that was lost, and that another has founded again.
    if (user_ && IsAcceptance(view_->schema(), op, *user_)) return Status::Ok();
  }
  for (const std::string* realm : {&op.realm, &op.to}) {
    if (view_->IsFrozen(*realm)) return {Code::kReadOnly, "the server has lost this realm"};
  }
  if (user_ && IsLeave(view_->schema(), op, *user_)) return Status::Ok();
  for (const std::string* realm : {&op.realm, &op.to}) {
    const std::optional<MemberRole> role = RoleIn(*realm);
    if (role == MemberRole::kReader) {
      return {Code::kReadOnly, "a reader of a realm may not change anything in it"};
    }
    if (is_membership && role == MemberRole::kWriter) {
      return {Code::kReadOnly, "only an owner of the realm may change its members"};
    }
  }
  return Status::Ok();
}

Status MemberRights::CheckReadOnly(const Vector<Op>& ops) {
  for (const Op& op : ops) {
    const Status allowed = Check(op);
    if (allowed.code() != Code::kReadOnly) continue;
    const std::string target = op.to.empty() ? "" : " and " + op.to;
    return {Code::kReadOnly, allowed.detail() + " (" + op.realm + target + ")"};
  }
  return Status::Ok();
}

bool MemberRights::MayWrite(const std::string& realm) {
  return !view_->IsFrozen(realm) && RoleIn(realm) != MemberRole::kReader;
}

}  // namespace skerry
