// UUIDs as canonical text (36 characters, lower case) and as 16 bytes. Clients generate version 7
// (RFC 9562).
#ifndef SKERRY_BASE_ID_H_
#define SKERRY_BASE_ID_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"

namespace skerry {

// The 16 bytes as two big-endian words, so that the order of the numbers is the order of the texts.
struct Uuid {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// Accepts the canonical form only: 8-4-4-4-12 lower-case hex digits, any version.
bool ParseUuid(std::string_view text, Uuid* out);
void FormatUuid(Uuid id, char out[36]);
std::string UuidText(Uuid id);

// A UUIDv7 that follows from another id and a number, with the time of that id. The other bits are
// XXH64 of id and number, under two seeds: ids that follow from different ones differ.
std::string DerivedUuid(std::string_view id, uint64_t number);

// Generates UUIDv7s that increase strictly, even when the clock stands still or steps back.
class UuidGenerator {
 public:
  explicit UuidGenerator(Random* random) : random_(random) {}
  std::string Next(double now_ms);

 private:
  Random* random_;
  uint64_t last_ms_ = 0;
  uint64_t counter_ = 0;  // the 12 bits of rand_a: orders the ids of one millisecond
};

}  // namespace skerry

#endif  // SKERRY_BASE_ID_H_
