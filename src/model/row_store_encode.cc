// Encodes packed rows for JavaScript (docs/internals.md, section 7; the readers are in
// js/core/row-cells.ts). It makes no Value objects, because it runs for every row that is read.
#include <cstring>

#include "base/text.h"
#include "model/row_store.h"

namespace skerry {
namespace {

constexpr size_t kCell = 8;
constexpr size_t kHead = 16;  // in front of several rows
// A limit, because JavaScript may keep the texts of all rows of a call alive for one of them.
constexpr size_t kMostBytes = 64u << 10;

// Writes the place and the length of a text into a cell. A cell that is never written is null.
void PutRange(std::string* out, size_t cell, size_t from, size_t size) {
  const uint32_t range[] = {static_cast<uint32_t>(from), static_cast<uint32_t>(size)};
  std::memcpy(out->data() + cell, range, sizeof range);
}

}  // namespace

// Several rows share one area of texts, which JavaScript decodes at once, and behind it one area of
// bytes. In both, places are counted from 1.
struct RowStore::Batch {
  size_t units = 0;  // UTF-16 units of the texts so far
  std::string bytes;
};

void RowStore::EncodeRow(Slot slot, std::string* out) const {
  out->clear();
  out->resize(columns_.size() * kCell);
  EncodeCells(slot, 0, nullptr, out);
}

void RowStore::EncodeRows(std::span<const Slot> slots, std::string* out) const {
  const size_t row_bytes = columns_.size() * kCell;
  const size_t texts = kHead + slots.size() * row_bytes;
  out->clear();
  out->resize(texts);
  Batch batch;
  size_t rows = 0;
  while (rows < slots.size() && out->size() + batch.bytes.size() <= texts + kMostBytes) {
    EncodeCells(slots[rows], kHead + rows * row_bytes, &batch, out);
    ++rows;
  }
  PutRange(out, 0, texts, out->size());
  PutRange(out, kCell, batch.units, rows);
  out->append(batch.bytes);
}

void RowStore::EncodeCells(Slot slot, size_t cell, Batch* batch, std::string* out) const {
  const uint8_t* row = bytes(slot);
  char buffer[kIdTextBuffer];
  for (size_t i = 0; i < columns_.size(); ++i, cell += kCell) {
    const Column& column = columns_[i];
    const uint8_t* from = row + column.offset;
    if (column.packing == Packing::kNumber) {
      std::memcpy(out->data() + cell, from, kCell);
      continue;
    }
    if (column.packing == Packing::kBool) {
      out->data()[cell] = static_cast<char>(*from);
      continue;
    }
    if (IsNullCell(column, row)) continue;
    const std::string_view text = column.packing == Packing::kId
                                      ? KeyText(LoadKey(from), buffer)
                                      : column.pool->Get(TextCode(column, row));
    if (batch == nullptr) {
      PutRange(out, cell, out->size(), text.size());
      out->append(text);
    } else if (column.kind == ValueKind::kBytes) {
      PutRange(out, cell, batch->bytes.size() + 1, text.size());
      batch->bytes.append(text);
    } else {
      const size_t units = Utf16Size(text);
      PutRange(out, cell, batch->units + 1, units);
      batch->units += units;
      out->append(text);
    }
  }
}

}  // namespace skerry
