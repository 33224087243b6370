// 13 serial: if a push is answered before another starts, it has the lower revision in each realm.
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class SerialCheck final : public Check {
 public:
  using Check::Check;

  void Committed(const CommittedPush& push) override {
    for (const Data& result : push.results) {
      if (result["status"].as_string() != "applied") continue;
      for (const auto& [realm, revision] : result["revisions"].members()) {
        const auto head = push.heads.find(realm);
        if (head != push.heads.end() && revision.as_u64() <= head->second)
          Fail("13 serial: a revision of " + realm + " is below one that was answered before");
      }
    }
  }
};

}  // namespace

std::unique_ptr<Check> MakeSerialCheck(World* world) {
  return std::make_unique<SerialCheck>(world);
}

}  // namespace skerry::sim
