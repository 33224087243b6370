#include "log/kinds.h"

namespace skerry {

size_t KindOf(const Data& data, const char* const* types, size_t count) {
  const Data& type = data["type"];
  size_t kind = 0;
  while (kind < count && !type.Is(types[kind])) ++kind;
  return kind;
}

}  // namespace skerry
