// 14 bounded, for clients: when all is quiet, every queue is empty, records reach back to the
// previous image and no further, there are fewer records since the last image than make a new one,
// and a profile has at most three mounts. (Servers of the simulator forget
// their logs, too; how much they keep is not checked here.)
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr size_t kMostMounts = 3;

class BoundedCheck final : public Check {
 public:
  using Check::Check;

  void End() override {
    for (const auto& profile : world_->profiles()) {
      const Data sync = profile->storage.Get("sync", "sync");
      const uint64_t n = sync["n"].as_u64();
      const uint64_t kept = profile->storage.Count("updates");
      if (kept > n - sync["previous"]["n"].as_u64())
        return Fail("14 bounded: records that the previous image holds are kept");
      if (n - sync["image"]["n"].as_u64() >= kRecordsToCompact)
        return Fail("14 bounded: records are not compacted");
      if (profile->images.size() > kMostMounts)
        return Fail("14 bounded: there are " +
                    std::to_string(static_cast<uint64_t>(profile->images.size())) + " mounts");
    }
  }
};

}  // namespace

std::unique_ptr<Check> MakeBoundedCheck(World* world) {
  return std::make_unique<BoundedCheck>(world);
}

}  // namespace skerry::sim
