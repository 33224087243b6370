// Data: a tree of plain values. Records, events and effects cross between C++ and JavaScript only
// in this shape. In JavaScript it is a structured-clone value (null, boolean, number, string,
// Uint8Array, Array, plain object). Objects keep the order of their members. Look-up is linear,
// because objects are small.
#ifndef SKERRY_BASE_DATA_H_
#define SKERRY_BASE_DATA_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/relocatable.h"
#include "base/status.h"
#include "base/vector.h"

// Values of this type are created and destroyed at thousands of places. Inlined there, constructors
// and destructors would be most of the code that a page loads.
#define SKERRY_OUT_OF_LINE [[gnu::noinline]]

namespace skerry {

class Data {
 public:
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kBytes, kJson, kArray, kObject };
  using Array = Vector<Data>;
  using Member = std::pair<std::string, Data>;
  using Object = Vector<Member>;

  Data() : kind_(Kind::kNull), number_(0) {}
  Data(std::nullptr_t) : Data() {}                          // NOLINT
  Data(bool v) : kind_(Kind::kBool), number_(v ? 1 : 0) {}  // NOLINT
  Data(double v) : kind_(Kind::kNumber), number_(v) {}      // NOLINT
  // Each integer type: size_t is another type on each platform, and not always one of <cstdint>.
  template <std::integral T>
  Data(T v) : Data(static_cast<double>(v)) {}   // NOLINT
  SKERRY_OUT_OF_LINE Data(std::string v);       // NOLINT
  SKERRY_OUT_OF_LINE Data(std::string_view v);  // NOLINT
  SKERRY_OUT_OF_LINE Data(const char* v);       // NOLINT
  SKERRY_OUT_OF_LINE Data(Array v);             // NOLINT
  SKERRY_OUT_OF_LINE Data(Object v);            // NOLINT
  SKERRY_OUT_OF_LINE Data(const Data& other);
  SKERRY_OUT_OF_LINE Data(Data&& other) noexcept;
  SKERRY_OUT_OF_LINE Data& operator=(const Data& other);
  SKERRY_OUT_OF_LINE Data& operator=(Data&& other) noexcept;
  ~Data() {
    if (kind_ >= Kind::kString) Destroy();
  }
  static Data Bytes(std::string v);
  // A value, held as its JSON text: JavaScript and the wire receive the parsed value. To C++ it is
  // opaque, so a window's module needs no JSON parser. REQUIRES: WriteJson wrote the text.
  static Data Json(std::string text);
  static Data MakeArray();
  static Data MakeObject();

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_bytes() const { return kind_ == Kind::kBytes; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // Lenient readers: they return the fallback if the kind is a different one. Where a wrong kind
  // must be an error, the caller checks with is_...() first.
  SKERRY_OUT_OF_LINE bool as_bool(bool fallback = false) const;
  SKERRY_OUT_OF_LINE double as_number(double fallback = 0) const;
  uint64_t as_u64(
      uint64_t fallback = 0) const;      // also the fallback: negative, fractional or > 2^53
  const std::string& as_string() const;  // the empty string if it is not a string
  SKERRY_OUT_OF_LINE bool Is(const char* text) const;  // a string, equal to `text`
  const std::string& as_bytes() const;                 // the empty string if it is not bytes
  const std::string& as_json() const;                  // "null" if it is not JSON text
  const Array& items() const;                          // empty if it is not an array
  const Object& members() const;                       // empty if it is not an object
  Array& mutable_items();                              // REQUIRES: is_array()
  Object& mutable_members();                           // REQUIRES: is_object()

  const Data* Find(std::string_view key) const;        // null if it has no such member
  const Data& operator[](std::string_view key) const;  // a null Data if there is none
  Data& Set(std::string_view key,
            Data value);  // REQUIRES: is_object(); replaces or appends; returns *this
  void Remove(std::string_view key);
  SKERRY_OUT_OF_LINE Data& Push(Data value);  // REQUIRES: is_array(); returns *this

  // The same for literal names. They make hundreds of calls shorter: a string_view is passed
  // through memory, and the caller has to destroy a Data that was made for the call.
  SKERRY_OUT_OF_LINE const Data& operator[](const char* key) const;
  SKERRY_OUT_OF_LINE Data& Set(const char* key, const Data& value);
  SKERRY_OUT_OF_LINE Data& Set(const char* key, Data&& value);
  SKERRY_OUT_OF_LINE Data& Set(const char* key, const char* value);
  SKERRY_OUT_OF_LINE Data& Set(const char* key, const std::string& value);
  SKERRY_OUT_OF_LINE Data& Set(const char* key, std::string&& value);
  SKERRY_OUT_OF_LINE Data& Set(const char* key, std::nullptr_t);
  template <typename T>
    requires std::is_arithmetic_v<T>
  Data& Set(const char* key, T value) {
    // A template, because with overloads for bool and double a call with an int is ambiguous.
    if constexpr (std::is_same_v<T, bool>) return SetBool(key, value);
    return SetNumber(key, static_cast<double>(value));
  }

  // Deep equality. The order of an object's members does not matter.
  friend bool operator==(const Data& a, const Data& b);

 private:
  SKERRY_OUT_OF_LINE Data& SetBool(const char* key, bool value);
  SKERRY_OUT_OF_LINE Data& SetNumber(const char* key, double value);
  SKERRY_OUT_OF_LINE void Destroy();  // REQUIRES: kind_ >= kString; leaves null
  void CopyFrom(const Data& other);   // REQUIRES: this is null
  void MoveFrom(Data* other);         // REQUIRES: this is null

  Kind kind_;
  union {
    double number_;     // kNull, kBool, kNumber
    std::string text_;  // kString, kBytes, kJson
    Array array_;
    Object object_;
  };
};
// Because each member of the union is relocatable: a string, a vector or a number.
template <>
inline constexpr bool kRelocatable<Data> = kRelocatable<std::string>;

// Binary form, shared with js/core/data-codec.ts. Grammar:
//   data   = %x00                       null
//          | %x01                       false
//          | %x02                       true
//          | %x03 f64le                 number
//          | %x04 zigzag-varint         number: an integer within ±2^53
//          | %x05 text                  string
//          | %x06 text                  bytes
//          | %x09 text                  JSON
//          | %x07 varint *data          array
//          | %x08 varint *(text data)   object
//   text   = varint-length, then as many bytes (UTF-8 for strings and keys)
// Deeper than kMaxDataDepth is an error, not a crash.
void EncodeData(const Data& data, std::string* out);
std::string EncodeData(const Data& data);
Result<Data> DecodeData(std::string_view bytes);

}  // namespace skerry

#endif  // SKERRY_BASE_DATA_H_
