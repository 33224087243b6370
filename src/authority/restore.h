// The op `restore`: brings back what an action has deleted (docs/design.md, "Undo").
#ifndef SKERRY_AUTHORITY_RESTORE_H_
#define SKERRY_AUTHORITY_RESTORE_H_

#include "authority/done_entry.h"
#include "authority/placed_key.h"
#include "authority/scene.h"
#include "base/vector.h"
#include "log/op.h"

namespace skerry {

// Puts back the row of the op, as it was before the entry; the rows that went with it by cascade
// rules; and refs to them that were set to null, where they are null still. What another action of
// the entry deleted, or anybody since, stays deleted. If the entry has made the row as well, it is
// made from what the op knows of it. Returns the rows that were changed; empty: there is nothing to
// bring back. If scene->rows->has_needs() afterwards, the result must not be used.
// REQUIRES: `entry` has rows; there is none at `key`, the place of the op, and it was looked for.
Vector<PlacedKey> RestoreRows(Scene* scene, const Op& op, const PlacedKey& key,
                              const DoneEntry& entry);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_RESTORE_H_
