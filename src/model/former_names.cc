#include "model/former_names.h"

namespace skerry {

void FormerNames::Add(std::string_view name) { list_.append(1, '\0').append(name); }

bool FormerNames::Has(std::string_view name) const {
  std::string_view rest = list_;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view one = rest.substr(0, rest.find('\0'));
    if (one == name) return true;
    rest.remove_prefix(one.size());
  }
  return false;
}

std::string_view FormerNames::First(std::string_view present) const {
  if (list_.empty()) return present;
  const std::string_view names = std::string_view(list_).substr(1);
  return names.substr(0, names.find('\0'));
}

}  // namespace skerry
