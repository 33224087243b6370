// An action and its undo that are pushed together need not be pushed at all: what the undo names is
// not in any log yet. So a deletion that its author takes back before it is sent takes nothing from
// others, and an action that the server would refuse is not refused any more.
#ifndef SKERRY_SYNC_CANCELLED_H_
#define SKERRY_SYNC_CANCELLED_H_

#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// Which of the mutations, in their order, do nothing together. Not if one between the two is about an
// object, or a stream, of theirs.
Vector<bool> FindCancelled(const Schema& schema, const Vector<Mutation>& mutations);

}  // namespace skerry

#endif  // SKERRY_SYNC_CANCELLED_H_
