// Own changes that the server had confirmed, has lost, and does not take back (docs/design.md, "Another
// history"): each becomes an entry of the inbox, as far as it is still kept (log/own_record.h).
#ifndef SKERRY_CLIENT_LOST_CHANGES_H_
#define SKERRY_CLIENT_LOST_CHANGES_H_

#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/conflict_record.h"
#include "log/own_record.h"

namespace skerry {

struct LostCause {
  std::string code;
  std::string detail;
  Set<std::string> props;  // if not empty: only these
};

// The entry by which a change is in the log again.
struct GivenBack {
  uint64_t revision = 0;
  double at = 0;  // ms
};

// What was not taken back of a realm, and where the rest is.
struct NotTaken {
  std::string realm;
  uint64_t common = 0;  // what came after this revision is lost
  std::string head;  // the cursor of the log's last entry by then; empty: the server does not say
  // None: only that of `objects`, by their texts (ObjectText).
  std::optional<LostCause> all;
  Map<std::string, LostCause> objects;
  Map<std::string, LostCause> actions;  // that were not appended again, by id
  Map<std::string, GivenBack> given;    // actions with deletes and appends, by id
};

// The entries of one change: one of each object, and one of what it had appended; none of what others had changed
// again before it was lost. `view`: with base as it was lost. What they tell is taken out of `own`: the server may be
// restored once more.
Vector<ConflictRecord> TakeLostChanges(const View& view, const NotTaken& lost, double now,
                                       OwnRecord* own);

}  // namespace skerry

#endif  // SKERRY_CLIENT_LOST_CHANGES_H_
