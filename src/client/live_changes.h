// LiveChanges: the net changes of a transaction: for each changed row, its old content and where it
// is now.
//
// Call Remember before a row changes, and Settle once after all changes. The accessors are then
// valid until Clear. Old slots are those before the transaction, new slots those after it: one slot
// can be the old slot of one row and the new slot of another.
#ifndef SKERRY_CLIENT_LIVE_CHANGES_H_
#define SKERRY_CLIENT_LIVE_CHANGES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/vector.h"
#include "model/prepared_query.h"
#include "model/query.h"

namespace skerry {

struct LiveChange {
  ObjectKey key;
  Slot old_slot = kNoSlot;  // kNoSlot: there was no such row
  Slot new_slot = kNoSlot;  // kNoSlot: the row is gone
  Row old;                  // REQUIRES: old_slot != kNoSlot
};

class LiveChanges final : public TouchedRows {
 public:
  LiveChanges(size_t tables, Tables* stores) : stores_(stores), tables_(tables) {}

  void Remember(const ObjectKey& key);
  // Looks up where the rows are now. Drops those whose content is the same as before, apart from
  // `revision`.
  void Settle();
  void Clear();
  bool empty() const { return count_ == 0; }

  const Vector<LiveChange>& of(TableIndex table) const { return tables_[table].changes; }
  // The change of the row that was, or is, in a slot; null if that row did not change.
  const LiveChange* ByOldSlot(TableIndex table, Slot slot) const {
    return Find(tables_[table].by_old, table, slot);
  }
  const LiveChange* ByNewSlot(TableIndex table, Slot slot) const {
    return Find(tables_[table].by_new, table, slot);
  }
  // A fast check that excludes most slots: false means that no changed row was or is in this slot.
  bool MayTouch(TableIndex table, Slot slot) const {
    return slot >= tables_[table].lowest && slot <= tables_[table].highest;
  }
  // Whether a row with this id has changed, in any realm.
  bool HasId(TableIndex table, const std::string& id) const;
  bool IsTouched(TableIndex table, Slot slot) const override {
    return ByNewSlot(table, slot) != nullptr;
  }

 private:
  struct Place {
    Slot slot;
    uint32_t change;
  };
  struct Table {
    Vector<LiveChange> changes;
    Vector<uint32_t> hash;  // by key, open addressing: index into `changes` + 1, or 0
    Vector<Place> by_old;   // sorted by slot
    Vector<Place> by_new;
    Slot lowest = kNoSlot;  // the range of all slots in by_old and by_new
    Slot highest = 0;
  };
  const LiveChange* Find(const Vector<Place>& places, TableIndex table, Slot slot) const {
    return MayTouch(table, slot) ? Search(places, table, slot) : nullptr;
  }
  const LiveChange* Search(const Vector<Place>& places, TableIndex table, Slot slot) const;
  static void GrowTable(Table* table);
  static uint32_t* Bucket(Table* table, const ObjectKey& key);

  Tables* stores_;
  Vector<Table> tables_;
  size_t count_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_CHANGES_H_
