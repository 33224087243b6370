// Replaces parts of the C library in the modules without glue, to make them smaller. The linker
// finds these definitions first, so it does not link those of the library.
#include <wasi/api.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/number_text.h"
#include "imports.h"

// The C library needs 14 KB of long double arithmetic to parse numbers. JavaScript rounds
// correctly, too. The caller (nlohmann's lexer) passes the text of one JSON number.
SKERRY_IMPORT(parse_number) double ParseNumber(const char* text, size_t size);

// JavaScript writes numbers, too.
SKERRY_IMPORT(write_number) size_t WriteNumber(double number, char* out);

size_t skerry::WriteNumberText(double number, char out[kNumberText]) {
  return WriteNumber(number, out);
}

extern "C" {

// The C library's abort raises a signal first, which links handlers, timers and exit codes. A trap
// ends the module, too, and its stack trace shows where.
void abort() { __builtin_trap(); }

// There are no files. What a debug build prints before it aborts is lost.
__wasi_errno_t __wasi_fd_write(__wasi_fd_t, const __wasi_ciovec_t*, size_t, __wasi_size_t*) {
  return __WASI_ERRNO_NOSYS;
}
__wasi_errno_t __wasi_fd_close(__wasi_fd_t) { return __WASI_ERRNO_NOSYS; }

// Grows the memory to `wanted` bytes and, if possible, by a half of its size more, but by at most
// 16 MB more. Few growths, because each one is expensive in the engine (in Chromium 26 growths by
// an eighth took a sixth of the time of creating 100,000 rows), while pages that are not touched
// cost nothing. Unlike Emscripten's function, it does not notify JavaScript: its views notice
// growth themselves.
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

// Needed only to link: units of the C++ library refer to them, but nothing calls them.
float strtof(const char*, char**) { std::abort(); }
long double strtold(const char*, char**) { std::abort(); }
}
