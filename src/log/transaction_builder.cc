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
    case Store::kActions:
      return "actions";
    case Store::kStreams:
      return "streams";
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

Data BetweenRead(Store store, const Key& from, const Key& to, uint32_t limit) {
  Data range = Fields{{"from", from.data()}, {"to", to.data()}};
  if (limit != 0) range.Set("limit", limit);
  return Fields{{"store", NameOf(store)}, {"range", std::move(range)}};
}

Data LastRead(Store store, const Key& from, const Key& to, uint32_t limit) {
  Data read = BetweenRead(store, from, to, limit);
  Data range = read["range"];
  range.Set("last", true);
  return read.Set("range", std::move(range));
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

Data DeleteBetweenWrite(Store store, const Key& from, const Key& to) {
  return Fields{{"store", NameOf(store)},
                {"deleteRange", Fields{{"from", from.data()}, {"to", to.data()}}}};
}

}  // namespace skerry
