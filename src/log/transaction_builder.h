// Builds the parts of a transaction (docs/internals.md, section 4): its reads, its writes, and the
// effect that asks the host for it.
#ifndef SKERRY_LOG_TRANSACTION_BUILDER_H_
#define SKERRY_LOG_TRANSACTION_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/data.h"
#include "log/key.h"
#include "log/members.h"

namespace skerry {

// How a transaction may use its stores. kWriteStrict: it completes only when it is on the disk.
enum class TransactionMode : uint8_t { kRead, kWrite, kWriteStrict };

// The shapes of reads, writes and transactions (log/effect.h).
namespace effect {

struct KeyRange {
  Key above;  // exclusive
  Key from;   // inclusive, as is `to`
  Key to;
  std::optional<uint64_t> limit;
  std::optional<bool> last;  // the last `limit` of them, in descending order

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("above", self.above);
    member.Optional("from", self.from);
    member.Optional("to", self.to);
    member.Optional("limit", self.limit);
    member.Optional("last", self.last);
  }
};

// The results: the value or null; [{key, value}..] in the order of keys; a number.
struct GetRead {
  Store store = Store::kMutations;
  Key get;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("get", self.get);
  }
};

struct RangeRead {
  Store store = Store::kMutations;
  KeyRange range;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("range", self.range);
  }
};

struct CountRead {
  Store store = Store::kMutations;
  bool count = true;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("count", self.count);
  }
};

using Read = std::variant<GetRead, RangeRead, CountRead>;

struct PutWrite {
  Store store = Store::kMutations;
  Data put;
  Key key;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("put", self.put);
    member("key", self.key);
  }
};

struct AddWrite {
  Store store = Store::kMutations;
  Data add;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("add", self.add);
  }
};

struct DeleteWrite {
  Store store = Store::kMutations;
  Key key;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("delete", self.key);
  }
};

struct DeleteRangeWrite {
  Store store = Store::kMutations;
  KeyRange range;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("store", self.store, kStores);
    member("deleteRange", self.range);
  }
};

using Write = std::variant<PutWrite, AddWrite, DeleteWrite, DeleteRangeWrite>;

enum class AccessMode : uint8_t { kRead, kWrite };
enum class Durability : uint8_t { kRelaxed, kStrict };

struct Transact {
  static constexpr const char* kType = "transact";
  uint64_t id = 0;
  Vector<std::string> stores;
  AccessMode mode = AccessMode::kRead;
  Durability durability = Durability::kRelaxed;
  DataOf<Vector<Read>> reads;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kAccess[] = {"readonly", "readwrite"};
    static constexpr const char* kDurability[] = {"relaxed", "strict"};
    member("id", self.id);
    member("stores", self.stores);
    member.Text("mode", self.mode, kAccess);
    member.Text("durability", self.durability, kDurability);
    member("reads", self.reads);
  }
};

}  // namespace effect

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
