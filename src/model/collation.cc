#include "model/collation.h"

#include <array>

#include "base/vector.h"

namespace skerry {
namespace {

const Collator* collator = nullptr;

}  // namespace

void SetCollator(const Collator* host_collator) { collator = host_collator; }

uint32_t FindLocale(std::string_view locale) {
  return collator ? collator->find(locale) : kNoLocale;
}

Collation::Collation(const RowStore* store, PropIndex column, uint32_t locale)
    : store_(store), column_(column), locale_(locale) {}

std::string_view Collation::Text(Slot slot) const {
  const Column& column = store_->column(column_);
  return column.pool->Get(RowStore::TextCode(column, store_->bytes(slot)));
}

int Collation::CompareTexts(std::string_view a, std::string_view b) const {
  if (a == b) return 0;
  const std::array texts = {a, b};
  uint32_t order[2];
  collator->order(locale_, texts, order);
  if ((order[1] & kSameRank) != 0) return 0;
  return order[0] == 0 ? -1 : 1;
}

int Collation::Compare(Slot a, Slot b) {
  if (!IsRanked(a) || !IsRanked(b)) Place(std::array{a, b});
  return ranks_[a] < ranks_[b] ? -1 : static_cast<int>(ranks_[a] > ranks_[b]);
}

int Collation::CompareWith(Slot slot, Sought* sought) {
  const uint32_t rank = ranks_[slot];
  if (sought->is_null || rank == kNullRank)
    return static_cast<int>(rank != kNullRank) - static_cast<int>(!sought->is_null);
  if (rank <= sought->before) return -1;
  if (rank >= sought->after) return 1;
  const int compared = CompareTexts(Text(slot), sought->text);
  if (compared < 0) sought->before = rank;
  if (compared > 0) sought->after = rank;
  return compared;
}

void Collation::Place(std::span<const Slot> slots) {
  ranks_.resize(store_->slot_limit(), kUnranked);
  Vector<Slot> all;
  if (has_forgotten_) {
    erase_if(sorted_, [this](Slot slot) { return ranks_[slot] == kUnranked; });
    has_forgotten_ = false;
  } else if (merged_ > 4 * uint64_t{store_->size()}) {
    // Many small calls (each for the children of one parent) cost more than ranking all rows once.
    for (Slot slot = 0; slot < store_->slot_limit(); ++slot) {
      if (store_->IsLive(slot)) all.push_back(slot);
    }
    slots = all;
    merged_ = 0;
  }
  Vector<Slot> fresh;
  for (const Slot slot : slots) {
    if (ranks_[slot] != kUnranked) continue;
    ranks_[slot] = kNullRank;
    if (!store_->IsNull(slot, column_)) fresh.push_back(slot);
  }
  if (fresh.empty()) return;
  if (fresh.size() > sorted_.size()) {
    // Many new rows and few ranked ones: sorting all of them costs less than many binary searches.
    fresh.insert(fresh.end(), sorted_.begin(), sorted_.end());
    sorted_.clear();
  }
  const auto places = std::make_unique<uint32_t[]>(fresh.size());
  FindPlaces(&fresh, places.get());
  Merge(fresh, places.get());
}

// Sorts the rows in `fresh`, which have no rank. places[i] is how many rows of sorted_ come before
// fresh[i]. kSameRank is added if it equals the last of these, or fresh[i - 1].
void Collation::FindPlaces(Vector<Slot>* fresh, uint32_t* places) const {
  const Vector<Slot> slots = *fresh;
  const auto texts = std::make_unique<std::string_view[]>(slots.size());
  for (size_t i = 0; i < slots.size(); ++i) texts[i] = Text(slots[i]);
  places[0] = 0;
  if (slots.size() > 1) collator->order(locale_, {texts.get(), slots.size()}, places);
  uint32_t low = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    const uint32_t item = places[i] & ~kSameRank;
    uint32_t same = places[i] & kSameRank;
    auto high = same != 0 ? low : static_cast<uint32_t>(sorted_.size());
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      const int compared = CompareTexts(texts[item], Text(sorted_[middle]));
      if (compared == 0) same = kSameRank;
      if (compared < 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    (*fresh)[i] = slots[item];
    places[i] = low | same;
  }
}

// Assigns all ranks again, because between two ranks there may be no free number.
void Collation::Merge(const Vector<Slot>& fresh, const uint32_t* places) {
  merged_ += sorted_.size();
  Vector<Slot> next(sorted_.size() + fresh.size());
  uint32_t rank = kNullRank;
  uint32_t last = kNullRank;  // the old rank of the last row taken from sorted_
  size_t from = 0;
  size_t taken = 0;
  for (Slot& slot : next) {
    if (taken < fresh.size() && (places[taken] & ~kSameRank) == from) {
      slot = fresh[taken];
      if ((places[taken++] & kSameRank) == 0) ++rank;
    } else {
      slot = sorted_[from++];
      if (ranks_[slot] != last) ++rank;
      last = ranks_[slot];
    }
    ranks_[slot] = rank;
  }
  sorted_ = std::move(next);
}

void Collation::Forget(Slot slot) {
  if (slot >= ranks_.size()) return;
  has_forgotten_ = has_forgotten_ || ranks_[slot] > kNullRank;
  ranks_[slot] = kUnranked;
}

void Collation::Clear() {
  ranks_.clear();
  sorted_.clear();
  has_forgotten_ = false;
  merged_ = 0;
}

}  // namespace skerry
