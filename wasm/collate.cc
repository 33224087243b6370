// The page's collator: JavaScript's, because the tables of languages weigh megabytes and the
// browser has them.
#include "model/collation.h"

// wasm/host-functions.js
extern "C" {
uint32_t skerry_find_locale(const char* text, size_t size);
void skerry_collate(uint32_t locale, const std::string_view* texts, size_t count, uint32_t* order);
}

namespace {

// What skerry_collate reads of memory: a view is the address of its bytes and their number.
static_assert(sizeof(std::string_view) == 2 * sizeof(uint32_t));

// The locale is one that js/api/query.ts has checked.
uint32_t FindLocale(std::string_view locale) {
  return skerry_find_locale(locale.data(), locale.size());
}

void Order(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order) {
  skerry_collate(locale, texts.data(), texts.size(), order);
}

constexpr skerry::Collator kCollator = {&FindLocale, &Order};
const bool kIsSet = (skerry::SetCollator(&kCollator), true);

}  // namespace
