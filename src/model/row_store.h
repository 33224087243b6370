// RowStore: the rows of one table, packed. Rows are in arena chunks of up to 4 MB, and have a fixed
// width that follows from the schema. An open-addressing hash table finds them by 128-bit id
// (id_key.h). Each text column has a pool: a dictionary if its texts repeat, else a heap
// (text_pool.h). A slot names a row until the row is erased; changes of other rows do not affect
// it. Indexes (index.h) are built on first use; Put and Erase keep them up to date.
//
// One row per id; in a table with application-defined ids, one per id and realm. Not thread-safe. Views into the store are invalidated by Put, Erase and Load.
//
// A packed row: id (16 bytes), createdAt, modifiedAt (f64), revision and realm (44 and 20 bits),
// then the props by size:
//   number, date   8 bytes, f64; null is kNullNumber
//   ref            16 bytes, an IdKey; null is zero
//   string, enum, bytes, json, class   4 bytes, a code of the column's pool; null is 0
//   boolean        1 byte: 0 null, 1 false, 2 true
// A free slot has realm code 0, and the next free slot in its first 4 bytes.
#ifndef SKERRY_MODEL_ROW_STORE_H_
#define SKERRY_MODEL_ROW_STORE_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/id_key.h"
#include "model/row.h"
#include "model/schema.h"
#include "model/text_pool.h"

namespace skerry {

using Slot = uint32_t;
inline constexpr Slot kNoSlot = 0xffffffff;

class Collation;
class Index;

enum class Packing : uint8_t { kNumber, kBool, kId, kText, kRealm };

// Where a column is in a packed row.
struct Column {
  Packing packing = Packing::kNumber;
  ValueKind kind = ValueKind::kNumber;
  uint32_t offset = 0;
  uint32_t size = 0;         // bytes
  TextPool* pool = nullptr;  // kText, kRealm
};

// A value to compare rows of one store with, packed once for many comparisons. REQUIRES: the text
// that it was made from outlives it.
struct Probe {
  bool is_null = true;
  double number = 0;  // kNumber; kBool: 1 false, 2 true
  std::string_view text;
  IdKey key;  // kId; null if no row of the store can have this id
};

class RowStore {
 public:
  explicit RowStore(const TableDef* table);  // `table` outlives the store
  ~RowStore();
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  const TableDef& table() const { return *table_; }
  size_t size() const { return live_; }
  Slot slot_limit() const { return slots_; }  // slots are below it; some may be free
  bool IsLive(Slot slot) const { return slot < slots_ && (Meta(bytes(slot)) & kRealmMask) != 0; }
  // kNoSlot if there is none. `realm`: for tables with ids of their own, which have a row for each
  // realm; empty: in the first realm that has it. Other tables ignore it.
  Slot Find(std::string_view id, std::string_view realm = {}) const;
  // Appends all rows with this id.
  void FindAll(std::string_view id, Vector<Slot>* slots) const;

  std::string Id(Slot slot) const;
  ObjectKey Key(Slot slot) const;  // as a client has it (KeyIn)
  // The id's text, in `buffer` or in the store.
  std::string_view IdView(Slot slot, char buffer[kIdTextBuffer]) const;
  Row Get(Slot slot) const;
  Value GetValue(Slot slot, PropIndex column) const;  // props and the system columns
  // Writes the row in the form of sk_row (docs/internals.md, section 7). REQUIRES: the row is live.
  void EncodeRow(Slot slot, std::string* out) const;
  // Writes rows in the form of sk_rows: the first ones, until they have 64 kB. REQUIRES: all are
  // live.
  void EncodeRows(std::span<const Slot> slots, std::string* out) const;
  // Compares two rows by a column without decoding; null first. REQUIRES: both live.
  int Compare(Slot a, Slot b, PropIndex column) const;
  int CompareIds(Slot a, Slot b) const;  // and realms, where several have an id

  // Inserts or replaces; a replaced row keeps its slot. REQUIRES: CheckValue and CheckId hold;
  // revision < 2^44.
  Slot Put(std::string_view id, const Row& row);
  bool Erase(std::string_view id, std::string_view realm = {});  // as in Find
  // Changes the revision only. Indexes and visible values stay as they are.
  void SetRevision(Slot slot, uint64_t revision);  // REQUIRES: the slot is live; revision < 2^44
  void Clear();

  // The index on a column, built now if it is not there yet. Owned by the store.
  Index* GetIndex(PropIndex column);
  // The order of a string prop under a locale. Rows are ranked when they are first compared. Owned
  // by the store.
  Collation* GetCollation(PropIndex column, uint32_t locale);
  // Whether the schema asks for an index: on index, unique and ref props.
  bool IsIndexedBySchema(PropIndex column) const;
  // Whether a query should use the index on this column. Building an index over many rows takes as
  // long as several scans, so the first few queries, for example of a page that was just loaded,
  // scan instead.
  bool ShouldUseIndex(PropIndex column);

  // Bytes of arena, hash table, texts, indexes and collations. For benchmarks and tests.
  size_t MemoryBytes() const;

  // Writes the packed rows as bytes for an image, and reads them. An empty store adopts the rows in
  // place and rebuilds the hash table; it copies and decodes no row. A store that has rows calls
  // Put for each row. kCorrupt if anything is inconsistent: every offset and count is checked
  // before it is used. kVersion if the layout differs. A failed load leaves the store unchanged.
  //
  // `bytes` is a part of `image`. The store keeps `image` alive and changes rows in place, in its
  // own part. REQUIRES: only stores that were loaded from `image` hold it.
  void Save(std::string* out) const;
  Status Load(std::string_view bytes, const SharedBytes& image);
  // Moves the rows of `other` into this store. `other` must not be used afterwards. REQUIRES: this
  // store is empty; both have the same table.
  void TakeFrom(RowStore* other);

  // ---- Packed access, only for the filters, indexes and queries of src/model.

  const Column& column(PropIndex index) const { return columns_[Place(index)]; }
  const uint8_t* bytes(Slot slot) const {
    return chunks_[slot >> chunk_shift_].rows + size_t{slot & chunk_mask_} * width_;
  }
  bool IsNull(Slot slot, PropIndex index) const { return IsNullCell(column(index), bytes(slot)); }
  static bool IsNullCell(const Column& column, const uint8_t* row) {
    const uint8_t* cell = row + column.offset;
    switch (column.packing) {
      case Packing::kNumber: {
        const double v = LoadF64(cell);
        return v != v;
      }
      case Packing::kBool:
        return *cell == 0;
      case Packing::kId:
        return LoadKey(cell).is_null();
      default:
        return TextCode(column, row) == 0;
    }
  }
  // The distance between two rows of a chunk, in bytes. For loops over all rows.
  uint32_t width() const { return width_; }
  Slot ChunkEnd(Slot slot) const {
    return (slot | chunk_mask_) + 1 < slots_ ? (slot | chunk_mask_) + 1 : slots_;
  }
  static bool IsLiveRow(const uint8_t* row) { return (Meta(row) & kRealmMask) != 0; }
  // The text of a kText or kRealm cell; code 0 (null) has none.
  static uint32_t TextCode(const Column& column, const uint8_t* row) {
    if (column.packing == Packing::kRealm) return static_cast<uint32_t>(Meta(row) & kRealmMask);
    return LoadU32(row + column.offset);
  }
  static IdKey LoadKey(const uint8_t* cell) {
    IdKey key;
    std::memcpy(&key, cell, sizeof key);
    return key;
  }
  static double LoadF64(const uint8_t* cell) {
    double v;
    std::memcpy(&v, cell, sizeof v);
    return v;
  }
  static uint32_t LoadU32(const uint8_t* cell) {
    uint32_t v;
    std::memcpy(&v, cell, sizeof v);
    return v;
  }
  // The text of a key of this store. REQUIRES: the key is not null.
  std::string_view KeyText(const IdKey& key, char buffer[kIdTextBuffer]) const;
  // The key that rows of this store have for an id; null if no row of the store can have this id.
  IdKey FindKey(std::string_view id) const;
  Probe MakeProbe(PropIndex column, const Value& value) const;
  Probe MakeIdProbe(std::string_view id) const;
  int CompareKeys(const IdKey& a, const IdKey& b) const;
  int CompareProbe(Slot slot, const Column& column, const Probe& probe) const;
  // A number that orders rows as the column does, as far as 64 bits can: the row with the smaller
  // number comes first; rows with equal numbers have to be compared.
  uint64_t SortKey(Slot slot, const Column& column) const;

 private:
  struct Chunk {
    uint8_t* rows = nullptr;           // in `own`, or in `image_`
    uint32_t capacity = 0;             // rows
    std::unique_ptr<uint8_t[]> own{};  // NOLINT(readability-redundant-member-init)
  };

  // A quiet NaN with a payload of its own. Values are finite, so no number has these bits.
  static constexpr uint64_t kNullNumber = 0x7ff8'6e75'6c6c'0001u;
  static constexpr size_t kIdPool = 0;
  static constexpr size_t kRealmPool = 1;
  static constexpr uint32_t kCreatedAtOffset = 16;
  static constexpr uint32_t kModifiedAtOffset = 24;
  static constexpr uint32_t kMetaOffset = 32;
  static constexpr uint32_t kHeaderBytes = 40;
  static constexpr int kRealmBits = 20;
  static constexpr uint64_t kRealmMask = (1u << kRealmBits) - 1;

  static uint64_t Meta(const uint8_t* row) {
    uint64_t v;
    std::memcpy(&v, row + kMetaOffset, sizeof v);
    return v;
  }
  uint32_t RealmCode(Slot slot) const {
    return static_cast<uint32_t>(Meta(bytes(slot)) & kRealmMask);
  }
  uint8_t* mutable_bytes(Slot slot) { return const_cast<uint8_t*>(bytes(slot)); }

  void LayOut();
  // Whether the row has this key, and is in this realm if one is given.
  bool IsRow(Slot slot, const IdKey& key, uint32_t realm) const;
  IdKey AddKey(std::string_view id);
  void ReleaseKey(const IdKey& key);
  void PackRow(const Row& row, const uint8_t* old, uint8_t* out);
  void PackCell(const Column& column, const Value& value, const uint8_t* old, uint8_t* out);
  void PackText(const Column& column, std::string_view text, const uint8_t* old, uint8_t* out);
  void ReleaseCells(const uint8_t* row, const uint8_t* kept);
  void ForgetRanks(Slot slot, const uint8_t* fresh);
  Slot NewSlot();
  void GrowArena();
  void GrowTable();
  void InsertIntoTable(Slot slot);
  void RemoveFromTable(Slot slot);
  void MaintainPools();
  void RewriteAsHeap(const Column& column);
  size_t Place(PropIndex index) const {
    return index < kIdColumn ? index : table_->props.size() + (index - kIdColumn);
  }
  static void SetTextCode(const Column& column, uint8_t* row, uint32_t code);

  // row_store_encode.cc
  struct Batch;
  void EncodeCells(Slot slot, size_t cell, Batch* batch, std::string* out) const;

  // row_store_image.cc
  uint64_t LayoutDigest() const;
  std::string PackLiveRows() const;
  void SavePool(size_t pool, std::string* rows, std::string* out) const;
  Status LoadSections(std::string_view bytes);
  void AdoptRows(std::string_view rows);
  bool CheckCells();
  bool CheckColumn(const Column& column, Slot slot, Slot end);
  bool CheckTextCell(const Column& column, const uint8_t* row);
  bool CheckKeyCell(const uint8_t* cell, bool nullable);
  bool RebuildTable();

  const TableDef* table_;
  Vector<Column> columns_;  // props, then id, realm, createdAt, modifiedAt
  Vector<std::unique_ptr<TextPool>>
      pools_;  // [0] ids and refs that do not fit a key, [1] realms, then text props
  uint32_t width_ = 0;
  int chunk_shift_ = 0;
  uint32_t chunk_mask_ = 0;
  Vector<Chunk> chunks_;
  SharedBytes image_;   // the image that rows were loaded from
  uint32_t slots_ = 0;  // slots that were ever used
  uint32_t live_ = 0;
  Slot free_slot_ = kNoSlot;
  Vector<uint32_t> hash_;                   // open addressing; slot + 1, or 0
  Vector<std::unique_ptr<Index>> indexes_;  // by place in columns_
  Vector<uint8_t> unindexed_scans_;  // by place in columns_: scans made before the index was built
  std::unique_ptr<Collation> collations_;  // a linked list
  Vector<uint8_t> scratch_;                // one row
  Vector<uint8_t> reindex_;                // scratch of Put: the indexes in which the row moves
};

}  // namespace skerry

#endif  // SKERRY_MODEL_ROW_STORE_H_
