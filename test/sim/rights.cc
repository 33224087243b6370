#include "test/sim/rights.h"

#include "test/core/model_check/check_schema.h"

namespace skerry::sim {
namespace {

using test::naive::Key;
using test::naive::May;
using test::naive::Names;
using test::naive::Op;
using test::naive::Rows;

constexpr const char* kFoundable[] = {"01890000-0000-7000-8000-00000000f001",
                                      "01890000-0000-7000-8000-00000000f002"};

Op OnMembership(const char* kind, const std::string& realm, const std::string& user) {
  Op op;
  op.op = kind;
  op.realm = realm;
  op.key = test::naive::MembershipKey(realm, user);
  return op;
}

Op Making(const std::string& realm, const std::string& user, const std::string& role) {
  Op op = OnMembership("create", realm, user);
  op.set["user"] = Data(user);
  op.set["role"] = Data(role);
  return op;
}

std::string AnyRole(Random* random) {
  static constexpr const char* kRoles[] = {"reader", "writer", "owner"};
  return kRoles[random->Below(3)];
}

}  // namespace

Op Answering(const std::string& realm, const std::string& user, bool accepts) {
  Op op = OnMembership(accepts ? "update" : "delete", realm, user);
  if (accepts) op.set["accepted"] = Data(true);
  return op;
}

const Vector<std::string>& Users() {
  static const Vector<std::string> users = {"anna", "ben", "carl"};
  return users;
}

const Names& RealmsOf(bool has_rights) {
  static const Names all = [] {
    Names realms = test::CheckRealms();
    realms.insert(std::begin(kFoundable), std::end(kFoundable));
    return realms;
  }();
  return has_rights ? all : test::CheckRealms();
}

Data GrantsToData(const Caller& caller) {
  static constexpr const char* kNames[] = {"", "read", "write", "own"};
  Data grants = Data::MakeObject();
  for (const auto& [realm, right] : caller.grants) {
    if (right != May::kNothing) grants.Set(realm, kNames[static_cast<size_t>(right)]);
  }
  return grants;
}

Vector<Op> MemberOpsOf(const std::string& user, const Rows& visible, Random* random,
                       uint64_t* serial) {
  const std::string realm = kFoundable[random->Below(std::size(kFoundable))];
  if (!visible.contains(test::naive::MembershipKey(realm, user))) {
    // Whether or not there is an invitation.
    if (random->Below(2) == 0) return {Answering(realm, user, random->Below(4) > 0)};
    Vector<Op> ops = {Making(realm, user, "owner")};
    if (random->Below(2) == 0) return ops;
    Op first;  // the first row, in the same mutation
    first.op = "create";
    first.realm = realm;
    first.key = test::naive::KeyOf("boxes", test::FreshUuid(serial), realm);
    first.set["n"] = Data(1);
    ops.push_back(std::move(first));
    return ops;
  }
  const std::string& other = Users()[random->Below(Users().size())];
  switch (random->Below(8)) {
    case 0:
      return {OnMembership("delete", realm, user)};
    case 1:
      return {OnMembership("delete", realm, other)};
    case 2:
    case 3: {
      Op op = OnMembership("update", realm, other);
      op.set["role"] = Data(AnyRole(random));
      return {op};
    }
    default:
      return {Making(realm, other, AnyRole(random))};
  }
}

Names RealmsToUse(const std::string& user, const Rows& visible, Random* random) {
  Names realms = test::CheckRealms();
  for (const char* realm : kFoundable) {
    const bool is_member = visible.contains(test::naive::MembershipKey(realm, user));
    if (is_member || random->Below(16) == 0) realms.insert(realm);
  }
  return realms;
}

}  // namespace skerry::sim
