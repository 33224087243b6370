#include "base/status.h"

#include <cstdio>
#include <cstdlib>

namespace skerry {

// The one hook for broken invariants: says where, and ends the program (in wasm: a trap, which the host turns into an
// error that closes the database) rather than write wrong data.
void FailCheck(const char* condition, const char* file, int line) {
#ifndef __EMSCRIPTEN__
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
#else
  (void)condition, (void)file, (void)line;
#endif
  std::abort();
}

}  // namespace skerry
