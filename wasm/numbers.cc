// How the modules of browsers read and write numbers: JavaScript does it (wasm/host-functions.js),
// which rounds correctly, too. It is defined before the library is searched, so that the C
// library's is not linked.
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/number_text.h"

extern "C" {

double skerry_parse_number(const char* text, size_t size);
size_t skerry_write_number(double number, char* out);

// The C library's is arithmetic on long doubles, 14 KB of it. The callers (nlohmann's lexer) hand
// over the text of one JSON number.
double strtod(const char* text, char** end) {
  const size_t size = std::strlen(text);
  if (end != nullptr) *end = const_cast<char*>(text) + size;
  return skerry_parse_number(text, size);
}

// Named by units of the C++ library of which nothing is called.
float strtof(const char*, char**) { std::abort(); }
long double strtold(const char*, char**) { std::abort(); }
}

size_t skerry::WriteNumberText(double number, char out[kNumberText]) {
  return skerry_write_number(number, out);
}
