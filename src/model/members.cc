#include "model/members.h"

#include "base/id.h"

namespace skerry {

bool IsMembersTable(const TableDef& table) {
  const size_t props = table.props.size();
  if (!table.custom_ids || (props != kMemberAccepted && props != kMemberBy + 1)) return false;
  const PropDef& user = table.props[kMemberUser];
  const PropDef& role = table.props[kMemberRole];
  const bool is_known =
      user.name == "user" && user.type == PropType::kString && !user.optional &&
      role.name == "role" && role.type == PropType::kEnum && !role.optional &&
      role.enum_values == Vector<std::string>(std::begin(kRoleNames), std::end(kRoleNames));
  if (!is_known || props == kMemberAccepted) return is_known;
  const PropDef& accepted = table.props[kMemberAccepted];
  const PropDef& by = table.props[kMemberBy];
  return accepted.name == "accepted" && accepted.type == PropType::kBoolean && accepted.optional &&
         by.name == "by" && by.type == PropType::kString && by.optional;
}

bool IsFoundable(std::string_view realm) {
  Uuid uuid;
  return ParseUuid(realm, &uuid);
}

std::string MembershipId(std::string_view realm, std::string_view user) {
  return std::string(realm) + "/" + std::string(user);
}

std::string_view UserOfMembership(std::string_view realm, std::string_view id) {
  const bool is_of_realm =
      id.size() > realm.size() && id.substr(0, realm.size()) == realm && id[realm.size()] == '/';
  return is_of_realm ? id.substr(realm.size() + 1) : std::string_view();
}

MemberRole RoleOf(const Value& role) {
  if (role.text() == kRoleNames[static_cast<size_t>(MemberRole::kOwner)]) return MemberRole::kOwner;
  if (role.text() == kRoleNames[static_cast<size_t>(MemberRole::kWriter)])
    return MemberRole::kWriter;
  return MemberRole::kReader;
}

bool IsPending(const Row& membership) {
  if (membership.props.size() <= kMemberAccepted) return false;
  const Value& accepted = membership.props[kMemberAccepted];
  return !accepted.is_null() && !accepted.boolean();
}

bool IsOwner(const Row& membership) {
  return !IsPending(membership) && RoleOf(membership.props[kMemberRole]) == MemberRole::kOwner;
}

bool KeepsRole(const Value& former, const Value& invited) {
  return !former.is_null() && RoleOf(former) > RoleOf(invited);
}

}  // namespace skerry
