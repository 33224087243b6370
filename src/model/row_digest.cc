#include "model/row_digest.h"

#include <string>

#include "base/bytes.h"
#include "base/checksum.h"

namespace skerry {
namespace {

void PutCell(const RowStore& store, Slot slot, PropIndex prop, std::string* out) {
  const Column& column = store.column(prop);
  const uint8_t* row = store.bytes(slot);
  if (RowStore::IsNullCell(column, row)) return PutU8(out, 0);
  PutU8(out, 1);
  char buffer[kIdTextBuffer];
  const uint8_t* cell = row + column.offset;
  switch (column.packing) {
    case Packing::kNumber: {
      const double number = RowStore::LoadF64(cell);
      return PutF64(out, number == 0 ? 0 : number);
    }
    case Packing::kBool:
      return PutU8(out, *cell);
    case Packing::kId:
      return PutText(out, store.KeyText(RowStore::LoadKey(cell), buffer));
    default:
      return PutText(out, column.pool->Get(RowStore::TextCode(column, row)));
  }
}

}  // namespace

uint8_t DigestBucket(std::string_view id) { return static_cast<uint8_t>(Xxh64(id)); }

uint64_t DigestRow(const RowStore& store, Slot slot, std::span<const PropIndex> props) {
  std::string cells;
  PutCell(store, slot, kIdColumn, &cells);
  for (const PropIndex prop : props) PutCell(store, slot, prop, &cells);
  PutCell(store, slot, kCreatedAtColumn, &cells);
  PutCell(store, slot, kModifiedAtColumn, &cells);
  return Xxh64(cells);
}

}  // namespace skerry
