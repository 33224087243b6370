// PullRows: the part of a pull that compares rows: what the client holds with what it should hold, at
// both ends of each realm's range.
//
// In: the ranges, and changes, states, rows and pages as they are read. Out: the rows at both ends,
// and the answer's changes and pages.
#ifndef SKERRY_AUTHORITY_PULL_ROWS_H_
#define SKERRY_AUTHORITY_PULL_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "authority/pull_ranges.h"
#include "log/record.h"
#include "model/filter.h"

namespace skerry {

// What was read of a realm.
struct PulledRows {
  const PullRange* range = nullptr;
  // The rows before each change, by key and revision.
  Map<ObjectKey, Map<uint64_t, std::optional<Row>>> changes;
  Map<ObjectKey, Row> state;
  // The rows at the end of the range, where neither `changes` nor `state` has them.
  Map<ObjectKey, std::optional<Row>> rows;
  // Objects that may have entered or left a scope because inner rows have changed.
  Set<ObjectKey> candidates;

  // Null if the row is not live in the realm then.
  const Row* RowAtEnd(const ObjectKey& key) const;
  const Row* RowAtStart(const ObjectKey& key) const;
  // The last revision of the range that changed the row; the end of the range if that is not known.
  uint64_t LastChangeOf(const ObjectKey& key) const;
};

class PullRows {
 public:
  PullRows(PullIo* io, const PullRanges* ranges) : io_(io), ranges_(ranges) {}

  void Begin();
  void LoadChange(const std::string& realm, uint64_t revision, const ObjectKey& key,
                  std::optional<Row> before);
  void LoadState(const ObjectKey& key, Row row);
  // `place`: index into needs().pages. A page that is not loaded had no room in this answer, and
  // comes with a later pull.
  void LoadPage(size_t place, PulledPage page);
  void LoadRow(const PlacedKey& key, std::optional<Row> row);
  void ForgetChanges(const std::string& realm) { realms_.at(realm).changes.clear(); }
  void AddCandidate(const std::string& realm, const ObjectKey& key) {
    realms_.at(realm).candidates.insert(key);
  }
  // A candidate's row as it is now.
  void AddCandidate(const std::string& realm, const ObjectKey& key, Row row);

  // `inner`: the tables of sub-selects.
  bool AskForRows(const Set<TableIndex>& inner);
  void ChoosePages();
  // What the answer says of one realm. `at_start`, `at_end`: its inner rows.
  void DiffRealm(const std::string& name, const FilterContext& at_start,
                 const FilterContext& at_end);
  void JoinMoves();
  void NameLeaves();
  void WriteChanges();

  const PulledRows& Of(const std::string& realm) const { return realms_.at(realm); }
  // The objects that the answer may have changes of: sorted, each once.
  Vector<ObjectKey> KeysOf(const PulledRows& realm) const;

 private:
  // One object in one realm.
  struct Outcome {
    std::optional<Row> from;  // what the client holds
    std::optional<Change> change;
    bool lives = false;  // the row is in this realm at the end, in scope or not
  };

  // `over` of a change (log/record.h), where an own update may be among what others had not seen.
  // `own`: the revisions of the client's entries in the range, ascending.
  std::optional<uint64_t> OverOf(const PulledRows& realm, const Vector<uint64_t>& own,
                                 const ObjectKey& key) const;
  void AskForRow(const std::string& name, const PulledRows& realm, const ObjectKey& key);
  // Sets each prop of `row`, which the client holds, to null if any `before` in the range leaves
  // it unknown (row_data.h).
  void ClearUnknownDefaults(const PulledRows& realm, const ObjectKey& key, Row* row) const;
  void FoldOwn(const std::string& name, const PullRange& range,
               Map<ObjectKey, std::optional<Row>>* rows) const;

  PullIo* io_;
  const PullRanges* ranges_;
  Map<std::string, PulledRows> realms_;
  Vector<size_t> asked_pages_;
  Vector<std::optional<PulledPage>> pages_;
  Map<PlacedKey, Outcome> outcomes_;
  Map<PlacedKey, Row> page_rows_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_ROWS_H_
