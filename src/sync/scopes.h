// Scopes: the union of what all windows want, kept in the `sync` record under a version
// (docs/design.md, "Filling a scope"). Closing a window drops no scope, so that its rows are there
// when it is opened again, offline too. But an application may want something else each day: a
// scope that no window has requested for a month is dropped.
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

inline constexpr double kDayMs = 86'400'000;  // a window repeats its request each day
inline constexpr double kUnaskedDays = 30;

// Whether `scopes` has one with the same table and filter as `scope`.
template <typename A, typename B>
bool HoldsScope(const Vector<A>& scopes, const B& scope) {
  for (const A& other : scopes) {
    if (other.table == scope.table && other.where == scope.where) return true;
  }
  return false;
}

// Whether the schema has the table of the scope and the props of its filter, and a server would
// accept the filter at all.
bool Understands(const Schema& schema, const std::string& table, const Data& where);
template <typename S>
bool Understands(const Schema& schema, const S& scope) {
  return Understands(schema, scope.table, scope.where);
}

// The scopes of the sub-selects of a scope: what the client must hold, to evaluate its filter.
Vector<WantedScope> InnerScopes(const Schema& schema, const std::string& table, const Data& where);

// Whether base suffices to evaluate the filter of a scope: the scopes of its sub-selects are filled.
bool CanEvaluate(const Schema& schema, const SyncScope& scope, const Vector<SyncScope>& scopes);

// The step that drops rows which match none of the scopes. It drops none of a table that has a
// scope which cannot be evaluated; the pages of that scope come with another such step.
Step KeepStep(const Schema& schema, const Vector<SyncScope>& scopes);

// The next record, of what windows want: it has no rows, but perhaps these steps. Counts it in `sync`.
UpdateRecord ScopesRecord(const Schema& schema, const Vector<Step>& steps, SyncRecord* sync);

// Adds and drops scopes; returns whether anything changed. An added scope starts unfilled, even if
// it was there before. The scopes of its sub-selects are added with it, and stay as long as it does.
//
// Scopes that the schema does not understand, because a table or prop was dropped, are dropped. If
// a newer version may have added that table or prop, nothing is dropped.
//
// If scopes are added, those that were not requested for kUnaskedDays are dropped. If there are
// then more than kMaxKeptScopes, or their filters cost more than the server accepts
// (model/filter_cost.h), those that were not requested for longest are dropped. What open windows
// want is not dropped in favour of another window: then the added scopes are left out, and
// *left_out lists them.
//
// If scopes were dropped, *record is a record under the new n, by which windows drop the rows that
// are in no remaining scope; else none.
bool ChangeScopes(const Schema& schema, const Vector<WantedScope>& add,
                  const Vector<WantedScope>& drop, double now, SyncRecord* sync,
                  std::optional<UpdateRecord>* record, Vector<SyncScope>* left_out);

}  // namespace skerry

#endif  // SKERRY_SYNC_SCOPES_H_
