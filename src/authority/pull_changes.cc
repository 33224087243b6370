// PullRows: what the client will hold, and the changes of the answer.
#include <utility>

#include "authority/diff.h"
#include "authority/pull_rows.h"
#include "base/json.h"
#include "log/codec.h"
#include "log/fold.h"

namespace skerry {

// Folds the client's own updates of `have`, as pushed, in the order of the log: exactly as the
// client itself will do.
void PullRows::FoldOwn(const std::string& name, const PullRange& range,
                       Map<ObjectKey, std::optional<Row>>* rows) const {
  for (const PulledOwn& own : range.own) {
    for (const Op& op : RowOps(own.ops)) {
      if (op.realm != name) continue;
      FoldOp(*io_->schema, op, {own.entry.at, own.entry.revision}, FoldTarget::kBase,
             &(*rows)[op.key()]);
    }
  }
}

void PullRows::JoinMoves() {
  // By object, the places that it has left, in the order of their realms.
  struct Left {
    Vector<Outcome*> places;
    size_t joined = 0;
  };
  Map<ObjectKey, Left> left;
  for (auto& [place, outcome] : outcomes_) {
    if (!outcome.from || !outcome.change || outcome.change->kind != ChangeKind::kDelete) continue;
    left[place.object].places.push_back(&outcome);
  }
  if (left.empty()) return;
  for (auto& [to, arrival] : outcomes_) {
    if (arrival.from || !arrival.change || arrival.change->kind != ChangeKind::kCreate) continue;
    if (ranges_->unread().Has(to.object.table) || !io_->request.scopes.Cover(to.object)) continue;
    const auto found = left.find(to.object);
    if (found == left.end() || found->second.joined == found->second.places.size()) continue;
    Outcome& leaving = *found->second.places[found->second.joined++];
    Row arrived;
    arrived.realm = to.realm;
    arrived.created_at = arrival.change->created_at;
    arrived.modified_at = arrival.change->modified_at;
    arrived.revision = arrival.change->revision;
    arrived.props.resize(leaving.from->props.size());
    for (const PropValue& set : arrival.change->set) arrived.props[set.prop] = set.value;
    const std::optional<uint64_t> over = leaving.change->over;
    leaving.change = MovedRow(to.object, *leaving.from, arrived);
    leaving.change->over = over;
    arrival.change.reset();
  }
}

// A row that is in no scope any more was not deleted if it is still there, or has moved to a realm of
// this answer.
void PullRows::NameLeaves() {
  Set<ObjectKey> living;  // of those that may move
  for (const auto& [place, outcome] : outcomes_) {
    const ObjectKey& key = place.object;
    if (outcome.lives && !io_->schema->table(key.table).custom_ids) living.insert(key);
  }
  for (auto& [place, outcome] : outcomes_) {
    if (!outcome.change || outcome.change->kind != ChangeKind::kDelete) continue;
    if (outcome.lives || living.contains(place.object)) outcome.change->kind = ChangeKind::kLeave;
  }
}

// There may be thousands of changes: each is written as text at once, without a tree of all.
void PullRows::WriteChanges() {
  std::string text = "[";
  const auto write = [&](const Change& change) {
    if (text.size() > 1) text.push_back(',');
    WriteJson(ChangeToData(NamesFor(*io_), change), &text);
  };
  for (const auto& [key, outcome] : outcomes_) {
    if (outcome.change && !page_rows_.contains(key)) write(*outcome.change);
  }
  for (const auto& [key, row] : page_rows_) {
    Change change = WholeRow(key.object, row);
    const auto outcome = outcomes_.find(key);
    if (outcome != outcomes_.end() && outcome->second.change)
      change.over = outcome->second.change->over;
    write(change);
  }
  text.push_back(']');
  io_->answer.change_list = Data::Json(std::move(text));
}

}  // namespace skerry
