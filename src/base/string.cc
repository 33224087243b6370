#include "base/string.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace skerry {

constinit String::Header String::kEmpty = {0, 0, 0};

String::Header* String::Allocate(size_t capacity) {
  if (capacity > UINT32_MAX - sizeof(Header)) std::abort();
  auto* const header = static_cast<Header*>(std::malloc(sizeof(Header) + capacity));
  if (header == nullptr) std::abort();
  *header = {1, 0, static_cast<uint32_t>(capacity)};
  return header;
}

void String::Release(Header* header) {
  if (header->sharers != 0 && --header->sharers == 0) std::free(header);
}

String::String(std::string_view text) : String() { append(text); }
String::String(const char* text) : String(std::string_view(text)) {}
String::String(const char* data, size_t size) : String(std::string_view(data, size)) {}
String::String(size_t count, char filler) : String() { append(count, filler); }

String::String(const String& other) noexcept : header_(other.header_) {
  if (header_->sharers != 0) ++header_->sharers;
}

String& String::operator=(const String& other) noexcept {
  String copy(other);
  swap(copy);
  return *this;
}

String& String::operator=(String&& other) noexcept {
  // Through a string of its own: what is released may own `other`.
  String taken(std::move(other));
  swap(taken);
  return *this;
}

String& String::operator=(std::string_view text) {
  String copy(text);
  swap(copy);
  return *this;
}

String::Header* String::Extend(size_t more) {
  const size_t size = header_->size;
  const size_t wanted = size + more;
  Header* const old = header_;
  if (header_->sharers == 1 && wanted <= header_->capacity) {
    header_->size = static_cast<uint32_t>(wanted);
    // Nothing moved: what the caller releases is the empty string.
    return &kEmpty;
  }
  // One that begins gets what it asks for; one that grows may well grow on. A large one by less:
  // memory that was taken once stays with the page.
  constexpr size_t kLeast = 20;
  constexpr size_t kLarge = 1u << 20;
  const size_t grown = size < kLarge ? size * 2 : size + size / 4;
  header_ = Allocate(size == 0 ? wanted : std::max({wanted, grown, kLeast}));
  std::memcpy(bytes(), old + 1, size);
  header_->size = static_cast<uint32_t>(wanted);
  return old;
}

void String::Own(size_t capacity) {
  if (header_->sharers == 1 && capacity <= header_->capacity) return;
  if (capacity == 0) return;
  Header* const old = header_;
  const uint32_t size = header_->size;
  header_ = Allocate(std::max<size_t>(capacity, size));
  std::memcpy(bytes(), old + 1, size);
  header_->size = size;
  Release(old);
}

char* String::Lend(size_t size) {
  Header* const header = Allocate(size);
  header->size = static_cast<uint32_t>(size);
  return reinterpret_cast<char*>(header + 1);
}

String String::Given(char* bytes) {
  String given;
  given.header_ = reinterpret_cast<Header*>(bytes) - 1;
  return given;
}

void String::shrink_to_fit() {
  if (size() < capacity()) *this = view();
}

void String::clear() {
  if (header_->sharers == 1) {
    header_->size = 0;
  } else {
    *this = String();
  }
}

void String::resize(size_t size, char filler) {
  if (size > this->size()) {
    append(size - this->size(), filler);
  } else if (size == 0) {
    clear();
  } else if (size < this->size()) {
    Own(size);
    header_->size = static_cast<uint32_t>(size);
  }
}

void String::push_back(char c) { append(1, c); }

String& String::append(std::string_view text) {
  if (text.empty()) return *this;
  Header* const old = Extend(text.size());
  std::memcpy(bytes() + size() - text.size(), text.data(), text.size());
  Release(old);
  return *this;
}

String& String::append(size_t count, char filler) {
  if (count == 0) return *this;
  Header* const old = Extend(count);
  std::memset(bytes() + size() - count, filler, count);
  Release(old);
  return *this;
}

void String::erase(size_t from, size_t count) {
  const size_t size = this->size();
  if (from >= size) return;
  count = std::min(count, size - from);
  char* const bytes = mutable_data();
  std::memmove(bytes + from, bytes + from + count, size - from - count);
  header_->size = static_cast<uint32_t>(size - count);
}

int String::compare(std::string_view other) const { return view().compare(other); }

bool operator==(const String& a, const String& b) {
  return a.header_ == b.header_ || a.view() == b.view();
}
bool operator==(const String& a, std::string_view b) { return a.view() == b; }
bool operator==(const String& a, const char* b) { return a.view() == b; }

String operator+(String a, const char* b) { return std::move(a.append(b)); }
String operator+(String a, const String& b) { return std::move(a.append(b)); }
String operator+(String a, std::string_view b) { return std::move(a.append(b)); }
String operator+(String a, char b) { return std::move(a.append(1, b)); }
String operator+(const char* a, const String& b) { return std::move(String(a).append(b)); }

String ToText(uint64_t number) {
  char digits[20];
  char* at = digits + sizeof digits;
  do {
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return {at, static_cast<size_t>(digits + sizeof digits - at)};
}

String ToText(int64_t number) {
  if (number >= 0) return ToText(static_cast<uint64_t>(number));
  return "-" + ToText(-static_cast<uint64_t>(number));
}

uint64_t LeadingNumber(std::string_view text) {
  uint64_t number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace skerry
