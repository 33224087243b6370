#include "model/filter_cost.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/limits.h"
#include "base/vector.h"
#include "model/like.h"

namespace skerry {
namespace {

// A long text costs one comparison per this many bytes: the row's text may have a long common
// prefix.
constexpr uint64_t kBytesPerComparison = 32;
// The least cost of `like`. It is added again for each overlapping match (MaxOverlappingMatches).
constexpr uint64_t kLikeComparisons = 20;
// Of a sub-select, besides its filter: the look-up of the inner rows.
constexpr uint64_t kSelectComparisons = 20;

uint64_t TextCost(const Value& value) { return 1 + value.text().size() / kBytesPerComparison; }

uint64_t ListCost(const Vector<Value>& values) {
  uint64_t longest = 1;
  for (const Value& value : values) longest = std::max(longest, TextCost(value));
  uint64_t steps = 1;  // of the binary search
  for (size_t left = values.size(); left > 1; left /= 2) ++steps;
  return longest * steps;
}

}  // namespace

FilterCost CostOf(const Filter& filter) {
  FilterCost cost;
  switch (filter.kind) {
    case FilterKind::kLike:
      cost.comparisons = kLikeComparisons * (1 + MaxOverlappingMatches(filter.value.text()));
      break;
    case FilterKind::kIn:
      cost.comparisons = ListCost(filter.values);
      cost.values = filter.values.size();
      break;
    case FilterKind::kInSelect:
      cost.comparisons = kSelectComparisons;
      break;
    default:
      cost.comparisons = TextCost(filter.value);
  }
  for (const Filter& child : filter.children) {
    const FilterCost inner = CostOf(child);
    cost.comparisons += inner.comparisons;
    cost.values += inner.values;
  }
  return cost;
}

Status CheckPatterns(const Filter& filter) {
  if (filter.kind == FilterKind::kLike)
    SKERRY_RETURN_IF_ERROR(CheckLikePattern(filter.value.text()));
  for (const Filter& child : filter.children) SKERRY_RETURN_IF_ERROR(CheckPatterns(child));
  return Status::Ok();
}

bool AreWithinScopeLimits(const FilterCost& total) {
  return total.comparisons <= kMaxScopesCost && total.values <= kMaxScopesValues;
}

Status ScopeBudget::Add(const Filter& filter) {
  SKERRY_RETURN_IF_ERROR(CheckPatterns(filter));
  const FilterCost cost = CostOf(filter);
  if (cost.comparisons > kMaxFilterCost)
    return {Code::kLimit, "the filter of a scope may cost 1,000 comparisons a row"};
  if (used_.comparisons + cost.comparisons > kMaxScopesCost)
    return {Code::kLimit, "the filters of all scopes together may cost 4,000 comparisons a row"};
  if (used_.values + cost.values > kMaxScopesValues)
    return {Code::kLimit, "the lists in the filters of all scopes may have 10,000 values"};
  used_.comparisons += cost.comparisons;
  used_.values += cost.values;
  return Status::Ok();
}

namespace {

// The scopes that were counted, each once.
struct Counted {
  ScopeBudget budget;
  Vector<std::pair<const std::string*, const Data*>> scopes;  // table and filter
};

Status CountScope(const Schema& schema, const std::string& name, const Data& where,
                  Counted* counted) {
  for (const auto& [table, filter] : counted->scopes) {
    if (*table == name && *filter == where) return Status::Ok();
  }
  counted->scopes.emplace_back(&name, &where);
  if (counted->scopes.size() > kMaxKeptScopes)
    return {Code::kLimit, "a database may have 500 scopes"};
  const TableIndex table = schema.FindTable(name);
  if (table == kNone) return {Code::kUnknownTable, "no table " + name};
  const Result<Filter> filter =
      ParseFilter(schema, schema.table(table), where, /*allow_exists=*/false);
  if (!filter.ok()) return filter.status();
  SKERRY_RETURN_IF_ERROR(counted->budget.Add(filter.value()));
  for (const SubSelect& inner : FindSubSelects(filter.value(), where)) {
    SKERRY_RETURN_IF_ERROR(
        CountScope(schema, (*inner.select)["table"].as_string(), inner.where(), counted));
  }
  return Status::Ok();
}

}  // namespace

Status CheckWantedScopes(const Schema& schema, const Data& scopes) {
  Counted counted;
  for (const Data& scope : scopes.items()) {
    SKERRY_RETURN_IF_ERROR(
        CountScope(schema, scope["table"].as_string(), scope["where"], &counted));
  }
  return Status::Ok();
}

}  // namespace skerry
