// 7 fence: nothing is written under an epoch that has been superseded. Seen from outside: a worker
// may write what only the holder of a lease may (outbox, records of pulls and refusals, mutations)
// only while storage says that the lease is its own, under the epoch that this worker has claimed.
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

bool IsLease(const Data& write) {
  return write["store"].as_string() == "sync" && write["key"].as_string() != "sync";
}

// Whether only the holder of the lease may write this.
bool IsResult(const Data& write) {
  const String& store = write["store"].as_string();
  if (store == "updates") {
    const String& kind = write["put"]["kind"].as_string();
    return kind == "pull" || kind == "refusal";
  }
  return store == "outbox" || store == "mutations";
}

class FenceCheck final : public Check {
 public:
  using Check::Check;

  void Writing(Host& host, const Data& writes) override {
    if (host.is_window()) return;
    auto& worker = static_cast<WorkerHost&>(host);
    for (const Data& write : writes.items()) {
      if (!IsResult(write)) continue;
      const Data lease = host.profile().storage.Get("sync", "push");
      const auto claim = worker.claims.find("push");
      const bool holds = claim != worker.claims.end() && lease["owner"].as_string() == host.tab() &&
                         lease["epoch"].as_u64() == claim->second;
      if (!holds) return Fail("7 fence: " + host.tab() + " writes without the lease");
    }
  }

  // What this very worker has claimed.
  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (host.is_window()) return;
    for (const Data& write : writes.items()) {
      if (!IsLease(write) || !(write["put"]["owner"] == Data(host.tab()))) continue;
      auto& worker = static_cast<WorkerHost&>(host);
      const String& name = write["key"].as_string();
      const uint64_t epoch = write["put"]["epoch"].as_u64();
      if (write["put"]["beat"].as_u64() == 0) {
        worker.claims[name] = epoch;
      } else if (worker.claims[name] != epoch) {
        return Fail("7 fence: " + host.tab() + " beats under an epoch that it has not claimed");
      }
    }
  }
};

}  // namespace

std::unique_ptr<Check> MakeFenceCheck(World* world) { return std::make_unique<FenceCheck>(world); }

}  // namespace skerry::sim
