// Convert: converts rows of one schema to another schema, by the names of tables and props. For
// images that were made under an older or a newer schema.
#ifndef SKERRY_LOG_CONVERT_H_
#define SKERRY_LOG_CONVERT_H_

#include "log/base.h"

namespace skerry {

// Adds the rows of `from` to `to`. Leaves out what `to` cannot hold: tables and props that its
// schema does not have, rows with ids of another kind, and values that do not fit (the prop then
// gets its default, or null). Sets `left_out` if anything but null was left out. A prop that the
// schema of `from` does not have gets its default if it may not be null.
void Convert(const Base& from, Base* to, bool* left_out);

}  // namespace skerry

#endif  // SKERRY_LOG_CONVERT_H_
