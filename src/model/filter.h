// Filters with the semantics of DESIGN section 12: absent = null; `= null` and `!= null` test for null; any other
// comparison with null is false; `not` negates the result; strings compare by UTF-8 bytes; `like` (% and _, backslash
// escapes) is case-sensitive. The same semantics in SQL (server/src/sql/filter.ts), proved on the same rows.
#ifndef SKERRY_MODEL_FILTER_H_
#define SKERRY_MODEL_FILTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/data.h"
#include "base/status.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

enum class FilterKind : uint8_t { kTrue, kAnd, kOr, kNot, kEq, kNe, kLt, kLe, kGt, kGe, kIn, kLike, kExists, kInSelect };

struct Filter {
  FilterKind kind = FilterKind::kTrue;
  PropIndex column = kNone;         // comparisons
  Value value;                      // comparisons; kLike: the pattern
  std::vector<Value> values;        // kIn, sorted
  std::vector<Filter> children;     // kAnd, kOr, kNot (one); kExists, kInSelect: the inner filter (one)
  TableIndex table = kNone;         // kExists: the details' table; kInSelect: the inner table
  PropIndex via = kNone;            // kExists: the details' ref to this table; kInSelect: the selected column
};

// Parses the wire form. ["exists", table, where, via?] is the local form of the query builder's exists and is refused in
// scopes (`allow_exists` false).
Result<Filter> ParseFilter(const Schema& schema, const TableDef& table, const Data& data, bool allow_exists);

// Looks up other rows for kExists and kInSelect.
class FilterContext {
 public:
  virtual ~FilterContext() = default;
  virtual bool Exists(const Filter& filter, std::string_view id, const Row* row) const = 0;
};

// Evaluates on a decoded row. REQUIRES: `context` where the filter has kExists or kInSelect.
bool Matches(const Filter& filter, std::string_view id, const Row& row, const FilterContext* context);

bool LikeMatches(std::string_view text, std::string_view pattern);

}  // namespace skerry

#endif  // SKERRY_MODEL_FILTER_H_
