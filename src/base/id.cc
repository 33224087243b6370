#include "base/id.h"

#include <cstring>

#include "base/checksum.h"

namespace skerry {
namespace {

// The functions below convert eight hex digits at once, one per byte of a word.
constexpr uint64_t kOnes = 0x0101010101010101u;

// Converts eight values from 0 to 15 into eight digits.
uint64_t ToDigits(uint64_t values) {
  const uint64_t letters = (values + kOnes * 6) >> 4 & kOnes;
  return values + kOnes * '0' + letters * ('a' - '0' - 10);
}

// Appends the 32 bits of eight digits to a word. False if they are not lower-case hex digits.
bool TakeDigits(const char* from, uint64_t* word) {
  uint64_t digits;
  std::memcpy(&digits, from, sizeof digits);
  uint64_t values = (digits & kOnes * 15) + (digits >> 6 & kOnes) * 9;
  if ((values & kOnes * 0xf0) != 0 || ToDigits(values) != digits) return false;
  values = __builtin_bswap64(values);
  values = (values | values >> 4) & 0x00ff00ff00ff00ffu;
  values = (values | values >> 8) & 0x0000ffff0000ffffu;
  *word = *word << 32 | ((values | values >> 16) & 0xffffffffu);
  return true;
}

void PutDigits(uint64_t bits, char* to) {
  bits &= 0xffffffffu;
  bits = (bits | bits << 16) & 0x0000ffff0000ffffu;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ffu;
  bits = (bits | bits << 4) & kOnes * 15;
  const uint64_t digits = __builtin_bswap64(ToDigits(bits));
  std::memcpy(to, &digits, sizeof digits);
}

// A group of digits between two dashes of a UUID's text: its offset, and how many digits it has.
struct Part {
  uint8_t at;
  uint8_t size;
};
constexpr Part kParts[] = {{0, 8}, {9, 4}, {14, 4}, {19, 4}, {24, 12}};

}  // namespace

bool ParseUuid(std::string_view text, Uuid* out) {
  if (text.size() != 36) return false;
  char digits[32];
  char* at = digits;
  for (const Part& part : kParts) {
    if (part.at > 0 && text[part.at - 1u] != '-') return false;
    std::memcpy(at, text.data() + part.at, part.size);
    at += part.size;
  }
  Uuid id = {0, 0};
  for (int half = 0; half < 2; ++half) {
    if (!TakeDigits(digits + half * 8, &id.high) || !TakeDigits(digits + 16 + half * 8, &id.low))
      return false;
  }
  *out = id;
  return true;
}

void FormatUuid(Uuid id, char out[36]) {
  char digits[32];
  for (int half = 0; half < 2; ++half) {
    PutDigits(id.high >> (32 - half * 32), digits + half * 8);
    PutDigits(id.low >> (32 - half * 32), digits + 16 + half * 8);
  }
  const char* at = digits;
  std::memset(out, '-', 36);
  for (const Part& part : kParts) {
    std::memcpy(out + part.at, at, part.size);
    at += part.size;
  }
}

std::string UuidText(Uuid id) {
  std::string text(36, '-');
  FormatUuid(id, text.data());
  return text;
}

std::string DerivedUuid(std::string_view id, uint64_t number) {
  const std::string text = std::string(id) + '/' + std::to_string(number);
  Uuid of;
  ParseUuid(id, &of);
  Uuid derived;
  derived.high = (of.high & ~uint64_t{0xffff}) | 0x7000u | (Xxh64(text, 1) & 0xfffu);
  derived.low = (Xxh64(text, 2) & 0x3fffffffffffffffu) | 0x8000000000000000u;
  return UuidText(derived);
}

constexpr double kEndOfTime = 281'474'976'710'656.0;  // 2^48 ms: a UUIDv7 holds 48 bits of time

std::string UuidGenerator::Next(double now_ms) {
  // A time that does not fit an id is ignored: ids continue from the last one.
  const bool is_time = now_ms > 0 && now_ms < kEndOfTime;
  const uint64_t now = is_time ? static_cast<uint64_t>(now_ms) : 0;
  if (now > last_ms_) {
    last_ms_ = now;
    counter_ = random_->Below(0x800);  // leaves room to count up within the millisecond
  } else if (++counter_ > 0xfff) {
    // The counter is used up: borrow from the next millisecond rather than repeat or step back.
    ++last_ms_;
    counter_ = 0;
  }
  Uuid id;
  id.high = (last_ms_ & 0xffffffffffffu) << 16 | 0x7000u | counter_;
  id.low = (random_->Next() & 0x3fffffffffffffffu) | 0x8000000000000000u;
  return UuidText(id);
}

}  // namespace skerry
