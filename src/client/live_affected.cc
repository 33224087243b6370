#include "client/live_affected.h"

#include <algorithm>
#include <string>

#include "base/sort.h"
#include "base/vector.h"
#include "model/index.h"

namespace skerry {
bool HasInnerFilter(const Filter& filter) {
  if (filter.kind == FilterKind::kExists || filter.kind == FilterKind::kInSelect) return true;
  return std::any_of(filter.children.begin(), filter.children.end(), HasInnerFilter);
}

void LiveAffected::ByFilter(const Filter& filter, TableIndex table, Vector<Slot>* slots) {
  if (filter.kind == FilterKind::kExists || filter.kind == FilterKind::kInSelect) {
    BySelect(filter, table, slots);
    return;
  }
  for (const Filter& child : filter.children) ByFilter(child, table, slots);
}

void LiveAffected::BySelect(const Filter& filter, TableIndex outer, Vector<Slot>* slots) {
  RowStore& inner = tables_->store(filter.table);
  const Filter& where = filter.children[0];
  const bool deep = HasInnerFilter(where);
  for (const LiveChange& change : changes_->of(filter.table)) {
    // Only a row that matched before or matches now has an effect. If the inner filter reads
    // further tables, this cannot be decided from the row, and it counts as matching.
    const bool was =
        change.old_slot != kNoSlot && (deep || Matches(where, change.key.id, change.old, nullptr));
    Row now;
    if (change.new_slot != kNoSlot) now = inner.Get(change.new_slot);
    const bool is =
        change.new_slot != kNoSlot && (deep || Matches(where, change.key.id, now, nullptr));
    const Value old_via = was ? ColumnValue(filter.via, change.key.id, change.old) : Value();
    const Value new_via = is ? inner.GetValue(change.new_slot, filter.via) : Value();
    if (!deep && was && is && old_via == new_via && now.realm == change.old.realm) continue;
    OuterRows(filter, outer, old_via, change.old.realm, slots);
    OuterRows(filter, outer, new_via, now.realm, slots);
  }
  if (!deep) return;
  Vector<Slot> further;
  ByFilter(where, filter.table, &further);
  for (const Slot slot : further) {
    OuterRows(filter, outer, inner.GetValue(slot, filter.via), inner.Get(slot).realm, slots);
  }
}

void LiveAffected::OuterRows(const Filter& filter, TableIndex outer, const Value& via,
                             std::string_view realm, Vector<Slot>* slots) {
  if (via.is_null()) return;
  RowStore& store = tables_->store(outer);
  if (filter.kind == FilterKind::kExists || filter.column == kIdColumn) {
    const Slot slot = store.Find(via.text(), realm);
    if (slot != kNoSlot) slots->push_back(slot);
    return;
  }
  const Index* index = store.GetIndex(filter.column);
  const Probe probe = store.MakeProbe(filter.column, via);
  const Index::Position end = index->UpperBound(probe);
  const Column& realms = store.column(kRealmColumn);
  for (Index::Position at = index->LowerBound(probe); at != end; at = index->Next(at)) {
    ++*visited_;
    const Slot slot = index->At(at);
    if (realms.pool->Get(RowStore::TextCode(realms, store.bytes(slot))) == realm)
      slots->push_back(slot);
  }
}

void LiveAffected::ByIncludes(const Query& query, std::span<const Slot> rows, Vector<Slot>* slots) {
  for (const Include& include : query.includes) ByChildren(include, query.table, &rows, slots);
}

// The rows of `outer` that include rows which may have changed; only those in `rows`, if it is
// given.
void LiveAffected::ByChildren(const Include& include, TableIndex outer,
                              const std::span<const Slot>* rows, Vector<Slot>* slots) {
  RowStore& inner = tables_->store(include.table);
  const Query& query = include.query[0];
  if (!query.after.empty() && changes_->HasId(include.table, query.after)) {
    // The row after which a page begins has changed: this affects every parent.
    const RowStore& store = tables_->store(outer);
    if (rows) slots->insert(slots->end(), rows->begin(), rows->end());
    for (Slot slot = 0; !rows && slot < store.slot_limit(); ++slot) {
      if (store.IsLive(slot)) slots->push_back(slot);
    }
    return;
  }
  const bool deep = HasInnerFilter(query.where);
  for (const LiveChange& change : changes_->of(include.table)) {
    if (change.old_slot != kNoSlot &&
        (deep || Matches(query.where, change.key.id, change.old, nullptr))) {
      ParentsOf(include, outer, include.back ? change.old.props[include.prop] : Value(),
                change.key.id, change.old.realm, rows, slots);
    }
    if (change.new_slot == kNoSlot) continue;
    if (deep || Matches(query.where, change.key.id, inner.Get(change.new_slot), nullptr)) {
      ParentsOf(include, outer,
                include.back ? inner.GetValue(change.new_slot, include.prop) : Value(),
                change.key.id, inner.GetValue(change.new_slot, kRealmColumn).text(), rows, slots);
    }
  }
  Vector<Slot> further;
  ByFilter(query.where, include.table, &further);
  for (const Include& nested : query.includes) ByChildren(nested, include.table, nullptr, &further);
  Sort(further.begin(), further.end());
  further.erase(std::unique(further.begin(), further.end()), further.end());
  for (const Slot slot : further) {
    ParentsOf(include, outer, include.back ? inner.GetValue(slot, include.prop) : Value(),
              inner.Id(slot), inner.GetValue(slot, kRealmColumn).text(), rows, slots);
  }
}

void LiveAffected::ParentsOf(const Include& include, TableIndex outer, const Value& via,
                             std::string_view id, std::string_view realm,
                             const std::span<const Slot>* rows, Vector<Slot>* slots) {
  RowStore& store = tables_->store(outer);
  if (include.back) {
    const Slot slot = via.is_null() ? kNoSlot : store.Find(via.text(), realm);
    if (slot != kNoSlot) slots->push_back(slot);
    return;
  }
  const Index* index = store.GetIndex(include.prop);
  const Probe probe = store.MakeIdProbe(id);
  const Index::Position from = index->LowerBound(probe);
  const Index::Position to = index->UpperBound(probe);
  // If more rows name the target than are shown, checking the shown rows is cheaper.
  if (rows && index->Rank(to) - index->Rank(from) > rows->size()) {
    const Column& column = store.column(include.prop);
    for (const Slot slot : *rows) {
      ++*visited_;
      if (store.CompareProbe(slot, column, probe) == 0) slots->push_back(slot);
    }
    return;
  }
  for (Index::Position at = from; at != to; at = index->Next(at)) {
    ++*visited_;
    slots->push_back(index->At(at));
  }
}

}  // namespace skerry
