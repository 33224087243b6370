// What text the core stores: what PostgreSQL, JSON and JavaScript can all hold, so that nothing is
// refused later.
#ifndef SKERRY_BASE_TEXT_H_
#define SKERRY_BASE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace skerry {

// Well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF) without U+0000.
bool IsStorableText(std::string_view text);

// How many units of UTF-16 a JavaScript string of it has. REQUIRES: well-formed UTF-8.
size_t Utf16Size(std::string_view text);

// What the digits at the beginning of the text say; 0 where there are none.
uint64_t LeadingNumber(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_BASE_TEXT_H_
