#include "authority/changed_members.h"

#include "model/members.h"

namespace skerry {

void ChangedMembers::Tell(const std::string& author, wire::TouchedEntry* entry) const {
  entry->users.assign(users.begin(), users.end());
  entry->invited.assign(invited.begin(), invited.end());
  const auto own = ended.find(author);
  if (own != ended.end()) entry->declined = {own->first, own->second};
}

Map<std::pair<std::string, uint64_t>, ChangedMembers> FindChangedMembers(
    const Schema& schema, const Vector<LogChange>& changes, const Vector<WorkingSet::Final>& rows) {
  Map<PlacedKey, const Row*> later;  // the row after the change that is looked at
  for (const WorkingSet::Final& row : rows) {
    const StoredRow& stored = row.stored;
    if (stored.key.table != schema.members() || stored.deleted_at) continue;
    later[{stored.row.realm, stored.key}] = &stored.row;
  }
  Map<std::pair<std::string, uint64_t>, ChangedMembers> members;
  for (size_t i = changes.size(); i > 0; --i) {
    const LogChange& change = changes[i - 1];
    if (change.key.table != schema.members()) continue;
    const Row*& after = later[{change.realm, change.key}];
    const Row* before = change.before ? &*change.before : nullptr;
    ChangedMembers& changed = members[{change.realm, change.revision}];
    const std::string user(UserOfMembership(change.realm, change.key.id));
    for (const Row* row : {before, after}) {
      if (row) (IsPending(*row) ? changed.invited : changed.users).insert(user);
    }
    if (before && !after && IsPending(*before))
      changed.ended[user] = before->props[kMemberBy].text();
    after = before;
  }
  return members;
}

}  // namespace skerry
