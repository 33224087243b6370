#include "authority/cursor.h"

#include "log/cursor.h"

namespace skerry {
namespace {

constexpr uint64_t kMaxExact = 1ull << 53;

bool ReadNumber(std::string_view text, uint64_t* out) {
  if (text.empty() || text.size() > 16) return false;
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  *out = number;
  return number <= kMaxExact;
}

}  // namespace

Result<Cursor> ParseCursor(std::string_view text) {
  const size_t sign = text.find('@');
  uint64_t revision = 0, at = 0;
  if (sign == std::string_view::npos || !ReadNumber(text.substr(0, sign), &revision) ||
      !ReadNumber(text.substr(sign + 1), &at)) {
    return Status(Code::kInvalidArgument, "a malformed cursor");
  }
  return Cursor{revision, static_cast<double>(at)};
}

std::string CursorText(const Cursor& cursor) { return MakeCursor(cursor.revision, cursor.at); }

}  // namespace skerry
