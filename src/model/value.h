// Value: one prop's value. Here enums and refs are strings, and a value of an application's class
// is JSON with the text {"$type":<registered>,"v":…,"version":…}. Absent and null are the same.
#ifndef SKERRY_MODEL_VALUE_H_
#define SKERRY_MODEL_VALUE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/relocatable.h"

namespace skerry {

// Persisted in images and logs: never renumber.
enum class ValueKind : uint8_t {
  kNull = 0,
  kBool = 1,
  kNumber = 2,
  kString = 3,
  kDate = 4,
  kBytes = 5,
  kJson = 6
};

class Value {
 public:
  // Constructors and the destructor are out of line: inlined at every use, they would be a large
  // part of the module.
  Value() = default;
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();
  static Value Null() { return {}; }
  static Value Bool(bool v) { return Value(ValueKind::kBool, v ? 1 : 0); }
  static Value Number(double v) {
    return Value(ValueKind::kNumber, v == 0 ? 0 : v);
  }  // -0 becomes 0
  static Value Date(double ms) { return Value(ValueKind::kDate, ms == 0 ? 0 : ms); }
  static Value String(std::string v) { return Value(ValueKind::kString, std::move(v)); }
  static Value Bytes(std::string v) { return Value(ValueKind::kBytes, std::move(v)); }
  static Value Json(std::string text) {
    return Value(ValueKind::kJson, std::move(text));
  }  // canonical JSON text

  ValueKind kind() const { return kind_; }
  bool is_null() const { return kind_ == ValueKind::kNull; }
  bool boolean() const { return number_ != 0; }
  double number() const { return number_; }          // kNumber, kDate (ms), kBool (0 or 1)
  const std::string& text() const { return text_; }  // kString, kBytes, kJson

  friend bool operator==(const Value& a, const Value& b) {
    return a.kind_ == b.kind_ && a.number_ == b.number_ && a.text_ == b.text_;
  }

 private:
  Value(ValueKind kind, double number) : number_(number), kind_(kind) {}
  Value(ValueKind kind, std::string text) : text_(std::move(text)), kind_(kind) {}

  double number_ = 0;
  std::string text_;
  ValueKind kind_ = ValueKind::kNull;
};
template <>
inline constexpr bool kRelocatable<Value> = kRelocatable<std::string>;

// A total order: null first, then by kind, then by value. Strings and bytes compare by their bytes,
// which for UTF-8 is the order of code points.
int CompareValues(const Value& a, const Value& b);

}  // namespace skerry

#endif  // SKERRY_MODEL_VALUE_H_
