// Filters with the semantics of docs/design.md, "Filters": absent = null; `= null` and `!= null`
// test for null; any other comparison with null is false; `not` negates the result; strings compare
// by UTF-8 bytes; `like` (% and _, backslash escapes) is case-sensitive. The same semantics in SQL
// (server/src/sql/filter.ts), proved on the same rows.
#ifndef SKERRY_MODEL_FILTER_H_
#define SKERRY_MODEL_FILTER_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

enum class FilterKind : uint8_t {
  kTrue,
  kAnd,
  kOr,
  kNot,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kLike,
  kExists,
  kInSelect
};

struct Filter {
  FilterKind kind = FilterKind::kTrue;
  PropIndex column = kNone;  // comparisons, kInSelect
  Value value;               // comparisons; kLike: the pattern
  Vector<Value> values;      // kIn, sorted, without nulls and repetitions
  Vector<Filter> children;   // kAnd, kOr, kNot (one); kExists, kInSelect: the inner filter (one)
  TableIndex table = kNone;  // kExists: the details' table; kInSelect: the inner table
  PropIndex via = kNone;  // kExists: the details' ref to this table; kInSelect: the selected column
};

// Parses the wire form. ["exists", table, where?, via?] is the local form of the query builder's
// exists and is refused in scopes (`allow_exists` false); `via` may be left out where one ref only
// leads here. A leaf has depth 1, and a sub-select's filter counts on. json and class props can be
// compared with null only; `like` takes text. kInvalidArgument, kUnknownTable, kUnknownProp,
// kWrongType, kLimit.
Result<Filter> ParseFilter(const Schema& schema, const TableDef& table, const Data& data,
                           bool allow_exists);

// The column as a prop: also id (string), realm (string), createdAt and modifiedAt (date).
// REQUIRES: there is such a column.
const PropDef& ColumnProp(const TableDef& table, PropIndex column);

// Looks up other rows for kExists (rows of filter.table whose `via` is the id, and that match the
// inner filter) and kInSelect (rows of the outer row's realm whose `via` equals the outer row's
// `column`, and that match).
class FilterContext {
 public:
  virtual ~FilterContext() = default;
  virtual bool Exists(const Filter& filter, std::string_view id, const Row* row) const = 0;
};

// Evaluates on a decoded row. REQUIRES: `context` where the filter has kExists or kInSelect.
bool Matches(const Filter& filter, std::string_view id, const Row& row,
             const FilterContext* context);

// What a text must be to be compared with in a database.
Status CheckFilterText(const TableDef& table, const PropDef& prop, const Value& value);

}  // namespace skerry

#endif  // SKERRY_MODEL_FILTER_H_
