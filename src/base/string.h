// String: std::string's interface, as far as this house uses it, for a fraction of its code. The
// object is one pointer; copies share their bytes until one of them is changed. (std::string keeps
// short text inside, so every use of it asks first where its bytes are.)
//
// Bytes are counted in 32 bits. Running out of memory ends the program, as everywhere. The counts
// of sharers are plain numbers: copies of one String belong to one thread. Changing a String, or
// the last copy's end, invalidates views of it.
#ifndef SKERRY_BASE_STRING_H_
#define SKERRY_BASE_STRING_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/relocatable.h"

// Passed and returned in a register, where the compiler can: what is passed by value is destroyed
// by the function that is called.
#ifdef __clang__
#define SKERRY_IN_REGISTER [[clang::trivial_abi]]
#else
#define SKERRY_IN_REGISTER
#endif

namespace skerry {

class SKERRY_IN_REGISTER String {
 public:
  using value_type = char;
  using size_type = size_t;
  using iterator = const char*;
  using const_iterator = const char*;
  static constexpr size_t npos = std::string_view::npos;  // NOLINT

  String() noexcept : header_(&kEmpty) {}
  String(const char* text);  // NOLINT(google-explicit-constructor)
  explicit String(std::string_view text);
  String(const char* data, size_t size);
  String(size_t count, char filler);
  // Out of line, as strings are copied and end at thousands of places.
  String(const String& other) noexcept;
  String(String&& other) noexcept : header_(std::exchange(other.header_, &kEmpty)) {}
  ~String() { Release(header_); }
  String& operator=(const String& other) noexcept;
  String& operator=(String&& other) noexcept;
  String& operator=(std::string_view text);
  String& operator=(const char* text) { return *this = std::string_view(text); }

  operator std::string_view() const {  // NOLINT(google-explicit-constructor)
    return {data(), size()};
  }
  std::string_view view() const { return *this; }
  const char* data() const { return reinterpret_cast<const char*>(header_ + 1); }
  size_t size() const { return header_->size; }
  size_t capacity() const { return header_->capacity; }
  bool empty() const { return size() == 0; }
  const char* begin() const { return data(); }
  const char* end() const { return data() + size(); }
  char operator[](size_t i) const { return data()[i]; }
  char front() const { return data()[0]; }
  char back() const { return data()[size() - 1]; }

  // Bytes of this string's own; valid until it is changed or copied.
  char* mutable_data() {
    Own(size());
    return bytes();
  }
  void reserve(size_t capacity) { Own(capacity); }
  void shrink_to_fit();
  void clear();
  void resize(size_t size, char filler = '\0');
  void push_back(char c);
  void pop_back() { resize(size() - 1); }
  // The text may be of this very string.
  String& append(std::string_view text);
  String& append(const char* data, size_t size) { return append(std::string_view(data, size)); }
  String& append(size_t count, char filler);
  void assign(std::string_view text) { *this = text; }
  String& operator+=(std::string_view text) { return append(text); }
  String& operator+=(char c) {
    push_back(c);
    return *this;
  }
  void erase(size_t from, size_t count = npos);
  void swap(String& other) noexcept { std::swap(header_, other.header_); }

  String substr(size_t from, size_t count = npos) const {
    return String(view().substr(from, count));
  }
  // Room for that many bytes, for who does not know Strings to write them; Given makes a String of
  // it, without a copy.
  static char* Lend(size_t size);
  static String Given(char* bytes);

  size_t find(std::string_view text, size_t from = 0) const { return view().find(text, from); }
  size_t find(char c, size_t from = 0) const { return view().find(c, from); }
  size_t rfind(char c) const { return view().rfind(c); }
  bool starts_with(std::string_view text) const { return view().starts_with(text); }
  bool ends_with(std::string_view text) const { return view().ends_with(text); }
  // As memcmp: bytes are unsigned, so UTF-8 goes by code points.
  int compare(std::string_view other) const;

  friend bool operator==(const String& a, const String& b);
  friend bool operator==(const String& a, std::string_view b);
  friend bool operator==(const String& a, const char* b);
  friend std::strong_ordering operator<=>(const String& a, const String& b) {
    return a.compare(b) <=> 0;
  }
  friend std::strong_ordering operator<=>(const String& a, std::string_view b) {
    return a.compare(b) <=> 0;
  }

 private:
  // In front of the bytes.
  struct Header {
    uint32_t sharers;  // 0: the empty string, which is nobody's
    uint32_t size;
    uint32_t capacity;
  };
  static Header kEmpty;  // NOLINT

  static Header* Allocate(size_t capacity);
  static void Release(Header* header);
  char* bytes() { return reinterpret_cast<char*>(header_ + 1); }
  // Makes the bytes this string's alone, with room for that many at least.
  void Own(size_t capacity);
  // Opens room for `more` bytes behind the last; the bytes that were here live on in what it
  // returns, for the caller to release: what is to be copied may be a part of them.
  [[nodiscard]] Header* Extend(size_t more);

  Header* header_;
};
template <>
inline constexpr bool kRelocatable<String> = true;

String operator+(String a, const char* b);
String operator+(String a, const String& b);
String operator+(String a, std::string_view b);
String operator+(String a, char b);
String operator+(const char* a, const String& b);

// A number in decimal digits.
String ToText(uint64_t number);
String ToText(int64_t number);
inline String ToText(int number) { return ToText(int64_t{number}); }
inline String ToText(uint32_t number) { return ToText(uint64_t{number}); }
#ifdef __EMSCRIPTEN__  // where it is a type of its own
inline String ToText(unsigned long number) { return ToText(uint64_t{number}); }  // NOLINT
#endif

// What the digits at the beginning of the text say; 0 where there are none.
uint64_t LeadingNumber(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_BASE_STRING_H_
