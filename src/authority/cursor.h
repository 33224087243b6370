// Cursors: `revision@at`, opaque to all code but the core and the server. `at` proves that the
// revision belongs to this history.
#ifndef SKERRY_AUTHORITY_CURSOR_H_
#define SKERRY_AUTHORITY_CURSOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace skerry {

struct Cursor {
  uint64_t revision = 0;
  double at = 0;  // whole ms
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

Result<Cursor> ParseCursor(std::string_view text);
std::string CursorText(const Cursor& cursor);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_CURSOR_H_
