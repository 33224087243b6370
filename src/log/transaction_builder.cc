#include "log/transaction_builder.h"

#include "log/kinds.h"

namespace skerry {

Data TransactEffect(uint64_t id, std::initializer_list<Store> stores, TransactionMode mode,
                    Data reads) {
  effect::Transact transact{
      id, {}, effect::AccessMode::kRead, effect::Durability::kRelaxed, std::move(reads)};
  for (const Store store : stores) transact.stores.emplace_back(NameOf(store));
  if (mode != TransactionMode::kRead) transact.mode = effect::AccessMode::kWrite;
  if (mode == TransactionMode::kWriteStrict) transact.durability = effect::Durability::kStrict;
  return WriteKind(transact);
}

Data GetRead(Store store, const Key& key) { return ToData(effect::GetRead{store, key}); }

Data RangeRead(Store store) { return PageRead(store, Key(), 0); }
Data RangeAbove(Store store, const Key& above) { return PageRead(store, above, 0); }

namespace {

std::optional<uint64_t> LimitOf(uint32_t limit) {
  return limit == 0 ? std::nullopt : std::optional<uint64_t>(limit);
}

Data ReadOf(Store store, effect::KeyRange range) {
  return ToData(effect::RangeRead{store, std::move(range)});
}

}  // namespace

Data PageRead(Store store, const Key& above, uint32_t limit) {
  return ReadOf(store, {above, {}, {}, LimitOf(limit), {}});
}

Data BetweenRead(Store store, const Key& from, const Key& to, uint32_t limit) {
  return ReadOf(store, {{}, from, to, LimitOf(limit), {}});
}

Data LastRead(Store store, const Key& from, const Key& to, uint32_t limit) {
  return ReadOf(store, {{}, from, to, LimitOf(limit), true});
}

Key RowKey(const Data& row) { return Key(row["key"]); }
const Data& RowValue(const Data& row) { return row["value"]; }

Data CountRead(Store store) { return ToData(effect::CountRead{store}); }

Data PutWrite(Store store, const Key& key, Data value) {
  return ToData(effect::PutWrite{store, std::move(value), key});
}

Data AddWrite(Store store, Data value) { return ToData(effect::AddWrite{store, std::move(value)}); }

Data DeleteWrite(Store store, const Key& key) { return ToData(effect::DeleteWrite{store, key}); }

Data DeleteUpToWrite(Store store, const Key& last) {
  return ToData(effect::DeleteRangeWrite{store, {{}, {}, last, {}, {}}});
}

Data DeleteBetweenWrite(Store store, const Key& from, const Key& to) {
  return ToData(effect::DeleteRangeWrite{store, {{}, from, to, {}, {}}});
}

}  // namespace skerry
