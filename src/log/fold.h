// Folding: applies ops to rows, and reduces a sequence of ops to its final result. The same
// functions run in the window (overlay and base), in the sync worker (grouping), in the image job
// and in the authority (F of diff(F, E)).
#ifndef SKERRY_LOG_FOLD_H_
#define SKERRY_LOG_FOLD_H_

#include <optional>

#include "base/vector.h"
#include "log/op.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// kView: for the overlay. A moved row continues to exist in its new realm. kBase: for base and F,
// which are kept per realm. A move only removes the row; the log of the target realm brings it
// there.
enum class FoldTarget { kView, kBase };

struct FoldStamp {
  double at = 0;          // becomes modifiedAt, and createdAt of a created row
  uint64_t revision = 0;  // becomes the row's revision; 0 in the overlay
};

// Applies one op (create, update, inc, delete, move, restore) to the row that it names; `row` is that row or
// empty. It does nothing if the row is in another realm than the op, or is missing (except for a
// create). A create of an existing row acts as an update. An inc counts from 0 if the prop has no
// number, and stops at the greatest finite number. Defaults are not filled in here; that is done
// when an op is made, admitted or decoded. So a prop that has a default and may not be null is null
// only if its value is not known (in the server's F, for a row that was written before the prop
// existed). An inc leaves such a prop null. An update with `was` sets only the props that have the
// expected value. A restore makes the row from what the op knows of it, in the overlay only. Cascade rules are not applied here. Returns whether the
// op had an effect.
bool FoldOp(const Schema& schema, const Op& op, FoldStamp stamp, FoldTarget target,
            std::optional<Row>* row);

// Reduces ops to their final result per object, in order. Every op of the result names all actions
// that it comes from (docs/design.md, "Grouping").
//   create + update: one create.
//   update + update: one update.
//   inc + inc: one inc with the sum. An inc after a create or an update that sets the same prop is
//     added to the set value. An inc of a prop that the create does not set stays an op of its own,
//     because the row may exist already.
//   delete + create: both stay.
//   An op that undoes an action (`of`) stays as it is.
//   create + delete: the delete stays. If the table's ids are UUIDs and the create is the object's
//     first op, no other client can have seen the id. Then nothing stays, and the creates in `ops`
//     that cascade rules would delete with the object are dropped, too, transitively.
// All this holds for the ops of one action. Of different actions, an op is merged into an earlier one
// only if it is an update or inc of props that have no rule (unique, a ref with onDelete), because
// every action is judged by itself (authority/judge_update.h).
// Of one action, at most five ops remain for an object while it is in one realm. O(n log n).
// FoldOps(FoldOps(x)) = FoldOps(x). REQUIRES: none of `ops` was ever sent; no create has the UUID of
// an object that is known to exist (the window logs an update instead).
Vector<Op> FoldOps(const Schema& schema, const Vector<Op>& ops);

// The realms that ops touch, sorted: each op's realm, and a move's target.
Vector<std::string> RealmsOf(const Vector<Op>& ops);

}  // namespace skerry

#endif  // SKERRY_LOG_FOLD_H_
