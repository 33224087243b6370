// `like`: % matches any text, _ one character (code point), and \ makes the next character literal.
// Case-sensitive. The same as PostgreSQL's LIKE (server/src/sql/filter.ts).
#ifndef SKERRY_MODEL_LIKE_H_
#define SKERRY_MODEL_LIKE_H_

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace skerry {

// Takes time linear in the text: each part of the pattern between two % is searched once, from left
// to right, by Knuth-Morris-Pratt. A part with `_` takes time proportional to the text times the
// length of that part, which CheckLikePattern limits. REQUIRES: both are UTF-8, and
// IsLikePattern(pattern).
bool LikeMatches(std::string_view text, std::string_view pattern);

// False if the pattern ends with a lone backslash: databases reject that.
bool IsLikePattern(std::string_view pattern);

// kLimit for a pattern that is too long or has too many wildcards. Queries and scopes both check
// it.
Status CheckLikePattern(std::string_view pattern);

// How often a matcher may look at one character of the worst text if it starts again at each
// character, as a database's does: the number of overlapping matches of a part after a %. 0 if
// there is nothing after a %, 1 or 2 for words, 4 for "%aaaa".
uint32_t MaxOverlappingMatches(std::string_view pattern);

}  // namespace skerry

#endif  // SKERRY_MODEL_LIKE_H_
