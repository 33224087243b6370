// The form of ops on memberships (model/members.h), which does not depend on what is stored.
#ifndef SKERRY_LOG_MEMBERSHIP_OP_H_
#define SKERRY_LOG_MEMBERSHIP_OP_H_

#include <string>
#include <string_view>

#include "log/op.h"
#include "model/schema.h"

namespace skerry {

bool IsOnMembership(const Schema& schema, const Op& op);
// Null if the op does not set the prop.
const Value* ValueSet(const Op& op, PropIndex prop);
// A membership's id, realm and user are one, and never change. Null: the op keeps to it; else what
// is wrong. REQUIRES: IsOnMembership.
const char* FaultOfMembershipOp(const Op& op);
// Whether the op makes the user the owner of its realm: it founds the realm, if there is none yet.
bool MakesOwner(const Schema& schema, const Op& op, std::string_view user);
// Whether the op accepts the user's own membership.
bool IsAcceptance(const Schema& schema, const Op& op, std::string_view user);
// Whether the op removes the user's own membership, which may be pending.
bool IsLeave(const Schema& schema, const Op& op, std::string_view user);

}  // namespace skerry

#endif  // SKERRY_LOG_MEMBERSHIP_OP_H_
