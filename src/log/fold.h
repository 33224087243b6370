// Folding: what ops do to rows, and how a sequence of ops reduces to its final result. The same
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

// kView: the overlay: a moved row goes on to live in its new realm. kBase: base and F, which are
// kept per realm: a move only removes (the target realm's own range brings the row).
enum class FoldTarget { kView, kBase };

struct FoldStamp {
  double at = 0;          // becomes modifiedAt, and createdAt of what is created
  uint64_t revision = 0;  // becomes the row's revision; 0 in the overlay
};

// Applies one op (create, update, inc, delete, move) to the row that it names; `row` is that row or
// empty. Acts only on a row of the op's realm; on a missing one (but for create) it does nothing. A
// create of an existing row merges as create + update. An inc counts from 0 where there is no
// number yet, and stops at the greatest finite number. Defaults are not filled in: who makes an op
// resolves its values. So a prop that has a default and may not be null is null only where its
// value is not known (the server's F, of a row that was written before the prop existed): an inc
// leaves it so. Cascades are not applied here. Returns whether the op took effect.
bool FoldOp(const Schema& schema, const Op& op, FoldStamp stamp, FoldTarget target,
            std::optional<Row>* row);

// Reduces ops to their final result per object, in order; every op names all actions that it comes
// from (docs/design.md, "Grouping"). create+update -> create; update+update -> one; incs summed
// (into a create or an update of the same prop's set value too; an inc of a prop that a create does
// not set stays beside it, because the row may exist); delete+create stays both; create+delete ->
// delete, or nothing where the table's ids are UUIDs and the create is the first that `ops` say of
// the object (an id that nobody else can have seen), and then also the creates of this sequence
// that would cascade from it, transitively. An object leaves at most five ops per stay in a realm.
// O(n log n). FoldOps(FoldOps(x)) = FoldOps(x). REQUIRES: nothing of `ops` was ever sent; no UUID
// of a create names an object that is known to exist (the window makes an update of such a create).
Vector<Op> FoldOps(const Schema& schema, const Vector<Op>& ops);

// The realms that ops touch, sorted: each op's realm, and a move's target.
Vector<std::string> RealmsOf(const Vector<Op>& ops);

}  // namespace skerry

#endif  // SKERRY_LOG_FOLD_H_
