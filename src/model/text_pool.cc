// Bytes of a pool (Save, Load):
//   dictionary = *record, the record at place i having code i + 1
//   heap       = *record, a record's code being its offset + 1
//   record     = varint length, that many bytes
#include "model/text_pool.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/status.h"

namespace skerry {
namespace {

// A pool with fewer distinct texts stays a dictionary: a heap would save little.
constexpr uint32_t kMinEntriesForHeap = 1024;

size_t RecordBytes(size_t text_size) {
  size_t bytes = 1 + text_size;
  for (size_t rest = text_size >> 7; rest; rest >>= 7) ++bytes;
  return bytes;
}

// Makes large containers grow by a quarter instead of doubling.
template <typename Container>
void ReserveFor(Container* container, size_t extra) {
  const size_t needed = container->size() + extra;
  if (needed > container->capacity() && needed > 4096) container->reserve(needed + needed / 4);
}

}  // namespace

const unsigned char* TextPool::ReadLongSize(const unsigned char* bytes, size_t* size) {
  *size &= 0x7f;
  for (int shift = 7;; shift += 7) {
    const size_t byte = *bytes++;
    *size |= (byte & 0x7f) << shift;
    if (byte < 0x80) return bytes;
  }
}

TextPool TextPool::Heap() {
  TextPool pool;
  pool.is_dictionary_ = false;
  return pool;
}

uint32_t TextPool::AppendRecord(std::string_view text) {
  ReserveFor(&heap_, RecordBytes(text.size()));
  const size_t offset = heap_.size();
  PutText(&heap_, text);
  SKERRY_CHECK(heap_.size() < 0xffffffff);
  return static_cast<uint32_t>(offset);
}

uint32_t TextPool::Add(std::string_view text) {
  ++references_;
  if (!is_dictionary_) return AppendRecord(text) + 1;
  uint32_t code = Find(text);
  if (code) {
    ++entries_[code - 1].references;
    return code;
  }
  const uint32_t offset = AppendRecord(text);
  if (free_entry_) {
    code = free_entry_;
    free_entry_ = entries_[code - 1].offset;
    entries_[code - 1] = {offset, 1};
  } else {
    ReserveFor(&entries_, 1);
    entries_.push_back({offset, 1});
    code = static_cast<uint32_t>(entries_.size());
  }
  ++live_entries_;
  ++version_;
  if (live_entries_ * 4 > table_.size() * 3) GrowTable();
  InsertIntoTable(code);
  return code;
}

void TextPool::Release(uint32_t code) {
  --references_;
  if (!is_dictionary_) {
    dead_bytes_ += RecordBytes(Get(code).size());
    return;
  }
  Entry& entry = entries_[code - 1];
  if (--entry.references > 0) return;
  dead_bytes_ += RecordBytes(Get(code).size());
  RemoveFromTable(code);
  entry.offset = free_entry_;
  free_entry_ = code;
  --live_entries_;
  ++version_;
  if (IsWasteful()) CompactDictionary();
}

bool TextPool::WantsHeap() const {
  return is_dictionary_ && live_entries_ >= kMinEntriesForHeap &&
         references_ < live_entries_ * uint64_t{2};
}

void TextPool::CompactDictionary() {
  std::string old;
  old.swap(heap_);
  heap_.reserve(old.size() - dead_bytes_);
  for (Entry& entry : entries_) {
    if (entry.references == 0) continue;
    const auto* bytes = reinterpret_cast<const unsigned char*>(old.data()) + entry.offset;
    size_t size = *bytes++;
    if (size >= 0x80) bytes = ReadLongSize(bytes, &size);
    entry.offset = AppendRecord({reinterpret_cast<const char*>(bytes), size});
  }
  dead_bytes_ = 0;
}

uint32_t TextPool::Find(std::string_view text) const {
  if (table_.empty()) return 0;
  const size_t mask = table_.size() - 1;
  for (size_t i = Xxh64(text) & mask;; i = (i + 1) & mask) {
    if (table_[i] == 0 || Get(table_[i]) == text) return table_[i];
  }
}

void TextPool::GrowTable() {
  table_.assign(table_.empty() ? kMinTable : table_.size() * 2, 0);
  for (uint32_t code = 1; code <= entries_.size(); ++code) {
    // This inserts the newest entry, too. The caller's InsertIntoTable then finds it there.
    if (entries_[code - 1].references > 0) InsertIntoTable(code);
  }
}

void TextPool::InsertIntoTable(uint32_t code) {
  const size_t mask = table_.size() - 1;
  size_t i = Xxh64(Get(code)) & mask;
  while (table_[i] != 0 && table_[i] != code) i = (i + 1) & mask;
  table_[i] = code;
}

void TextPool::RemoveFromTable(uint32_t code) {
  const size_t mask = table_.size() - 1;
  size_t hole = Xxh64(Get(code)) & mask;
  while (table_[hole] != code) hole = (hole + 1) & mask;
  // Entries that follow move into the hole, unless their home is after the hole.
  for (size_t i = (hole + 1) & mask; table_[i] != 0; i = (i + 1) & mask) {
    const size_t home = Xxh64(Get(table_[i])) & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      table_[hole] = table_[i];
      hole = i;
    }
  }
  table_[hole] = 0;
}

size_t TextPool::MemoryBytes() const {
  return heap_.capacity() + entries_.capacity() * sizeof(Entry) +
         table_.capacity() * sizeof(uint32_t);
}

void TextPool::Save(std::string* out) const {
  SKERRY_CHECK(IsCompact());
  if (!is_dictionary_) {
    *out += heap_;
    return;
  }
  for (uint32_t code = 1; code <= entries_.size(); ++code) PutText(out, Get(code));
}

bool TextPool::Load(std::string_view bytes, bool as_dictionary) {
  const uint32_t version = version_ + 1;  // codes of before have to be looked up again
  *this = TextPool();
  version_ = version;
  is_dictionary_ = as_dictionary;
  if (bytes.size() >= 0xffffffff) return false;
  heap_.assign(bytes);
  if (!as_dictionary) return true;
  Reader reader(bytes);
  while (reader.remaining() > 0) {
    const auto offset = static_cast<uint32_t>(reader.position());
    const std::string_view text = reader.Text();
    // A length must have its shortest form: RecordBytes counts on that.
    if (reader.failed() || reader.position() - offset != RecordBytes(text.size())) return false;
    entries_.push_back({offset, 0});
  }
  live_entries_ = static_cast<uint32_t>(entries_.size());
  size_t table = kMinTable;
  while (live_entries_ * size_t{4} > table * 3) table *= 2;
  table_.assign(table, 0);
  for (uint32_t code = 1; code <= live_entries_; ++code) {
    if (Find(Get(code)) != 0) return false;
    InsertIntoTable(code);
  }
  return true;
}

void TextPool::TakeFrom(TextPool* other) {
  const uint32_t version = version_ + 1;
  *this = std::move(*other);
  version_ = version;
}

bool TextPool::IsValidCode(uint32_t code) const {
  if (is_dictionary_) return code != 0 && code <= entries_.size();
  if (code == 0 || code > heap_.size()) return false;
  const auto size = static_cast<unsigned char>(heap_[code - 1]);
  if (size < 0x80) return code + size <= heap_.size();
  Reader reader(std::string_view(heap_).substr(code - 1));
  const std::string_view text = reader.Text();
  return !reader.failed() && reader.position() == RecordBytes(text.size());
}

bool TextPool::AllUsed() const {
  for (const Entry& entry : entries_) {
    if (entry.references == 0) return false;
  }
  return true;
}

}  // namespace skerry
