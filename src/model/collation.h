// Collation: the order of one column's texts under a locale. It gives each row a number, its rank,
// so that two rows are compared by their ranks.
//
// The core has no language tables. The host provides a collator: JavaScript's Intl.Collator
// (wasm/collate.cc), or a stand-in in tests. A collator's answers depend on its input only. It is
// called for a row before the row is first compared, and again after the row's text has changed.
// The new rows of one call are first ordered among themselves, then each finds its place among the
// ranked rows by binary search. A row gets no rank before a query compares it.
//
// Ranks are stored by slot, not by text, so they stay valid when a pool moves its texts.
#ifndef SKERRY_MODEL_COLLATION_H_
#define SKERRY_MODEL_COLLATION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/vector.h"
#include "model/row_store.h"

namespace skerry {

inline constexpr uint32_t kNoLocale = 0;
inline constexpr uint32_t kSameRank = 0x80000000;

struct Collator {
  // The number of a locale, the same for each call; kNoLocale if the locale is not known.
  uint32_t (*find)(std::string_view locale);
  // Writes the indexes of `texts` into `order`, sorted by the texts in ascending order. Adds
  // kSameRank to an index if the locale treats its text as equal to the one before it.
  void (*order)(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order);
};
// Call once, before the first query. The collator is not copied. Without one no locale is known.
void SetCollator(const Collator* collator);
uint32_t FindLocale(std::string_view locale);

class Collation {
 public:
  // REQUIRES: `column` holds texts; `store` outlives the collation, and calls Forget and Clear when
  // rows change.
  Collation(const RowStore* store, PropIndex column, uint32_t locale);

  PropIndex column() const { return column_; }
  uint32_t locale() const { return locale_; }
  std::unique_ptr<Collation> next;  // of the same store

  // Ranks those of the rows that have no rank yet. Much cheaper for many rows than one by one.
  // REQUIRES: the rows are live.
  void Place(std::span<const Slot> slots);
  // Null comes first. 0 if the locale treats the texts as equal.
  int Compare(Slot a, Slot b);
  // A text that is compared with many rows, while no other row is ranked: the ranks that are known to
  // be before and after it, so that the collator is seldom asked.
  struct Sought {
    std::string_view text;
    bool is_null = true;
    uint32_t before = 0;
    uint32_t after = UINT32_MAX;
  };
  // Compares the row with it, as Compare does. REQUIRES: Place was called with this row.
  int CompareWith(Slot slot, Sought* sought);
  // Ranks compare as the rows do. Valid until another row is ranked. REQUIRES: Place was called
  // with this row.
  uint32_t Rank(Slot slot) const { return ranks_[slot]; }

  void Forget(Slot slot);  // its text is about to change, or the row to be erased
  void Clear();
  size_t MemoryBytes() const {
    return ranks_.capacity() * sizeof(uint32_t) + sorted_.capacity() * sizeof(Slot);
  }

 private:
  static constexpr uint32_t kUnranked = 0;
  static constexpr uint32_t kNullRank = 1;

  bool IsRanked(Slot slot) const { return slot < ranks_.size() && ranks_[slot] != kUnranked; }
  std::string_view Text(Slot slot) const;
  int CompareTexts(std::string_view a, std::string_view b) const;
  void FindPlaces(Vector<Slot>* fresh, uint32_t* places) const;
  void Merge(const Vector<Slot>& fresh, const uint32_t* places);

  const RowStore* store_;
  const PropIndex column_;
  const uint32_t locale_;
  Vector<uint32_t> ranks_;  // by slot
  Vector<Slot> sorted_;     // ranked rows that are not null, ascending; may hold forgotten rows
  bool has_forgotten_ = false;
  uint64_t merged_ = 0;  // how many rows of sorted_ Merge has moved
};

}  // namespace skerry

#endif  // SKERRY_MODEL_COLLATION_H_
