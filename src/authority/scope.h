// Scopes: the parts of tables that a client wants, and how far each is filled (docs/design.md,
// "Filling a scope"; docs/design.md, "Filters").
#ifndef SKERRY_AUTHORITY_SCOPE_H_
#define SKERRY_AUTHORITY_SCOPE_H_

#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/wire/pull_request.h"
#include "model/filter.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct Scope {
  TableIndex table = kNone;
  Filter filter;
  Data where;              // the filter as the client sent it
  bool is_filled = false;  // completely
  uint64_t cost = 0;       // comparisons that the filter takes for a row (model/filter_cost.h)
  std::string filled;      // if not: the last id that the fill has reached; empty: none yet
  bool waits = false;      // the scope of a sub-select is not filled: no page is answered before
  bool has_begun() const { return is_filled || !filled.empty(); }
  bool Covers(const std::string& id) const {
    return is_filled || (!filled.empty() && id <= filled);
  }
};

// kLeftOut: for a client of another schema version. Its scope may name a table that was dropped
// here, which has no rows then.
enum class UnknownTables { kRefused, kLeftOut };

class Scopes {
 public:
  // Returns kLimit if there are too many scopes, or they cost too much together
  // (model/filter_cost.h).
  static Result<Scopes> Parse(const Schema& schema, Vector<wire::PulledScope> list,
                              UnknownTables unknown = UnknownTables::kRefused);

  const Vector<Scope>& list() const { return list_; }
  size_t CountUnfilled() const;
  // The first scopes that are not filled, as many as one answer may have pages of: at least one, if
  // there is any. The rest comes with later pulls.
  Vector<size_t> PagesAtOnce() const;
  // Whether every table of the schema has a scope without a condition.
  bool HaveAllTables(const Schema& schema) const;
  // The tables whose rows and changes decide what is in scope.
  Set<TableIndex> Tables() const;
  // Memberships are in scope whatever a client asks for, as if a scope of them were always filled.
  TableIndex members() const { return members_; }
  // Whether the fill of every scope of the table has reached the id (true if there is no scope).
  bool Cover(const ObjectKey& key) const;
  // Whether the row is in a scope. `only_covering`: only scopes count whose fill has reached its
  // id. `inner` looks up the rows of sub-selects.
  bool Hold(const ObjectKey& key, const Row& row, bool only_covering,
            const FilterContext& inner) const;

 private:
  void FindWaiting(const Schema& schema);

  Vector<Scope> list_;
  TableIndex members_ = kNone;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_SCOPE_H_
