// Convert: rows of one schema as another holds them, by the names of tables and props. For images
// that were made under an older schema, and under a newer one.
#ifndef SKERRY_LOG_CONVERT_H_
#define SKERRY_LOG_CONVERT_H_

#include "log/base.h"

namespace skerry {

// Adds the rows of `from` to `to`. What `to` has no place for is left out: tables and props that it
// does not name, ids of another kind, values that do not fit (then the prop's default, or null).
// `left_out` is set where that happens to anything but null. A prop that `from` does not name gets
// its default if it may not be null.
void Convert(const Base& from, Base* to, bool* left_out);

}  // namespace skerry

#endif  // SKERRY_LOG_CONVERT_H_
