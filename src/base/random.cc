#include "base/random.h"

#include <bit>

#include "base/checksum.h"

namespace skerry {

Random::Random(std::string_view seed) {
  // Four independent digests spread any seed over the whole state. The state must not be all zero.
  for (uint64_t i = 0; i < 4; ++i) state_[i] = Xxh64(seed, i + 1) | (i == 0 ? 1u : 0u);
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::Below(uint64_t limit) {
  const uint64_t reject_below = (0 - limit) % limit;  // makes every remainder equally likely
  uint64_t v = Next();
  while (v < reject_below) v = Next();
  return v % limit;
}

double Random::Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

}  // namespace skerry
