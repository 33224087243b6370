// A row as it crosses to JavaScript, without a value in between: this runs for every row that is
// read (docs/internals.md, section 7; the reader is js/core/row-cells.ts).
#include <cstring>

#include "model/row_store.h"

namespace skerry {
namespace {

constexpr size_t kCell = 8;

// Where a text is among the bytes, and how long it is; 0 says that there is none.
void SetText(String* out, size_t cell, std::string_view text) {
  const auto at = static_cast<uint32_t>(out->size());
  const auto size = static_cast<uint32_t>(text.size());
  out->append(text);
  char* to = out->mutable_data() + cell;
  std::memcpy(to, &at, sizeof at);
  std::memcpy(to + sizeof at, &size, sizeof size);
}

}  // namespace

void RowStore::EncodeRow(Slot slot, String* out) const {
  const uint8_t* row = bytes(slot);
  out->clear();
  out->resize(columns_.size() * kCell);
  char buffer[kIdTextBuffer];
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const uint8_t* from = row + column.offset;
    const size_t cell = i * kCell;
    switch (column.packing) {
      case Packing::kNumber:
        std::memcpy(out->mutable_data() + cell, from, kCell);
        break;
      case Packing::kBool:
        out->mutable_data()[cell] = static_cast<char>(*from);
        break;
      case Packing::kId:
        if (const IdKey key = LoadKey(from); !key.is_null()) {
          SetText(out, cell, KeyText(key, buffer));
        }
        break;
      default:
        if (const uint32_t code = TextCode(column, row); code != 0) {
          SetText(out, cell, column.pool->Get(code));
        }
    }
  }
}

}  // namespace skerry
