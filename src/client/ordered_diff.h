// The difference between two orders of rows, in the terms in which a live query reports it.
//
//   before   a  b  c  d  e
//   after    b  a* x  d         a* is a, changed; x is new
//   origin   1  0  -  3         where each row of `after` was
//
//   removed  2 4   (c, e)       places in `before`
//   added    2     (x)          places in `after`, as those below
//   changed  1     (a)
//   moved    1     (a): of the rows that stay and did not change (b, d) none was before it, and
//                  now b is
//
// A row that did not change counts as unmoved, whatever happened around it. So only a changed row
// can be in `moved`, and a removal or an insertion moves no other row.
#ifndef SKERRY_CLIENT_ORDERED_DIFF_H_
#define SKERRY_CLIENT_ORDERED_DIFF_H_

#include <cstdint>

#include "base/vector.h"

namespace skerry {

inline constexpr uint32_t kNewRow = 0xffffffff;  // an origin: the row was not there before

struct OrderedDiff {
  Vector<uint32_t> removed;  // ascending, like all of these
  Vector<uint32_t> added;
  Vector<uint32_t> changed;
  Vector<uint32_t> moved;  // among `changed`
};

// `before`: the number of rows before. `changed`: ascending places, in the order after, of rows
// that were there before with other content. REQUIRES: rows that did not change have the same order
// before and after. O(rows + changed log rows).
OrderedDiff DiffOrdered(uint32_t before, const Vector<uint32_t>& origin, Vector<uint32_t> changed);

}  // namespace skerry

#endif  // SKERRY_CLIENT_ORDERED_DIFF_H_
