#include "test/sim/coverage.h"

#include "test/sim/event.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kEnoughSeeds = 1000;

}  // namespace

Vector<String> Missing(const Counts& counts) {
  Vector<String> missing;
  const auto seeds = counts.find("seeds");
  if (seeds == counts.end() || seeds->second < kEnoughSeeds) return missing;
  for (size_t kind = 0; kind < static_cast<size_t>(Kind::kCount); ++kind) {
    const KindInfo& info = InfoOf(static_cast<Kind>(kind));
    const String what = String("fault: ") + info.name;
    if (info.is_fault && !counts.contains(what)) missing.push_back(what);
  }
  return missing;
}

}  // namespace skerry::sim
