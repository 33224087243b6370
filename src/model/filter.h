// Filters with the semantics of docs/design.md, "Filters": absent = null; `= null` and `!= null`
// test for null; any other comparison with null is false; `not` negates the result; strings compare
// by UTF-8 bytes; `like` (% and _, backslash escapes) is case-sensitive. server/src/sql/filter.ts
// implements the same semantics in SQL; tests compare both on the same rows.
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
  Vector<Value> values;      // kIn: sorted, without nulls and duplicates
  Vector<Filter> children;   // kAnd, kOr, kNot (one); kExists, kInSelect: the inner filter (one)
  TableIndex table = kNone;  // kExists: the details' table; kInSelect: the inner table
  PropIndex via = kNone;  // kExists: the details' ref to this table; kInSelect: the selected column
};

// Parses the wire form. ["exists", table, where?, via?] comes from the query builder of local
// queries; scopes reject it, and a sub-select within a sub-select (`allow_exists` is false). `via` may be left out if `table` has only
// one ref to this table. A leaf has depth 1; the depth continues to count inside a sub-select. json
// and class props can be compared with null only; `like` takes text. kInvalidArgument,
// kUnknownTable, kUnknownProp, kWrongType, kLimit.
Result<Filter> ParseFilter(const Schema& schema, const TableDef& table, const Data& data,
                           bool allow_exists);

// The definition of a column: a prop, or id (string), realm (string), createdAt or modifiedAt
// (date). REQUIRES: the column exists.
const PropDef& ColumnProp(const TableDef& table, PropIndex column);

// The value of a row's column.
Value ColumnValue(PropIndex column, std::string_view id, const Row& row);

// A sub-select of a filter, with its place in the wire form. It lives as long as both.
struct SubSelect {
  const Filter* filter = nullptr;  // kInSelect
  const Data* prop = nullptr;      // the outer prop's name
  const Data* select = nullptr;    // {"table","select","where"?}
  // The wire form of the inner filter.
  const Data& where() const;
};
// REQUIRES: `filter` was parsed from `wire`.
Vector<SubSelect> FindSubSelects(const Filter& filter, const Data& wire);

// Looks up rows of filter.table that match the inner filter. For kExists: rows whose `via` is the
// outer row's id. For kInSelect: rows of the outer row's realm whose `via` equals the outer row's
// `column`.
class FilterContext {
 public:
  virtual ~FilterContext() = default;
  virtual bool Exists(const Filter& filter, std::string_view id, const Row* row) const = 0;
};

// Evaluates a filter on a decoded row. REQUIRES: `context` is given if the filter has kExists or
// kInSelect.
bool Matches(const Filter& filter, std::string_view id, const Row& row,
             const FilterContext* context);

// kWrongType for a text that no database can compare with (base/text.h).
Status CheckFilterText(const TableDef& table, const PropDef& prop, const Value& value);

}  // namespace skerry

#endif  // SKERRY_MODEL_FILTER_H_
