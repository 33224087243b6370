// Scopes: the union of what windows asked for, in the `sync` record under a version
// (docs/design.md, "Filling a scope"). Closing a window drops none: what it wanted is there when it
// is opened again, off line too. But an application may ask for something else each day: what
// nobody has asked for in a month goes.
#ifndef SKERRY_SYNC_SCOPES_H_
#define SKERRY_SYNC_SCOPES_H_

#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/record.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "model/schema.h"

namespace skerry {

inline constexpr double kDayMs = 86'400'000;  // a window asks again for what it wants
inline constexpr double kUnaskedDays = 30;

// Whether one of these scopes has the table and the filter of that one.
template <typename A, typename B>
bool HoldsScope(const Vector<A>& scopes, const B& scope) {
  for (const A& other : scopes) {
    if (other.table == scope.table && other.where == scope.where) return true;
  }
  return false;
}

// Whether the schema has the scope's table, and the props of its filter, and a server would take
// the filter at all.
bool Understands(const Schema& schema, const std::string& table, const Data& where);
template <typename S>
bool Understands(const Schema& schema, const S& scope) {
  return Understands(schema, scope.table, scope.where);
}

// Drops rows that match none of the scopes.
Step KeepStep(const Schema& schema, const Vector<SyncScope>& scopes);

// Adds and drops scopes; returns whether anything changed. Added ones start
// unfilled, also one that comes back. Those that the schema does not understand, because a table or
// prop was dropped, are given up, unless a newer version may have added them: then none is. So are,
// where some are added, those that were not asked for in kUnaskedDays, and of more than
// kMaxKeptScopes, or where their filters cost more than the server takes (model/filter_cost.h), the
// ones that were not for longest. What open windows want is not dropped for another's sake: then it
// is the added ones that are left out, and *left_out lists them. Where some were dropped, *record
// is the record under the new n that lets windows drop rows which are in no remaining scope; else
// none.
bool ChangeScopes(const Schema& schema, const Vector<WantedScope>& add,
                  const Vector<WantedScope>& drop, double now, SyncRecord* sync,
                  std::optional<UpdateRecord>* record, Vector<SyncScope>* left_out);

}  // namespace skerry

#endif  // SKERRY_SYNC_SCOPES_H_
