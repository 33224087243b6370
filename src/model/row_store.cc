#include "model/row_store.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "model/collation.h"
#include "model/index.h"

namespace skerry {
namespace {

static_assert(std::endian::native == std::endian::little, "packed rows are little-endian");

constexpr size_t kChunkBytes = 4u << 20;
constexpr uint32_t kFirstRows = 16;  // first capacity of the first chunk
// To build an index over 100,000 rows took as long as 4 scans by an unindexed column.
constexpr uint32_t kManyRows = 8192;
constexpr uint8_t kScans = 3;

void StoreF64(uint8_t* cell, double v) {
  v += 0.0;  // -0 becomes 0: equal numbers have equal bits.
  std::memcpy(cell, &v, sizeof v);
}

Column ColumnOf(PropType type) {
  switch (type) {
    case PropType::kNumber:
      return {Packing::kNumber, ValueKind::kNumber, 0, 8, nullptr};
    case PropType::kDate:
      return {Packing::kNumber, ValueKind::kDate, 0, 8, nullptr};
    case PropType::kBoolean:
      return {Packing::kBool, ValueKind::kBool, 0, 1, nullptr};
    case PropType::kRef:
      return {Packing::kId, ValueKind::kString, 0, 16, nullptr};
    case PropType::kBytes:
      return {Packing::kText, ValueKind::kBytes, 0, 4, nullptr};
    case PropType::kJson:
    case PropType::kClass:
      return {Packing::kText, ValueKind::kJson, 0, 4, nullptr};
    default:
      return {Packing::kText, ValueKind::kString, 0, 4, nullptr};
  }
}

}  // namespace

RowStore::RowStore(const TableDef* table) : table_(table) { LayOut(); }

RowStore::~RowStore() = default;

void RowStore::LayOut() {
  pools_.push_back(std::make_unique<TextPool>());
  pools_.push_back(std::make_unique<TextPool>());
  for (const PropDef& prop : table_->props) {
    Column column = ColumnOf(prop.type);
    if (column.packing == Packing::kId) column.pool = pools_[kIdPool].get();
    if (column.packing == Packing::kText) {
      pools_.push_back(std::make_unique<TextPool>());
      column.pool = pools_.back().get();
    }
    columns_.push_back(column);
  }
  uint32_t offset = kHeaderBytes;
  for (const uint32_t size : {16u, 8u, 4u, 1u}) {
    for (Column& column : columns_) {
      if (column.size != size) continue;
      column.offset = offset;
      offset += size;
    }
  }
  TextPool* ids = pools_[kIdPool].get();
  columns_.push_back({Packing::kId, ValueKind::kString, 0, 16, ids});
  columns_.push_back(
      {Packing::kRealm, ValueKind::kString, kMetaOffset, 8, pools_[kRealmPool].get()});
  columns_.push_back({Packing::kNumber, ValueKind::kDate, kCreatedAtOffset, 8, nullptr});
  columns_.push_back({Packing::kNumber, ValueKind::kDate, kModifiedAtOffset, 8, nullptr});
  width_ = (offset + 3) / 4 * 4;
  while ((size_t{width_} << (chunk_shift_ + 1)) <= kChunkBytes) ++chunk_shift_;
  chunk_mask_ = (1u << chunk_shift_) - 1;
  scratch_.resize(width_);
  indexes_.resize(columns_.size());
  unindexed_scans_.resize(columns_.size());
  reindex_.resize(columns_.size());
}

// ---- Look-up

bool RowStore::IsRow(Slot slot, const IdKey& key, uint32_t realm) const {
  const uint8_t* row = bytes(slot);
  return LoadKey(row) == key && (realm == 0 || RealmCode(slot) == realm);
}

Slot RowStore::Find(std::string_view id, std::string_view realm) const {
  const IdKey key = FindKey(id);
  if (key.is_null() || hash_.empty()) return kNoSlot;
  uint32_t code = 0;
  if (table_->custom_ids && !realm.empty()) {
    code = pools_[kRealmPool]->Find(realm);
    if (code == 0) return kNoSlot;
  }
  const bool is_one = code != 0 || !table_->custom_ids;
  Slot first = kNoSlot;
  const size_t mask = hash_.size() - 1;
  for (size_t i = key.Hash() & mask; hash_[i] != 0; i = (i + 1) & mask) {
    const Slot slot = hash_[i] - 1;
    if (!IsRow(slot, key, code)) continue;
    if (is_one) return slot;
    if (first == kNoSlot || CompareIds(slot, first) < 0) first = slot;
  }
  return first;
}

void RowStore::FindAll(std::string_view id, Vector<Slot>* slots) const {
  const IdKey key = FindKey(id);
  if (key.is_null() || hash_.empty()) return;
  const size_t mask = hash_.size() - 1;
  for (size_t i = key.Hash() & mask; hash_[i] != 0; i = (i + 1) & mask) {
    if (IsRow(hash_[i] - 1, key, 0)) slots->push_back(hash_[i] - 1);
  }
}

IdKey RowStore::FindKey(std::string_view id) const {
  IdKey key;
  if (id.empty() || PackIdText(id, &key)) return key;
  const uint32_t code = pools_[kIdPool]->Find(id);
  return code ? PooledIdKey(code) : IdKey();
}

IdKey RowStore::AddKey(std::string_view id) {
  IdKey key;
  if (id.empty() || PackIdText(id, &key)) return key;
  return PooledIdKey(pools_[kIdPool]->Add(id));
}

void RowStore::ReleaseKey(const IdKey& key) {
  if (key.is_pooled()) pools_[kIdPool]->Release(key.pool_code());
}

std::string_view RowStore::KeyText(const IdKey& key, char buffer[kIdTextBuffer]) const {
  return key.is_pooled() ? pools_[kIdPool]->Get(key.pool_code()) : UnpackIdText(key, buffer);
}

std::string_view RowStore::IdView(Slot slot, char buffer[kIdTextBuffer]) const {
  return KeyText(LoadKey(bytes(slot)), buffer);
}

std::string RowStore::Id(Slot slot) const {
  char buffer[kIdTextBuffer];
  return std::string(IdView(slot, buffer));
}

ObjectKey RowStore::Key(Slot slot) const {
  ObjectKey key{table_->index, Id(slot)};
  if (table_->custom_ids) key.realm = pools_[kRealmPool]->Get(RealmCode(slot));
  return key;
}

// ---- Decoding

Value RowStore::GetValue(Slot slot, PropIndex index) const {
  const Column& column = this->column(index);
  const uint8_t* row = bytes(slot);
  const uint8_t* cell = row + column.offset;
  switch (column.packing) {
    case Packing::kNumber: {
      const double v = LoadF64(cell);
      if (std::isnan(v)) return Value::Null();
      return column.kind == ValueKind::kDate ? Value::Date(v) : Value::Number(v);
    }
    case Packing::kBool:
      return *cell == 0 ? Value::Null() : Value::Bool(*cell == 2);
    case Packing::kId: {
      const IdKey key = LoadKey(cell);
      char buffer[kIdTextBuffer];
      return key.is_null() ? Value::Null() : Value::String(std::string(KeyText(key, buffer)));
    }
    default:
      break;
  }
  const uint32_t code = TextCode(column, row);
  if (code == 0) return Value::Null();
  std::string text(column.pool->Get(code));
  if (column.kind == ValueKind::kBytes) return Value::Bytes(std::move(text));
  return column.kind == ValueKind::kJson ? Value::Json(std::move(text))
                                         : Value::String(std::move(text));
}

Row RowStore::Get(Slot slot) const {
  const uint8_t* bytes = this->bytes(slot);
  Row row;
  row.realm = pools_[kRealmPool]->Get(static_cast<uint32_t>(Meta(bytes) & kRealmMask));
  row.created_at = LoadF64(bytes + kCreatedAtOffset);
  row.modified_at = LoadF64(bytes + kModifiedAtOffset);
  row.revision = Meta(bytes) >> kRealmBits;
  row.props.reserve(table_->props.size());
  for (size_t i = 0; i < table_->props.size(); ++i) {
    row.props.push_back(GetValue(slot, static_cast<PropIndex>(i)));
  }
  return row;
}

// ---- Changing

void RowStore::SetTextCode(const Column& column, uint8_t* row, uint32_t code) {
  if (column.packing == Packing::kText) {
    std::memcpy(row + column.offset, &code, sizeof code);
    return;
  }
  SKERRY_CHECK(code <= kRealmMask);
  const uint64_t meta = (Meta(row) & ~kRealmMask) | code;
  std::memcpy(row + kMetaOffset, &meta, sizeof meta);
}

// A text that does not change keeps its code, so that equal cells have equal bytes.
void RowStore::PackText(const Column& column, std::string_view text, const uint8_t* old,
                        uint8_t* out) {
  const uint32_t old_code = old ? TextCode(column, old) : 0;
  const bool same = old_code != 0 && column.pool->Get(old_code) == text;
  SetTextCode(column, out, same ? old_code : column.pool->Add(text));
}

void RowStore::PackCell(const Column& column, const Value& value, const uint8_t* old,
                        uint8_t* out) {
  uint8_t* cell = out + column.offset;
  switch (column.packing) {
    case Packing::kNumber:
      if (value.is_null()) {
        std::memcpy(cell, &kNullNumber, sizeof kNullNumber);
      } else {
        StoreF64(cell, value.number());
      }
      break;
    case Packing::kBool:
      *cell = value.is_null() ? 0 : value.boolean() ? 2 : 1;
      break;
    case Packing::kId: {
      IdKey key;
      if (old) key = LoadKey(old + column.offset);
      // An unchanged pooled id keeps its reference.
      if (!key.is_pooled() || KeyText(key, nullptr) != value.text()) key = AddKey(value.text());
      std::memcpy(cell, &key, sizeof key);
      break;
    }
    default:
      if (!value.is_null()) PackText(column, value.text(), old, out);
      break;
  }
}

void RowStore::PackRow(const Row& row, const uint8_t* old, uint8_t* out) {
  StoreF64(out + kCreatedAtOffset, row.created_at);
  StoreF64(out + kModifiedAtOffset, row.modified_at);
  const uint64_t meta = row.revision << kRealmBits;
  SKERRY_CHECK(meta >> kRealmBits == row.revision);
  std::memcpy(out + kMetaOffset, &meta, sizeof meta);
  PackText(column(kRealmColumn), row.realm, old, out);
  for (size_t i = 0; i < table_->props.size(); ++i) PackCell(columns_[i], row.props[i], old, out);
}

// Releases the texts of a row, except those that `kept` still uses. `kept` is the new version of
// the row, or null.
void RowStore::ReleaseCells(const uint8_t* row, const uint8_t* kept) {
  for (const Column& column : columns_) {
    if (column.packing == Packing::kId) {
      const IdKey key = LoadKey(row + column.offset);
      if (!kept || LoadKey(kept + column.offset) != key) ReleaseKey(key);
    } else if (column.pool) {
      const uint32_t code = TextCode(column, row);
      if (code != 0 && (!kept || TextCode(column, kept) != code)) column.pool->Release(code);
    }
  }
}

Slot RowStore::Put(std::string_view id, const Row& row) {
  SKERRY_CHECK(row.props.size() == table_->props.size());
  Slot slot = Find(id, row.realm);
  const bool is_new = slot == kNoSlot;
  uint8_t* fresh = scratch_.data();
  std::fill(scratch_.begin(), scratch_.end(), uint8_t{0});
  const uint8_t* old = is_new ? nullptr : bytes(slot);
  const IdKey key = is_new ? AddKey(id) : LoadKey(old);
  SKERRY_CHECK(!key.is_null());
  std::memcpy(fresh, &key, sizeof key);
  PackRow(row, old, fresh);
  if (is_new) slot = NewSlot();
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (!indexes_[i]) continue;
    const Column& column = columns_[i];
    reindex_[i] = !old || std::memcmp(old + column.offset, fresh + column.offset, column.size) != 0;
    if (old && reindex_[i]) indexes_[i]->Remove(slot);
  }
  if (old) ForgetRanks(slot, fresh);
  if (old) ReleaseCells(old, fresh);
  std::memcpy(mutable_bytes(slot), fresh, width_);
  if (is_new) InsertIntoTable(slot);
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (indexes_[i] && reindex_[i]) indexes_[i]->Insert(slot);
  }
  MaintainPools();
  return slot;
}

void RowStore::SetRevision(Slot slot, uint64_t revision) {
  uint8_t* row = mutable_bytes(slot);
  const uint64_t meta = revision << kRealmBits | (Meta(row) & kRealmMask);
  SKERRY_CHECK(meta >> kRealmBits == revision);
  std::memcpy(row + kMetaOffset, &meta, sizeof meta);
}

bool RowStore::Erase(std::string_view id, std::string_view realm) {
  const Slot slot = Find(id, realm);
  if (slot == kNoSlot) return false;
  for (const auto& index : indexes_) {
    if (index) index->Remove(slot);
  }
  ForgetRanks(slot, nullptr);
  uint8_t* row = mutable_bytes(slot);
  RemoveFromTable(slot);
  ReleaseCells(row, nullptr);
  std::memset(row, 0, width_);
  std::memcpy(row, &free_slot_, sizeof free_slot_);
  free_slot_ = slot;
  --live_;
  MaintainPools();
  return true;
}

void RowStore::Clear() {
  chunks_.clear();
  image_.reset();
  hash_.clear();
  slots_ = live_ = 0;
  free_slot_ = kNoSlot;
  for (const auto& pool : pools_) SKERRY_CHECK(pool->Load({}, true));
  for (const auto& index : indexes_) {
    if (index) index->Build();
  }
  for (Collation* at = collations_.get(); at; at = at->next.get()) at->Clear();
}

Slot RowStore::NewSlot() {
  ++live_;
  if (free_slot_ != kNoSlot) {
    const Slot slot = free_slot_;
    free_slot_ = LoadU32(bytes(slot));
    return slot;
  }
  const uint32_t in_chunk = slots_ & chunk_mask_;
  if (in_chunk == 0) chunks_.emplace_back();
  if (in_chunk == chunks_.back().capacity) GrowArena();
  return slots_++;
}

// Doubles the capacity of the last chunk. Chunks after the first begin with an eighth of a full
// one. So a small table needs little memory, and a large one wastes less than a chunk.
void RowStore::GrowArena() {
  Chunk& chunk = chunks_.back();
  const uint32_t whole = chunk_mask_ + 1;
  const uint32_t first = chunks_.size() == 1 ? kFirstRows : whole / 8;
  const uint32_t old = chunk.capacity;
  chunk.capacity = std::min(whole, std::max(first, chunk.capacity * 2));
  std::unique_ptr<uint8_t[]> rows(new uint8_t[size_t{chunk.capacity} * width_]);
  if (chunk.rows) std::memcpy(rows.get(), chunk.rows, size_t{old} * width_);
  chunk.rows = rows.get();
  chunk.own = std::move(rows);
}

void RowStore::GrowTable() {
  hash_.assign(hash_.empty() ? kMinTable : hash_.size() * 2, 0);
  const size_t mask = hash_.size() - 1;
  for (Slot slot = 0; slot < slots_; ++slot) {
    if (!IsLive(slot)) continue;
    size_t i = LoadKey(bytes(slot)).Hash() & mask;
    while (hash_[i] != 0) i = (i + 1) & mask;
    hash_[i] = slot + 1;
  }
}

// REQUIRES: the row is in its slot, and counted in live_.
void RowStore::InsertIntoTable(Slot slot) {
  if (size_t{live_} * 4 > hash_.size() * 3) {
    GrowTable();
    return;
  }
  const size_t mask = hash_.size() - 1;
  size_t i = LoadKey(bytes(slot)).Hash() & mask;
  while (hash_[i] != 0) i = (i + 1) & mask;
  hash_[i] = slot + 1;
}

void RowStore::RemoveFromTable(Slot slot) {
  const size_t mask = hash_.size() - 1;
  size_t hole = LoadKey(bytes(slot)).Hash() & mask;
  while (hash_[hole] != slot + 1) hole = (hole + 1) & mask;
  // Entries that follow move into the hole, unless their home is after the hole.
  for (size_t i = (hole + 1) & mask; hash_[i] != 0; i = (i + 1) & mask) {
    const size_t home = LoadKey(bytes(hash_[i] - 1)).Hash() & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      hash_[hole] = hash_[i];
      hole = i;
    }
  }
  hash_[hole] = 0;
}

// ---- Pools, indexes and collations

void RowStore::MaintainPools() {
  for (const Column& column : columns_) {
    if (column.packing != Packing::kText) continue;
    if (column.pool->WantsHeap() || column.pool->WantsCompaction()) RewriteAsHeap(column);
  }
}

void RowStore::RewriteAsHeap(const Column& column) {
  TextPool fresh = TextPool::Heap();
  for (Slot slot = 0; slot < slots_; ++slot) {
    uint8_t* row = mutable_bytes(slot);
    if ((Meta(row) & kRealmMask) == 0) continue;
    const uint32_t code = TextCode(column, row);
    if (code != 0) SetTextCode(column, row, fresh.Add(column.pool->Get(code)));
  }
  *column.pool = std::move(fresh);
}

Index* RowStore::GetIndex(PropIndex column) {
  std::unique_ptr<Index>& index = indexes_[Place(column)];
  if (!index) {
    index = std::make_unique<Index>(this, column);
    index->Build();
  }
  return index.get();
}

bool RowStore::IsIndexedBySchema(PropIndex column) const {
  if (column >= table_->props.size()) return false;
  const PropDef& prop = table_->props[column];
  return prop.indexed || prop.unique || prop.type == PropType::kRef;
}

bool RowStore::ShouldUseIndex(PropIndex column) {
  if (!IsIndexedBySchema(column)) return false;
  return indexes_[column] || live_ < kManyRows || ++unindexed_scans_[column] > kScans;
}

size_t RowStore::MemoryBytes() const {
  size_t bytes = hash_.capacity() * sizeof(uint32_t);
  for (const Chunk& chunk : chunks_) bytes += size_t{chunk.capacity} * width_;
  for (const auto& pool : pools_) bytes += pool->MemoryBytes();
  for (const auto& index : indexes_) bytes += index ? index->MemoryBytes() : 0;
  for (const Collation* at = collations_.get(); at; at = at->next.get()) bytes += at->MemoryBytes();
  return bytes;
}

}  // namespace skerry
