#include "authority/scene.h"

#include <algorithm>

#include "model/members.h"

namespace skerry {
namespace {

Right RightOf(MemberRole role) {
  switch (role) {
    case MemberRole::kReader:
      return Right::kRead;
    case MemberRole::kWriter:
      return Right::kWrite;
    case MemberRole::kOwner:
      break;
  }
  return Right::kOwn;
}

}  // namespace

const Row* Scene::Membership(const std::string& realm) const {
  if (schema->members() == kNone || !IsFoundable(realm)) return nullptr;
  return rows->FindBefore({realm, {schema->members(), MembershipId(realm, user)}});
}

bool Scene::IsInvited(const std::string& realm) const {
  const Row* member = Membership(realm);
  return member && IsPending(*member);
}

Right Scene::RightIn(const std::string& realm) const {
  if (may_all || founding.contains(realm)) return Right::kOwn;
  const auto given = rights->find(realm);
  const Right right = given == rights->end() ? Right::kNone : given->second;
  const Row* member = Membership(realm);
  if (!member || IsPending(*member)) return right;
  return std::max(right, RightOf(RoleOf(member->props[kMemberRole])));
}

const Row* Scene::Locate(PlacedKey* key) const {
  PlacedKey at = *key;
  Set<std::string> passed;  // rows that are not locked may lead in a circle
  for (;;) {
    if (const Row* row = rows->Find(at)) {
      *key = std::move(at);
      return row;
    }
    const std::string* realm = rows->MovedTo(at);
    if (!realm || !MaySee(*realm)) return nullptr;
    if (!passed.insert(*realm).second) return nullptr;
    at.realm = *realm;
  }
}

bool Scene::Exists(const std::string& realm, const RealmState& state) const {
  if (!state.exists) return false;
  const bool has_begun = state.head > 0 || founding.contains(realm) || founded.contains(realm);
  return has_begun || !IsFoundable(realm);
}

}  // namespace skerry
