// A collator for tests of the core, in place of JavaScript's. In its locale "fold", ASCII letters
// of either case are equal, `é` equals `e`, and `%` and `_` are ignored, so that some different
// texts are equal. The locale "back" reverses that order.
#ifndef SKERRY_TEST_CORE_MODEL_TEST_COLLATOR_H_
#define SKERRY_TEST_CORE_MODEL_TEST_COLLATOR_H_

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <string_view>

#include "base/vector.h"
#include "model/collation.h"

namespace skerry {

struct CollatorCount {
  uint64_t calls = 0;
  uint64_t texts = 0;
  uint64_t largest = 0;  // texts of one call
};
inline CollatorCount collator_count;

inline std::string FoldText(std::string_view text) {
  std::string folded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "é") {
      folded += 'e';
      ++i;
    } else if (text[i] != '%' && text[i] != '_') {
      folded += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    }
  }
  return folded;
}

inline constexpr uint32_t kFold = 1;
inline constexpr uint32_t kBack = 2;

// Of texts that FoldText has made.
inline int CompareFolded(uint32_t locale, std::string_view a, std::string_view b) {
  const int compared = a.compare(b);
  return locale == kBack ? -compared : compared;
}

inline uint32_t FindTestLocale(std::string_view locale) {
  if (locale == "fold") return kFold;
  return locale == "back" ? kBack : kNoLocale;
}

inline void OrderTexts(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order) {
  ++collator_count.calls;
  collator_count.texts += texts.size();
  collator_count.largest = std::max<uint64_t>(collator_count.largest, texts.size());
  Vector<std::string> folded;
  for (const std::string_view text : texts) folded.push_back(FoldText(text));
  std::iota(order, order + texts.size(), 0);
  std::sort(order, order + texts.size(), [&](uint32_t a, uint32_t b) {
    return locale == kBack ? folded[b] < folded[a] : folded[a] < folded[b];
  });
  for (size_t i = texts.size(); i-- > 1;) {
    if (folded[order[i]] == folded[order[i - 1]]) order[i] += kSameRank;
  }
}

inline constexpr Collator kTestCollator = {&FindTestLocale, &OrderTexts};
inline const bool has_test_collator = (SetCollator(&kTestCollator), true);

}  // namespace skerry

#endif  // SKERRY_TEST_CORE_MODEL_TEST_COLLATOR_H_
