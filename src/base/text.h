// Checks and measures of text. The core stores only text that PostgreSQL, JSON and JavaScript can
// all hold, so that none of them rejects it later.
#ifndef SKERRY_BASE_TEXT_H_
#define SKERRY_BASE_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace skerry {

// Well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF) without U+0000.
bool IsStorableText(std::string_view text);

// The length of the text as a JavaScript string, in UTF-16 units. REQUIRES: well-formed UTF-8.
size_t Utf16Size(std::string_view text);

// As one part of the path of a URL: all but unreserved characters are percent-encoded (RFC 3986).
std::string PercentEncode(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_BASE_TEXT_H_
