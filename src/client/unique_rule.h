// Unique props on the device: what the device itself can see to be taken is refused at once, as
// `restrict` is. The server has the last word, because it has all rows (docs/design.md, "A local
// mutation").
#ifndef SKERRY_CLIENT_UNIQUE_RULE_H_
#define SKERRY_CLIENT_UNIQUE_RULE_H_

#include "base/status.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/op.h"

namespace skerry {

// Whether a unique value that the ops have set belongs to another visible row of the realm as well:
// kUnique. Null is free, and so is a value that another op of them has given back. REQUIRES: the view
// shows the ops.
Status CheckUniqueAfter(View* view, const Vector<Op>& ops);

// The same before the view shows the ops, as far as their creates and updates say what they will set.
// Rows that the ops change themselves do not count: they may give their value back.
Status CheckUniqueBefore(View* view, const Vector<Op>& ops);

}  // namespace skerry

#endif  // SKERRY_CLIENT_UNIQUE_RULE_H_
