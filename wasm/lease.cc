// How a window releases a lease of its worker (docs/sync-worker.md, section 5). Bindings only.
#include "abi.h"
#include "sync/lease_rules.h"

namespace abi = skerry::abi;

// The owner as UTF-8 -> Data: the record to write.
SKERRY_EXPORT int32_t sk_lease_release(double epoch, double now, int32_t length) {
  return abi::OutputData(
      skerry::UnreadRelease(abi::Input(length), static_cast<uint64_t>(epoch), now).Write());
}
