// RowStore: the rows of one table, packed. Rows live in 4 MB arena chunks at a fixed width that the schema decides; an
// open-addressing hash finds them by 128-bit id; strings are in a dictionary (where they repeat) or a heap. A slot names a
// row as long as the row lives, whatever is put or erased beside it. Indexes (index.h) are kept up to date by Put and
// Erase, and are built on first use.
//
// One row per id. Not thread-safe. Views into the store are invalidated by Put, Erase and Load.
#ifndef SKERRY_MODEL_ROW_STORE_H_
#define SKERRY_MODEL_ROW_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

using Slot = uint32_t;
inline constexpr Slot kNoSlot = 0xffffffff;

class Index;

class RowStore {
 public:
  explicit RowStore(const TableDef* table);  // `table` outlives the store
  ~RowStore();
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  const TableDef& table() const { return *table_; }
  size_t size() const;
  Slot slot_limit() const;         // slots are below it; some may be free
  bool IsLive(Slot slot) const;
  Slot Find(std::string_view id) const;  // kNoSlot where there is none

  std::string Id(Slot slot) const;
  Row Get(Slot slot) const;
  Value GetValue(Slot slot, PropIndex column) const;  // props and the system columns
  double ModifiedAt(Slot slot) const;
  // Compares two rows by a column without decoding; null first. REQUIRES: both live.
  int Compare(Slot a, Slot b, PropIndex column) const;
  int CompareIds(Slot a, Slot b) const;

  // Inserts or replaces; a replaced row keeps its slot. REQUIRES: CheckValue and CheckId hold.
  Slot Put(std::string_view id, const Row& row);
  bool Erase(std::string_view id);
  void Clear();

  // The index on a column, built now if it is not there yet.
  Index* GetIndex(PropIndex column);

  // Bytes of arena, hash, strings and indexes; for the stated bytes per row and the growth tests.
  size_t MemoryBytes() const;

  // The packed rows as bytes for an image, and back. Load into an empty store copies whole sections and rebuilds the hash,
  // no row is decoded; into a store that has rows it puts row by row. kCorrupt on anything inconsistent: every offset and
  // count is checked before use. kVersion where the layout fingerprint differs.
  void Save(std::string* out) const;
  Status Load(std::string_view bytes);

 private:
  struct Impl;
  const TableDef* table_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_ROW_STORE_H_
