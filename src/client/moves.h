// The changes to other rows that follow from a move in a transaction.
#ifndef SKERRY_CLIENT_MOVES_H_
#define SKERRY_CLIENT_MOVES_H_

#include "base/status.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/op.h"
#include "log/ref_closure.h"

namespace skerry {

// Appends to `ops` the move of a row, the moves of the children that follow it by `cascade`, and
// the updates that set other rows' refs to null. Returns kConflict if a row that stays refers by
// `restrict` to a row that moves. Unlike the cascade of a delete, these ops are logged: later ops
// on a child must name the realm in which it is by then. Stops after kMaxOpsPerUpdate ops.
Status CollectMoves(View* view, const Departure& root, Vector<Op>* ops);

}  // namespace skerry

#endif  // SKERRY_CLIENT_MOVES_H_
