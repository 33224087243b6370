// XXH64 (the published 64-bit algorithm of xxHash). It protects record bodies and images against
// damage, not against malice.
#ifndef SKERRY_BASE_CHECKSUM_H_
#define SKERRY_BASE_CHECKSUM_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace skerry {

uint64_t Xxh64(std::string_view bytes, uint64_t seed = 0);
std::string Hex16(uint64_t v);  // 16 lower-case hex digits

}  // namespace skerry

#endif  // SKERRY_BASE_CHECKSUM_H_
