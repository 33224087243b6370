// WorkingSet: the rows that an admission looks at and changes, loaded on demand. Whoever reads what
// is not loaded gets "nothing" and leaves a need behind; the caller undoes what it did meanwhile,
// asks the server, and begins again.
//
// One update at a time is journalled: Begin, changes, then Commit or Rollback. What was asked for
// once counts as answered after TakeNeeds: what the server did not send does not exist.
#ifndef SKERRY_AUTHORITY_WORKING_SET_H_
#define SKERRY_AUTHORITY_WORKING_SET_H_

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "authority/row_data.h"
#include "base/map.h"
#include "base/vector.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// The rows of `table` whose ref `prop` is `id`.
struct ChildrenOf {
  TableIndex table = kNone;
  PropIndex prop = kNone;
  std::string id;
  friend auto operator<=>(const ChildrenOf&, const ChildrenOf&) = default;
};
// The rows of `table` in `realm` that have the unique value `value`.
struct HoldersOf {
  TableIndex table = kNone;
  PropIndex prop = kNone;
  std::string realm;
  std::string value;  // plain form as JSON text
  friend auto operator<=>(const HoldersOf&, const HoldersOf&) = default;
};
// The last revision of a row by another client than `client`.
struct OthersOf {
  ObjectKey key;
  std::string client;
  friend auto operator<=>(const OthersOf&, const OthersOf&) = default;
};

struct Needs {
  Set<ObjectKey> rows;
  Set<ChildrenOf> children;
  Set<HoldersOf> holders;
  Set<OthersOf> others;
  bool empty() const {
    return rows.empty() && children.empty() && holders.empty() && others.empty();
  }
};

class WorkingSet {
 public:
  explicit WorkingSet(const Schema* schema) : schema_(schema) {}
  WorkingSet(const WorkingSet&) = delete;
  WorkingSet& operator=(const WorkingSet&) = delete;

  // A row of the database; ignored if the row is known already.
  void Load(StoredRow stored);
  void LoadOthers(const OthersOf& which, uint64_t revision);

  // The live row, or null. The pointer is valid until the next call of a member that is not const.
  const Row* Find(const ObjectKey& key);
  // Of a row that was deleted: the realm in which it was. Null where there is a live one, or none
  // at all. REQUIRES: the key was looked for by Find.
  const std::string* RealmOfRemains(const ObjectKey& key) const;
  // Objects whose live row has `prop` = id, in any realm.
  Vector<ObjectKey> Children(const ChildrenOf& which);
  Vector<ObjectKey> Holders(const HoldersOf& which);
  // The last revision by another client, of this admission or before; empty while that is not
  // known.
  std::optional<uint64_t> LastByOthers(const OthersOf& which);
  void NoteChange(const ObjectKey& key, const std::string& client, uint64_t revision);

  void Begin();
  void Put(const ObjectKey& key, Row row);
  void Erase(const ObjectKey& key, double at, uint64_t revision);
  void Commit();
  void Rollback();
  // The rows before the present update of all that it changed.
  const Map<ObjectKey, std::optional<Row>>& journal() const { return journal_; }

  bool has_needs() const { return !needs_.empty(); }
  // Hands over what is to be asked; Settle, after the answer was loaded, makes the rest of it known
  // as missing.
  Needs TakeNeeds();
  void Settle();
  // The row was looked for: where it is not loaded, there is none.
  void SettleRow(const ObjectKey& key);

  // Every row that committed updates changed: its final state, and whether the database has no row
  // of that key.
  struct Final {
    StoredRow stored;
    bool is_new = false;
  };
  Vector<Final> Finals() const;

  // The key under which a unique value is looked up.
  HoldersOf HoldersKey(TableIndex table, PropIndex prop, const std::string& realm,
                       const Value& value) const;

 private:
  struct Entry {
    std::optional<Row> row;            // empty: deleted or never there
    std::optional<StoredRow> remains;  // of a deleted one
    bool in_database = false;
    bool changed = false;
  };
  struct Saved {
    std::optional<StoredRow> remains;
    bool changed = false;
  };

  Entry& Change(const ObjectKey& key);
  void AddToIndexes(const ObjectKey& key, const Row& row);

  const Schema* schema_;
  Map<ObjectKey, Entry> entries_;
  // Who ever held a value, in this admission; candidates, checked against the present row.
  Map<ChildrenOf, Set<std::string>> by_ref_;
  Map<HoldersOf, Set<std::string>> by_value_;
  Set<ChildrenOf> known_children_;
  Set<HoldersOf> known_holders_;
  Map<OthersOf, uint64_t> others_;
  Map<ObjectKey, Map<std::string, uint64_t>> changed_by_;  // client -> revision
  Map<ObjectKey, std::optional<Row>> journal_;
  Map<ObjectKey, Saved> saved_;
  Needs needs_;
  Needs asked_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_WORKING_SET_H_
