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
  // None: only that of `objects`, by their texts (ObjectText).
  std::optional<LostCause> all;
  Map<std::string, LostCause> objects;
  Map<std::string, LostCause> actions;  // that were not appended again, by id
  Map<std::string, GivenBack> given;    // actions with deletes and appends, by id
};

// `view`: with base as it was lost. `own`: all of the store `own`. An entry for each object of a change, and
// for what it had appended, the oldest first; none for what others had changed again before it was lost.
Vector<ConflictRecord> LostChanges(const View& view, const Data& own, const NotTaken& lost,
                                   double now);

}  // namespace skerry

#endif  // SKERRY_CLIENT_LOST_CHANGES_H_
