#include "client/ordered_diff.h"

#include <algorithm>
#include <utility>

namespace skerry {

OrderedDiff DiffOrdered(uint32_t before, const Vector<uint32_t>& origin, Vector<uint32_t> changed) {
  OrderedDiff diff;
  diff.changed = std::move(changed);
  Vector<bool> stays(before);
  Vector<uint32_t> unchanged;  // old places of the rows that stay and did not change
  Vector<uint32_t> ahead;      // for each changed row: how many of those precede it now
  size_t next = 0;
  for (uint32_t place = 0; place < origin.size(); ++place) {
    const uint32_t was = origin[place];
    if (was == kNewRow) {
      diff.added.push_back(place);
      continue;
    }
    stays[was] = true;
    if (next < diff.changed.size() && diff.changed[next] == place) {
      ++next;
      ahead.push_back(static_cast<uint32_t>(unchanged.size()));
    } else {
      unchanged.push_back(was);
    }
  }
  for (uint32_t place = 0; place < before; ++place) {
    if (!stays[place]) diff.removed.push_back(place);
  }
  for (size_t i = 0; i < diff.changed.size(); ++i) {
    const uint32_t was = origin[diff.changed[i]];
    const auto at = std::lower_bound(unchanged.begin(), unchanged.end(), was);
    if (static_cast<uint32_t>(at - unchanged.begin()) != ahead[i])
      diff.moved.push_back(diff.changed[i]);
  }
  return diff;
}

}  // namespace skerry
