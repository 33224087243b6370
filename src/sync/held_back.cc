#include "sync/held_back.h"

#include <algorithm>

#include "log/mutation_record.h"
#include "model/members.h"

namespace skerry {

void HeldBack::Hold(const NamedObjects& mutation) {
  for (const std::string& key : mutation.keys) keys_.insert(key);
  if (mutation.ops != nullptr) {
    for (const Op& op : *mutation.ops) {
      if (op.Has(kCreates)) created_.insert(ObjectText(*schema_, op.table, op.id, op.realm));
    }
  }
  if (user_.empty()) return;
  for (const std::string& realm : mutation.realms) {
    const std::string own = std::string(kMembersTable) + '\0' + MembershipId(realm, user_);
    const auto found = std::find(mutation.keys.begin(), mutation.keys.end(), own);
    if (found != mutation.keys.end()) realms_.insert(realm);
  }
}

bool HeldBack::Waits(const NamedObjects& mutation) const {
  const auto holds = [](const Set<std::string>& held) {
    return [&held](const std::string& one) { return held.contains(one); };
  };
  return std::any_of(mutation.keys.begin(), mutation.keys.end(), holds(keys_)) ||
         std::any_of(mutation.realms.begin(), mutation.realms.end(), holds(realms_)) ||
         (!created_.empty() && mutation.ops != nullptr &&
          std::any_of(mutation.ops->begin(), mutation.ops->end(),
                      [this](const Op& op) { return RefersToHeld(op); }));
}

bool HeldBack::RefersToHeld(const Op& op) const {
  for (const PropValue& one : op.set) {
    const TableIndex target = schema_->table(op.table).props[one.prop].ref_table;
    if (target == kNone || one.value.is_null()) continue;
    if (created_.contains(ObjectText(*schema_, target, one.value.text(), op.realm))) return true;
  }
  return false;
}

}  // namespace skerry
