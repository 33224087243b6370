// Pull: changes that no answer can hold, and the scopes that are filled again instead.
#include <utility>

#include "authority/pull.h"

namespace skerry {

void Pull::Unread::Add(const Unread& other) {
  is_any = is_any || other.is_any;
  is_all = is_all || other.is_all;
  tables.insert(other.tables.begin(), other.tables.end());
}

void Pull::LoadUnread(const std::string& realm, std::optional<Set<TableIndex>> tables) {
  const auto found = realms_.find(realm);
  if (found == realms_.end()) return;
  Unread omitted;
  omitted.is_any = true;
  omitted.is_all = !tables;
  if (tables) omitted.tables = std::move(*tables);
  found->second.omitted.Add(omitted);
}

void Pull::LoadUnreadJoins(const std::string& realm) {
  Set<TableIndex> tables;
  for (const PullJoin& join : joins_) tables.insert(join.outer);
  LoadUnread(realm, std::move(tables));
}

// Which rows a sub-select puts into its scope is not known without the changes of its table.
void Pull::SpreadUnread() {
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (const PullJoin& join : joins_) {
      if (!IsUnread(join.select.filter->table) || unread_.Has(join.outer)) continue;
      unread_.tables.insert(join.outer);
      has_grown = true;
    }
  }
}

// The scopes of a table go back to unfilled in all realms at once. So the answer has no changes of
// the table in any realm. A range that was cut to nothing leaves out nothing.
void Pull::CollectOmitted() {
  for (const auto& [name, realm] : realms_) {
    if (realm.mode == Mode::kImage) continue;
    if (realm.mode == Mode::kRange && realm.to == realm.from.revision) continue;
    unread_.Add(realm.omitted);
  }
  if (!unread_.is_any) return;
  SpreadUnread();
  is_too_large_ = !request_.accepts_refill;
  answer_.refill.emplace();  // again after candidates were read
  for (const Scope& scope : request_.scopes.list()) {
    if (scope.has_begun() && unread_.Has(scope.table)) answer_.refill->push_back(NameOf(scope));
  }
}

}  // namespace skerry
