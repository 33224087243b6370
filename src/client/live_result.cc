#include "client/live_result.h"

#include <algorithm>

#include "base/sort.h"
#include "base/vector.h"
#include "client/ordered_diff.h"

namespace skerry {
namespace {

constexpr uint32_t kMinLookAhead = 16;
constexpr uint32_t kMaxLookAhead = 256;
// Lists up to this length are searched without `members_`.
constexpr size_t kShortList = 96;

uint32_t LookAhead(uint32_t limit) {
  return std::min(std::max(limit, kMinLookAhead), kMaxLookAhead);
}

// REQUIRES: `gone` is sorted.
void CopyWithout(const Vector<Slot>& list, const Vector<Slot>& gone, Vector<Slot>* out) {
  if (gone.empty()) {
    *out = list;
    return;
  }
  const Slot lowest = gone.front();
  const Slot highest = gone.back();
  for (const Slot slot : list) {
    const bool may_go = slot >= lowest && slot <= highest;
    if (!may_go || !std::binary_search(gone.begin(), gone.end(), slot)) out->push_back(slot);
  }
}

void SortUnique(Vector<Slot>* slots) {
  SortNumbers(slots);
  slots->erase(std::unique(slots->begin(), slots->end()), slots->end());
}

}  // namespace

LiveResult::LiveResult(uint32_t live, const Query& query, Tables* tables, uint64_t* visited)
    : live_(live), query_(query), visited_(visited), prepared_(&query_, tables, visited) {
  Requery();
  for (const Slot slot : Visible(list_)) {
    if (!prepared_.has_includes()) break;
    nested_.emplace_back();
    prepared_.RenderIncludes(slot, nullptr, nullptr, &nested_.back());
  }
}

uint64_t LiveResult::ListLimit() const {
  if (query_.limit == 0) return 0;
  return uint64_t{query_.offset} + query_.limit + LookAhead(query_.limit);
}

void LiveResult::Requery() {
  const uint64_t limit = IsUnlimited() ? kNoLimit : std::min<uint64_t>(ListLimit(), kNoLimit - 1);
  Vector<Slot> list;
  prepared_.RunWindow(0, static_cast<uint32_t>(limit), &list);
  more_ = !IsUnlimited() && list.size() >= limit;
  SetList(std::move(list));
}

void LiveResult::SetList(Vector<Slot> list) {
  list_ = std::move(list);
  members_.clear();
  if (list_.size() <= kShortList) return;
  members_.resize(prepared_.store().slot_limit() / 64 + 1);
  for (const Slot slot : list_) members_[slot / 64] |= uint64_t{1} << (slot % 64);
}

bool LiveResult::Contains(Slot slot) const {
  if (list_.size() <= kShortList) return std::find(list_.begin(), list_.end(), slot) != list_.end();
  return slot / 64 < members_.size() && (members_[slot / 64] >> (slot % 64) & 1) != 0;
}

std::span<const Slot> LiveResult::Visible(const Vector<Slot>& list) const {
  const size_t from = std::min<size_t>(query_.offset, list.size());
  return {list.data() + from, std::min<size_t>(list.size() - from, query_.limit)};
}

void LiveResult::Render(Vector<uint32_t>* rows) const {
  const std::span<const Slot> visible = Visible(list_);
  rows->reserve(rows->size() + visible.size() + 1);
  rows->push_back(static_cast<uint32_t>(visible.size()));
  if (nested_.empty()) {
    rows->insert(rows->end(), visible.begin(), visible.end());
    return;
  }
  for (size_t i = 0; i < visible.size(); ++i) {
    rows->push_back(visible[i]);
    rows->insert(rows->end(), nested_[i].begin(), nested_[i].end());
  }
}

// Whether the row matches, and comes after the row `after`.
bool LiveResult::InRange(Slot slot) {
  return has_anchor_ && prepared_.IsAfter(slot) && prepared_.Matches(slot);
}

// Finds the slots that leave the list, and the rows that may enter it. Returns false if the whole
// query must be run again.
bool LiveResult::FindMembers(const LiveChanges& changes, LiveAffected* affected, Vector<Slot>* gone,
                             Vector<Slot>* come) {
  if (!query_.after.empty()) {
    if (changes.HasId(query_.table, query_.after)) return false;
    has_anchor_ = prepared_.FindAnchor();
    Vector<Slot> changed;
    for (const LiveChange& change : changes.of(query_.table)) {
      if (change.new_slot != kNoSlot) changed.push_back(change.new_slot);
    }
    prepared_.Place(changed);
  }
  for (const LiveChange& change : changes.of(query_.table)) {
    if (change.old_slot != kNoSlot && Contains(change.old_slot)) gone->push_back(change.old_slot);
    if (change.new_slot != kNoSlot && InRange(change.new_slot)) come->push_back(change.new_slot);
  }
  Vector<Slot> others;
  affected->ByFilter(query_.where, query_.table, &others);
  SortUnique(&others);
  for (const Slot slot : others) {
    if (changes.ByNewSlot(query_.table, slot)) continue;
    ++*visited_;
    const bool was = Contains(slot);
    const bool is = InRange(slot);
    if (was && !is) gone->push_back(slot);
    if (is && !was) come->push_back(slot);
  }
  Sort(gone->begin(), gone->end());
  return true;
}

// Makes `next`: the list without the rows in `gone`, and with those in `come`. Returns false if the
// look-ahead is used up.
bool LiveResult::Merge(const Vector<Slot>& gone, Vector<Slot> come, Vector<Slot>* next) {
  next->reserve(list_.size() + come.size());
  CopyWithout(list_, gone, next);
  const auto before = [this](Slot a, Slot b) {
    ++*visited_;
    return prepared_.Compare(a, b) < 0;
  };
  prepared_.Place(come);
  Sort(come.begin(), come.end(), before);
  if (more_) {
    // A row that sorts behind the last one that stays may also sort behind rows that are not in the
    // list.
    if (next->empty()) return false;
    while (!come.empty() && before(next->back(), come.back())) come.pop_back();
  }
  // From the back, so that each row that stays is moved once.
  size_t end = next->size();
  next->resize(end + come.size());
  for (size_t left = come.size(); left > 0; --left) {
    const auto begin = next->begin();
    const auto place =
        std::lower_bound(begin, begin + static_cast<ptrdiff_t>(end), come[left - 1], before);
    std::move_backward(place, begin + static_cast<ptrdiff_t>(end),
                       begin + static_cast<ptrdiff_t>(end + left));
    end = static_cast<size_t>(place - begin);
    (*next)[end + left - 1] = come[left - 1];
  }
  const uint64_t limit = ListLimit();
  if (more_ && next->size() < uint64_t{query_.offset} + query_.limit) return false;
  if (!IsUnlimited() && next->size() > limit + LookAhead(query_.limit)) {
    next->resize(static_cast<size_t>(limit));
    more_ = true;
  }
  return true;
}

bool LiveResult::Update(const LiveChanges& changes, LiveAffected* affected, LiveDelta* delta) {
  if (query_.limit == 0) return false;
  Vector<Slot> gone;
  Vector<Slot> come;
  const bool can_merge = FindMembers(changes, affected, &gone, &come);
  const bool same_members = can_merge && gone.empty() && come.empty();
  if (same_members && !prepared_.has_includes()) return false;
  Vector<Slot> before;
  Vector<Slot> next;
  if (same_members) {
    before = list_;
  } else if (can_merge && Merge(gone, std::move(come), &next)) {
    before = std::move(list_);
    SetList(std::move(next));
  } else {
    ++requeries_;
    before = std::move(list_);
    Requery();
  }
  const std::span<const Slot> visible = Visible(list_);
  Vector<uint32_t> origin;
  Compare(Visible(before), visible, changes, &origin, delta);
  if (prepared_.has_includes()) {
    Vector<Slot> stale;
    affected->ByIncludes(query_, visible, &stale);
    SortUnique(&stale);
    RenderNested(visible, origin, stale, changes, delta);
  }
  if (delta->added.empty() && delta->removed.empty() && delta->changed.empty()) return false;
  delta->live = live_;
  Render(&delta->rows);
  return true;
}

// For each row of `after`, its place in `before`, or kNewRow; returns the places of rows that
// changed. A changed row is matched by its LiveChange. The unchanged rows have the same order in
// both results: where the two differ, the row that sorts first is in only one of them.
Vector<uint32_t> LiveResult::Match(std::span<const Slot> before, std::span<const Slot> after,
                                   const LiveChanges& changes, Vector<uint32_t>* origin) {
  using Was = std::pair<const LiveChange*, uint32_t>;  // a change, and the old place of its row
  const TableIndex table = query_.table;
  Vector<Was> was;
  Vector<uint32_t> candidates;
  origin->assign(after.size(), kNewRow);
  size_t i = 0;
  size_t j = 0;
  while (i < before.size() || j < after.size()) {
    const bool same = i < before.size() && j < after.size() && before[i] == after[j];
    // Fast path: most rows stay and did not change.
    if (same && !changes.MayTouch(table, before[i])) {
      (*origin)[j++] = static_cast<uint32_t>(i++);
    } else if (const LiveChange* change =
                   i < before.size() ? changes.ByOldSlot(table, before[i]) : nullptr) {
      was.push_back({change, static_cast<uint32_t>(i++)});
    } else if (j < after.size() && changes.ByNewSlot(table, after[j]) != nullptr) {
      candidates.push_back(static_cast<uint32_t>(j++));
    } else if (same) {
      (*origin)[j++] = static_cast<uint32_t>(i++);
    } else if (j == after.size() ||
               (i < before.size() && ++*visited_ && prepared_.Compare(before[i], after[j]) < 0)) {
      ++i;
    } else {
      ++j;
    }
  }
  Sort(was.begin(), was.end());
  Vector<uint32_t> changed;
  for (const uint32_t place : candidates) {
    const LiveChange* change = changes.ByNewSlot(table, after[place]);
    const auto then = std::lower_bound(was.begin(), was.end(), Was{change, 0});
    if (then == was.end() || then->first != change) continue;
    (*origin)[place] = then->second;
    changed.push_back(place);
  }
  return changed;
}

void LiveResult::Compare(std::span<const Slot> before, std::span<const Slot> after,
                         const LiveChanges& changes, Vector<uint32_t>* origin, LiveDelta* delta) {
  Vector<uint32_t> changed = Match(before, after, changes, origin);
  const OrderedDiff diff =
      DiffOrdered(static_cast<uint32_t>(before.size()), *origin, std::move(changed));
  Name(diff, after, delta);
  for (const uint32_t place : diff.removed) {
    const LiveChange* change = changes.ByOldSlot(query_.table, before[place]);
    delta->removed.push_back(change ? change->key.id : prepared_.store().Id(before[place]));
  }
}

void LiveResult::Name(const OrderedDiff& diff, std::span<const Slot> after,
                      LiveDelta* delta) const {
  const RowStore& store = prepared_.store();
  for (const uint32_t place : diff.added) delta->added.push_back(store.Id(after[place]));
  for (const uint32_t place : diff.changed) delta->changed.push_back(store.Id(after[place]));
  for (const uint32_t place : diff.moved) delta->moved.push_back(store.Id(after[place]));
}

// Renders the includes of rows that are new, changed or stale; keeps those of the other rows.
void LiveResult::RenderNested(std::span<const Slot> after, const Vector<uint32_t>& origin,
                              const Vector<Slot>& stale, const LiveChanges& changes,
                              LiveDelta* delta) {
  Vector<Nested> nested(after.size());
  Vector<std::string> changed;
  size_t next = 0;  // in delta->changed, which is in the order of the result
  for (size_t i = 0; i < after.size(); ++i) {
    const LiveChange* change = changes.ByNewSlot(query_.table, after[i]);
    const bool is_listed = change && origin[i] != kNewRow;
    if (is_listed) changed.push_back(std::move(delta->changed[next++]));
    const bool is_stale = std::binary_search(stale.begin(), stale.end(), after[i]);
    if (origin[i] != kNewRow && !change && !is_stale) {
      nested[i] = std::move(nested_[origin[i]]);
      continue;
    }
    bool touched = false;
    prepared_.RenderIncludes(after[i], &changes, &touched, &nested[i]);
    if (origin[i] == kNewRow || is_listed) continue;
    if (touched || nested[i] != nested_[origin[i]])
      changed.push_back(prepared_.store().Id(after[i]));
  }
  nested_ = std::move(nested);
  delta->changed = std::move(changed);
}

// ---- Replaced stores

void LiveResult::RememberAll(const LiveChanges& changes) {
  if (is_remembering_) return;
  is_remembering_ = true;
  remembered_.clear();
  remembered_stream_.clear();
  Render(&remembered_stream_);
  const RowStore& store = prepared_.store();
  for (const Slot slot : Visible(list_)) {
    const auto place = static_cast<uint32_t>(remembered_.size());
    if (const LiveChange* change = changes.ByOldSlot(query_.table, slot)) {
      remembered_.push_back({change->key, change->old, place});
    } else {
      remembered_.push_back({store.Key(slot), store.Get(slot), place});
    }
  }
  Sort(remembered_.begin(), remembered_.end(),
       [](const Remembered& a, const Remembered& b) { return a.key < b.key; });
}

bool LiveResult::UpdateAll(LiveDelta* delta) {
  is_remembering_ = false;
  ++requeries_;
  Requery();
  nested_.clear();
  const RowStore& store = prepared_.store();
  const std::span<const Slot> visible = Visible(list_);
  Vector<uint32_t> origin(visible.size());
  Vector<uint32_t> changed;
  for (size_t i = 0; i < visible.size(); ++i) {
    if (prepared_.has_includes()) {
      nested_.emplace_back();
      prepared_.RenderIncludes(visible[i], nullptr, nullptr, &nested_.back());
    }
    const ObjectKey key = store.Key(visible[i]);
    const auto at =
        std::lower_bound(remembered_.begin(), remembered_.end(), key,
                         [](const Remembered& a, const ObjectKey& b) { return a.key < b; });
    const bool is_new = at == remembered_.end() || at->key != key;
    origin[i] = is_new ? kNewRow : at->place;
    if (is_new) continue;
    Row row = store.Get(visible[i]);
    row.revision = at->row.revision;
    // Included rows are not compared here: a row with includes counts as changed.
    if (row != at->row || prepared_.has_includes()) changed.push_back(static_cast<uint32_t>(i));
  }
  const auto before = static_cast<uint32_t>(remembered_.size());
  const OrderedDiff diff = DiffOrdered(before, origin, std::move(changed));
  Name(diff, visible, delta);
  Sort(remembered_.begin(), remembered_.end(),
       [](const Remembered& a, const Remembered& b) { return a.place < b.place; });
  for (const uint32_t place : diff.removed)
    delta->removed.push_back(std::move(remembered_[place].key.id));
  remembered_.clear();
  Render(&delta->rows);
  delta->live = live_;
  const bool differs = delta->rows != remembered_stream_ || !delta->changed.empty() ||
                       !delta->added.empty() || !delta->removed.empty();
  remembered_stream_.clear();
  return differs;
}

}  // namespace skerry
