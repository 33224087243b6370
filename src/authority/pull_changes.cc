// Pull: what the client will hold, the changes of the answer, and its cursors.
#include <utility>

#include "authority/diff.h"
#include "authority/pull.h"
#include "base/json.h"
#include "base/map.h"
#include "log/codec.h"
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
  // By object, the places that it has left, in the order of their realms.
  struct Left {
    Vector<Outcome*> places;
    size_t joined = 0;
  };
  Map<ObjectKey, Left> left;
  for (auto& [place, outcome] : outcomes_) {
    if (!outcome.from || !outcome.change || outcome.change->kind != ChangeKind::kDelete) continue;
    left[place.second].places.push_back(&outcome);
  }
  if (left.empty()) return;
  for (auto& [to, arrival] : outcomes_) {
    if (arrival.from || !arrival.change || arrival.change->kind != ChangeKind::kCreate) continue;
    if (unread_.Has(to.second.table) || !request_.scopes.Cover(to.second)) continue;
    const auto found = left.find(to.second);
    if (found == left.end() || found->second.joined == found->second.places.size()) continue;
    Outcome& leaving = *found->second.places[found->second.joined++];
    Row arrived;
    arrived.realm = to.first;
    arrived.created_at = arrival.change->created_at;
    arrived.modified_at = arrival.change->modified_at;
    arrived.revision = arrival.change->revision;
    arrived.props.resize(leaving.from->props.size());
    for (const PropValue& set : arrival.change->set) arrived.props[set.prop] = set.value;
    leaving.change = MovedRow(to.second, *leaving.from, arrived);
    arrival.change.reset();
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

// There may be thousands of changes: each is written as text at once, without a tree of all.
void Pull::WriteChanges() {
  std::string text = "[";
  const auto write = [&](const Change& change) {
    if (text.size() > 1) text.push_back(',');
    WriteJson(ChangeToData(*schema_, change), &text);
  };
  for (const auto& [key, outcome] : outcomes_) {
    if (outcome.change && !page_rows_.contains(key)) write(*outcome.change);
  }
  for (const auto& [key, row] : page_rows_) write(WholeRow(key.second, row));
  text.push_back(']');
  answer_.change_list = Data::Json(std::move(text));
  for (const auto& [name, realm] : realms_) {
    Cursor cursor = realm.from;
    if (realm.mode == Mode::kState) cursor = {realm.to, realm.to ? realm.now.head_at : 0};
    if (realm.mode == Mode::kRange && realm.to != realm.from.revision) {
      cursor = {realm.to, realm.entries.at(realm.to).at};
    }
    answer_.cursors[name] = CursorText(cursor);
  }
}

}  // namespace skerry
