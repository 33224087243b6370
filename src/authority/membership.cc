#include "authority/membership.h"

#include <algorithm>

namespace skerry {
namespace {

const Value* ValueIn(const Op& op, PropIndex prop) {
  for (const PropValue& set : op.set) {
    if (set.prop == prop) return &set.value;
  }
  return nullptr;
}

const char* NameOf(Role role) { return kRoleNames[static_cast<size_t>(role)]; }

bool IsOnMembership(const Scene& scene, const Op& op) {
  return op.Has(kOnRow) && op.table == scene.schema->members() && op.table != kNone;
}

bool MakesOwner(const Scene& scene, const Op& op, const std::string& realm) {
  if (!IsOnMembership(scene, op) || op.kind != OpKind::kCreate || op.realm != realm) return false;
  const Value* role = ValueIn(op, kMemberRole);
  const Value* user = ValueIn(op, kMemberUser);
  return op.id == MembershipId(realm, scene.user) && user && user->text() == scene.user && role &&
         role->text() == NameOf(Role::kOwner);
}

}  // namespace

Rejection ForbiddenRealm(std::optional<uint32_t> op) {
  return {op, "forbidden", "no such realm, or no right to write in it"};
}

bool Founds(const Scene& scene, const Update& update, const std::string& realm) {
  if (!IsFoundable(realm)) return false;
  const auto state = scene.realms->find(realm);
  // The row of the realm is there, because the server has locked it; its log has not begun.
  if (state == scene.realms->end() || !state->second.exists || state->second.head > 0) return false;
  return std::any_of(update.ops.begin(), update.ops.end(),
                     [&](const Op& op) { return MakesOwner(scene, op, realm); });
}

bool IsLeave(const Scene& scene, const Op& op) {
  return IsOnMembership(scene, op) && op.Has(kDeletes) &&
         op.id == MembershipId(op.realm, scene.user);
}

bool OnlyLeaves(const Scene& scene, const Update& update, const std::string& realm) {
  bool leaves = false;
  for (const Op& op : update.ops) {
    if (op.realm != realm && op.to != realm) continue;
    if (!IsLeave(scene, op)) return false;
    leaves = true;
  }
  return leaves;
}

std::optional<Rejection> FaultOfMembership(const Scene& scene, const Op& op, uint32_t index) {
  const auto invalid = [&](const char* detail) { return Rejection{index, "invalid", detail}; };
  if (!IsFoundable(op.realm)) return invalid("only a realm that was founded has members");
  const std::string_view user = UserOfMembership(op.realm, op.id);
  if (user.empty()) return invalid("the id of a membership is `<realm>/<user>`");
  if (op.Has(kMoves)) return invalid("a membership does not move");
  const Value* named = ValueIn(op, kMemberUser);
  if (named && named->text() != user) return invalid("the user of a membership is that of its id");
  if (IsLeave(scene, op)) return std::nullopt;
  if (scene.AccessIn(op.realm) == Access::kHidden) return ForbiddenRealm(index);
  if (scene.RightIn(op.realm) == Right::kOwn) return std::nullopt;
  return Rejection{index, "forbidden", "only an owner of the realm changes who its members are"};
}

bool IsOwner(const Row& membership) {
  return RoleOf(membership.props[kMemberRole]) == Role::kOwner;
}

bool HasMember(const Scene& scene, const std::string& realm, Role role) {
  const TableIndex members = scene.schema->members();
  const Value name = Value::String(NameOf(role));
  return !scene.rows->Holders(scene.rows->HoldersKey(members, kMemberRole, realm, name)).empty();
}

}  // namespace skerry
