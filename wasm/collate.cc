// The page's collator: JavaScript's, because the tables of languages weigh megabytes and the
// browser has them.
#include "imports.h"
#include "model/collation.h"

namespace {

// What `collate` reads of memory: a view is the address of its bytes and their number.
static_assert(sizeof(std::string_view) == 2 * sizeof(uint32_t));

SKERRY_IMPORT(find_locale) uint32_t ImportedFindLocale(const char* text, size_t size);
SKERRY_IMPORT(collate)
void ImportedCollate(uint32_t locale, const std::string_view* texts, size_t count, uint32_t* order);

// The locale is one that js/api/query.ts has checked.
uint32_t FindLocale(std::string_view locale) {
  return ImportedFindLocale(locale.data(), locale.size());
}

void Order(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order) {
  ImportedCollate(locale, texts.data(), texts.size(), order);
}

constexpr skerry::Collator kCollator = {&FindLocale, &Order};
const bool kIsSet = (skerry::SetCollator(&kCollator), true);

}  // namespace
