#include "model/keyed_sort.h"

#include "base/sort.h"
#include "base/vector.h"

namespace skerry {
namespace {

// For shorter lists the passes of a radix sort cost more than they save.
constexpr size_t kShort = 256;

uint32_t ByteOf(const KeyedRow& row, int byte) {
  const uint64_t key = byte < 8 ? row.id_key : row.key;
  return static_cast<uint32_t>(key >> (byte % 8 * 8)) & 0xff;
}

// One stable pass. Returns false, and does nothing, if all rows have the same byte.
bool Pass(int byte, const Vector<KeyedRow>& from, Vector<KeyedRow>* to) {
  uint32_t starts[256] = {};
  for (const KeyedRow& row : from) ++starts[ByteOf(row, byte)];
  if (starts[ByteOf(from[0], byte)] == from.size()) return false;
  uint32_t sum = 0;
  for (uint32_t& start : starts) {
    const uint32_t count = start;
    start = sum;
    sum += count;
  }
  for (const KeyedRow& row : from) (*to)[starts[ByteOf(row, byte)]++] = row;
  return true;
}

void RadixSort(Vector<KeyedRow>* rows) {
  Vector<KeyedRow> other(rows->size());
  for (int byte = 0; byte < 16; ++byte) {
    if (Pass(byte, *rows, &other)) rows->swap(other);
  }
}

}  // namespace

bool IsExactKey(const Column& column, uint64_t key) {
  if (column.packing == Packing::kNumber || column.packing == Packing::kBool) return true;
  // A text of up to 7 bytes fits a key completely: texts hold no U+0000, so the padding is not
  // taken for a part of one. Key 0 is null or the empty text.
  const bool is_text = column.packing != Packing::kId && column.kind == ValueKind::kString;
  return is_text && key != 0 && (key & 0xff) == 0;
}

void KeyedSort(const RowOrder& order, Vector<KeyedRow>* rows) {
  const auto before = [&order](const KeyedRow& a, const KeyedRow& b) {
    return a.key != b.key ? a.key < b.key : order.CompareRows(a.slot, b.slot) < 0;
  };
  if (rows->size() < kShort) {
    Sort(rows->begin(), rows->end(), before);
    return;
  }
  RadixSort(rows);
  // Rows with equal keys are now next to each other: sort each run by comparing its rows.
  for (size_t i = 0; i < rows->size();) {
    const KeyedRow& first = (*rows)[i];
    const bool exact = order.IsExact(first.key);
    size_t end = i + 1;
    while (end < rows->size() && (*rows)[end].key == first.key &&
           (!exact || (*rows)[end].id_key == first.id_key)) {
      ++end;
    }
    const auto begin = rows->begin();
    Sort(begin + static_cast<ptrdiff_t>(i), begin + static_cast<ptrdiff_t>(end), before);
    i = end;
  }
}

}  // namespace skerry
