#include "client/live_changes.h"

#include <algorithm>

#include "base/checksum.h"
#include "base/sort.h"
#include "base/vector.h"

namespace skerry {

uint32_t* LiveChanges::Bucket(Table* table, const ObjectKey& key) {
  const size_t mask = table->hash.size() - 1;
  size_t i = Xxh64(key.id) & mask;
  while (table->hash[i] != 0 && table->changes[table->hash[i] - 1].key != key) i = (i + 1) & mask;
  return &table->hash[i];
}

void LiveChanges::GrowTable(Table* table) {
  table->hash.assign(std::max<size_t>(16, table->hash.size() * 2), 0);
  for (size_t i = 0; i < table->changes.size(); ++i) {
    *Bucket(table, table->changes[i].key) = static_cast<uint32_t>(i + 1);
  }
}

void LiveChanges::Remember(const ObjectKey& key) {
  Table& table = tables_[key.table];
  if ((table.changes.size() + 1) * 2 > table.hash.size()) GrowTable(&table);
  uint32_t* bucket = Bucket(&table, key);
  if (*bucket != 0) return;  // it is remembered with its first content
  const RowStore& store = stores_->store(key.table);
  LiveChange change;
  change.key = key;
  change.old_slot = store.Find(key.id, key.realm);
  if (change.old_slot != kNoSlot) change.old = store.Get(change.old_slot);
  table.changes.push_back(std::move(change));
  *bucket = static_cast<uint32_t>(table.changes.size());
  ++count_;
}

void LiveChanges::Settle() {
  for (size_t t = 0; t < tables_.size(); ++t) {
    Table& table = tables_[t];
    if (table.changes.empty()) continue;
    const RowStore& store = stores_->store(static_cast<TableIndex>(t));
    const auto is_as_it_was = [&](LiveChange& change) {
      change.new_slot = store.Find(change.key.id, change.key.realm);
      if (change.new_slot != change.old_slot) return false;
      if (change.new_slot == kNoSlot) return true;
      Row row = store.Get(change.new_slot);
      row.revision = change.old.revision;
      return row == change.old;
    };
    const size_t before = table.changes.size();
    table.changes.erase(std::remove_if(table.changes.begin(), table.changes.end(), is_as_it_was),
                        table.changes.end());
    count_ -= before - table.changes.size();
    // The indexes in the hash are wrong now. HasId searches by id instead.
    Sort(table.changes.begin(), table.changes.end(),
         [](const LiveChange& a, const LiveChange& b) { return a.key < b.key; });
    for (uint32_t i = 0; i < table.changes.size(); ++i) {
      const LiveChange& change = table.changes[i];
      if (change.old_slot != kNoSlot) table.by_old.push_back({change.old_slot, i});
      if (change.new_slot != kNoSlot) table.by_new.push_back({change.new_slot, i});
      for (const Slot slot : {change.old_slot, change.new_slot}) {
        if (slot == kNoSlot) continue;
        table.lowest = std::min(table.lowest, slot);
        table.highest = std::max(table.highest, slot);
      }
    }
    const auto by_slot = [](const Place& a, const Place& b) { return a.slot < b.slot; };
    Sort(table.by_old.begin(), table.by_old.end(), by_slot);
    Sort(table.by_new.begin(), table.by_new.end(), by_slot);
  }
}

void LiveChanges::Clear() {
  // This frees the memory of a large transaction.
  for (Table& table : tables_) table = Table();
  count_ = 0;
}

bool LiveChanges::HasId(TableIndex table, const std::string& id) const {
  const Vector<LiveChange>& changes = tables_[table].changes;
  const auto at =
      std::lower_bound(changes.begin(), changes.end(), ObjectKey{table, id},
                       [](const LiveChange& change, const ObjectKey& v) { return change.key < v; });
  return at != changes.end() && at->key.id == id;
}

const LiveChange* LiveChanges::Search(const Vector<Place>& places, TableIndex table,
                                      Slot slot) const {
  const auto at = std::lower_bound(places.begin(), places.end(), slot,
                                   [](const Place& p, Slot v) { return p.slot < v; });
  return at != places.end() && at->slot == slot ? &tables_[table].changes[at->change] : nullptr;
}

}  // namespace skerry
