// LiveAffected: which rows of a query's table may be concerned by changed rows of other tables:
// through exists and sub-selects of its filter, and through its includes. What it names is looked
// at again; it may name too many, never too few.
#ifndef SKERRY_CLIENT_LIVE_AFFECTED_H_
#define SKERRY_CLIENT_LIVE_AFFECTED_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "base/vector.h"
#include "client/live_changes.h"
#include "model/query.h"

namespace skerry {

class LiveAffected {
 public:
  LiveAffected(const LiveChanges* changes, Tables* tables, uint64_t* visited)
      : changes_(changes), tables_(tables), visited_(visited) {}

  // Live rows of `table` whose membership may have changed through other rows.
  void ByFilter(const Filter& filter, TableIndex table, Vector<Slot>* slots);
  // Of `rows`, which are rows of query.table, those whose includes may render differently.
  void ByIncludes(const Query& query, std::span<const Slot> rows, Vector<Slot>* slots);

 private:
  void BySelect(const Filter& filter, TableIndex outer, Vector<Slot>* slots);
  void OuterRows(const Filter& filter, TableIndex outer, const Value& via, std::string_view realm,
                 Vector<Slot>* slots);
  void ByChildren(const Include& include, TableIndex outer, const std::span<const Slot>* rows,
                  Vector<Slot>* slots);
  void ParentsOf(const Include& include, TableIndex outer, const Value& via, std::string_view id,
                 const std::span<const Slot>* rows, Vector<Slot>* slots);

  const LiveChanges* changes_;
  Tables* tables_;
  uint64_t* visited_;
};

// Does the filter look at other rows?
bool HasInnerFilter(const Filter& filter);

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_AFFECTED_H_
