// Pull: what the client will hold, the changes of the answer, and its cursors.
#include <utility>

#include "authority/diff.h"
#include "authority/pull.h"
#include "base/map.h"
#include "log/fold.h"

namespace skerry {

// Folds the client's own updates of `have`, as pushed, in the order of the log: exactly as the
// client itself will do.
void Pull::FoldOwn(const std::string& name, const Realm& realm,
                   Map<ObjectKey, std::optional<Row>>* rows) const {
  for (const PulledOwn& own : realm.own) {
    for (const Op& op : RowOps(own.ops)) {
      if (op.realm != name) continue;
      FoldOp(*schema_, op, {own.at, own.revision}, FoldTarget::kBase, &(*rows)[op.key()]);
    }
  }
}

void Pull::JoinMoves() {
  for (auto& [to, arrival] : outcomes_) {
    if (arrival.from || !arrival.change || arrival.change->kind != ChangeKind::kCreate) continue;
    if (unread_.Has(to.second.table) || !request_.scopes.Cover(to.second)) continue;
    for (const auto& [name, realm] : realms_) {
      const auto leaving = outcomes_.find({name, to.second});
      if (leaving == outcomes_.end() || !leaving->second.from || !leaving->second.change) continue;
      if (leaving->second.change->kind != ChangeKind::kDelete) continue;
      Row arrived;
      arrived.realm = to.first;
      arrived.created_at = arrival.change->created_at;
      arrived.modified_at = arrival.change->modified_at;
      arrived.revision = arrival.change->revision;
      arrived.props.resize(leaving->second.from->props.size());
      for (const PropValue& set : arrival.change->set) arrived.props[set.prop] = set.value;
      leaving->second.change = MovedRow(to.second, *leaving->second.from, arrived);
      arrival.change.reset();
      break;
    }
  }
}

// A row that is in no scope any more was not deleted if it is still there, or has moved to a realm of
// this answer.
void Pull::NameLeaves() {
  Set<ObjectKey> living;  // of those that may move
  for (const auto& [place, outcome] : outcomes_) {
    const ObjectKey& key = place.second;
    if (outcome.lives && !schema_->table(key.table).custom_ids) living.insert(key);
  }
  for (auto& [place, outcome] : outcomes_) {
    if (!outcome.change || outcome.change->kind != ChangeKind::kDelete) continue;
    if (outcome.lives || living.contains(place.second)) outcome.change->kind = ChangeKind::kLeave;
  }
}

void Pull::WriteChanges() {
  for (auto& [key, outcome] : outcomes_) {
    if (outcome.change && !page_rows_.contains(key)) {
      answer_.changes.push_back(std::move(*outcome.change));
    }
  }
  for (const auto& [key, row] : page_rows_) answer_.changes.push_back(WholeRow(key.second, row));
  for (const auto& [name, realm] : realms_) {
    Cursor& cursor = answer_.cursors[name];
    cursor = realm.from;
    if (realm.mode == Mode::kState) cursor = {realm.to, realm.to ? realm.now.head_at : 0};
    if (realm.mode == Mode::kRange && realm.to != realm.from.revision) {
      cursor = {realm.to, realm.entries.at(realm.to).at};
    }
  }
}

}  // namespace skerry
