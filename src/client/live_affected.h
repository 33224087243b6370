// LiveAffected: which rows of a query's table may be affected by changed rows of other tables:
// through `exists` and sub-selects in its filter, and through its includes. The rows that it
// returns are evaluated again; there may be too many of them, never too few.
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

  // Rows of `table` that may have entered or left the result because of other rows.
  void ByFilter(const Filter& filter, TableIndex table, Vector<Slot>* slots);
  // Those of `rows` (rows of query.table) whose includes may render differently.
  void ByIncludes(const Query& query, std::span<const Slot> rows, Vector<Slot>* slots);

 private:
  void BySelect(const Filter& filter, TableIndex outer, Vector<Slot>* slots);
  void OuterRows(const Filter& filter, TableIndex outer, const Value& via, std::string_view realm,
                 Vector<Slot>* slots);
  void ByChildren(const Include& include, TableIndex outer, const std::span<const Slot>* rows,
                  Vector<Slot>* slots);
  void ParentsOf(const Include& include, TableIndex outer, const Value& via, std::string_view id,
                 std::string_view realm, const std::span<const Slot>* rows, Vector<Slot>* slots);

  const LiveChanges* changes_;
  Tables* tables_;
  uint64_t* visited_;
};

// Whether the filter reads other rows (`exists`, sub-selects).
bool HasInnerFilter(const Filter& filter);

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_AFFECTED_H_
