// The page's collator: JavaScript's, because the tables of languages weigh megabytes and the
// browser has them.
#include <emscripten/em_js.h>

#include "model/collation.h"

namespace {

// What the function below reads of memory: a view is the address of its bytes and their number.
static_assert(sizeof(std::string_view) == 2 * sizeof(uint32_t));

// The locale is one that js/api/query.ts has checked.
// clang-format off
EM_JS(uint32_t, skerry_find_locale, (const char* text, size_t size), {
  const name = new TextDecoder().decode(HEAPU8.subarray(text >>> 0, (text >>> 0) + size));
  const known = skerry_find_locale.known ||= [];
  const found = known.findIndex((locale) => locale.name === name);
  return found < 0 ? known.push({ name, compare: new Intl.Collator(name).compare }) : found + 1;
});

EM_JS(void, skerry_collate, (uint32_t locale, const std::string_view* texts, size_t count, uint32_t* order), {
  const { compare } = skerry_find_locale.known[locale - 1];
  const decoder = skerry_collate.decoder ||= new TextDecoder('utf-8', { ignoreBOM: true });
  const views = HEAPU32.subarray(texts >>> 2, (texts >>> 2) + 2 * count);
  const list = [];
  for (let i = 0; i < views.length; i += 2)
    list.push(decoder.decode(HEAPU8.subarray(views[i], views[i] + views[i + 1])));
  const places = list.map((text, i) => i).sort((a, b) => compare(list[a], list[b]));
  const same = 0x80000000;
  HEAPU32.set(places.map((at, i) => i && !compare(list[places[i - 1]], list[at]) ? at + same : at), order >>> 2);
});
// clang-format on

uint32_t FindLocale(std::string_view locale) {
  return skerry_find_locale(locale.data(), locale.size());
}

void Order(uint32_t locale, std::span<const std::string_view> texts, uint32_t* order) {
  skerry_collate(locale, texts.data(), texts.size(), order);
}

constexpr skerry::Collator kCollator = {&FindLocale, &Order};
const bool kIsSet = (skerry::SetCollator(&kCollator), true);

}  // namespace
