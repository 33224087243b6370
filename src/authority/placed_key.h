// PlacedKey names a row of the server: ids belong to their realm, so the same id in two realms is two
// rows.
#ifndef SKERRY_AUTHORITY_PLACED_KEY_H_
#define SKERRY_AUTHORITY_PLACED_KEY_H_

#include <string>

#include "model/row.h"

namespace skerry {

struct PlacedKey {
  std::string realm;
  ObjectKey object;
  friend bool operator==(const PlacedKey&, const PlacedKey&) = default;
  friend auto operator<=>(const PlacedKey&, const PlacedKey&) = default;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PLACED_KEY_H_
