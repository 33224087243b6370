#include "client/owner_rule.h"

#include "log/membership_op.h"
#include "model/members.h"

namespace skerry {
namespace {

bool LacksOwner(const RowStore& members, const std::string& realm) {
  bool has_member = false;
  for (Slot slot = 0; slot < members.slot_limit(); ++slot) {
    if (!members.IsLive(slot) || members.GetValue(slot, kRealmColumn).text() != realm) continue;
    if (IsOwner(members.Get(slot))) return false;
    has_member = true;
  }
  return has_member;
}

}  // namespace

Status CheckOwnersAfter(const View& view, const Vector<Op>& ops) {
  for (const Op& op : ops) {
    if (!IsOnMembership(view.schema(), op)) continue;
    const bool may_end = op.Has(kDeletes) || (!op.Has(kCreates) && ValueSet(op, kMemberRole));
    if (may_end && LacksOwner(view.rows(op.table), op.realm))
      return {Code::kLastOwner, kNeedsOwner};
  }
  return Status::Ok();
}

}  // namespace skerry
