// The inverse of a mutation: the ops that undo it (docs/design.md, "Undo"). Each says what it undoes
// and what it expects, so that it does the right thing however the mutation was rebased, and whatever
// others have changed since:
//   - a prop goes back to what it was, where it still is what the mutation made it;
//   - a number that was added is taken away again;
//   - a row that was created is deleted, one that was deleted is restored, one that was moved moves
//     back.
#ifndef SKERRY_CLIENT_INVERSE_H_
#define SKERRY_CLIENT_INVERSE_H_

#include <cstddef>
#include <optional>

#include "base/vector.h"
#include "client/changed_rows.h"
#include "client/view.h"
#include "log/op.h"

namespace skerry {

// None if the mutation cannot be undone: it appends to a stream, it changes memberships, or what it
// changed from is too large. `most`: the bytes of values that the ops may have. With a server
// (`from_log`) a mutation beyond that which only deletes can be undone all the same: the server knows
// what it deleted.
// REQUIRES: the mutation is attached, as the last one; `changed` has what it has changed.
std::optional<Vector<Op>> InverseOf(const View& view, const Mutation& mutation,
                                    const ChangedRows& changed, size_t most, bool from_log);

}  // namespace skerry

#endif  // SKERRY_CLIENT_INVERSE_H_
