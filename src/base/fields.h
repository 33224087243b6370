// Fields: an object literal, written like Data::Object{{"type", "x"}, {"n", 1}}. It compiles to a
// third of the code, because the members' strings, values and vector are made out of line.
#ifndef SKERRY_BASE_FIELDS_H_
#define SKERRY_BASE_FIELDS_H_

#include <initializer_list>

#include "base/data.h"

namespace skerry {

// One member of such a literal. It points at its value, which must live until the end of the full
// expression.
class Field {
 public:
  SKERRY_OUT_OF_LINE Field(const char* name, const Data& value);
  SKERRY_OUT_OF_LINE Field(const char* name, Data&& value);  // moved from, not copied
  SKERRY_OUT_OF_LINE Field(const char* name, const char* value);
  SKERRY_OUT_OF_LINE Field(const char* name, const std::string& value);
  SKERRY_OUT_OF_LINE Field(const char* name, std::nullptr_t);
  template <typename T>
    requires std::is_arithmetic_v<T>
  Field(const char* name, T value)
      : Field(name, static_cast<double>(value), std::is_same_v<T, bool>) {}

 private:
  friend class Fields;
  enum class Kind : uint8_t { kCopied, kTaken, kLiteral, kText, kNull, kBool, kNumber };
  SKERRY_OUT_OF_LINE Field(const char* name, double value, bool is_bool);
  Data Take() const;

  const char* name_;
  Kind kind_;
  union {
    double number_;
    const Data* data_;
    Data* taken_;
    const char* literal_;
    const std::string* text_;
  };
};

// Pass, push or return it wherever a Data is expected.
class Fields : public Data {
 public:
  Fields(std::initializer_list<Field> fields);
};

}  // namespace skerry

#endif  // SKERRY_BASE_FIELDS_H_
