// IdKey: an id in 128 bits, as the row store and its hash table hold it.
//
//   a UUID (RFC 9562: variant bits 10)   its 16 bytes; the top two bits of `low` are 10
//   text of 1 to 15 bytes                8 bytes in `high`, 7 in `low`, padded with zeros;
//                                        the top byte of `low` is 0xF0 | length
//   any other text                       `high` is a code of the store's pool of ids;
//                                        the top byte of `low` is 0xF0
//   none (a null ref, a free slot)       `low` is 0
//
// Within one store two ids are equal exactly if their keys are equal.
#ifndef SKERRY_MODEL_ID_KEY_H_
#define SKERRY_MODEL_ID_KEY_H_

#include <cstdint>
#include <string_view>

namespace skerry {

struct IdKey {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const IdKey&, const IdKey&) = default;

  bool is_null() const { return low == 0; }
  bool is_uuid() const { return (low >> 62) == 2; }
  bool is_inline() const { return (low >> 60) == 15 && (low >> 56) != 0xf0; }
  bool is_pooled() const { return (low >> 56) == 0xf0; }
  uint32_t pool_code() const { return static_cast<uint32_t>(high); }
  // Whether no id has this key. Keys read from damaged bytes may be malformed.
  bool is_malformed() const;

  uint64_t Hash() const {
    uint64_t x = (high ^ (low * 0x9e3779b97f4a7c15u)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
  }
};

inline constexpr size_t kIdTextBuffer = 40;

IdKey PooledIdKey(uint32_t code);
// False if the text does not fit a key and has to be pooled.
bool PackIdText(std::string_view text, IdKey* key);
// Writes the text to `buffer`. REQUIRES: a UUID or inline key.
std::string_view UnpackIdText(const IdKey& key, char buffer[kIdTextBuffer]);

}  // namespace skerry

#endif  // SKERRY_MODEL_ID_KEY_H_
