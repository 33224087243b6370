// Query: what db.cities.where(…).orderBy(…).limit(…) means, parsed and checked (description:
// docs/internals.md, section 7), and QueryEngine, which answers one over the row stores.
//
// Order: by the given columns, ties by id ascending; without any, by id. Null sorts first
// (ascending), strings by their UTF-8 bytes, or as a locale orders them (collation.h). `after`
// names a row: the result begins behind the place of that row in the order, whether or not it
// matches the filter; if there is no such row the result is empty. Then `offset` rows are skipped
// and at most `limit` taken. Count and aggregates are over the rows that Run would give.
//
// Plans: an id, an equality, `in` or range on a prop that is indexed (index, unique and ref props
// are), or walking the order's index until limit; whichever is estimated to visit fewest rows.
// Props without an index are never indexed behind the application's back, except for the selected
// column of an `in` with a sub-select.
#ifndef SKERRY_MODEL_QUERY_H_
#define SKERRY_MODEL_QUERY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/filter.h"
#include "model/row_store.h"
#include "model/schema.h"

namespace skerry {

inline constexpr uint32_t kNoLimit = 0xffffffff;

struct QueryOrder {
  PropIndex column = kIdColumn;
  bool descending = false;
  uint32_t locale = 0;  // of a string prop: its number (collation.h); 0: by bytes
};

struct Query;

struct Include {
  std::string name;   // JavaScript's; the engine goes by position
  bool back = false;  // false: the target of this row's ref; true: the rows of `table` whose ref
                      // names this row
  PropIndex prop = kNone;    // the ref: of the outer table (!back), of `table` (back)
  TableIndex table = kNone;  // of the included rows
  Vector<Query> query;       // exactly one, over `table`
};

struct Query {
  TableIndex table = kNone;
  Filter where;
  Vector<QueryOrder> order;
  uint32_t limit = kNoLimit;
  uint32_t offset = 0;
  std::string after;  // an id, or empty
  Vector<Include> includes;
};

// kInvalidArgument, kUnknownTable, kUnknownProp, kWrongType, kLimit (nesting of includes deeper
// than kMaxFilterDepth).
Result<Query> ParseQuery(const Schema& schema, const Data& description);

// All row stores of one client (or base), by table. The stores outlive whoever holds the Tables.
class Tables {
 public:
  virtual ~Tables() = default;
  virtual RowStore& store(TableIndex table) = 0;
};

enum class AggregateKind : uint8_t { kSum = 0, kMin = 1, kMax = 2 };

// Answers queries. No state between calls but the counter: cheap to keep, one a client. Each call
// prepares the query anew (prepared_query.h keeps one prepared). `schema` and `tables` outlive it.
class QueryEngine final : public FilterContext {
 public:
  QueryEngine(const Schema* schema, Tables* tables);

  // Appends the u32 stream of docs/internals.md, section 7: n, then per row its slot and per
  // include n and its rows.
  void Run(const Query& query, Vector<uint32_t>* stream);
  // Only the slots of the rows themselves, in order, without includes.
  void RunSlots(const Query& query, Vector<Slot>* slots);
  size_t Count(const Query& query);
  // Null values are left out; the sum of nothing is 0, its minimum and maximum are null. kWrongType
  // for a sum of anything but numbers, and for json and class props; kUnknownProp.
  Result<Value> Aggregate(const Query& query, AggregateKind kind, PropIndex column);

  // For Matches() on decoded rows.
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override;

  // Rows that were looked at since construction; index look-ups apart.
  uint64_t rows_visited() const { return rows_visited_; }

 private:
  const Schema* schema_;
  Tables* tables_;
  mutable uint64_t rows_visited_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_QUERY_H_
