// How many rounds a random test runs. Under the sanitizers a round takes ten times as long, and
// most findings come in the first rounds. So a sanitizer build runs a part of the rounds, and
// other builds run all (as WebAssembly in `npm test`). At night, SKERRY_ROUNDS is "all" and every
// build runs all.
#ifndef SKERRY_TEST_CORE_ROUNDS_H_
#define SKERRY_TEST_CORE_ROUNDS_H_

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace skerry::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// `all`, or `sanitized` in a sanitizer build by day.
inline uint64_t Rounds(uint64_t all, uint64_t sanitized) {
  const char* wanted = std::getenv("SKERRY_ROUNDS");
  const bool whole = wanted != nullptr && std::string_view(wanted) == "all";
  return kSanitized && !whole ? sanitized : all;
}

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_ROUNDS_H_
