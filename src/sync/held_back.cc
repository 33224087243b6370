#include "sync/held_back.h"

#include <algorithm>

#include "model/members.h"

namespace skerry {

void HeldBack::Hold(const NamedObjects& mutation) {
  for (const std::string& key : mutation.keys) keys_.insert(key);
  if (mutation.ops != nullptr) {
    for (const Op& op : *mutation.ops) {
      if (op.Has(kCreates)) created_.insert(KeyOf(*schema_, op));
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
  return AnyRef(*schema_, op,
                [this](const ObjectKey& target) { return created_.contains(target); });
}

}  // namespace skerry
