#include "authority/membership.h"

namespace skerry {
namespace {

const char* NameOf(MemberRole role) { return kRoleNames[static_cast<size_t>(role)]; }

}  // namespace

Rejection ForbiddenRealm(std::optional<uint32_t> op) {
  return {op, "forbidden", "no such realm, or no right to write in it"};
}

bool Founds(const Scene& scene, const Op& op) {
  if (!IsFoundable(op.realm) || scene.founded.contains(op.realm)) return false;
  const auto state = scene.realms->find(op.realm);
  // The row of the realm is there, because the server has locked it; its log has not begun.
  if (state == scene.realms->end() || !state->second.exists || state->second.head > 0) return false;
  return MakesOwner(*scene.schema, op, scene.user);
}

std::optional<Rejection> FaultOfMembership(const Scene& scene, const Op& op, uint32_t index) {
  if (const char* fault = FaultOfMembershipOp(op)) return Rejection{index, "invalid", fault};
  if (IsLeave(*scene.schema, op, scene.user)) return std::nullopt;
  if (scene.AccessIn(op.realm) == Access::kHidden) return ForbiddenRealm(index);
  if (scene.RightIn(op.realm) == Right::kOwn) return std::nullopt;
  return Rejection{index, "forbidden", "only an owner of the realm changes who its members are"};
}

bool IsOwner(const Row& membership) {
  return RoleOf(membership.props[kMemberRole]) == MemberRole::kOwner;
}

bool HasMember(const Scene& scene, const std::string& realm, MemberRole role) {
  const TableIndex members = scene.schema->members();
  const Value name = Value::String(NameOf(role));
  return !scene.rows->Holders(scene.rows->HoldersKey(members, kMemberRole, realm, name)).empty();
}

}  // namespace skerry
