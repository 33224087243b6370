// PullRanges: changes that no answer can hold, and the scopes that are filled again instead.
#include <utility>

#include "authority/pull_ranges.h"

namespace skerry {

void LeftOutTables::Add(const LeftOutTables& other) {
  is_any = is_any || other.is_any;
  is_all = is_all || other.is_all;
  tables.insert(other.tables.begin(), other.tables.end());
}

void PullRanges::LoadUnread(const std::string& realm, std::optional<Set<TableIndex>> tables) {
  const auto found = realms_.find(realm);
  if (found == realms_.end()) return;
  LeftOutTables omitted;
  omitted.is_any = true;
  omitted.is_all = !tables;
  if (tables) omitted.tables = std::move(*tables);
  found->second.omitted.Add(omitted);
}

// Which rows a sub-select puts into its scope is not known without the changes of its table.
void PullRanges::SpreadUnread(const Vector<PullJoin>& joins) {
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (const PullJoin& join : joins) {
      if (!IsUnread(join.select.filter->table) || unread_.Has(join.outer)) continue;
      unread_.tables.insert(join.outer);
      has_grown = true;
    }
  }
}

// The scopes of a table go back to unfilled in all realms at once. So the answer has no changes of
// the table in any realm. A range that was cut to nothing leaves out nothing.
void PullRanges::CollectOmitted(const Vector<PullJoin>& joins) {
  for (const auto& [name, realm] : realms_) {
    if (realm.mode == RealmMode::kImage) continue;
    if (realm.mode == RealmMode::kRange && realm.to == realm.from.revision) continue;
    unread_.Add(realm.omitted);
  }
  if (!unread_.is_any) return;
  SpreadUnread(joins);
  is_too_large_ = !io_->request.accepts_refill;
  io_->answer.refill.emplace();  // again after candidates were read
  for (const Scope& scope : io_->request.scopes.list()) {
    if (scope.has_begun() && unread_.Has(scope.table))
      io_->answer.refill->push_back(NameOf(*io_, scope));
  }
}

}  // namespace skerry
