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

// What was not taken back of a realm.
struct NotTaken {
  std::string realm;
  uint64_t common = 0;  // what came after this revision is lost
  // None: only that of `objects`, by their texts (ObjectText).
  std::optional<LostCause> all;
  Map<std::string, LostCause> objects;
};

// `view`: with base as it was lost. `own`: all of the store `own`. An entry for each object of a change,
// the oldest first; none for what others had changed again before it was lost.
Vector<ConflictRecord> LostChanges(const View& view, const Data& own, const NotTaken& lost,
                                   double now);

}  // namespace skerry

#endif  // SKERRY_CLIENT_LOST_CHANGES_H_
