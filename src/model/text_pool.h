// TextPool: the texts of one column, each named by a 32-bit code (never 0, which is null).
//
// It begins as a dictionary: equal texts share one code and are counted. A column whose texts
// hardly repeat pays for that in vain, so its pool is turned into a heap, where each Add makes a
// record of its own. A pool does not turn back.
//
// Views are invalidated by Add and by compaction. In a dictionary a code stands for its text as
// long as it is counted.
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
  size_t size() const { return live_entries_; }  // distinct texts of a dictionary
  // Raised whenever a dictionary's code is given out or taken back: what was looked up before is to
  // be looked up again.
  uint32_t version() const { return version_; }

  uint32_t Add(std::string_view text);
  void Release(uint32_t code);
  std::string_view Get(uint32_t code) const {
    return ReadRecord(is_dictionary_ ? entries_[code - 1].offset : code - 1);
  }
  // The code of a text, or 0. REQUIRES: is_dictionary().
  uint32_t Find(std::string_view text) const;

  // Is the column better off with a heap? Then its owner calls ToHeap and writes the new code of
  // each cell.
  bool WantsHeap() const;
  // Is more than half of a heap dead? A dictionary sees to that by itself.
  bool WantsCompaction() const { return !is_dictionary_ && IsWasteful(); }
  // An empty heap, to which the owner adds the text of each live cell again; then it is assigned
  // over this one.
  static TextPool Heap();

  size_t MemoryBytes() const;
  void Reserve(size_t bytes) { heap_.reserve(bytes); }

  // The pool as bytes, and back, codes unchanged. REQUIRES: IsCompact(), else its owner saves a
  // pool made afresh. What is loaded into a dictionary has no users yet: Retain counts each cell.
  // Load is false where the bytes are damaged.
  bool IsCompact() const { return dead_bytes_ == 0 && free_entry_ == 0; }
  void Save(std::string* out) const;
  bool Load(std::string_view bytes, bool as_dictionary);
  // Becomes what `other` was; codes that were looked up before are to be looked up again.
  void TakeFrom(TextPool* other);
  // REQUIRES: IsValidCode(code).
  void Retain(uint32_t code) {
    if (is_dictionary_) ++entries_[code - 1].references;
    ++references_;
  }
  // May Get be called with this code? For cells that come from bytes.
  bool IsValidCode(uint32_t code) const;
  // After Load and all Retains: is every dictionary entry in use?
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
  uint64_t references_ = 0;  // cells that name a text of this pool
  size_t dead_bytes_ = 0;
  std::string heap_;
  Vector<Entry> entries_;    // dictionary: by code - 1
  uint32_t free_entry_ = 0;  // a code, or 0
  uint32_t live_entries_ = 0;
  Vector<uint32_t> table_;  // dictionary: open addressing; codes, or 0
};

}  // namespace skerry

#endif  // SKERRY_MODEL_TEXT_POOL_H_
