// Memberships: the rows of the system table `$members`, which say who may do what in a realm that
// was founded (docs/design.md, "Rights are rows"). A membership lives in the realm that it is of.
// Its id is `<realm>/<user>`, so that two invitations of one person are one object.
//
// A membership that somebody else has made is an invitation: it is pending, and gives no right, until
// the invited accepts it. The authority sets `accepted` and `by` when it makes the row; afterwards
// only the invited changes `accepted`.
#ifndef SKERRY_MODEL_MEMBERS_H_
#define SKERRY_MODEL_MEMBERS_H_

#include <string>
#include <string_view>

#include "model/row.h"
#include "model/schema.h"

namespace skerry {

inline constexpr std::string_view kMembersTable = "$members";
inline constexpr PropIndex kMemberUser = 0;
inline constexpr PropIndex kMemberRole = 1;
inline constexpr PropIndex kMemberAccepted = 2;  // false: pending; null or true: accepted
inline constexpr PropIndex kMemberBy = 3;        // who has invited the user; null: nobody

// In the order of the names of the table's enum, and each may what the one before it may.
enum class MemberRole { kReader, kWriter, kOwner };
inline constexpr const char* kRoleNames[] = {"reader", "writer", "owner"};

// Whether a table of this name has the form that the code relies on. Images and databases of earlier
// releases have one without `accepted` and `by`: it is read, and converted.
bool IsMembersTable(const TableDef& table);
// Whether a realm of this name may be founded, and have members: it is a UUID.
bool IsFoundable(std::string_view realm);
std::string MembershipId(std::string_view realm, std::string_view user);
// The user of a membership's id; empty if it is not the id of a membership of the realm.
std::string_view UserOfMembership(std::string_view realm, std::string_view id);
// REQUIRES: a value of the prop `role` that is not null.
MemberRole RoleOf(const Value& role);
// Whether the user has not accepted the membership.
bool IsPending(const Row& membership);
// Whether the membership, which does not wait, is an owner's. A realm with members has such a one, or
// the change that would leave it without is refused; the last member may leave.
bool IsOwner(const Row& membership);
inline constexpr const char* kNeedsOwner = "A realm with members must have an owner.";
// Whether a second invitation with this role leaves a member the former one: it never takes a right away,
// only an update of the role does. `former` may be null.
bool KeepsRole(const Value& former, const Value& invited);

}  // namespace skerry

#endif  // SKERRY_MODEL_MEMBERS_H_
