// What the page's module has instead of a part of the C library, for the sake of its size. It is
// defined before the library is searched, so that one is not linked.
#include <wasi/api.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/number_text.h"
#include "imports.h"

// The C library reads numbers by arithmetic on long doubles, 14 KB of it. JavaScript rounds
// correctly too. The callers (nlohmann's lexer) hand over the text of one JSON number.
SKERRY_IMPORT(parse_number) double ParseNumber(const char* text, size_t size);

// It writes them too.
SKERRY_IMPORT(write_number) size_t WriteNumber(double number, char* out);

size_t skerry::WriteNumberText(double number, char out[kNumberText]) {
  return WriteNumber(number, out);
}

extern "C" {

// The C library's raises a signal first, with handlers, timers and exit codes behind it. A trap
// ends the module just as surely, and says where.
void abort() { __builtin_trap(); }

// There are no files: what a debug build says before it aborts is not heard.
__wasi_errno_t __wasi_fd_write(__wasi_fd_t, const __wasi_ciovec_t*, size_t, __wasi_size_t*) {
  return __WASI_ERRNO_NOSYS;
}
__wasi_errno_t __wasi_fd_close(__wasi_fd_t) { return __WASI_ERRNO_NOSYS; }

// Emscripten's tells JavaScript, whose views find out by themselves. By a half at least, of 16 MB
// at most and if possible: each growth is memory that engines ask their garbage collectors about
// (in Chromium 26 growths by an eighth were a sixth of creating 100,000 rows), and pages that are
// not touched cost nothing.
bool __wrap_emscripten_resize_heap(size_t wanted) {
  constexpr size_t kPageBits = 16;
  constexpr size_t kMostPages = 256;
  constexpr size_t kFailed = static_cast<size_t>(-1);
  const size_t pages = __builtin_wasm_memory_size(0);
  const size_t needed = ((wanted - 1) >> kPageBits) + 1 - pages;
  const size_t more = pages / 2 < kMostPages ? pages / 2 : kMostPages;
  return __builtin_wasm_memory_grow(0, needed + more) != kFailed ||
         __builtin_wasm_memory_grow(0, needed) != kFailed;
}

double strtod(const char* text, char** end) {
  const size_t size = std::strlen(text);
  if (end != nullptr) *end = const_cast<char*>(text) + size;
  return ParseNumber(text, size);
}

// Named by units of the C++ library of which nothing is called.
float strtof(const char*, char**) { std::abort(); }
long double strtold(const char*, char**) { std::abort(); }
}
