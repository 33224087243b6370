#include "model/id_key.h"

#include "base/id.h"

namespace skerry {
namespace {

constexpr size_t kMaxInlineText = 15;

uint64_t InlineLength(const IdKey& key) { return (key.low >> 56) & 15; }

}  // namespace

IdKey PooledIdKey(uint32_t code) { return {code, 0xf0ull << 56}; }

bool PackIdText(std::string_view text, IdKey* key) {
  Uuid uuid;
  if (text.size() == 36 && ParseUuid(text, &uuid) && (uuid.low >> 62) == 2) {
    *key = {uuid.high, uuid.low};
    return true;
  }
  if (text.empty() || text.size() > kMaxInlineText) return false;
  *key = {0, (0xf0ull | text.size()) << 56};
  for (size_t i = 0; i < text.size(); ++i) {
    const uint64_t byte = static_cast<unsigned char>(text[i]);
    if (i < 8) {
      key->high |= byte << (56 - 8 * i);
    } else {
      key->low |= byte << (48 - 8 * (i - 8));
    }
  }
  return true;
}

std::string_view UnpackIdText(const IdKey& key, char buffer[kIdTextBuffer]) {
  if (key.is_uuid()) {
    FormatUuid({key.high, key.low}, buffer);
    return {buffer, 36};
  }
  const size_t length = InlineLength(key);
  for (size_t i = 0; i < length; ++i) {
    buffer[i] = static_cast<char>(i < 8 ? key.high >> (56 - 8 * i) : key.low >> (48 - 8 * (i - 8)));
  }
  return {buffer, length};
}

bool IdKey::is_malformed() const {
  if (is_null()) return high != 0;
  if (is_uuid()) return false;
  if (is_pooled()) return low != 0xf0ull << 56 || high >> 32 != 0;
  if (!is_inline()) return true;
  // A valid key is what its text packs to: no byte behind the text's end, no U+0000 inside.
  char buffer[kIdTextBuffer];
  const std::string_view text = UnpackIdText(*this, buffer);
  IdKey again;
  return text.find('\0') != std::string_view::npos || !PackIdText(text, &again) || again != *this;
}

}  // namespace skerry
