#include "base/bytes.h"

#include <algorithm>

namespace skerry {

SharedBytes::SharedBytes(std::string_view copied) : SharedBytes(Uninitialized(copied.size())) {
  std::copy(copied.begin(), copied.end(), data());
}

SharedBytes SharedBytes::Uninitialized(size_t size) {
  SharedBytes bytes;
  bytes.bytes_ = std::make_shared_for_overwrite<char[]>(size);
  bytes.size_ = size;
  return bytes;
}
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int Sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

template <typename T>
void PutRaw(std::string* out, T v) {
  char raw[sizeof v];
  std::memcpy(raw, &v,
              sizeof v);  // Both wasm and the machines that run the server are little-endian.
  out->append(raw, sizeof v);
}

template <typename T>
T GetRaw(std::string_view raw) {
  T v{};
  if (raw.size() == sizeof v) std::memcpy(&v, raw.data(), sizeof v);
  return v;
}

}  // namespace

void PutU32(std::string* out, uint32_t v) { PutRaw(out, v); }
void PutU64(std::string* out, uint64_t v) { PutRaw(out, v); }
void PutF64(std::string* out, double v) { PutRaw(out, v); }

void PutVarint(std::string* out, uint64_t v) {
  while (v >= 0x80) {
    out->push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out->push_back(static_cast<char>(v));
}

void PutText(std::string* out, std::string_view v) {
  PutVarint(out, v.size());
  out->append(v);
}

std::string_view Reader::Take(size_t size) {
  if (!Has(size)) return {};
  std::string_view taken = bytes_.substr(position_, size);
  position_ += size;
  return taken;
}

uint8_t Reader::U8() { return GetRaw<uint8_t>(Take(1)); }
uint32_t Reader::U32() { return GetRaw<uint32_t>(Take(4)); }
uint64_t Reader::U64() { return GetRaw<uint64_t>(Take(8)); }
double Reader::F64() { return GetRaw<double>(Take(8)); }

uint64_t Reader::Varint() {
  uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = U8();
    if (failed_) return 0;
    // Only one encoding of each number is taken, so that equal values have equal bytes.
    if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0)) break;
    v |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return v;
  }
  failed_ = true;
  return 0;
}

std::string_view Reader::Text() {
  const uint64_t size = Varint();
  if (failed_ || size > remaining()) {
    failed_ = true;
    return {};
  }
  return Take(static_cast<size_t>(size));
}

std::string Base64Encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      out.push_back(i + j <= bytes.size() ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return out;
}

bool Base64Decode(std::string_view text, std::string* out) {
  out->clear();
  if (text.size() % 4 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    int padding = 0;
    if (last && text[i + 3] == '=') padding = text[i + 2] == '=' ? 2 : 1;
    uint32_t group = 0;
    for (size_t j = 0; j < 4; ++j) {
      const int sextet = static_cast<int>(j) >= 4 - padding ? 0 : Sextet(text[i + j]);
      if (sextet < 0) return false;
      group = group << 6 | static_cast<uint32_t>(sextet);
    }
    for (int j = 0; j < 3 - padding; ++j) out->push_back(static_cast<char>(group >> (16 - 8 * j)));
  }
  return true;
}

}  // namespace skerry
