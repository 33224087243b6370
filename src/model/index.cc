#include "model/index.h"

#include <algorithm>

#include "base/vector.h"

namespace skerry {
namespace {

constexpr size_t kBlockRows = 512;
constexpr size_t kBulkRows = 384;  // per block that Build makes; leaves room for inserts
constexpr size_t kMergeRows = 128;

}  // namespace

Index::Index(const RowStore* store, PropIndex column) : store_(store), column_(column) {}

int Index::CompareRows(Slot a, Slot b) const {
  if (column_ != kIdColumn) {
    const int compared = store_->Compare(a, b, column_);
    if (compared != 0) return compared;
  }
  return store_->CompareIds(a, b);
}

void Index::Build() {
  const Column& column = store_->column(column_);
  const Column& ids = store_->column(kIdColumn);
  Vector<KeyedRow> rows;
  rows.reserve(store_->size());
  for (Slot slot = 0; slot < store_->slot_limit(); ++slot) {
    if (!store_->IsLive(slot)) continue;
    rows.push_back({store_->SortKey(slot, column), store_->SortKey(slot, ids), slot});
  }
  KeyedSort(*this, &rows);
  blocks_.clear();
  blocks_.reserve(rows.size() / kBulkRows + 1);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % kBulkRows == 0) blocks_.emplace_back().reserve(kBlockRows);
    blocks_.back().push_back(rows[i].slot);
  }
  size_ = rows.size();
}

// The first position whose row is not before. REQUIRES: all rows that are before come first.
template <typename IsBefore>
Index::Position Index::Partition(IsBefore is_before) const {
  size_t low = 0;
  size_t high = blocks_.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (is_before(blocks_[middle].back())) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == blocks_.size()) return End();
  const Vector<Slot>& block = blocks_[low];
  const auto place = std::partition_point(block.begin(), block.end(), is_before);
  return {static_cast<uint32_t>(low), static_cast<uint32_t>(place - block.begin())};
}

Index::Position Index::LowerBound(const Probe& probe) const {
  const Column& column = store_->column(column_);
  return Partition([&](Slot row) { return store_->CompareProbe(row, column, probe) < 0; });
}

Index::Position Index::UpperBound(const Probe& probe) const {
  const Column& column = store_->column(column_);
  return Partition([&](Slot row) { return store_->CompareProbe(row, column, probe) <= 0; });
}

Index::Position Index::Find(Slot slot) const {
  return Partition([&](Slot row) { return CompareRows(row, slot) < 0; });
}

Index::Position Index::GroupStart(Position position) const {
  // Most groups are short: a few steps back cost less than a search.
  Position start = position;
  const Slot slot = At(position);
  for (int steps = 0; steps < 4; ++steps) {
    if (start == Begin()) return start;
    const Position before = Previous(start);
    if (store_->Compare(At(before), slot, column_) != 0) return start;
    start = before;
  }
  return Partition([&](Slot row) { return store_->Compare(row, slot, column_) < 0; });
}

Index::Position Index::GroupEnd(Position position) const {
  const Slot slot = At(position);
  return Partition([&](Slot row) { return store_->Compare(row, slot, column_) <= 0; });
}

void Index::Insert(Slot slot) {
  ++size_;
  if (blocks_.empty()) {
    blocks_.emplace_back().push_back(slot);
    return;
  }
  Position place = Find(slot);
  if (place == End()) {
    place.block = static_cast<uint32_t>(blocks_.size()) - 1;
    place.offset = static_cast<uint32_t>(blocks_.back().size());
  }
  Vector<Slot>& block = blocks_[place.block];
  block.insert(block.begin() + place.offset, slot);
  if (block.size() <= kBlockRows) return;
  // Rows are often inserted in ascending order. So the last block is split near its end: the blocks
  // before it get no more rows, and would stay half empty.
  const bool at_end = place.block + 1 == blocks_.size() && place.offset + 1 == block.size();
  const size_t keep = at_end ? kBlockRows - kMergeRows : kBlockRows / 2;
  Vector<Slot> rest(block.begin() + static_cast<ptrdiff_t>(keep), block.end());
  block.resize(keep);
  blocks_.insert(blocks_.begin() + place.block + 1, std::move(rest));
}

void Index::Remove(Slot slot) {
  const Position place = Find(slot);
  SKERRY_CHECK(place != End() && At(place) == slot);
  --size_;
  Vector<Slot>& block = blocks_[place.block];
  block.erase(block.begin() + place.offset);
  const auto at = blocks_.begin() + place.block;
  if (block.empty()) {
    blocks_.erase(at);
  } else if (block.size() < kMergeRows && place.block + 1 < blocks_.size() &&
             block.size() + (at + 1)->size() <= kBulkRows) {
    block.insert(block.end(), (at + 1)->begin(), (at + 1)->end());
    blocks_.erase(at + 1);
  }
}

size_t Index::Rank(Position position) const {
  size_t rank = position.offset;
  for (uint32_t i = 0; i < position.block; ++i) rank += blocks_[i].size();
  return rank;
}

size_t Index::MemoryBytes() const {
  size_t bytes = blocks_.capacity() * sizeof(Vector<Slot>);
  for (const Vector<Slot>& block : blocks_) bytes += block.capacity() * sizeof(Slot);
  return bytes;
}

IndexWalk::IndexWalk(const Index* index, Index::Position from, Index::Position to, bool descending)
    : index_(index), descending_(descending), from_(from), next_(from), end_(to), group_(to) {
  // Descending: begins with an empty group at the end, so the first Next finds the last group.
  if (descending_) next_ = to;
}

void IndexWalk::StartAfter(Slot slot) {
  const Index::Position place = index_->Find(slot);
  next_ = index_->Next(place);
  if (!descending_) return;
  group_ = index_->GroupStart(place);
  end_ = index_->GroupEnd(place);  // the rest of this group comes first
}

Slot IndexWalk::Next() {
  if (next_ == end_) {
    if (!descending_ || group_ <= from_) return kNoSlot;
    end_ = group_;
    group_ = index_->GroupStart(index_->Previous(group_));
    if (group_ < from_) group_ = from_;
    next_ = group_;
  }
  const Slot slot = index_->At(next_);
  next_ = index_->Next(next_);
  return slot;
}

}  // namespace skerry
