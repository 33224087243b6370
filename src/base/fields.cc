#include "base/fields.h"

#include <utility>

namespace skerry {

Fields::Fields(std::initializer_list<Field> fields) : Data(Data::Object()) {
  Object& members = mutable_members();
  members.reserve(fields.size());
  for (const Field& field : fields) members.emplace_back(field.name, std::move(field.value));
}

}  // namespace skerry
