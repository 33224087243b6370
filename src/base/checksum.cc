#include "base/checksum.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace skerry {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87u;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Fu;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9u;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63u;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5u;

template <typename T>
T Load(const char* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

uint64_t Round(uint64_t acc, uint64_t lane) {
  return std::rotl(acc + lane * kPrime2, 31) * kPrime1;
}

uint64_t Merge(uint64_t hash, uint64_t acc) { return (hash ^ Round(0, acc)) * kPrime1 + kPrime4; }

// A browser replaces a function's code by optimised code between two calls, never inside a running
// loop. So a long input is passed to this function in pieces.
[[gnu::noinline]] const char* Stripes(const char* p, const char* end, uint64_t lanes[4]) {
  uint64_t a = lanes[0];
  uint64_t b = lanes[1];
  uint64_t c = lanes[2];
  uint64_t d = lanes[3];
  for (; end - p >= 32; p += 32) {
    a = Round(a, Load<uint64_t>(p));
    b = Round(b, Load<uint64_t>(p + 8));
    c = Round(c, Load<uint64_t>(p + 16));
    d = Round(d, Load<uint64_t>(p + 24));
  }
  lanes[0] = a;
  lanes[1] = b;
  lanes[2] = c;
  lanes[3] = d;
  return p;
}

uint64_t Striped(const char** p, const char* end, uint64_t seed) {
  constexpr ptrdiff_t kPiece = 16384;
  uint64_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
  while (end - *p >= 32) *p = Stripes(*p, end - *p > kPiece ? *p + kPiece : end, lanes);
  constexpr int kTurns[] = {1, 7, 12, 18};
  uint64_t hash = 0;
  for (int i = 0; i < 4; ++i) hash += std::rotl(lanes[i], kTurns[i]);
  for (const uint64_t lane : lanes) hash = Merge(hash, lane);
  return hash;
}

}  // namespace

uint64_t Xxh64(std::string_view bytes, uint64_t seed) {
  const char* p = bytes.data();
  const char* end = p + bytes.size();
  uint64_t hash = bytes.size() >= 32 ? Striped(&p, end, seed) : seed + kPrime5;
  hash += bytes.size();
  for (; end - p >= 8; p += 8) {
    hash = std::rotl(hash ^ Round(0, Load<uint64_t>(p)), 27) * kPrime1 + kPrime4;
  }
  if (end - p >= 4) {
    hash = std::rotl(hash ^ Load<uint32_t>(p) * kPrime1, 23) * kPrime2 + kPrime3;
    p += 4;
  }
  for (; p < end; ++p) hash = std::rotl(hash ^ static_cast<uint8_t>(*p) * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

std::string Hex16(uint64_t v) {
  char out[16];
  for (char* at = out + sizeof out; at != out; v >>= 4) *--at = "0123456789abcdef"[v & 15];
  return {out, sizeof out};
}

}  // namespace skerry
