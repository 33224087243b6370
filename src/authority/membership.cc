#include "authority/membership.h"

namespace skerry {
namespace {

Vector<ObjectKey> HoldersOf(const Scene& scene, const std::string& realm, MemberRole role) {
  const TableIndex members = scene.schema->members();
  const Value name = Value::String(kRoleNames[static_cast<size_t>(role)]);
  return scene.rows->Holders(scene.rows->HoldersKey(members, kMemberRole, realm, name));
}

}  // namespace

Rejection ForbiddenRealm(std::optional<uint32_t> op) {
  return {op, "forbidden", "no such realm, or no right to write in it"};
}

bool MayFound(const Schema& schema, const Op& op, std::string_view author) {
  return IsFoundable(op.realm) && MakesOwner(schema, op, author);
}

bool Founds(const Scene& scene, const Op& op) {
  if (scene.founded.contains(op.realm)) return false;
  const auto state = scene.realms->find(op.realm);
  // The row of the realm is there, because the server has locked it; its log has not begun.
  if (state == scene.realms->end() || !state->second.exists || state->second.head > 0) return false;
  return MayFound(*scene.schema, op, scene.user);
}

std::optional<Rejection> FaultOfMembership(const Scene& scene, const Op& op, uint32_t index) {
  if (const char* fault = FaultOfMembershipOp(op)) return Rejection{index, "invalid", fault};
  if (IsLeave(*scene.schema, op, scene.user)) return std::nullopt;
  if (IsAcceptance(*scene.schema, op, scene.user)) return std::nullopt;
  if (!scene.MaySee(op.realm)) return ForbiddenRealm(index);
  if (ValueSet(op, kMemberAccepted))
    return Rejection{index, "forbidden", "only the invited user may accept an invitation"};
  if (scene.RightIn(op.realm) == Right::kOwn) return std::nullopt;
  return Rejection{index, "forbidden", "only an owner of the realm may change its members"};
}

void Invite(const Scene& scene, const Op& op, Row* membership) {
  if (membership->props.size() <= kMemberBy) return;  // of an earlier release
  if (!scene.asks_consent || op.id == MembershipId(op.realm, scene.user)) return;
  membership->props[kMemberAccepted] = Value::Bool(false);
  membership->props[kMemberBy] = Value::String(scene.user);
}

bool HasMember(const Scene& scene, const std::string& realm, MemberRole role) {
  return !HoldersOf(scene, realm, role).empty();
}

bool HasOwner(const Scene& scene, const std::string& realm) {
  bool has_owner = false;
  // All of them are asked for at once.
  for (const ObjectKey& key : HoldersOf(scene, realm, MemberRole::kOwner)) {
    const Row* row = scene.rows->Find({realm, key});
    has_owner = has_owner || (row && IsOwner(*row));
  }
  return has_owner;
}

}  // namespace skerry
