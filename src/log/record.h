// Record: what one transaction of the sync worker did to base, in the order of folding: the body of
// a row of the store `updates`. Windows, and the job that makes images, apply it to their BaseRows.
#ifndef SKERRY_LOG_RECORD_H_
#define SKERRY_LOG_RECORD_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/vector.h"
#include "log/base_rows.h"
#include "log/op.h"
#include "model/filter.h"
#include "model/row.h"

namespace skerry {

// Persisted: never renumber.
enum class ChangeKind : uint8_t { kCreate = 1, kUpdate = 2, kDelete = 3, kMove = 4, kLeave = 5 };

// Whether a change of this kind brings times and props.
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
      set;  // kCreate: every prop that is not null; kUpdate, kMove: what differs, null unsets
  double created_at = 0;
  double modified_at = 0;
  uint64_t revision = 0;
  friend bool operator==(const Change&, const Change&) = default;
};

enum class StepKind : uint8_t {
  kOwnOps = 1,     // confirmed own ops of one update in one realm, with the entry's at and revision
  kChange = 2,     // one change of the answer
  kPage = 3,       // a fill page replaces its range of ids (above, upto]; comes after the changes
  kDropRealm = 4,  // the realm was revoked, or comes anew: its rows leave
  kKeepScopes = 5,  // scopes were dropped: rows that match none of `scopes` leave
};

// What base holds in the range, matches `where` and is not named leaves. A named object stays in
// one realm only, with its latest row: an older one was moved away while its id was beyond what was
// filled.
struct PageRange {
  TableIndex table = kNone;
  std::string where;                // the filter's wire form by EncodeData
  std::string above;                // exclusive; empty: from the start
  std::optional<std::string> upto;  // inclusive; none: to the end
  Vector<std::string> realms;  // sorted; what the page says is of these only. Empty: of every realm
  Vector<std::string> ids;     // named by the page (their rows come as kChange steps), sorted
  friend bool operator==(const PageRange&, const PageRange&) = default;
};
struct ScopeFilter {
  TableIndex table = kNone;
  std::string where;  // as in PageRange
  friend bool operator==(const ScopeFilter&, const ScopeFilter&) = default;
};

struct Step {
  StepKind kind = StepKind::kChange;
  std::string realm;           // kOwnOps, kDropRealm
  double at = 0;               // kOwnOps
  uint64_t revision = 0;       // kOwnOps
  Vector<Op> ops;              // kOwnOps: those of `realm` only
  Change change;               // kChange
  PageRange page;              // kPage
  Vector<ScopeFilter> scopes;  // kKeepScopes
  friend bool operator==(const Step&, const Step&) = default;
};

// The filter of a page or scope, as it is stored.
Result<Filter> ReadFilter(const Schema& schema, TableIndex table, const std::string& where);

// Applies steps in order. Calls Touched for every object whose base row may have changed. An
// update, move, delete or leave of a row that base does not hold does nothing. Fails only where a
// filter does not parse: what came before it is applied.
class TouchedSink {
 public:
  virtual ~TouchedSink() = default;
  virtual void Touched(const ObjectKey& key) = 0;
};
Status ApplySteps(const Schema& schema, const Vector<Step>& steps, BaseRows* rows,
                  TouchedSink* touched);

}  // namespace skerry

#endif  // SKERRY_LOG_RECORD_H_
