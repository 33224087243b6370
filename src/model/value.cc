#include "model/value.h"

namespace skerry {

Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

int CompareValues(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return a.kind() < b.kind() ? -1 : 1;
  if (a.number() != b.number()) return a.number() < b.number() ? -1 : 1;
  // std::string compares unsigned bytes.
  const int compared = a.text().compare(b.text());
  return compared < 0 ? -1 : compared > 0;
}

}  // namespace skerry
