// Query: a parsed and checked query such as db.cities.where(…).orderBy(…).limit(…) (its
// description: docs/internals.md, section 7), and QueryEngine, which runs it over the row stores.
//
// Order: by the given columns, ties by id ascending; without columns, by id. Null sorts first
// (ascending), strings by their UTF-8 bytes, or by a locale (collation.h). `after` names a row: the
// result begins after the place of that row in the order, whether or not the row matches the
// filter. It may say what the row had in the columns of the order: then the place is the one where
// the row was, even if the row has moved or does not exist. Without that, the result is empty if the
// row does not exist. Then `offset` rows are skipped, and at
// most `limit` rows are taken. Count and aggregates are over the rows that Run would return.
//
// Plans: an id; an equality, `in` or range on a prop that is indexed (index, unique and ref props
// are); or walking the index of the order until `limit`. The plan that is estimated to visit the
// fewest rows is taken. Other props are not indexed, with one exception: the selected column of an
// `in` with a sub-select.
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
  uint32_t locale = 0;  // only for string props: FindLocale's number (collation.h); 0: by bytes
};

struct Query;

struct Include {
  std::string name;   // for JavaScript; the engine uses the position
  bool back = false;  // false: the target of this row's ref; true: the rows of `table` whose ref
                      // names this row
  PropIndex prop = kNone;    // the ref: of the outer table (!back), of `table` (back)
  TableIndex table = kNone;  // of the included rows
  Vector<Query> query;       // always one, over `table`
};

struct Query {
  TableIndex table = kNone;
  Filter where;
  Vector<QueryOrder> order;
  uint32_t limit = kNoLimit;
  uint32_t offset = 0;
  std::string after;        // an id, or empty
  std::string after_realm;  // of that row; empty: not known
  // The values of that row by which the query orders, one for each of `order`. Only if `is_placed`.
  Vector<Value> after_values;
  bool is_placed = false;
  Vector<Include> includes;
};

// kInvalidArgument, kUnknownTable, kUnknownProp, kWrongType, kLimit (nesting of includes deeper
// than kMaxFilterDepth).
Result<Query> ParseQuery(const Schema& schema, const Data& description);

// All row stores of one client (or base), by table. The stores outlive every holder of the Tables.
class Tables {
 public:
  virtual ~Tables() = default;
  virtual RowStore& store(TableIndex table) = 0;
};

enum class AggregateKind : uint8_t { kSum = 0, kMin = 1, kMax = 2 };

// Runs queries. Its only state is a counter. Each call prepares its query again; to run a query
// more than once, keep a PreparedQuery. REQUIRES: `schema` and `tables` outlive it.
class QueryEngine final : public FilterContext {
 public:
  QueryEngine(const Schema* schema, Tables* tables);

  // Appends the u32 stream of docs/internals.md, section 7 (sk_query_run): the number of rows, then
  // per row its slot, and per include the number of its rows and the rows.
  void Run(const Query& query, Vector<uint32_t>* stream);
  // Appends only the slots of the rows themselves, in order, without includes.
  void RunSlots(const Query& query, Vector<Slot>* slots);
  size_t Count(const Query& query);
  // Ignores null values. The sum of no values is 0; their minimum and maximum are null. kWrongType
  // for the sum of a prop that is not a number, and for json and class props; kUnknownProp.
  Result<Value> Aggregate(const Query& query, AggregateKind kind, PropIndex column);

  // For Matches() on decoded rows.
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override;

  // The number of rows looked at since construction, without index look-ups.
  uint64_t rows_visited() const { return rows_visited_; }

 private:
  const Schema* schema_;
  Tables* tables_;
  mutable uint64_t rows_visited_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_QUERY_H_
