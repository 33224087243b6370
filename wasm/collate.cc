// The collator of the window's module: JavaScript's Intl.Collator. The browser has the language
// tables already; in the module they would take megabytes.
#include "imports.h"
#include "model/collation.h"

namespace {

// The host function `collate` reads a view from memory as an address and a length.
static_assert(sizeof(std::string_view) == 2 * sizeof(uint32_t));

SKERRY_IMPORT(find_locale) uint32_t ImportedFindLocale(const char* text, size_t size);
SKERRY_IMPORT(collate)
void ImportedCollate(uint32_t locale, const std::string_view* texts, size_t count, uint32_t* order);

// REQUIRES: js/api/query.ts has checked the locale.
uint32_t FindLocale(std::string_view locale) {
  return ImportedFindLocale(locale.data(), locale.size());
}

void Order(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order) {
  ImportedCollate(locale, texts.data(), texts.size(), order);
}

constexpr skerry::Collator kCollator = {&FindLocale, &Order};
const bool kIsSet = (skerry::SetCollator(&kCollator), true);

}  // namespace
