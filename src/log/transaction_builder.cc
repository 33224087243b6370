#include "log/transaction_builder.h"

#include "base/fields.h"

namespace skerry {

const char* NameOf(Store store) {
  switch (store) {
    case Store::kMutations:
      return "mutations";
    case Store::kOutbox:
      return "outbox";
    case Store::kUpdates:
      return "updates";
    case Store::kSync:
      return "sync";
    case Store::kConflicts:
      return "conflicts";
  }
  return "";
}

Data TransactEffect(uint64_t id, std::initializer_list<Store> stores, TransactionMode mode,
                    Data reads) {
  Data names = Data::MakeArray();
  for (const Store store : stores) names.Push(NameOf(store));
  return Fields{{"type", "transact"},
                {"id", id},
                {"stores", std::move(names)},
                {"mode", mode == TransactionMode::kRead ? "readonly" : "readwrite"},
                {"durability", mode == TransactionMode::kWriteStrict ? "strict" : "relaxed"},
                {"reads", std::move(reads)}};
}

Data GetRead(Store store, const Key& key) {
  return Fields{{"store", NameOf(store)}, {"get", key.data()}};
}

Data RangeRead(Store store) { return PageRead(store, Key(), 0); }
Data RangeAbove(Store store, const Key& above) { return PageRead(store, above, 0); }

Data PageRead(Store store, const Key& above, uint32_t limit) {
  Data range = Data::MakeObject();
  if (!above.data().is_null()) range.Set("above", above.data());
  if (limit != 0) range.Set("limit", limit);
  return Fields{{"store", NameOf(store)}, {"range", std::move(range)}};
}

Key RowKey(const Data& row) { return Key(row["key"]); }
const Data& RowValue(const Data& row) { return row["value"]; }

Data CountRead(Store store) { return Fields{{"store", NameOf(store)}, {"count", true}}; }

Data PutWrite(Store store, const Key& key, Data value) {
  return Fields{{"store", NameOf(store)}, {"put", std::move(value)}, {"key", key.data()}};
}

Data AddWrite(Store store, Data value) {
  return Fields{{"store", NameOf(store)}, {"add", std::move(value)}};
}

Data DeleteWrite(Store store, const Key& key) {
  return Fields{{"store", NameOf(store)}, {"delete", key.data()}};
}

Data DeleteUpToWrite(Store store, const Key& last) {
  return Fields{{"store", NameOf(store)}, {"deleteRange", Fields{{"to", last.data()}}}};
}

}  // namespace skerry
