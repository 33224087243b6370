#include "model/prepared_query.h"

#include <algorithm>
#include <cstdint>

#include "base/vector.h"

namespace skerry {
namespace {

// The greatest limit for which a sort keeps only the best rows while it goes over the list.
constexpr uint64_t kMaxKept = 4096;
// The cost of a row in a full sort. The unit is a row visited by a scan.
constexpr double kSortCost = 6;

}  // namespace

PreparedQuery::PreparedQuery(const Query* query, Tables* tables, uint64_t* visited)
    : query_(query),
      tables_(tables),
      store_(&tables->store(query->table)),
      visited_(visited),
      filter_(&query->where, query->table, tables, visited) {
  CollectConjuncts(query->where);
  FindCollations();
  for (const Include& include : query->includes) {
    includes_.push_back(std::make_unique<PreparedQuery>(&include.query[0], tables, visited));
  }
}

PreparedQuery::~PreparedQuery() = default;

void PreparedQuery::CollectConjuncts(const Filter& filter) {
  if (filter.kind == FilterKind::kTrue) return;
  if (filter.kind != FilterKind::kAnd) {
    conjuncts_.push_back(&filter);
    return;
  }
  for (const Filter& child : filter.children) CollectConjuncts(child);
}

int PreparedQuery::Compare(Slot a, Slot b) const {
  for (size_t i = 0; i < query_->order.size(); ++i) {
    const QueryOrder& order = query_->order[i];
    const int compared =
        collations_[i] ? collations_[i]->Compare(a, b) : store_->Compare(a, b, order.column);
    if (compared != 0) return order.descending ? -compared : compared;
  }
  return store_->CompareIds(a, b);
}

// ---- Gathering

// A ref to an application-defined id names the row of the same realm.
bool PreparedQuery::IsChild(Slot slot, const Parent& parent) const {
  if (store_->CompareProbe(slot, store_->column(parent.via), parent.probe) != 0) return false;
  return parent.realm.empty() || store_->GetValue(slot, kRealmColumn).text() == parent.realm;
}

bool PreparedQuery::Accepts(Slot slot, const uint8_t* row, const Parent* parent, bool covered) {
  ++*visited_;
  if (!covered) {
    if (parent && !IsChild(slot, *parent)) return false;
    if (!filter_.Matches(slot, row)) return false;
  }
  return IsAfter(slot);
}

void PreparedQuery::GatherRows(const Access& access, const Parent* parent, Vector<Slot>* slots) {
  if (access.listed) {
    for (const Slot slot : access.slots) {
      if (Accepts(slot, parent, access.covers)) slots->push_back(slot);
    }
    return;
  }
  if (access.index) {
    for (const Range& range : access.ranges) {
      for (Index::Position at = range.from; at < range.to; at = access.index->Next(at)) {
        const Slot slot = access.index->At(at);
        if (Accepts(slot, parent, access.covers)) slots->push_back(slot);
      }
    }
    return;
  }
  const uint32_t width = store_->width();
  for (Slot slot = 0; slot < store_->slot_limit();) {
    const uint8_t* row = store_->bytes(slot);
    for (const Slot end = store_->ChunkEnd(slot); slot < end; ++slot, row += width) {
      if (RowStore::IsLiveRow(row) && Accepts(slot, row, parent, access.covers))
        slots->push_back(slot);
    }
  }
}

// If the plan is one range in the order that the query asks for, takes the first `need` rows of it.
// Returns false otherwise.
bool PreparedQuery::WalkRange(const Access& access, const Parent* parent, uint64_t need,
                              Vector<Slot>* slots) {
  if (!access.index || access.ranges.size() != 1) return false;
  const Vector<QueryOrder>& order = query_->order;
  const bool by_id = access.is_equality &&
                     (order.empty() ||
                      (order.size() == 1 && order[0].column == kIdColumn && !order[0].descending));
  const bool by_column =
      order.size() == 1 && !collations_[0] && order[0].column == access.index->column();
  if (!by_id && !by_column) return false;
  const Range& range = access.ranges[0];
  if (range.to <= range.from) return true;
  IndexWalk walk(access.index, range.from, range.to, by_column && order[0].descending);
  for (Slot slot = walk.Next(); slot != kNoSlot; slot = walk.Next()) {
    if (!Accepts(slot, parent, access.covers)) continue;
    slots->push_back(slot);
    if (slots->size() >= need) break;
  }
  return true;
}

// Walks the index of the order's column until enough rows match. It does so only if the estimated
// cost is less than that of the plan and a sort. If it has spent that much without finding enough,
// it gives up and returns false. A row visited by a walk counts twice, because these rows are not
// next to each other in memory.
bool PreparedQuery::WalkInOrder(const Access& access, const Parent* parent, uint64_t need,
                                Vector<Slot>* slots) {
  const Vector<QueryOrder>& order = query_->order;
  if (order.empty() || access.rows == 0 || !store_->ShouldUseIndex(order[0].column)) return false;
  // An index is in the order of bytes, not of a locale. And Accepts would call the collator for
  // each row to compare it with the anchor.
  if (collations_[0] || (!query_->after.empty() && is_collated_)) return false;
  const bool is_scan = !access.index && !access.listed;
  const bool covers_all = access.covers && is_scan;
  const auto rows = static_cast<double>(access.rows);
  const auto all = static_cast<double>(store_->size());
  const bool full_sort = need >= kMaxKept || need >= access.rows;
  // For a scan it is not known how many rows the filter leaves, so the sort is estimated as free.
  const double plan_cost = rows * (full_sort && (!is_scan || covers_all) ? kSortCost : 1);
  const double walk_cost = 2 * std::min(static_cast<double>(need) * all / rows, all);
  if (walk_cost >= plan_cost) return false;
  const PropIndex column = order[0].column;
  const Index* index = store_->GetIndex(column);
  const bool is_descending = order[0].descending;
  const auto from = is_placed_ && !is_descending ? index->LowerBound(place_[0]) : index->Begin();
  const auto to = is_placed_ && is_descending ? index->UpperBound(place_[0]) : index->End();
  IndexWalk walk(index, from, to, is_descending);
  if (anchor_ != kNoSlot && order.size() == 1) walk.StartAfter(anchor_);
  auto budget = static_cast<size_t>(std::max(plan_cost / 2, covers_all ? all : 0));
  Slot last = kNoSlot;
  for (Slot slot = walk.Next(); slot != kNoSlot; slot = walk.Next()) {
    if (slots->size() >= need) {
      // With more columns to order by, the walk has to finish the group of rows with equal values.
      if (order.size() == 1 || store_->Compare(last, slot, column) != 0) break;
    }
    if (budget-- == 0) {
      slots->clear();
      return false;
    }
    if (!Accepts(slot, parent, covers_all)) continue;
    slots->push_back(slot);
    last = slot;
  }
  if (order.size() > 1) Sort(need, slots);
  return true;
}

const Column& PreparedQuery::SortColumn() const {
  return store_->column(query_->order.empty() ? kIdColumn : query_->order[0].column);
}

uint64_t PreparedQuery::SortKey(Slot slot) const {
  const bool by_rank = !query_->order.empty() && collations_[0];
  const uint64_t key = by_rank ? collations_[0]->Rank(slot) : store_->SortKey(slot, SortColumn());
  return SortsDescending() ? ~key : key;
}

bool PreparedQuery::IsExact(uint64_t key) const {
  if (query_->order.size() != 1) return false;
  return collations_[0] || IsExactKey(SortColumn(), SortsDescending() ? ~key : key);
}

// Sorts the rows. May drop rows after the first `need`.
void PreparedQuery::Sort(uint64_t need, Vector<Slot>* slots) {
  Place(*slots);
  bool is_sorted = true;
  for (size_t i = 1; i < slots->size() && is_sorted; ++i) {
    is_sorted = Compare((*slots)[i - 1], (*slots)[i]) < 0;
  }
  if (is_sorted) return;
  const Column& ids = store_->column(kIdColumn);
  // If few of many rows are needed: whenever there are `full` rows, all but the first `need` are
  // dropped. From then on rows that sort after these are skipped.
  const bool keep_few = need < kMaxKept && need * 2 < slots->size();
  const size_t full = keep_few ? std::max<size_t>(static_cast<size_t>(need) * 4, 512) : SIZE_MAX;
  uint64_t worst = UINT64_MAX;
  keyed_.clear();
  for (const Slot slot : *slots) {
    const uint64_t key = SortKey(slot);
    if (key > worst) continue;
    keyed_.push_back({key, keep_few ? 0 : store_->SortKey(slot, ids), slot});
    if (keyed_.size() < full) continue;
    KeyedSort(*this, &keyed_);
    keyed_.resize(static_cast<size_t>(need));
    worst = keyed_.back().key;
  }
  KeyedSort(*this, &keyed_);
  slots->clear();
  for (const KeyedRow& row : keyed_) slots->push_back(row.slot);
}

// ---- The place after which the result begins

bool PreparedQuery::FindAnchor() {
  is_placed_ = false;
  anchor_ = kNoSlot;
  if (query_->after.empty()) return true;
  anchor_ = store_->Find(query_->after, query_->after_realm);
  if (!query_->is_placed) return anchor_ != kNoSlot;
  place_.clear();
  sought_.clear();
  bool needs_ranks = false;
  for (size_t i = 0; i < query_->order.size(); ++i) {
    const Value& value = query_->after_values[i];
    place_.push_back(store_->MakeProbe(query_->order[i].column, value));
    sought_.push_back({place_.back().text, value.is_null()});
    needs_ranks = needs_ranks || collations_[i];
  }
  place_id_ = store_->MakeIdProbe(query_->after);
  if (anchor_ != kNoSlot && IsWhereItWas(anchor_)) return true;
  anchor_ = kNoSlot;
  is_placed_ = true;
  if (!needs_ranks) return true;
  // All at once: no row is ranked then while they are compared one by one.
  Vector<Slot> all;
  for (Slot slot = 0; slot < store_->slot_limit(); ++slot) {
    if (store_->IsLive(slot)) all.push_back(slot);
  }
  Place(all);
  return true;
}

bool PreparedQuery::IsWhereItWas(Slot slot) const {
  for (size_t i = 0; i < place_.size(); ++i) {
    const Column& column = store_->column(query_->order[i].column);
    if (store_->CompareProbe(slot, column, place_[i]) != 0) return false;
  }
  return true;
}

// As Compare, of the row and the place.
int PreparedQuery::ComparePlace(Slot slot) {
  for (size_t i = 0; i < place_.size(); ++i) {
    const QueryOrder& order = query_->order[i];
    const int compared = collations_[i]
                             ? collations_[i]->CompareWith(slot, &sought_[i])
                             : store_->CompareProbe(slot, store_->column(order.column), place_[i]);
    if (compared != 0) return order.descending ? -compared : compared;
  }
  const int ids = store_->CompareProbe(slot, store_->column(kIdColumn), place_id_);
  if (ids != 0 || !store_->table().custom_ids) return ids;
  const Value realm = Value::String(query_->after_realm);
  return store_->CompareProbe(slot, store_->column(kRealmColumn),
                              store_->MakeProbe(kRealmColumn, realm));
}

bool PreparedQuery::IsAfter(Slot slot) {
  if (is_placed_) return ComparePlace(slot) > 0;
  return anchor_ == kNoSlot || Compare(anchor_, slot) < 0;
}

// Replaces `slots` by at least the first `need` rows, in order.
void PreparedQuery::Collect(const Parent* parent, uint64_t need, Vector<Slot>* slots) {
  slots->clear();
  if (need == 0 || !FindAnchor()) return;
  const Access access = Plan(parent);
  if (WalkRange(access, parent, need, slots) || WalkInOrder(access, parent, need, slots)) return;
  Gather(access, parent, slots);
  Sort(need, slots);
}

void PreparedQuery::Window(const Parent* parent, uint32_t offset, uint32_t limit,
                           Vector<Slot>* slots) {
  const uint64_t need = limit == kNoLimit ? UINT64_MAX : uint64_t{offset} + limit;
  Collect(parent, limit == 0 ? 0 : need, &rows_);
  const size_t end = static_cast<size_t>(std::min<uint64_t>(need, rows_.size()));
  if (offset < end)
    slots->insert(slots->end(), rows_.begin() + offset,
                  rows_.begin() + static_cast<ptrdiff_t>(end));
}

void PreparedQuery::RunWindow(uint32_t offset, uint32_t limit, Vector<Slot>* slots) {
  Window(nullptr, offset, limit, slots);
}

void PreparedQuery::RunUnordered(Vector<Slot>* slots) {
  if (FindAnchor()) Gather(Plan(nullptr), nullptr, slots);
}

size_t PreparedQuery::Count() {
  if (!FindAnchor()) return 0;
  const Access access = Plan(nullptr);
  size_t matched = access.rows;
  if (!access.covers || !query_->after.empty()) {
    rows_.clear();
    Gather(access, nullptr, &rows_);
    matched = rows_.size();
  }
  const size_t behind = matched > query_->offset ? matched - query_->offset : 0;
  return query_->limit == kNoLimit ? behind : std::min<size_t>(behind, query_->limit);
}

// ---- Includes

void PreparedQuery::Render(const Vector<Slot>& slots, Vector<uint32_t>* stream) {
  stream->push_back(static_cast<uint32_t>(slots.size()));
  for (const Slot slot : slots) {
    stream->push_back(slot);
    RenderIncludes(slot, nullptr, nullptr, stream);
  }
}

void PreparedQuery::RenderIncludes(Slot slot, const TouchedRows* rows, bool* touched,
                                   Vector<uint32_t>* stream) {
  for (size_t i = 0; i < includes_.size(); ++i) {
    const Include& include = query_->includes[i];
    PreparedQuery& inner = *includes_[i];
    char buffer[kIdTextBuffer];
    Parent parent = {include.back ? include.prop : kIdColumn, Probe(), {}};
    if (store_->table().custom_ids) parent.realm = store_->GetValue(slot, kRealmColumn).text();
    Vector<Slot> found;
    if (include.back) {
      parent.probe = inner.store_->MakeIdProbe(store_->IdView(slot, buffer));
      inner.Window(&parent, inner.query_->offset, inner.query_->limit, &found);
    } else if (!store_->IsNull(slot, include.prop)) {
      const IdKey ref =
          RowStore::LoadKey(store_->bytes(slot) + store_->column(include.prop).offset);
      const Slot target = inner.store_->Find(store_->KeyText(ref, buffer),
                                             store_->GetValue(slot, kRealmColumn).text());
      const bool in_window =
          inner.query_->offset == 0 && inner.query_->limit > 0 && inner.FindAnchor();
      if (target != kNoSlot && in_window && inner.Accepts(target, nullptr, false))
        found.push_back(target);
    }
    stream->push_back(static_cast<uint32_t>(found.size()));
    for (const Slot row : found) {
      if (rows && rows->IsTouched(include.table, row)) *touched = true;
      stream->push_back(row);
      inner.RenderIncludes(row, rows, touched, stream);
    }
  }
}

}  // namespace skerry
