// Goal: sk_row and sk_rows give a row to JavaScript as it is in the store.
#include <doctest/doctest.h>

#include <cstring>
#include <span>
#include <string>

#include "base/text.h"
#include "base/vector.h"
#include "model/row_store.h"
#include "test/core/model/world.h"

namespace skerry {
namespace {

// The columns in the order of cells.
PropIndex ColumnAt(const RowStore& store, size_t cell) {
  const size_t props = store.table().props.size();
  constexpr PropIndex kSystem[] = {kIdColumn, kRealmColumn, kCreatedAtColumn, kModifiedAtColumn};
  return cell < props ? static_cast<PropIndex>(cell) : kSystem[cell - props];
}

// Checks that every cell of sk_row equals the row's value.
void CheckCells(const RowStore& store) {
  Vector<PropIndex> columns;
  for (size_t i = 0; i < store.table().props.size() + 4; ++i) columns.push_back(ColumnAt(store, i));
  std::string out;
  for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
    if (!store.IsLive(slot)) continue;
    store.EncodeRow(slot, &out);
    size_t end = columns.size() * 8;
    for (size_t i = 0; i < columns.size(); ++i) {
      const Value value = store.GetValue(slot, columns[i]);
      const auto* cell = reinterpret_cast<const uint8_t*>(out.data()) + i * 8;
      const double number = RowStore::LoadF64(cell);
      const uint32_t at = RowStore::LoadU32(cell);
      const ValueKind kind = store.column(columns[i]).kind;
      if (kind == ValueKind::kNumber || kind == ValueKind::kDate) {
        REQUIRE((number != number) == value.is_null());
        if (!value.is_null()) REQUIRE(number == value.number());
      } else if (kind == ValueKind::kBool) {
        REQUIRE(*cell == (value.is_null() ? 0 : value.boolean() ? 2 : 1));
      } else if (value.is_null()) {
        REQUIRE(at == 0);
      } else {
        REQUIRE(at == end);
        end += RowStore::LoadU32(cell + 4);
        REQUIRE(out.substr(at, end - at) == value.text());
      }
    }
    REQUIRE(out.size() == end);
  }
}

// Checks that sk_rows gives the same as sk_row for each row; texts are counted in UTF-16 units.
// Returns the number of rows.
size_t CheckSomeRows(const RowStore& store, std::span<const Slot> slots) {
  std::string out;
  store.EncodeRows(slots, &out);
  const auto* head = reinterpret_cast<const uint8_t*>(out.data());
  const size_t texts = RowStore::LoadU32(head);
  const size_t behind = RowStore::LoadU32(head + 4);
  const size_t rows = RowStore::LoadU32(head + 12);
  const size_t row_bytes = (store.table().props.size() + 4) * 8;
  REQUIRE(texts == 16 + slots.size() * row_bytes);
  REQUIRE(rows > 0);
  REQUIRE(rows <= slots.size());
  std::string one;
  size_t text_at = texts;
  size_t units = 0;
  size_t bytes = 0;
  for (size_t row = 0; row < rows; ++row) {
    store.EncodeRow(slots[row], &one);
    for (size_t cell = 0; cell < row_bytes; cell += 8) {
      const auto* many = reinterpret_cast<const uint8_t*>(out.data()) + 16 + row * row_bytes + cell;
      const auto* alone = reinterpret_cast<const uint8_t*>(one.data()) + cell;
      const ValueKind kind = store.column(ColumnAt(store, cell / 8)).kind;
      const bool is_text = kind == ValueKind::kString || kind == ValueKind::kJson;
      if ((!is_text && kind != ValueKind::kBytes) || RowStore::LoadU32(alone) == 0) {
        REQUIRE(std::memcmp(many, alone, 8) == 0);
        continue;
      }
      const std::string_view text =
          std::string_view(one).substr(RowStore::LoadU32(alone), RowStore::LoadU32(alone + 4));
      if (is_text) {
        REQUIRE(RowStore::LoadU32(many) == units + 1);
        REQUIRE(RowStore::LoadU32(many + 4) == Utf16Size(text));
        REQUIRE(out.substr(text_at, text.size()) == text);
        text_at += text.size();
        units += Utf16Size(text);
      } else {
        REQUIRE(RowStore::LoadU32(many) == bytes + 1);
        REQUIRE(RowStore::LoadU32(many + 4) == text.size());
        REQUIRE(out.substr(behind + bytes, text.size()) == text);
        bytes += text.size();
      }
    }
  }
  REQUIRE(text_at == behind);
  REQUIRE(RowStore::LoadU32(head + 8) == units);
  REQUIRE(out.size() == behind + bytes);
  // One more row may be larger than all rows before it.
  REQUIRE((rows == slots.size() || out.size() - texts > 65536));
  return rows;
}

void CheckRows(const RowStore& store) {
  Vector<Slot> slots;
  for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
    if (store.IsLive(slot)) slots.push_back(slot);
  }
  std::span<const Slot> rest(slots.data(), slots.size());
  while (!rest.empty()) rest = rest.subspan(CheckSomeRows(store, rest));
}

TEST_CASE("encodes every cell of a row the same alone and among other rows") {
  ModelWorld world;
  Random random("cells");
  for (const TableIndex table : {kCities, kPeople, kVisits}) {
    RowStore& store = world.store(table);
    for (int i = 0; i < 3000; ++i) {
      const std::string id = RandomId(&random, table, 1000);
      if (random.Below(3) == 0) {
        store.Erase(id);
      } else {
        store.Put(id, RandomRow(&random, table, 1000, 1000));
      }
    }
    CheckCells(store);
    CheckRows(store);
  }
}

}  // namespace
}  // namespace skerry
