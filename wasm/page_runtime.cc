// What the page's module has instead of a part of the C library, for the sake of its size. It is
// defined before the library is searched, so that one is not linked.
#include <emscripten/em_js.h>

#include <cstdlib>
#include <cstring>

// The C library reads numbers by arithmetic on long doubles, 14 KB of it. JavaScript rounds
// correctly too. The callers (nlohmann's lexer) hand over the text of one JSON number.
// clang-format off
EM_JS(double, skerry_parse_number, (const char* text), {
  let digits = "";
  for (let at = text >>> 0; HEAPU8[at]; ++at) digits += String.fromCharCode(HEAPU8[at]);
  return +digits;
});
// clang-format on

extern "C" {

// The C library's raises a signal first, with handlers, timers and exit codes behind it, in wasm
// and in JavaScript. A trap ends the module just as surely, and says where.
void abort() { __builtin_trap(); }

// Emscripten links this with its interval timers, which nothing here sets, and which bring signals.
void _emscripten_timeout(int, double) {}

double strtod(const char* text, char** end) {
  if (end != nullptr) *end = const_cast<char*>(text) + std::strlen(text);
  return skerry_parse_number(text);
}

// Named by units of the C++ library of which nothing is called.
float strtof(const char*, char**) { std::abort(); }
long double strtold(const char*, char**) { std::abort(); }
}
