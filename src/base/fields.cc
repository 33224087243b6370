#include "base/fields.h"

#include <utility>

namespace skerry {

Field::Field(const char* name, const Data& value)
    : name_(name), kind_(Kind::kCopied), data_(&value) {}
Field::Field(const char* name, Data&& value) : name_(name), kind_(Kind::kTaken), taken_(&value) {}
Field::Field(const char* name, const char* value)
    : name_(name), kind_(Kind::kLiteral), literal_(value) {}
Field::Field(const char* name, const std::string& value)
    : name_(name), kind_(Kind::kText), text_(&value) {}
Field::Field(const char* name, std::nullptr_t) : name_(name), kind_(Kind::kNull), number_(0) {}
Field::Field(const char* name, double value, bool is_bool)
    : name_(name), kind_(is_bool ? Kind::kBool : Kind::kNumber), number_(value) {}

Data Field::Take() const {
  switch (kind_) {
    case Kind::kCopied:
      return *data_;
    case Kind::kTaken:
      return std::move(*taken_);
    case Kind::kLiteral:
      return literal_;
    case Kind::kText:
      return *text_;
    case Kind::kNull:
      return {};
    case Kind::kBool:
      return number_ != 0;
    case Kind::kNumber:
      return number_;
  }
  return {};
}

Fields::Fields(std::initializer_list<Field> fields) : Data(Data::Object()) {
  Object& members = mutable_members();
  members.reserve(fields.size());
  for (const Field& field : fields) members.emplace_back(field.name_, field.Take());
}

}  // namespace skerry
