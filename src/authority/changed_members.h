// Which users an entry concerns by their memberships: who is a member now or was one, and who was invited.
#ifndef SKERRY_AUTHORITY_CHANGED_MEMBERS_H_
#define SKERRY_AUTHORITY_CHANGED_MEMBERS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "authority/admission.h"
#include "authority/working_set.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/wire/admission_steps.h"
#include "model/schema.h"

namespace skerry {

struct ChangedMembers {
  Set<std::string> users;               // of whom memberships have changed
  Set<std::string> invited;             // of whom invitations have
  Map<std::string, std::string> ended;  // of whom invitations have ended: who had invited

  // Adds `users`, `invited`, and `declined` if the author has declined, where they apply.
  void Tell(const std::string& author, wire::TouchedEntry* entry) const;
};

// By entry: its realm and revision. `changes`: in the order of the log. `rows`: as they are after all.
Map<std::pair<std::string, uint64_t>, ChangedMembers> FindChangedMembers(
    const Schema& schema, const Vector<LogChange>& changes, const Vector<WorkingSet::Final>& rows);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_CHANGED_MEMBERS_H_
