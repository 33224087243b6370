#include "log/cursor.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"

namespace skerry {
namespace {

uint64_t ParseWhole(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

uint64_t CursorRevision(std::string_view cursor) {
  return ParseWhole(cursor.substr(0, cursor.find('@')));
}

uint64_t CursorRevision(const Cursors& cursors, const std::string& realm) {
  const auto found = cursors.find(realm);
  return found == cursors.end() ? 0 : CursorRevision(found->second);
}

double CursorTime(std::string_view cursor) {
  const size_t sign = cursor.find('@');
  if (sign == std::string_view::npos) return 0;
  return static_cast<double>(ParseWhole(cursor.substr(sign + 1)));
}

double LatestTime(const Cursors& cursors) {
  double latest = 0;
  for (const auto& [realm, cursor] : cursors) latest = std::max(latest, CursorTime(cursor));
  return latest;
}

std::string MakeCursor(uint64_t revision, double at) {
  const bool is_time = at >= 0 && at <= kMaxTimeMs;
  return std::to_string(revision) + '@' + std::to_string(is_time ? static_cast<uint64_t>(at) : 0);
}

}  // namespace skerry
