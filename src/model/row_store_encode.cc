// Cells as Data (base/data.h) without a value in between: this runs for every row that is read.
#include "base/bytes.h"
#include "model/row_store.h"

namespace skerry {
namespace {

constexpr uint8_t kTagNumber = 3;

uint8_t TagOf(ValueKind kind) {
  return kind == ValueKind::kJson ? 9 : kind == ValueKind::kBytes ? 6 : 5;
}

}  // namespace

void RowStore::EncodeCell(Slot slot, PropIndex index, String* out) const {
  const Column& column = this->column(index);
  const uint8_t* row = bytes(slot);
  const uint8_t* cell = row + column.offset;
  char buffer[kIdTextBuffer];
  if (IsNullCell(column, row)) return PutU8(out, 0);
  switch (column.packing) {
    case Packing::kNumber:
      PutU8(out, kTagNumber);
      return PutF64(out, LoadF64(cell));
    case Packing::kBool:
      return PutU8(out, *cell);  // the tags are the codes
    case Packing::kId:
      PutU8(out, TagOf(column.kind));
      return PutText(out, KeyText(LoadKey(cell), buffer));
    default:
      PutU8(out, TagOf(column.kind));
      return PutText(out, column.pool->Get(TextCode(column, row)));
  }
}

}  // namespace skerry
