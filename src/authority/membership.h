// The rules of memberships (model/members.h): who may make, change and remove one, and what founds
// a realm.
#ifndef SKERRY_AUTHORITY_MEMBERSHIP_H_
#define SKERRY_AUTHORITY_MEMBERSHIP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "authority/result.h"
#include "authority/scene.h"
#include "log/membership_op.h"
#include "log/op.h"
#include "model/members.h"

namespace skerry {

// The same text for every realm that the author may not write, so that the answer does not say
// whether the realm exists.
Rejection ForbiddenRealm(std::optional<uint32_t> op);

// Whether the op founds its realm, if there is none yet: it makes its author the owner of a realm that
// may be founded.
bool MayFound(const Schema& schema, const Op& op, std::string_view author);
// The same of an op that is judged: the realm does not exist yet.
bool Founds(const Scene& scene, const Op& op);

// What is wrong with an op on a membership; empty: nothing. Nothing is looked up but the author's
// own right in the op's realm.
std::optional<Rejection> FaultOfMembership(const Scene& scene, const Op& op, uint32_t index);

// Notes in a membership that the author makes who has invited, and that it waits to be accepted. A
// membership of one's own is accepted.
void Invite(const Scene& scene, const Op& op, Row* membership);

// Whether the realm has a member of the role now, also a pending one. Asks for the rows if they are
// not loaded.
bool HasMember(const Scene& scene, const std::string& realm, MemberRole role);
// Whether the realm has an owner now. Asks for the rows if they are not loaded.
bool HasOwner(const Scene& scene, const std::string& realm);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_MEMBERSHIP_H_
