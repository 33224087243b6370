// The collator of the window's module: JavaScript's Intl.Collator. The browser has the language
// tables already; in the module they would take megabytes.
#include "model/collation.h"

// wasm/host-functions.js
extern "C" {
uint32_t skerry_find_locale(const char* text, size_t size);
void skerry_collate(uint32_t locale, const std::string_view* texts, size_t count, uint32_t* order);
}

namespace {

// The host function skerry_collate reads a view from memory as an address and a length.
static_assert(sizeof(std::string_view) == 2 * sizeof(uint32_t));

// REQUIRES: js/api/query.ts has checked the locale.
uint32_t FindLocale(std::string_view locale) {
  return skerry_find_locale(locale.data(), locale.size());
}

void Order(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order) {
  skerry_collate(locale, texts.data(), texts.size(), order);
}

constexpr skerry::Collator kCollator = {&FindLocale, &Order};
const bool kIsSet = (skerry::SetCollator(&kCollator), true);

}  // namespace
