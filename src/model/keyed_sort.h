// KeyedSort: sorts rows of a store, long lists too, by numbers taken from them once, and compares
// rows themselves only where the numbers do not decide. One radix sort for all, instead of an
// instantiation of std::sort a place.
#ifndef SKERRY_MODEL_KEYED_SORT_H_
#define SKERRY_MODEL_KEYED_SORT_H_

#include <cstdint>

#include "base/vector.h"
#include "model/row_store.h"

namespace skerry {

struct KeyedRow {
  uint64_t key;     // orders by the value, as far as it reaches (RowStore::SortKey)
  uint64_t id_key;  // orders by the id, as far as it reaches
  Slot slot;
};

class RowOrder {
 public:
  virtual ~RowOrder() = default;
  virtual int CompareRows(Slot a, Slot b) const = 0;
  // Do equal keys mean that only the ids are left to decide?
  virtual bool IsExact(uint64_t key) const = 0;
};

void KeyedSort(const RowOrder& order, Vector<KeyedRow>* rows);

// For IsExact: do equal keys of the column mean equal values?
bool IsExactKey(const Column& column, uint64_t key);

}  // namespace skerry

#endif  // SKERRY_MODEL_KEYED_SORT_H_
