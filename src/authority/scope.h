// Scopes: the parts of tables that a client wants, and how far each is filled (docs/design.md,
// "Filling a scope" and "Filters").
#ifndef SKERRY_AUTHORITY_SCOPE_H_
#define SKERRY_AUTHORITY_SCOPE_H_

#include <string>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/filter.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct Scope {
  TableIndex table = kNone;
  Filter filter;
  Data where;              // as sent
  bool is_filled = false;  // wholly
  uint64_t cost = 0;       // of the filter, for a row (model/filter_cost.h)
  std::string filled;      // else the last id that the fill has reached; empty: none yet
  bool Covers(const std::string& id) const {
    return is_filled || (!filled.empty() && id <= filled);
  }
};

// Of a client of another version a scope's table may have been dropped here: it has no rows then.
enum class UnknownTables { kRefused, kLeftOut };

class Scopes {
 public:
  // kLimit where there are too many, or they cost too much together (model/filter_cost.h).
  static Result<Scopes> Parse(const Schema& schema, const Data& list,
                              UnknownTables unknown = UnknownTables::kRefused);

  const Vector<Scope>& list() const { return list_; }
  size_t CountUnfilled() const;
  // The first scopes that are not filled, as many as one answer brings pages of; at least one. The
  // others wait for the next: the answer says that there is more.
  Vector<size_t> PagesAtOnce() const;
  // Every table of the schema without condition.
  bool CoverAll(const Schema& schema) const;
  // Every scope of the table reaches the id (also where there is none).
  bool Cover(const ObjectKey& key) const;
  // Whether a row is in some scope; `only_covering`: of those that reach its id.
  bool Hold(const ObjectKey& key, const Row& row, bool only_covering) const;

 private:
  Vector<Scope> list_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_SCOPE_H_
