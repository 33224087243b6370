// WorkingSet: the rows that an admission reads and changes, loaded on demand. Reading a row that is
// not loaded returns nothing and records a need. The caller then rolls back, asks the server for
// the needs, and begins again.
//
// One update at a time is judged, in steps (one for each of its actions): Begin; for each step
// changes, then KeepStep or DropStep; then Commit or Rollback. The journal has the changes of the
// present step, `changes` those of all steps that were kept.
// After TakeNeeds and Settle, a row that was asked for and not loaded does not exist.
#ifndef SKERRY_AUTHORITY_WORKING_SET_H_
#define SKERRY_AUTHORITY_WORKING_SET_H_

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "authority/done_entry.h"
#include "authority/offered.h"
#include "authority/row_data.h"
#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "model/filter.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// The rows of `table` in `realm` whose ref `prop` is `id`.
struct ChildrenOf {
  std::string realm;
  TableIndex table = kNone;
  PropIndex prop = kNone;
  std::string id;
  friend auto operator<=>(const ChildrenOf&, const ChildrenOf&) = default;
};
// The rows of `table` in `realm` whose unique prop, or role, has the value `value`.
struct UniqueValue {
  TableIndex table = kNone;
  PropIndex prop = kNone;
  std::string realm;
  std::string value;  // plain form as JSON text
  friend auto operator<=>(const UniqueValue&, const UniqueValue&) = default;
};
// The last revision at which a client other than `client` changed the row.
struct LastChangeByOthers {
  PlacedKey key;
  std::string client;
  friend auto operator<=>(const LastChangeByOthers&, const LastChangeByOthers&) = default;
};

// What the log has of a row above a revision.
struct ChangesAbove {
  PlacedKey key;
  uint64_t revision = 0;
  friend auto operator<=>(const ChangesAbove&, const ChangesAbove&) = default;
};

// The rows of `table` in `realm` that match a filter without sub-selects.
struct RowsMatching {
  RowsMatching(std::string of, TableIndex in, const Data& where);
  std::string realm;
  TableIndex table = kNone;
  std::string where;  // JSON text
  friend auto operator<=>(const RowsMatching&, const RowsMatching&) = default;
};

// Before or after the step that is judged.
enum class When { kBefore, kNow };

struct Needs {
  Set<PlacedKey> rows;
  Set<RowsMatching> matching;
  Set<ChildrenOf> children;
  Set<UniqueValue> holders;
  Set<LastChangeByOthers> others;
  Set<ChangesAbove> changes;
  Map<ActionInLog, bool> entries;  // whether with what the entry did (DoneEntry::rows)
  bool empty() const {
    return rows.empty() && matching.empty() && children.empty() && holders.empty() &&
           others.empty() && changes.empty() && entries.empty();
  }
};

class WorkingSet {
 public:
  explicit WorkingSet(const Schema* schema) : schema_(schema) {}
  WorkingSet(const WorkingSet&) = delete;
  WorkingSet& operator=(const WorkingSet&) = delete;

  // Loads a row of the database; ignored if the row is known already.
  void Load(StoredRow stored);
  void LoadOthers(const LastChangeByOthers& which, uint64_t revision);
  void LoadChanges(const ChangesAbove& which, RowHistory history);

  // The live row, or null. The pointer is valid until the next call of a member that is not const.
  const Row* Find(const PlacedKey& key);
  // The same, as it was before the step that is judged.
  const Row* FindBefore(const PlacedKey& key);
  // The realm to which the row has moved. Null if it is there, was deleted, or never was there.
  // REQUIRES: Find was called with the key.
  const std::string* MovedTo(const PlacedKey& key) const;
  // Whether there is no row, but was one: it was deleted, or has moved. REQUIRES: see MovedTo.
  bool WasThere(const PlacedKey& key) const;
  // The revision at which a row that is not there was deleted; none if it is there, has moved, or
  // that is not known. REQUIRES: see MovedTo.
  std::optional<uint64_t> DeletedAt(const PlacedKey& key) const;
  // What is left of a row that was deleted, or has moved; else null. REQUIRES: see MovedTo.
  const Row* Remains(const PlacedKey& key) const;
  // Where the row is after the moves of the step that is judged, and where it was before them.
  PlacedKey PlaceAfterMoves(PlacedKey key) const;
  const PlacedKey& PlaceBeforeMoves(const PlacedKey& key) const;
  Vector<ObjectKey> Children(const ChildrenOf& which);
  Vector<ObjectKey> Holders(const UniqueValue& which);
  // Calls visit(id, row) for each row that matches, by id, as far as they are loaded. REQUIRES: `filter` is
  // that of `which`; `visit` changes nothing.
  template <typename Visit>
  void EachMatching(const RowsMatching& which, const Filter& filter, When when,
                    const Visit& visit) {
    if (!known_matching_.contains(which)) needs_.matching.insert(which);
    for (auto at = entries_.lower_bound(PlacedKey{which.realm, {which.table, ""}});
         at != entries_.end() && at->first.realm == which.realm &&
         at->first.object.table == which.table;
         ++at) {
      const Row* row = at->second.row ? &*at->second.row : nullptr;
      const auto changed = step_.journal.find(at->first);
      if (when == When::kBefore && changed != step_.journal.end())
        row = changed->second ? &*changed->second : nullptr;
      const std::string& id = at->first.object.id;
      if (row && Matches(filter, id, *row, nullptr)) visit(id, *row);
    }
  }
  // The last revision by another client, in this admission or before; empty if it is not loaded
  // yet.
  std::optional<uint64_t> LastRevisionByOthers(const LastChangeByOthers& which);
  void NoteChange(const PlacedKey& key, const std::string& client, uint64_t revision);
  // What the log had of the row before this admission; null if it is not loaded yet.
  const RowHistory* ChangesOf(const ChangesAbove& which);
  // The entry in which the log has the action, or null if it is not loaded yet.
  const DoneEntry* EntryOf(const ActionInLog& which, bool with_rows);
  // Of the database, or of this admission.
  void LoadEntry(const ActionInLog& which, DoneEntry entry);

  void Begin();
  void Put(const ObjectKey& key, Row row);
  void Erase(const PlacedKey& key, double at, uint64_t revision);
  // Puts `row` into its realm, and leaves a tombstone with this revision that leads there.
  // REQUIRES: there is a row at `from`.
  void Move(const PlacedKey& from, uint64_t revision, Row row);
  void KeepStep();
  void DropStep();
  void Commit();
  void Rollback();
  // Every row that the present step changed, as it was before the step. A row that it moved is
  // there twice: under the realm that it left, and under its new one.
  using Befores = Map<PlacedKey, std::optional<Row>>;
  const Befores& journal() const { return step_.journal; }
  size_t changed_in_step() const { return step_.journal.size() - step_.came_from.size(); }
  // The same of all steps of the update that were kept, as it was before the update.
  const Befores& changes() const { return kept_.journal; }
  size_t changed_objects() const { return kept_.journal.size() - kept_.came_from.size(); }

  bool has_needs() const { return !needs_.empty(); }
  // Returns what the server must be asked for. Call Settle when its answer is loaded: what was
  // asked for and is not loaded does not exist.
  Needs TakeNeeds();
  void Settle();
  // The server has looked for this row: if it is not loaded, it does not exist.
  void SettleRow(const PlacedKey& key);

  // The final state of a row that committed updates changed.
  struct Final {
    StoredRow stored;
    bool is_new = false;  // the database has no row with this key
  };
  Vector<Final> Finals() const;

  // The key under which a unique value is looked up.
  UniqueValue HoldersKey(TableIndex table, PropIndex prop, const std::string& realm,
                         const Value& value) const;

 private:
  struct Entry {
    std::optional<Row> row;            // empty: deleted, moved, or there never was one
    std::optional<StoredRow> remains;  // the tombstone then
    bool in_database = false;
    bool changed = false;
  };
  struct Saved {
    std::optional<StoredRow> remains;
    bool changed = false;
  };
  struct Changes {
    Befores journal;
    Map<PlacedKey, Saved> saved;
    Map<PlacedKey, PlacedKey> came_from;  // new place -> place before
  };

  Entry& Change(const PlacedKey& key);
  void Undo(Changes* changes);
  void AddToIndexes(const ObjectKey& key, const Row& row);

  const Schema* schema_;
  Map<PlacedKey, Entry> entries_;
  // The ids of all rows that held a value at some time in this admission. They are candidates:
  // a lookup compares the value with the present row.
  Map<ChildrenOf, Set<std::string>> by_ref_;
  Map<UniqueValue, Set<std::string>> by_value_;
  Set<ChildrenOf> known_children_;
  Set<UniqueValue> known_holders_;
  Set<RowsMatching> known_matching_;
  Map<LastChangeByOthers, uint64_t> others_;
  Map<ChangesAbove, RowHistory> histories_;
  Map<ActionInLog, DoneEntry> done_;
  Map<PlacedKey, Map<std::string, uint64_t>> changed_by_;  // client -> revision
  Changes step_, kept_;
  Needs needs_;
  Needs asked_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_WORKING_SET_H_
