// Builds the parts of a transaction (docs/internals.md, section 4): its reads, its writes, and the
// effect that asks the host for it. Keys have their own type, so that a key cannot be passed as a
// value.
#ifndef SKERRY_LOG_TRANSACTION_BUILDER_H_
#define SKERRY_LOG_TRANSACTION_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/relocatable.h"

namespace skerry {

enum class Store : uint8_t { kMutations, kOutbox, kUpdates, kSync, kConflicts, kActions, kStreams };
const char* NameOf(Store store);

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

// How a transaction may use its stores. kWriteStrict: it completes only when it is on the disk.
enum class TransactionMode : uint8_t { kRead, kWrite, kWriteStrict };

Data TransactEffect(uint64_t id, std::initializer_list<Store> stores, TransactionMode mode,
                    Data reads);

// Reads. A range gives [{key, value}..], ascending.
Data GetRead(Store store, const Key& key);
Data RangeRead(Store store);
Data RangeAbove(Store store, const Key& above);
// At most `limit` rows; from the first row if `above` is none.
Data PageRead(Store store, const Key& above, uint32_t limit);
// The rows from `from` to `to`. `limit` 0: all of them.
Data BetweenRead(Store store, const Key& from, const Key& to, uint32_t limit);
// The last `limit` of them, descending.
Data LastRead(Store store, const Key& from, const Key& to, uint32_t limit);
Data CountRead(Store store);
Key RowKey(const Data& row);
const Data& RowValue(const Data& row);

// Writes.
Data PutWrite(Store store, const Key& key, Data value);
Data AddWrite(Store store, Data value);  // under the next key
Data DeleteWrite(Store store, const Key& key);
Data DeleteUpToWrite(Store store, const Key& last);
Data DeleteBetweenWrite(Store store, const Key& from, const Key& to);

}  // namespace skerry

#endif  // SKERRY_LOG_TRANSACTION_BUILDER_H_
