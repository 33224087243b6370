// Names of streams, and patterns of names: a name, or a prefix followed by `*`, which stands for
// all names that begin with it (docs/design.md, "Streams").
#ifndef SKERRY_LOG_STREAM_NAME_H_
#define SKERRY_LOG_STREAM_NAME_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"

namespace skerry {

inline bool IsStreamPrefix(std::string_view pattern) { return pattern.ends_with('*'); }

// REQUIRES: IsStreamPrefix(pattern).
inline std::string_view StreamPrefix(std::string_view pattern) {
  return pattern.substr(0, pattern.size() - 1);
}

inline bool MatchesStream(std::string_view pattern, std::string_view stream) {
  return IsStreamPrefix(pattern) ? stream.starts_with(StreamPrefix(pattern)) : stream == pattern;
}

// Whether every stream of `inner` is one of `outer`.
inline bool CoversStreams(std::string_view outer, std::string_view inner) {
  if (!IsStreamPrefix(inner)) return MatchesStream(outer, inner);
  return IsStreamPrefix(outer) && StreamPrefix(inner).starts_with(StreamPrefix(outer));
}

// kInvalidArgument, kLimit. A name does not end with `*`; nothing but an end of a pattern is special.
Status CheckStreamName(const Data& name);
Status CheckStreamPattern(const Data& pattern);

}  // namespace skerry

#endif  // SKERRY_LOG_STREAM_NAME_H_
