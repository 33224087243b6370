// Index: the rows of one store ordered by one column, ties by id ascending. It serves equality,
// ranges, ranks, and walks in both directions. It holds slots only, in blocks of up to 512 (about 5
// bytes a row), and compares rows through the store. A look-up in 100,000 rows costs about 17
// comparisons of packed cells. An update costs the same, and moves part of one block.
//
// The store owns it. It calls Remove before it changes a row, and Insert after the change.
#ifndef SKERRY_MODEL_INDEX_H_
#define SKERRY_MODEL_INDEX_H_

#include <cstdint>

#include "base/vector.h"
#include "model/keyed_sort.h"
#include "model/row_store.h"

namespace skerry {

class Index final : public RowOrder {
 public:
  // A place between two rows of the index. Valid until the next Insert or Remove.
  struct Position {
    uint32_t block = 0;
    uint32_t offset = 0;
    friend bool operator==(const Position&, const Position&) = default;
    friend auto operator<=>(const Position&, const Position&) = default;
  };

  Index(const RowStore* store, PropIndex column);

  void Build();  // sorts all live rows
  void Insert(Slot slot);
  void Remove(Slot slot);

  Position Begin() const { return {0, 0}; }
  Position End() const { return {static_cast<uint32_t>(blocks_.size()), 0}; }
  Position LowerBound(const Probe& probe) const;  // before the first row that is not less
  Position UpperBound(const Probe& probe) const;  // before the first row that is greater
  Position Find(Slot slot) const;                 // before that row. REQUIRES: the row is indexed
  // The first row with the same value as the row at `position`.
  Position GroupStart(Position position) const;
  // After the last row with the same value as the row at `position`.
  Position GroupEnd(Position position) const;

  Slot At(Position position) const { return blocks_[position.block][position.offset]; }
  Position Next(Position position) const {
    if (++position.offset == blocks_[position.block].size()) return {position.block + 1, 0};
    return position;
  }
  Position Previous(Position position) const {  // REQUIRES: position != Begin()
    if (position.offset > 0) return {position.block, position.offset - 1};
    return {position.block - 1, static_cast<uint32_t>(blocks_[position.block - 1].size()) - 1};
  }
  size_t Rank(Position position) const;  // rows before it

  // Compares by value, then by id.
  int CompareRows(Slot a, Slot b) const override;
  bool IsExact(uint64_t key) const override { return IsExactKey(store_->column(column_), key); }

  PropIndex column() const { return column_; }
  size_t size() const { return size_; }
  size_t MemoryBytes() const;

 private:
  template <typename IsBefore>
  Position Partition(IsBefore is_before) const;

  const RowStore* store_;
  PropIndex column_;
  size_t size_ = 0;
  Vector<Vector<Slot>> blocks_;  // none is empty
};

// Walks the rows between two positions in the order of the column, ascending or descending, ties by
// id ascending in both.
class IndexWalk {
 public:
  IndexWalk(const Index* index, Index::Position from, Index::Position to, bool descending);
  // Begins after `slot`. REQUIRES: the row is indexed; the walk is over the whole index; Next was
  // not called yet.
  void StartAfter(Slot slot);
  Slot Next();  // kNoSlot at the end

 private:
  const Index* index_;
  bool descending_;
  Index::Position from_;  // descending: the walk ends here
  Index::Position next_;
  Index::Position end_;    // ascending: end of the walk; descending: end of the current group
  Index::Position group_;  // descending: start of the current group
};

}  // namespace skerry

#endif  // SKERRY_MODEL_INDEX_H_
