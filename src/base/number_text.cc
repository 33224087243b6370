#include "base/number_text.h"

#include <charconv>
#include <cstring>

namespace skerry {
namespace {

// Appends to a buffer. The caller makes sure that there is room.
class Writer {
 public:
  explicit Writer(char* out) : begin_(out), at_(out) {}
  void Put(char c) { *at_++ = c; }
  void Put(const char* text, int size) {
    std::memcpy(at_, text, static_cast<size_t>(size));
    at_ += size;
  }
  void Zeros(int count) {
    for (; count > 0; --count) Put('0');
  }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  char* at() { return at_; }
  void set_at(char* at) { at_ = at; }

 private:
  char* begin_;
  char* at_;
};

}  // namespace

size_t WriteNumberText(double number, char out[kNumberText]) {
  // to_chars gives "d.ddde-xxx". `digits` gets its digits without the point, and `point` says
  // before which digit the point belongs.
  char scientific[kNumberText];
  Writer writer(out);
  const double positive = number < 0 ? -number : number;
  const char* const end = std::to_chars(scientific, scientific + sizeof scientific, positive,
                                        std::chars_format::scientific)
                              .ptr;
  const char* e = scientific;
  while (*e != 'e') ++e;
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  char digits[kNumberText];
  int count = 0;
  for (const char* at = scientific; at != e; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  const int point = exponent + 1;

  if (number < 0) writer.Put('-');
  if (point > 21 || point <= -6) {
    writer.Put(digits[0]);
    if (count > 1) {
      writer.Put('.');
      writer.Put(digits + 1, count - 1);
    }
    writer.Put('e');
    writer.Put(exponent < 0 ? '-' : '+');
    writer.set_at(
        std::to_chars(writer.at(), out + kNumberText, exponent < 0 ? -exponent : exponent).ptr);
  } else if (point <= 0) {
    writer.Put("0.", 2);
    writer.Zeros(-point);
    writer.Put(digits, count);
  } else if (point >= count) {
    writer.Put(digits, count);
    writer.Zeros(point - count);
  } else {
    writer.Put(digits, point);
    writer.Put('.');
    writer.Put(digits + point, count - point);
  }
  return writer.size();
}

}  // namespace skerry
