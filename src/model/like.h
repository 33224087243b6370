// `like`: % stands for any text, _ for one character (code point), \ for the next character as it
// is; case-sensitive. The same as PostgreSQL's LIKE (server/src/sql/filter.ts).
#ifndef SKERRY_MODEL_LIKE_H_
#define SKERRY_MODEL_LIKE_H_

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace skerry {

// Takes time linear in the text: each part of the pattern between two % is searched once, from left
// to right, by Knuth-Morris-Pratt. Only a part with `_` takes text times length of that part, which
// CheckLikePattern bounds. REQUIRES: both are UTF-8, and IsLikePattern(pattern).
bool LikeMatches(std::string_view text, std::string_view pattern);

// False where the pattern ends with a lone backslash, which databases refuse.
bool IsLikePattern(std::string_view pattern);

// kLimit for a pattern that is too long or has too many wildcards, wherever one is taken.
Status CheckLikePattern(std::string_view pattern);

// How often a matcher that begins anew at each character (a database's) may look at one character
// of the worst text: how many places of a part behind a % can match at a time, one within the
// other. 0 where there is nothing behind a %, 1 or 2 for words, the length for "%aaaa".
uint32_t LikeOverlap(std::string_view pattern);

}  // namespace skerry

#endif  // SKERRY_MODEL_LIKE_H_
