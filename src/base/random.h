// A random number generator (xoshiro256**, Blackman and Vigna), seeded by the host with 32 random
// bytes. It is for ids and jitter, never for secrets. It cannot be copied, because a copy would
// repeat ids.
#ifndef SKERRY_BASE_RANDOM_H_
#define SKERRY_BASE_RANDOM_H_

#include <cstdint>
#include <string_view>

namespace skerry {

class Random {
 public:
  explicit Random(std::string_view seed);  // 32 random bytes; tests may pass fewer
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  uint64_t Next();
  uint64_t Below(uint64_t limit);  // uniform in [0, limit); REQUIRES: limit > 0
  double Unit();                   // in [0, 1)

 private:
  uint64_t state_[4];
};

}  // namespace skerry

#endif  // SKERRY_BASE_RANDOM_H_
