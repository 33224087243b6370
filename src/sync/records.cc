#include "sync/records.h"

#include <algorithm>

namespace skerry {

Cursors ReadCursors(const Data& cursors) {
  Cursors read;
  for (const auto& [realm, cursor] : cursors.members()) read[realm] = cursor.as_string();
  return read;
}

PersonalRealms PersonalRealmsOf(const Cursors& cursors, std::string_view user) {
  constexpr std::string_view kPrefix = "user:";
  PersonalRealms found;
  if (user.empty()) return found;
  for (const auto& [realm, cursor] : cursors) {
    const std::string_view name = realm;
    if (name.substr(0, kPrefix.size()) != kPrefix) continue;
    if (name.substr(kPrefix.size()) == user) {
      found.own = true;
    } else {
      found.other = std::string(name.substr(kPrefix.size()));
    }
  }
  return found;
}

bool Contains(const Vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace skerry
