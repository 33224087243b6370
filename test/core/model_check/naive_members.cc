// The naive server's memberships: who may do what, what founds a realm, and that a realm with members
// has an owner.
#include <algorithm>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {
namespace {

constexpr char kMembers[] = "$members";
constexpr size_t kUuidSize = 36;

May MayOf(const std::string& role) {
  return role == "owner" ? May::kOwn : role == "writer" ? May::kWrite : May::kRead;
}

May MayOf(const Row& membership) { return MayOf(membership.props.at("role").as_string()); }

bool IsPending(const Row& membership) {
  const auto accepted = membership.props.find("accepted");
  return accepted != membership.props.end() && !accepted->second.as_bool();
}

bool IsOwner(const Row& membership) {
  return !IsPending(membership) && MayOf(membership) == May::kOwn;
}

}  // namespace

bool CanHaveMembers(const std::string& realm) { return realm.size() == kUuidSize; }

Key MembershipKey(const std::string& realm, const std::string& user) {
  return KeyOf(kMembers, realm + "/" + user, realm);
}

bool IsLeave(const Op& op, const std::string& user) {
  return op.op == "delete" && op.key == MembershipKey(op.realm, user);
}

bool IsAcceptance(const Op& op, const std::string& user) {
  return op.op == "update" && op.key == MembershipKey(op.realm, user) &&
         op.set.contains("accepted");
}

bool MakesOwner(const Op& op, const std::string& user) {
  if (op.op != "create" && op.op != "offer") return false;
  if (op.key != MembershipKey(op.realm, user)) return false;
  const auto role = op.set.find("role");
  return role != op.set.end() && role->second.as_string() == "owner";
}

bool LowersRole(const Op& op, const std::string& prop, const Row& membership) {
  const bool invites = TableOf(op.key) == kMembers && op.op == "create" && prop == "role";
  if (!invites || !membership.props.contains("role")) return false;
  return MayOf(op.set.at("role").as_string()) < MayOf(membership);
}

May Server::RoleOf(const std::string& realm, const std::string& user) const {
  const auto row = rows_.at(realm).find(MembershipKey(realm, user));
  if (row == rows_.at(realm).end() || IsPending(row->second)) return May::kNothing;
  return MayOf(row->second);
}

bool Server::IsInvited(const std::string& realm, const std::string& user) const {
  const auto row = rows_.at(realm).find(MembershipKey(realm, user));
  return row != rows_.at(realm).end() && IsPending(row->second);
}

// A membership that somebody else makes waits until it is accepted.
void Server::Invite(const Op& op, const std::string& user, Rows* rows) const {
  if (!asks_consent_ || op.op != "create" || TableOf(op.key) != kMembers) return;
  if (op.key == MembershipKey(op.realm, user)) return;
  rows->at(op.key).props["accepted"] = Data(false);
  rows->at(op.key).props["by"] = Data(user);
}

Rights Server::RightsOf(const std::string& user, const Rights& grants) const {
  Rights rights;
  for (const std::string& realm : realms_) {
    const auto granted = grants.find(realm);
    May right = granted == grants.end() ? May::kNothing : granted->second;
    if (CanHaveMembers(realm))
      right = head(realm) == 0 ? May::kNothing : std::max(right, RoleOf(realm, user));
    rights[realm] = right;
  }
  return rights;
}

// The realms that a step founds; `founded`: by earlier ones.
Names Server::Founded(const Update& update, const Vector<size_t>& places, const Names& founded,
                      const std::string& user) const {
  Names realms;
  for (const size_t place : places) {
    const Op& op = update.ops[place];
    if (!CanHaveMembers(op.realm) || head(op.realm) > 0 || founded.contains(op.realm)) continue;
    if (MakesOwner(op, user)) realms.insert(op.realm);
  }
  return realms;
}

// As the steps before have left the memberships.
Rights Server::RightsInStep(const Rights& had, const Rights& grants, const Names& founded,
                            const std::string& user) const {
  Rights rights = had;
  for (const std::string& realm : realms_) {
    if (!CanHaveMembers(realm) || user.empty()) continue;
    const auto granted = grants.find(realm);
    const May given = granted == grants.end() ? May::kNothing : granted->second;
    const bool exists = head(realm) > 0 || founded.contains(realm);
    rights[realm] = exists ? std::max(given, RoleOf(realm, user)) : May::kNothing;
  }
  return rights;
}

// A reader may push a step which does nothing in the realm but leave it; who is invited, one that does
// nothing but accept or decline.
bool Server::IsForbidden(const Update& update, const Vector<size_t>& places, const Rights& rights,
                         const std::string& user) const {
  for (const size_t place : places) {
    const Op& op = update.ops[place];
    for (const std::string& realm : RealmsOf({op})) {
      const May right = RightIn(rights, realm);
      const bool is_invited =
          right == May::kNothing && CanHaveMembers(realm) && IsInvited(realm, user);
      const bool answers = is_invited && (IsLeave(op, user) || IsAcceptance(op, user));
      const bool leaves = right == May::kRead && IsLeave(op, user);
      if (right < May::kWrite && !leaves && !answers) return true;
    }
  }
  return false;
}

// The last member may leave.
bool Server::LacksOwner(const AllRows& before, const Names& founded) const {
  for (const auto& [realm, rows] : rows_) {
    bool lost = founded.contains(realm), has_member = false, has_owner = false;
    for (const auto& [key, row] : before.at(realm)) {
      if (TableOf(key) != kMembers || !IsOwner(row)) continue;
      const auto now = rows.find(key);
      lost = lost || now == rows.end() || !IsOwner(now->second);
    }
    for (const auto& [key, row] : rows) {
      if (TableOf(key) != kMembers) continue;
      has_member = true;
      has_owner = has_owner || IsOwner(row);
    }
    if (lost && has_member && !has_owner) return true;
  }
  return false;
}

}  // namespace skerry::test::naive
