// The users of a run, the realms, and what a request grants its user. Realm A is everybody's, B is
// the application's to give, and the others are founded by users.
#ifndef SKERRY_TEST_SIM_RIGHTS_H_
#define SKERRY_TEST_SIM_RIGHTS_H_

#include <string>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::sim {

inline constexpr const char* kGivenRealm = "B";

// The users of a run with rights. A run without rights has one user, the first.
const Vector<std::string>& Users();
// All realms that a run may have. Those that can have members exist once they are founded.
const test::naive::Names& RealmsOf(bool has_rights);

// The user of a request, with what it grants: all rights but those of memberships.
struct Caller {
  std::string user;
  test::naive::Rights grants;
};
Data GrantsToData(const Caller& caller);  // {realm: "read" | "write" | "own"}

// Accepts the user's invitation, or declines it.
test::naive::Op Answering(const std::string& realm, const std::string& user, bool accepts);
// One or more random ops of a user on memberships, of one mutation.
Vector<test::naive::Op> MemberOpsOf(const std::string& user, const test::naive::Rows& visible,
                                    Random* random, uint64_t* serial);
// The realms in which the user may find something to do.
test::naive::Names RealmsToUse(const std::string& user, const test::naive::Rows& visible,
                               Random* random);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_RIGHTS_H_
