#include "log/base.h"

#include <algorithm>

#include "base/sort.h"
#include "base/vector.h"

namespace skerry {

Base::Base(const Schema* schema) : schema_(schema) {
  for (const TableDef& table : schema->tables())
    stores_.push_back(std::make_unique<RowStore>(&table));
}

std::optional<Row> Base::GetBase(std::string_view realm, const ObjectKey& key) const {
  const RowStore& rows = *stores_[key.table];
  if (const Slot slot = rows.Find(key.id, realm); slot != kNoSlot) {
    Row row = rows.Get(slot);
    if (row.realm == realm) return row;
  }
  const auto extra = extras_.find({key, std::string(realm)});
  if (extra == extras_.end()) return std::nullopt;
  return extra->second;
}

// If the realm already has a row of this id, the row replaces it, in the store or in extras_.
void Base::PutBase(const ObjectKey& key, const Row& row) {
  RowStore& rows = *stores_[key.table];
  const Slot slot = rows.Find(key.id, row.realm);
  if (slot == kNoSlot || rows.GetValue(slot, kRealmColumn).text() == row.realm) {
    rows.Put(key.id, row);
  } else {
    extras_[{key, row.realm}] = row;
  }
}

void Base::EraseBase(std::string_view realm, const ObjectKey& key) {
  if (extras_.erase({key, std::string(realm)}) > 0) return;
  RowStore& rows = *stores_[key.table];
  const Slot slot = rows.Find(key.id, realm);
  if (slot == kNoSlot || rows.GetValue(slot, kRealmColumn).text() != realm) return;
  rows.Erase(key.id, realm);
  // A row of the same id in another realm moves from extras_ into the store.
  const auto extra = extras_.lower_bound({key, std::string()});
  if (extra == extras_.end() || extra->first.first != key) return;
  rows.Put(key.id, extra->second);
  extras_.erase(extra);
}

Vector<std::pair<std::string, std::string>> Base::BaseKeys(TableIndex table) const {
  Vector<std::pair<std::string, std::string>> keys;
  const RowStore& rows = *stores_[table];
  keys.reserve(rows.size());
  for (Slot slot = 0; slot < rows.slot_limit(); ++slot) {
    if (!rows.IsLive(slot)) continue;
    keys.emplace_back(rows.Id(slot), rows.GetValue(slot, kRealmColumn).text());
  }
  for (auto extra = extras_.lower_bound({{table, std::string()}, std::string()});
       extra != extras_.end() && extra->first.first.table == table; ++extra) {
    keys.emplace_back(extra->first.first.id, extra->first.second);
  }
  Sort(keys.begin(), keys.end());
  return keys;
}

bool Base::empty() const {
  for (const auto& store : stores_) {
    if (store->size() > 0) return false;
  }
  return true;
}

void Base::Swap(Base* other) {
  stores_.swap(other->stores_);
  extras_.swap(other->extras_);
}

void Merge(const Base& from, BaseRows* to) {
  for (const TableDef& table : from.schema().tables()) {
    for (const auto& [id, realm] : from.BaseKeys(table.index)) {
      const ObjectKey key{table.index, id};
      to->PutBase(key, *from.GetBase(realm, key));
    }
  }
}

}  // namespace skerry
