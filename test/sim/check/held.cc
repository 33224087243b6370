// 17 held: what a window's rules hold back is not pushed, and neither is what no window has judged: an
// update that is stored has no mutation whose record says that it is held.
#include <string>

#include "test/sim/checks.h"
#include "test/sim/host.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class HeldCheck final : public Check {
 public:
  using Check::Check;

  void Writing(Host& host, const Data& writes) override {
    if (!world_->Has(Part::kRules) || host.is_window()) return;
    for (const Data& write : writes.items()) {
      const Data& update = write["add"].is_object() ? write["add"] : write["put"];
      if (!write["store"].Is("outbox") || !update["state"].Is("new")) continue;
      for (const Data& mutation : update["mutations"].items()) {
        const Data record = host.profile().storage.Get("mutations", mutation["key"]);
        if (record["held"].as_bool())
          return Fail("17 held: " + mutation["id"].as_string() + " is pushed");
      }
    }
  }
};

}  // namespace

std::unique_ptr<Check> MakeHeldCheck(World* world) { return std::make_unique<HeldCheck>(world); }

}  // namespace skerry::sim
