// KeyedSort: sorts rows of a store, also long lists. It sorts by numeric keys that are computed
// once per row, and compares the rows themselves only if their keys are equal. All callers share
// one radix sort, instead of one instantiation of std::sort each.
#ifndef SKERRY_MODEL_KEYED_SORT_H_
#define SKERRY_MODEL_KEYED_SORT_H_

#include <cstdint>

#include "base/vector.h"
#include "model/row_store.h"

namespace skerry {

struct KeyedRow {
  uint64_t key;     // orders by the value, as far as 64 bits can (RowStore::SortKey)
  uint64_t id_key;  // orders by the id, as far as 64 bits can
  Slot slot;
};

class RowOrder {
 public:
  virtual ~RowOrder() = default;
  virtual int CompareRows(Slot a, Slot b) const = 0;
  // Whether rows with this key differ in their ids only.
  virtual bool IsExact(uint64_t key) const = 0;
};

void KeyedSort(const RowOrder& order, Vector<KeyedRow>* rows);

// For IsExact: whether all rows with this key have the same value in the column.
bool IsExactKey(const Column& column, uint64_t key);

}  // namespace skerry

#endif  // SKERRY_MODEL_KEYED_SORT_H_
