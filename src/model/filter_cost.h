// The cost of a filter for each row that it tests, and the limit on the scopes of a client
// together. The unit is one comparison of short values. docs/performance.md has the measurements.
//
// Window and server use the same ScopeBudget. So a window rejects scopes that its server would
// reject, and a client is never blocked by its own scopes.
#ifndef SKERRY_MODEL_FILTER_COST_H_
#define SKERRY_MODEL_FILTER_COST_H_

#include <cstdint>

#include "base/data.h"
#include "base/status.h"
#include "model/filter.h"
#include "model/schema.h"

namespace skerry {

struct FilterCost {
  uint64_t comparisons = 0;
  uint64_t values = 0;  // in the lists of `in`
};
FilterCost CostOf(const Filter& filter);

// kLimit if a pattern of `like` exceeds its limits (model/like.h).
Status CheckPatterns(const Filter& filter);

// Whether the filters of all scopes together are within the limits.
bool AreWithinScopeLimits(const FilterCost& total);

// Adds up the cost of the filters of scopes. An Add that fails adds nothing: kLimit, with the limit
// in words.
class ScopeBudget {
 public:
  Status Add(const Filter& filter);

 private:
  FilterCost used_;
};

// Ok if a window may ask for these scopes, [{table, where}..]: each parses, and together they are
// within the limits, with the scopes of their sub-selects, which come along. A repeated scope counts
// once.
Status CheckWantedScopes(const Schema& schema, const Data& scopes);

}  // namespace skerry

#endif  // SKERRY_MODEL_FILTER_COST_H_
