// Scopes: the union of what the open windows asked for, in the `sync` record under a version
// (DESIGN section 7).
#ifndef SKERRY_SYNC_SCOPES_H_
#define SKERRY_SYNC_SCOPES_H_

#include "base/data.h"
#include "model/schema.h"

namespace skerry {

// Adds and drops scopes ([{table, where}..]); returns whether anything changed. Added ones start
// unfilled, also one that comes back. Where some were dropped, *record is the record under the new
// n that lets windows drop rows which are in no remaining scope; else null.
bool ChangeScopes(const Schema& schema, const Data& add, const Data& drop, Data* sync,
                  Data* record);

}  // namespace skerry

#endif  // SKERRY_SYNC_SCOPES_H_
