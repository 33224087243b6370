// What a filter costs for each row that it is asked about, and what the scopes of a client may cost
// together. The unit is one comparison of short values; measured in docs/performance.md.
//
// A client's window refuses what its server would refuse, by the same class, so that no client is
// stopped by scopes of its own.
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
  uint64_t values = 0;  // in lists of `in`
};
FilterCost CostOf(const Filter& filter);

// kLimit where a pattern of `like` is past its limits (model/like.h).
Status CheckPatterns(const Filter& filter);

// Whether all filters together are within the limits.
bool FitScopes(const FilterCost& total);

// Adds up the filters of scopes. Each Add that fails adds nothing: kLimit, with the limit in words,
// or kUnsupported for sub-selects, which need rows of other tables at the same revision.
class ScopeBudget {
 public:
  Status Add(const Filter& filter);

 private:
  FilterCost used_;
};

// Whether a window may want these scopes, [{table, where}..]: each is understood, and together they
// are few and cheap enough. One that is there twice counts once.
Status CheckWantedScopes(const Schema& schema, const Data& scopes);

}  // namespace skerry

#endif  // SKERRY_MODEL_FILTER_COST_H_
