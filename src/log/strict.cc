#include "log/strict.h"

namespace skerry {

std::string JoinPath(std::string_view name, std::string_view path) {
  std::string joined(name);
  if (!path.empty() && path[0] != '[') joined.push_back('.');
  return joined.append(path);
}

Strict& Strict::Check(const char* name, WrongAt (*find)(const Data&)) {
  name_ = name;
  if (wrong_.has_value()) return *this;
  const Data& value = (*object_)[name];
  if (value.is_null()) return *this;
  if (const WrongAt found = find(value)) wrong_ = JoinPath(name, *found);
  return *this;
}

void Strict::Require(DataTest test) {
  if (!wrong_.has_value() && !test((*object_)[name_])) wrong_ = name_;
}

WrongAt FindWrongItem(const Data& list, WrongAt (*find)(const Data&)) {
  if (!list.is_array()) return WrongAt(std::string());
  for (size_t i = 0; i < list.items().size(); ++i) {
    const Data& item = list.items()[i];
    const WrongAt found = item.is_null() ? WrongAt(std::string()) : find(item);
    if (found.has_value()) return JoinPath("[" + std::to_string(i) + "]", *found);
  }
  return std::nullopt;
}

WrongAt FindWrongValue(const Data& map, WrongAt (*find)(const Data&)) {
  if (!map.is_object()) return WrongAt(std::string());
  for (const auto& [name, value] : map.members()) {
    const WrongAt found = value.is_null() ? WrongAt(std::string()) : find(value);
    if (found.has_value()) return JoinPath(name, *found);
  }
  return std::nullopt;
}

}  // namespace skerry
