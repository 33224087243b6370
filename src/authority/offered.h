// What becomes of a row that a client gives back to a restored server (docs/design.md, "Another
// history"). Its state in the history that is lost is later than that at the common point, and
// earlier than all that was written since, because the database's clock does not go back. So it is
// merged prop by prop: what others have changed since stays. Among offers, the latest state wins.
#ifndef SKERRY_AUTHORITY_OFFERED_H_
#define SKERRY_AUTHORITY_OFFERED_H_

#include <optional>

#include "base/vector.h"
#include "log/op.h"
#include "log/wire/offers.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// What the log has of a row above the common point, the oldest first.
struct RowHistory {
  struct Change {
    std::optional<Row> before;      // empty: the row was not in this realm
    std::optional<double> offered;  // ms, if the change took an offer: the time of that
  };
  Vector<Change> changes;
  bool is_whole = true;  // no change is missing, and each could be read
};

// REQUIRES: the schema has the table, or it is kNone.
RowHistory ReadHistory(const Schema& schema, TableIndex table, const wire::ChangedSince& since);

struct OfferMerge {
  std::optional<Op> op;  // by which the row takes the offer; none: it stays as it is
  // The offer is a delete, and the row is not there. So a state from before that comes too late.
  bool is_gone = false;
  // The code, if not all is taken because of what others have done since; and which props are not, if
  // the row is there.
  const char* kept = nullptr;
  Vector<PropIndex> props;
};

// `offer`: a row, or a delete. `at`: when the row was changed so, or deleted, in the lost history, ms.
// `now`: the row, or null.
OfferMerge MergeOffer(const Op& offer, double at, const Row* now, const RowHistory& history);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_OFFERED_H_
