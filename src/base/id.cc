#include "base/id.h"

namespace skerry {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

bool ParseUuid(std::string_view text, Uuid* out) {
  if (text.size() != 36) return false;
  uint64_t words[2] = {0, 0};
  int digits = 0;
  for (size_t i = 0; i < 36; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return false;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return false;
    words[digits / 16] = words[digits / 16] << 4 | static_cast<uint64_t>(digit);
    ++digits;
  }
  *out = {words[0], words[1]};
  return true;
}

void FormatUuid(Uuid id, char out[36]) {
  int digits = 0;
  for (int i = 0; i < 36; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      out[i] = '-';
      continue;
    }
    const uint64_t word = digits < 16 ? id.high : id.low;
    out[i] = "0123456789abcdef"[word >> (60 - digits % 16 * 4) & 15];
    ++digits;
  }
}

String UuidText(Uuid id) {
  String text(36, '-');
  FormatUuid(id, text.mutable_data());
  return text;
}

String UuidGenerator::Next(double now_ms) {
  const uint64_t now = now_ms > 0 ? static_cast<uint64_t>(now_ms) : 0;
  if (now > last_ms_) {
    last_ms_ = now;
    counter_ = random_->Below(0x800);  // Room to count up within the millisecond.
  } else if (++counter_ > 0xfff) {
    ++last_ms_;  // The counter is used up: borrow from the next millisecond rather than repeat or
                 // step back.
    counter_ = 0;
  }
  Uuid id;
  id.high = (last_ms_ & 0xffffffffffffu) << 16 | 0x7000u | counter_;
  id.low = (random_->Next() & 0x3fffffffffffffffu) | 0x8000000000000000u;
  return UuidText(id);
}

}  // namespace skerry
