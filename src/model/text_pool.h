// TextPool: the texts of one column, each identified by a 32-bit code. Code 0 is null.
//
// A pool begins as a dictionary: equal texts share one code, which has a reference count. If the
// texts of a column hardly repeat, that costs memory without a gain. Then the pool is replaced by a
// heap, in which each Add makes a new record. A heap never becomes a dictionary again.
//
// Views are invalidated by Add and by compaction. In a dictionary a code stays valid while its
// count is not 0.
#ifndef SKERRY_MODEL_TEXT_POOL_H_
#define SKERRY_MODEL_TEXT_POOL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/vector.h"

namespace skerry {

inline constexpr size_t kMinTable = 16;  // cells of a hash table

class TextPool {
 public:
  bool is_dictionary() const { return is_dictionary_; }
  size_t size() const { return live_entries_; }  // the number of distinct texts in a dictionary
  // Raised whenever a dictionary assigns or frees a code. A caller that got a code from Find then
  // has to look it up again.
  uint32_t version() const { return version_; }

  uint32_t Add(std::string_view text);
  void Release(uint32_t code);
  std::string_view Get(uint32_t code) const {
    return ReadRecord(is_dictionary_ ? entries_[code - 1].offset : code - 1);
  }
  // The code of a text, or 0 if the dictionary does not have it. REQUIRES: is_dictionary().
  uint32_t Find(std::string_view text) const;

  // Whether a heap would take less memory. Then the owner makes a Heap, adds the text of each live
  // cell to it, writes the new codes into the cells, and assigns the heap over this pool.
  bool WantsHeap() const;
  // Whether more than half of a heap is dead. Then the owner does the same. A dictionary compacts
  // itself.
  bool WantsCompaction() const { return !is_dictionary_ && IsWasteful(); }
  // An empty heap.
  static TextPool Heap();

  size_t MemoryBytes() const;
  void Reserve(size_t bytes) { heap_.reserve(bytes); }

  // Writes the pool as bytes, and reads it; codes do not change. Save REQUIRES: IsCompact(); if it
  // is not, the owner saves a compact copy. After Load the reference counts are 0: the owner calls
  // Retain for each cell. Load returns false if the bytes are damaged.
  bool IsCompact() const { return dead_bytes_ == 0 && free_entry_ == 0; }
  void Save(std::string* out) const;
  bool Load(std::string_view bytes, bool as_dictionary);
  // Moves the contents of `other` into this pool. Raises version().
  void TakeFrom(TextPool* other);
  // REQUIRES: IsValidCode(code).
  void Retain(uint32_t code) {
    if (is_dictionary_) ++entries_[code - 1].references;
    ++references_;
  }
  // Whether Get may be called with this code. For cells that were read from bytes.
  bool IsValidCode(uint32_t code) const;
  // After Load and all calls of Retain: whether every entry of the dictionary is in use.
  bool AllUsed() const;

 private:
  struct Entry {
    uint32_t offset;      // in heap_; of a free entry: the next free code
    uint32_t references;  // 0: free
  };

  std::string_view ReadRecord(uint32_t offset) const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(heap_.data()) + offset;
    size_t size = *bytes++;
    if (size >= 0x80) bytes = ReadLongSize(bytes, &size);
    return {reinterpret_cast<const char*>(bytes), size};
  }
  static const unsigned char* ReadLongSize(const unsigned char* bytes, size_t* size);
  uint32_t AppendRecord(std::string_view text);
  bool IsWasteful() const { return dead_bytes_ > 4096 && dead_bytes_ * 2 > heap_.size(); }
  void CompactDictionary();
  void GrowTable();
  void InsertIntoTable(uint32_t code);
  void RemoveFromTable(uint32_t code);

  bool is_dictionary_ = true;
  uint32_t version_ = 1;
  uint64_t references_ = 0;  // cells that hold a code of this pool
  size_t dead_bytes_ = 0;
  std::string heap_;
  Vector<Entry> entries_;    // dictionary: by code - 1
  uint32_t free_entry_ = 0;  // a code, or 0
  uint32_t live_entries_ = 0;
  Vector<uint32_t> table_;  // dictionary: open addressing; codes, or 0
};

}  // namespace skerry

#endif  // SKERRY_MODEL_TEXT_POOL_H_
