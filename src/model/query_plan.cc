// How a query finds its candidates: which index, which rows. Each candidate is still filtered,
// unless the plan covers the whole filter. So a plan may give too many candidates, but never a
// wrong result.
#include <algorithm>
#include <utility>

#include "base/sort.h"
#include "base/vector.h"
#include "model/prepared_query.h"

namespace skerry {
namespace {

// How many rows of an inner table a plan may look at, to find out whether they lead to few outer
// rows.
constexpr size_t kMaxInnerRows = 1024;

bool IsRange(FilterKind kind) {
  return kind == FilterKind::kLt || kind == FilterKind::kLe || kind == FilterKind::kGt ||
         kind == FilterKind::kGe;
}

}  // namespace

void PreparedQuery::Consider(Access candidate, Access* best) const {
  if (candidate.listed) {
    candidate.rows = candidate.slots.size();
  } else {
    candidate.rows = 0;
    for (const Range& range : candidate.ranges) {
      if (range.from < range.to)
        candidate.rows += candidate.index->Rank(range.to) - candidate.index->Rank(range.from);
    }
  }
  if (candidate.rows < best->rows || (candidate.rows == best->rows && candidate.covers))
    *best = std::move(candidate);
}

// Considers the index of a column. The conjuncts on the column narrow it to one range, or to one
// range for each value of an `in`.
void PreparedQuery::ConsiderColumn(PropIndex column, const Parent* parent, Access* best) {
  Access access;
  const Index* index = access.index = store_->GetIndex(column);
  Range range = {index->Begin(), index->End()};
  const Filter* list = nullptr;
  size_t used = 0;
  const auto narrow = [&](Index::Position from, Index::Position to) {
    range.from = std::max(range.from, from);
    range.to = std::min(range.to, to);
  };
  if (parent && parent->via == column) {
    narrow(index->LowerBound(parent->probe), index->UpperBound(parent->probe));
    access.is_equality = true;
  }
  for (const Filter* filter : conjuncts_) {
    if (filter->column != column) continue;
    const Probe probe = store_->MakeProbe(column, filter->value);
    const bool is_range = IsRange(filter->kind) && !probe.is_null;
    if (filter->kind == FilterKind::kEq) {
      narrow(index->LowerBound(probe), index->UpperBound(probe));
      access.is_equality = true;
    } else if (filter->kind == FilterKind::kGt || filter->kind == FilterKind::kGe) {
      if (!is_range) continue;
      narrow(filter->kind == FilterKind::kGt ? index->UpperBound(probe) : index->LowerBound(probe),
             index->End());
    } else if (is_range) {
      // Nulls sort first, but null < x is false. So the range begins after them.
      narrow(index->UpperBound(Probe()),
             filter->kind == FilterKind::kLt ? index->LowerBound(probe) : index->UpperBound(probe));
    } else if (filter->kind == FilterKind::kIn && !list) {
      list = filter;
    } else {
      continue;
    }
    ++used;
  }
  access.covers =
      used == conjuncts_.size() && (!parent || (parent->via == column && parent->realm.empty()));
  if (list && !access.is_equality) {
    for (const Value& value : list->values) {
      const Probe probe = store_->MakeProbe(column, value);
      access.ranges.push_back({std::max(range.from, index->LowerBound(probe)),
                               std::min(range.to, index->UpperBound(probe))});
    }
  } else {
    access.ranges.push_back(range);
    if (list) access.covers = false;
  }
  if (used > 0 || access.is_equality) Consider(std::move(access), best);
}

void PreparedQuery::ConsiderIds(const Filter& filter, const Parent* parent, Access* best) {
  Access access;
  access.listed = true;
  const auto add = [&](const Value& value) { store_->FindAll(value.text(), &access.slots); };
  if (filter.kind == FilterKind::kEq && !filter.value.is_null()) {
    add(filter.value);
  } else if (filter.kind == FilterKind::kIn) {
    for (const Value& value : filter.values) add(value);
  } else {
    return;
  }
  access.covers = conjuncts_.size() == 1 && !parent;
  Consider(std::move(access), best);
}

// Finds the inner rows of an exists or sub-select by the inner filter alone. Returns false if there
// are too many of them to help.
bool PreparedQuery::InnerKeys(const Filter& filter, size_t limit, Vector<Slot>* slots) {
  Query inner;
  inner.table = filter.table;
  inner.where = filter.children[0];
  PreparedQuery prepared(&inner, tables_, visited_);
  if (prepared.Plan(nullptr).rows > std::min(limit, kMaxInnerRows)) return false;
  prepared.RunUnordered(slots);
  return true;
}

// Considers an exists or sub-select with few inner rows: the candidates are the outer rows to which
// these lead.
void PreparedQuery::ConsiderInner(const Filter& filter, Access* best) {
  const bool by_id = filter.kind == FilterKind::kExists || filter.column == kIdColumn;
  if (!by_id && !store_->IsIndexedBySchema(filter.column)) return;
  Vector<Slot> inner;
  if (!InnerKeys(filter, best->rows / 2, &inner)) return;
  RowStore& inner_store = tables_->store(filter.table);
  Access access;
  access.listed = true;
  const Index* index = by_id ? nullptr : store_->GetIndex(filter.column);
  for (const Slot slot : inner) {
    const Value value = inner_store.GetValue(slot, filter.via);
    if (value.is_null()) continue;
    if (by_id) {
      const Slot outer =
          store_->Find(value.text(), inner_store.GetValue(slot, kRealmColumn).text());
      if (outer != kNoSlot) access.slots.push_back(outer);
      continue;
    }
    const Probe probe = store_->MakeProbe(filter.column, value);
    const Index::Position end = index->UpperBound(probe);
    for (Index::Position at = index->LowerBound(probe); at != end; at = index->Next(at)) {
      access.slots.push_back(index->At(at));
      if (access.slots.size() > best->rows) return;
    }
  }
  skerry::Sort(access.slots.begin(), access.slots.end());
  access.slots.erase(std::unique(access.slots.begin(), access.slots.end()), access.slots.end());
  Consider(std::move(access), best);
}

PreparedQuery::Access PreparedQuery::Plan(const Parent* parent) {
  Access best;
  best.rows = store_->size() + 1;  // any index is better than none
  if (parent) ConsiderColumn(parent->via, parent, &best);
  for (size_t i = 0; i < conjuncts_.size(); ++i) {
    const Filter& filter = *conjuncts_[i];
    if (filter.kind == FilterKind::kExists || filter.kind == FilterKind::kInSelect) continue;
    if (filter.column == kIdColumn) {
      ConsiderIds(filter, parent, &best);
      continue;
    }
    bool seen = parent && parent->via == filter.column;
    for (size_t j = 0; j < i; ++j) seen = seen || conjuncts_[j]->column == filter.column;
    if (!seen && store_->ShouldUseIndex(filter.column))
      ConsiderColumn(filter.column, parent, &best);
  }
  // Plans over other tables cost more, so they come last, and only if many rows would be left.
  for (const Filter* filter : conjuncts_) {
    const bool inner = filter->kind == FilterKind::kExists || filter->kind == FilterKind::kInSelect;
    if (inner && best.rows > 16) ConsiderInner(*filter, &best);
  }
  if (best.rows > store_->size()) {
    best = Access();
    best.rows = store_->size();
    best.covers = filter_.is_true() && !parent;
  }
  return best;
}

// ---- Orders by a locale: all rows are ranked in one call of the collator

void PreparedQuery::FindCollations() {
  const Vector<QueryOrder>& order = query_->order;
  collations_ = std::make_unique<Collation*[]>(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i].locale == kNoLocale) continue;
    collations_[i] = store_->GetCollation(order[i].column, order[i].locale);
    is_collated_ = true;
  }
}

void PreparedQuery::Place(std::span<const Slot> slots) {
  for (size_t i = 0; i < query_->order.size(); ++i) {
    if (collations_[i]) collations_[i]->Place(slots);
  }
}

void PreparedQuery::Gather(const Access& access, const Parent* parent, Vector<Slot>* slots) {
  if (anchor_ == kNoSlot || !is_collated_) return GatherRows(access, parent, slots);
  const Slot anchor = std::exchange(anchor_, kNoSlot);
  GatherRows(access, parent, slots);
  Place(*slots);
  erase_if(*slots, [&](Slot slot) { return Compare(anchor, slot) >= 0; });
  anchor_ = anchor;
}

}  // namespace skerry
