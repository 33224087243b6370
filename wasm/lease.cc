// How a window releases a lease of its worker (docs/sync-worker.md, section 5). Bindings only.
#include <emscripten/bind.h>

#include <string>

#include "abi.h"
#include "sync/lease_rules.h"

namespace {

// The owner as UTF-8 -> Data: the record to write.
int32_t ReleaseLease(const std::string& owner, double epoch, double now) {
  return skerry::abi::OutputData(
      skerry::UnreadRelease(owner, static_cast<uint64_t>(epoch), now).Write());
}

EMSCRIPTEN_BINDINGS(skerry_lease) { emscripten::function("releaseLease", &ReleaseLease); }

}  // namespace
