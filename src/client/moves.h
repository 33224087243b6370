// What a move in a transaction does to other rows.
#ifndef SKERRY_CLIENT_MOVES_H_
#define SKERRY_CLIENT_MOVES_H_

#include "base/status.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/op.h"
#include "log/ref_closure.h"

namespace skerry {

// Appends to `ops` the move of a row, the moves of the children that it takes along by `cascade`,
// and the updates that set refs of others to null; kConflict where one of those that stay refers to
// what moves by `restrict`. Unlike the cascade of a delete this is logged: later ops on a child
// have to name the realm in which it is by then. Stops behind kMaxOpsPerUpdate ops.
Status CollectMoves(View* view, const Departure& root, Vector<Op>* ops);

}  // namespace skerry

#endif  // SKERRY_CLIENT_MOVES_H_
