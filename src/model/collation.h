// Collation: the order of one column's texts as the people of a locale know it, as one number a
// row.
//
// The core has no tables of languages: whoever runs it lends it a collator (JavaScript's
// Intl.Collator in wasm/collate.cc, a stand-in in tests), a pure function of its input. It is asked
// about a row once, before the row is first compared, and again when its text is another: all new
// rows of a call are ordered among themselves at once, and each finds its place among the others by
// halving. From then on numbers are compared. Rows that nobody ordered are not asked about.
//
// Ranks are by slot, not by text, so that nothing is to be done when a pool moves its texts.
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
  // The number of a locale, the same each time; kNoLocale where it is not known.
  uint32_t (*find)(std::string_view locale);
  // Puts the places of `texts` into `order` (as many), ascending; kSameRank is added to each whose
  // text the locale does not tell from the one before.
  void (*order)(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order);
};
// Once, before the first query; it is not copied. Without a collator no locale is known.
void SetCollator(const Collator* collator);
uint32_t FindLocale(std::string_view locale);

class Collation {
 public:
  // `column` holds texts. `store` outlives it, and tells it what changes.
  Collation(const RowStore* store, PropIndex column, uint32_t locale);

  PropIndex column() const { return column_; }
  uint32_t locale() const { return locale_; }
  std::unique_ptr<Collation> next;  // of the same store

  // Ranks those of the rows that have no rank yet: much cheaper than one by one. REQUIRES: live.
  void Place(std::span<const Slot> slots);
  // Null comes first. 0 where the locale does not tell the texts apart.
  int Compare(Slot a, Slot b);
  // Compares as the rows do. Holds until a row is ranked. REQUIRES: Place was called with it.
  uint32_t Rank(Slot slot) const { return ranks_[slot]; }

  void Forget(Slot slot);  // its text will be another, or it will be gone
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
  Vector<Slot> sorted_;     // the ranked rows that are not null, ascending; and forgotten ones
  bool has_forgotten_ = false;
  uint64_t merged_ = 0;  // rows of sorted_ that were moved to let in others
};

}  // namespace skerry

#endif  // SKERRY_MODEL_COLLATION_H_
