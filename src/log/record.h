// Record: the steps by which one transaction of the sync worker changed base, in the order in which
// they are folded. It is the body of a row in the store `updates`. Windows and the image job apply
// it to their BaseRows.
#ifndef SKERRY_LOG_RECORD_H_
#define SKERRY_LOG_RECORD_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/vector.h"
#include "log/base_rows.h"
#include "log/op.h"
#include "log/stream_action.h"
#include "model/filter.h"
#include "model/row.h"

namespace skerry {

// Persisted: never renumber.
enum class ChangeKind : uint8_t { kCreate = 1, kUpdate = 2, kDelete = 3, kMove = 4, kLeave = 5 };

// Whether a change of this kind has times and props.
inline bool HasContent(ChangeKind kind) {
  return kind == ChangeKind::kCreate || kind == ChangeKind::kUpdate || kind == ChangeKind::kMove;
}

// One element of a pull's `changes`.
struct Change {
  ChangeKind kind = ChangeKind::kUpdate;
  ObjectKey key;
  std::string realm;
  std::string to;  // kMove
  Vector<PropValue>
      set;  // kCreate: every prop that is not null; kUpdate, kMove: props that differ, null clears
  double created_at = 0;
  double modified_at = 0;
  uint64_t revision = 0;
  // The lowest revision that others had seen of the realm when they changed the row. Own changes above
  // it were not seen by somebody who has overwritten them. None: nothing is to be told. It is in no body.
  std::optional<uint64_t> over;
  friend bool operator==(const Change&, const Change&) = default;
};

enum class StepKind : uint8_t {
  kOwnOps = 1,  // own ops of one update, confirmed in one realm; with the entry's at and revision
  kChange = 2,  // one change from a pull's answer
  kPage = 3,    // a page of an initial sync replaces the ids (above, upto]; comes after the changes
  kDropRealm = 4,   // the realm was revoked, or comes again: its rows are removed
  kKeepScopes = 5,  // scopes were dropped: rows that match none of `scopes` are removed
  kActions = 6,     // confirmed actions of a stream, in the order of their places; no rows
  kSnapshot = 7,    // a state is stored in place of a stream's actions up to a revision; no rows
};

// Removes rows of base that are in the range, match `where` and are not named. A row is named if
// its id is in `ids`, and the record has a create of it in its realm.
struct PageRange {
  TableIndex table = kNone;
  std::string where;                // the filter's wire form, encoded by EncodeData
  std::string above;                // exclusive; empty: from the start
  std::optional<std::string> upto;  // inclusive; none: to the end
  Vector<std::string> realms;       // sorted; the page is about these realms only. Empty: about all
  Vector<std::string> ids;          // named by the page (their rows come as kChange steps), sorted
  friend bool operator==(const PageRange&, const PageRange&) = default;
};
struct ScopeFilter {
  TableIndex table = kNone;
  std::string where;  // as in PageRange
  friend bool operator==(const ScopeFilter&, const ScopeFilter&) = default;
};

struct Step {
  StepKind kind = StepKind::kChange;
  std::string realm;             // kOwnOps, kDropRealm, kActions, kSnapshot
  double at = 0;                 // kOwnOps
  uint64_t revision = 0;         // kOwnOps, kSnapshot
  Vector<Op> ops;                // kOwnOps: those of `realm` only
  Change change;                 // kChange
  PageRange page;                // kPage
  Vector<ScopeFilter> scopes;    // kKeepScopes
  std::string stream;            // kActions, kSnapshot
  Vector<StreamAction> actions;  // kActions
  friend bool operator==(const Step&, const Step&) = default;
};

// Parses the stored filter of a page or scope.
Result<Filter> ReadFilter(const Schema& schema, TableIndex table, const std::string& where);

// Applies steps in order. Calls Touched for every object whose base row may have changed. An
// update, move, delete or leave of a row that base does not hold does nothing. Fails only if a
// filter does not parse; the steps before that one stay applied.
class TouchedSink {
 public:
  virtual ~TouchedSink() = default;
  virtual void Touched(std::string_view realm, const ObjectKey& key) = 0;
};
Status ApplySteps(const Schema& schema, const Vector<Step>& steps, BaseRows* rows,
                  TouchedSink* touched);

}  // namespace skerry

#endif  // SKERRY_LOG_RECORD_H_
