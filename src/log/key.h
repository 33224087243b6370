// The stores of the client's database (docs/internals.md, section 3), and the keys of their rows.
// Keys have their own type, so that a key cannot be passed as a value.
#ifndef SKERRY_LOG_KEY_H_
#define SKERRY_LOG_KEY_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/relocatable.h"

namespace skerry {

enum class Store : uint8_t {
  kMutations,
  kOutbox,
  kUpdates,
  kSync,
  kConflicts,
  kActions,
  kStreams,
  kOwn
};
inline constexpr const char* kStores[] = {"mutations", "outbox",  "updates", "sync",
                                          "conflicts", "actions", "streams", "own"};
static_assert(std::size(kStores) == static_cast<size_t>(Store::kOwn) + 1);
inline const char* NameOf(Store store) { return kStores[static_cast<uint8_t>(store)]; }

// The key of the record `sync` in the store `sync`.
inline constexpr const char* kSyncKey = "sync";

// The key of a row: a number or a text. Rows stored by another script may have any key; such a Key
// can be used to delete them.
class Key {
 public:
  Key() = default;                                     // none: null
  Key(uint64_t number) : data_(number) {}              // NOLINT(google-explicit-constructor)
  Key(const std::string& text) : data_(text) {}        // NOLINT(google-explicit-constructor)
  Key(const char* text) : data_(text) {}               // NOLINT(google-explicit-constructor)
  explicit Key(Data data) : data_(std::move(data)) {}  // as it was read

  uint64_t number() const { return data_.as_u64(); }  // 0 if it is not a whole number
  const Data& data() const { return data_; }
  friend bool operator==(const Key&, const Key&) = default;

 private:
  Data data_;
};

template <>
inline constexpr bool kRelocatable<Key> = kRelocatable<Data>;

}  // namespace skerry

#endif  // SKERRY_LOG_KEY_H_
