// Rows as a section of an image. Little-endian throughout.
//
//   section = magic:u32 format:u32 layout-digest:u64 rows:u32 row-width:u32 pools:u32 *pool packed
//   pool    = kind:u8 bytes:u32 content               kind: 1 dictionary, 2 heap (text_pool.cc)
//   packed  = rows * row-width bytes                  the live rows as they are in memory
//                                                     (row_store.h)
//
// Saved pools hold no dead texts. If a pool of the store does, a compact copy of it is saved, and
// the codes in the saved rows are changed to match.
#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/limits.h"
#include "model/collation.h"
#include "model/index.h"
#include "model/row_store.h"

namespace skerry {
namespace {

constexpr uint32_t kMagic = 0x52'4b'53'53u;  // "SSKR"
constexpr uint32_t kFormat = 1;
constexpr uint8_t kDictionary = 1;
constexpr uint8_t kHeap = 2;
constexpr Slot kCheckedRows = 256;

Status Corrupt(const char* what) {
  return {Code::kCorrupt, std::string("rows of an image: ") + what};
}

}  // namespace

uint64_t RowStore::LayoutDigest() const {
  std::string layout;
  PutText(&layout, table_->name);
  PutU8(&layout, table_->custom_ids ? 1 : 0);
  for (size_t i = 0; i < table_->props.size(); ++i) {
    PutText(&layout, table_->props[i].name);
    PutU8(&layout, static_cast<uint8_t>(table_->props[i].type));
    PutU32(&layout, columns_[i].offset);
  }
  return Xxh64(layout);
}

std::string RowStore::PackLiveRows() const {
  std::string rows;
  rows.reserve(size_t{live_} * width_);
  for (Slot slot = 0; slot < slots_;) {
    if (!IsLive(slot)) {
      ++slot;
      continue;
    }
    Slot end = slot + 1;  // end of a run of live rows within one chunk
    while (end < slots_ && (end & chunk_mask_) != 0 && IsLive(end)) ++end;
    rows.append(reinterpret_cast<const char*>(bytes(slot)), size_t{end - slot} * width_);
    slot = end;
  }
  return rows;
}

void RowStore::SavePool(size_t index, std::string* rows, std::string* out) const {
  const TextPool* pool = pools_[index].get();
  TextPool fresh = pool->is_dictionary() ? TextPool() : TextPool::Heap();
  if (!pool->IsCompact()) {
    auto* row = reinterpret_cast<uint8_t*>(rows->data());
    for (const uint8_t* end = row + rows->size(); row != end; row += width_) {
      for (const Column& column : columns_) {
        if (column.pool != pool) continue;
        if (column.packing == Packing::kId) {
          const IdKey key = LoadKey(row + column.offset);
          if (!key.is_pooled()) continue;
          const IdKey moved = PooledIdKey(fresh.Add(pool->Get(key.pool_code())));
          std::memcpy(row + column.offset, &moved, sizeof moved);
        } else if (const uint32_t code = TextCode(column, row)) {
          SetTextCode(column, row, fresh.Add(pool->Get(code)));
        }
      }
    }
    pool = &fresh;
  }
  std::string bytes;
  pool->Save(&bytes);
  PutU8(out, pool->is_dictionary() ? kDictionary : kHeap);
  PutU32(out, static_cast<uint32_t>(bytes.size()));
  *out += bytes;
}

void RowStore::Save(std::string* out) const {
  std::string rows = PackLiveRows();
  PutU32(out, kMagic);
  PutU32(out, kFormat);
  PutU64(out, LayoutDigest());
  PutU32(out, live_);
  PutU32(out, width_);
  PutU32(out, static_cast<uint32_t>(pools_.size()));
  for (size_t i = 0; i < pools_.size(); ++i) SavePool(i, &rows, out);
  *out += rows;
}

Status RowStore::Load(std::string_view bytes, const SharedBytes& image) {
  RowStore loaded(table_);
  SKERRY_RETURN_IF_ERROR(loaded.LoadSections(bytes));
  loaded.image_ = image;
  if (live_ == 0) {
    TakeFrom(&loaded);
    return Status::Ok();
  }
  for (Slot slot = 0; slot < loaded.slots_; ++slot) Put(loaded.Id(slot), loaded.Get(slot));
  return Status::Ok();
}

Status RowStore::LoadSections(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.U32() != kMagic) return Corrupt("not the beginning of a section");
  if (reader.U32() != kFormat) return Status(Code::kVersion, "rows of an image: another format");
  if (reader.U64() != LayoutDigest())
    return Status(Code::kVersion, "rows of an image: another schema");
  const uint32_t count = reader.U32();
  if (reader.U32() != width_ || reader.U32() != pools_.size()) return Corrupt("another layout");
  for (size_t i = 0; i < pools_.size(); ++i) {
    const uint8_t kind = reader.U8();
    const std::string_view texts = reader.Take(reader.U32());
    const bool known = kind == kDictionary || (kind == kHeap && i > kRealmPool);
    if (reader.failed() || !known) return Corrupt("a pool of texts");
    if (!pools_[i]->Load(texts, kind == kDictionary)) return Corrupt("texts");
  }
  if (reader.failed() || reader.remaining() != uint64_t{count} * width_)
    return Corrupt("the number of rows");
  if (count >= kNoSlot - 1) return Corrupt("too many rows");
  AdoptRows(reader.Take(reader.remaining()));
  if (!CheckCells()) return Corrupt("a cell");
  for (const auto& pool : pools_) {
    if (pool->is_dictionary() && !pool->AllUsed()) return Corrupt("texts that no row has");
  }
  return RebuildTable() ? Status::Ok() : Corrupt("two rows of one id");
}

void RowStore::AdoptRows(std::string_view rows) {
  slots_ = live_ = static_cast<uint32_t>(rows.size() / width_);
  // See Load in the header: the store may change its part of the image.
  auto* at = reinterpret_cast<uint8_t*>(const_cast<char*>(rows.data()));
  for (uint32_t left = slots_; left > 0;) {
    const uint32_t count = std::min(left, chunk_mask_ + 1);
    chunks_.push_back({at, count});
    at += size_t{count} * width_;
    left -= count;
  }
}

// Checks some rows at a time, column by column: they stay in the processor's cache, and a browser
// optimises a function that is called often.
bool RowStore::CheckCells() {
  for (Slot slot = 0; slot < slots_;) {
    const Slot end = std::min(slot + kCheckedRows, ChunkEnd(slot));
    for (const Column& column : columns_) {
      if (!CheckColumn(column, slot, end)) return false;
    }
    slot = end;
  }
  return true;
}

// Checks each cell of a column. Other code relies on these properties of packed rows.
bool RowStore::CheckColumn(const Column& column, Slot slot, Slot end) {
  bool good = true;
  const bool is_id = column.packing == Packing::kId && column.offset == 0;
  const bool is_row_time =
      column.packing == Packing::kNumber &&
      (column.offset == kCreatedAtOffset || column.offset == kModifiedAtOffset);
  for (const uint8_t* row = bytes(slot); slot < end && good; ++slot, row += width_) {
    const uint8_t* cell = row + column.offset;
    switch (column.packing) {
      case Packing::kNumber: {
        uint64_t bits;
        std::memcpy(&bits, cell, sizeof bits);
        const bool finite = (bits >> 52 & 0x7ff) != 0x7ff && bits != uint64_t{1} << 63;
        const bool fits = column.kind != ValueKind::kDate || std::abs(LoadF64(cell)) <= kMaxTimeMs;
        good = bits == kNullNumber ? !is_row_time : finite && fits;
        break;
      }
      case Packing::kBool:
        good = *cell <= 2;
        break;
      case Packing::kId:
        good = CheckKeyCell(cell, !is_id);
        break;
      default:
        good = CheckTextCell(column, row);
        break;
    }
  }
  return good;
}

bool RowStore::CheckTextCell(const Column& column, const uint8_t* row) {
  const uint32_t code = TextCode(column, row);
  if (code == 0) return column.packing != Packing::kRealm;
  if (!column.pool->IsValidCode(code)) return false;
  column.pool->Retain(code);
  return true;
}

bool RowStore::CheckKeyCell(const uint8_t* cell, bool nullable) {
  const IdKey key = LoadKey(cell);
  if (key.is_malformed()) return false;
  if (key.is_null()) return nullable;
  if (!key.is_pooled()) return true;
  TextPool* pool = pools_[kIdPool].get();
  if (!pool->IsValidCode(key.pool_code())) return false;
  // A text that fits a key must not be pooled: each id has one key.
  IdKey packed;
  const std::string_view text = pool->Get(key.pool_code());
  if (text.empty() || PackIdText(text, &packed)) return false;
  pool->Retain(key.pool_code());
  return true;
}

bool RowStore::RebuildTable() {
  size_t size = kMinTable;
  while (size_t{live_} * 4 > size * 3) size *= 2;
  hash_.assign(live_ == 0 ? 0 : size, 0);
  const size_t mask = size - 1;
  for (Slot slot = 0; slot < slots_; ++slot) {
    const IdKey key = LoadKey(bytes(slot));
    const uint32_t realm = table_->custom_ids ? RealmCode(slot) : 0;
    size_t i = key.Hash() & mask;
    for (; hash_[i] != 0; i = (i + 1) & mask) {
      if (IsRow(hash_[i] - 1, key, realm)) return false;
    }
    hash_[i] = slot + 1;
  }
  return true;
}

// The pools' objects stay, because columns point at them; their contents are moved.
void RowStore::TakeFrom(RowStore* other) {
  for (size_t i = 0; i < pools_.size(); ++i) pools_[i]->TakeFrom(other->pools_[i].get());
  chunks_ = std::move(other->chunks_);
  image_ = std::move(other->image_);
  hash_ = std::move(other->hash_);
  slots_ = other->slots_;
  live_ = other->live_;
  free_slot_ = other->free_slot_;
  for (const auto& index : indexes_) {
    if (index) index->Build();
  }
  for (Collation* at = collations_.get(); at; at = at->next.get()) at->Clear();
}

}  // namespace skerry
