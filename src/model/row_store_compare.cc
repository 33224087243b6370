// Compares rows of a store without decoding them.
#include <algorithm>
#include <bit>
#include <cmath>

#include "model/collation.h"
#include "model/row_store.h"

namespace skerry {
namespace {

// Maps doubles to unsigned numbers that have the same order.
uint64_t OrderedBits(double v) {
  const auto bits = std::bit_cast<uint64_t>(v);
  return bits >> 63 ? ~bits : bits | (uint64_t{1} << 63);
}

uint64_t TextPrefix(std::string_view text) {
  uint64_t prefix = 0;
  const size_t size = std::min<size_t>(text.size(), 8);
  for (size_t i = 0; i < size; ++i) {
    prefix |= static_cast<uint64_t>(static_cast<unsigned char>(text[i])) << (56 - 8 * i);
  }
  return prefix;
}

int Sign(int v) { return v < 0 ? -1 : v > 0; }

int CompareNumbers(double a, double b) {
  const bool a_null = std::isnan(a);
  const bool b_null = std::isnan(b);
  if (a_null || b_null) return static_cast<int>(b_null) - static_cast<int>(a_null);
  return a < b ? -1 : a > b;
}

}  // namespace

int RowStore::CompareKeys(const IdKey& a, const IdKey& b) const {
  if (a == b) return 0;
  if (a.is_null() || b.is_null()) return a.is_null() ? -1 : 1;
  if ((a.is_uuid() && b.is_uuid()) || (a.is_inline() && b.is_inline())) {
    if (a.high != b.high) return a.high < b.high ? -1 : 1;
    // The top byte of an inline key is not part of the text. The top two bits of UUIDs are equal.
    const int unused = a.is_uuid() ? 0 : 8;
    return (a.low << unused) < (b.low << unused) ? -1 : 1;
  }
  char a_buffer[kIdTextBuffer];
  char b_buffer[kIdTextBuffer];
  return Sign(KeyText(a, a_buffer).compare(KeyText(b, b_buffer)));
}

int RowStore::CompareIds(Slot a, Slot b) const {
  const int compared = CompareKeys(LoadKey(bytes(a)), LoadKey(bytes(b)));
  return compared == 0 && table_->custom_ids ? Compare(a, b, kRealmColumn) : compared;
}

int RowStore::Compare(Slot a, Slot b, PropIndex index) const {
  const Column& column = this->column(index);
  const uint8_t* row_a = bytes(a);
  const uint8_t* row_b = bytes(b);
  switch (column.packing) {
    case Packing::kNumber:
      return CompareNumbers(LoadF64(row_a + column.offset), LoadF64(row_b + column.offset));
    case Packing::kBool:
      return static_cast<int>(row_a[column.offset]) - static_cast<int>(row_b[column.offset]);
    case Packing::kId:
      return CompareKeys(LoadKey(row_a + column.offset), LoadKey(row_b + column.offset));
    default:
      break;
  }
  const uint32_t code_a = TextCode(column, row_a);
  const uint32_t code_b = TextCode(column, row_b);
  if (code_a == code_b) return 0;
  if (code_a == 0 || code_b == 0) return code_a == 0 ? -1 : 1;
  return Sign(column.pool->Get(code_a).compare(column.pool->Get(code_b)));
}

Collation* RowStore::GetCollation(PropIndex column, uint32_t locale) {
  std::unique_ptr<Collation>* at = &collations_;
  while (*at && ((*at)->column() != column || (*at)->locale() != locale)) at = &(*at)->next;
  if (!*at) *at = std::make_unique<Collation>(this, column, locale);
  return at->get();
}

// Call before a row is replaced by `fresh`, or, if that is null, erased.
void RowStore::ForgetRanks(Slot slot, const uint8_t* fresh) {
  for (Collation* collation = collations_.get(); collation; collation = collation->next.get()) {
    const Column& column = columns_[collation->column()];
    if (!fresh || TextCode(column, bytes(slot)) != TextCode(column, fresh)) collation->Forget(slot);
  }
}

Probe RowStore::MakeProbe(PropIndex index, const Value& value) const {
  Probe probe;
  probe.is_null = value.is_null();
  if (probe.is_null) return probe;
  const Column& column = this->column(index);
  if (column.packing == Packing::kId) return MakeIdProbe(value.text());
  probe.number = column.packing == Packing::kBool ? (value.boolean() ? 2 : 1) : value.number();
  probe.text = value.text();
  return probe;
}

Probe RowStore::MakeIdProbe(std::string_view id) const {
  Probe probe;
  probe.is_null = false;
  probe.text = id;
  probe.key = FindKey(id);
  return probe;
}

int RowStore::CompareProbe(Slot slot, const Column& column, const Probe& probe) const {
  const uint8_t* row = bytes(slot);
  const uint8_t* cell = row + column.offset;
  std::string_view text;
  char buffer[kIdTextBuffer];
  switch (column.packing) {
    case Packing::kNumber: {
      const double v = LoadF64(cell);
      if (probe.is_null || std::isnan(v)) return static_cast<int>(probe.is_null) - std::isnan(v);
      return v < probe.number ? -1 : v > probe.number;
    }
    case Packing::kBool:
      return static_cast<int>(*cell) - (probe.is_null ? 0 : static_cast<int>(probe.number));
    case Packing::kId: {
      const IdKey key = LoadKey(cell);
      if (probe.is_null || key.is_null()) return static_cast<int>(probe.is_null) - key.is_null();
      if (!probe.key.is_null()) return CompareKeys(key, probe.key);
      text = KeyText(key, buffer);
      break;
    }
    default: {
      const uint32_t code = TextCode(column, row);
      if (probe.is_null || code == 0) return static_cast<int>(probe.is_null) - (code == 0);
      text = column.pool->Get(code);
      break;
    }
  }
  return Sign(text.compare(probe.text));
}

uint64_t RowStore::SortKey(Slot slot, const Column& column) const {
  const uint8_t* row = bytes(slot);
  const uint8_t* cell = row + column.offset;
  switch (column.packing) {
    case Packing::kNumber: {
      const double v = LoadF64(cell);
      return std::isnan(v) ? 0 : OrderedBits(v);
    }
    case Packing::kBool:
      return *cell;
    case Packing::kId: {
      const IdKey key = LoadKey(cell);
      if (key.is_inline() || key.is_null()) return key.high;
      // If all ids are UUIDs, their bits have the same order as their texts. 8 bytes of the bits
      // distinguish more ids than 8 characters of the text.
      const bool only_uuids =
          column.offset == 0 && !table_->custom_ids && pools_[kIdPool]->size() == 0;
      if (only_uuids) return key.high;
      char buffer[kIdTextBuffer];
      return TextPrefix(KeyText(key, buffer));
    }
    default: {
      const uint32_t code = TextCode(column, row);
      return code == 0 ? 0 : TextPrefix(column.pool->Get(code));
    }
  }
}

}  // namespace skerry
