#include "test/sim/coverage.h"

#include "test/sim/event.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kEnoughSeeds = 1000;

// As an event of the production leaves its machine: what it passes through inside of one event is
// not seen. `setAside` (a mutation that no build can read) does not happen here: nothing writes
// such records.
constexpr const char* kTransitions[] = {
    "lease: idle>locking",
    "lease: idle>claiming",
    "lease: locking>claiming",
    "lease: locking>waiting",
    "lease: locking>idle",
    "lease: waiting>claiming",
    "lease: waiting>stealing",
    "lease: waiting>idle",
    "lease: stealing>claiming",
    "lease: claiming>held",
    "lease: claiming>waiting",
    "lease: claiming>releasing",
    "lease: held>releasing",
    "lease: releasing>idle",
    "lease: releasing>locking",
    "lease: releasing>claiming",
    "job: none>check",
    "job: check>none",
    "job: check>pullAsk",
    "job: check>pushAsk",
    "job: none>pullAsk",
    "job: none>pushAsk",
    "job: pullAsk>pullFetch",
    "job: pullAsk>none",
    "job: pullFetch>pullFold",
    "job: pullFetch>none",
    "job: pullFold>pullAsk",
    "job: pullFold>pushAsk",
    "job: pullFold>none",
    "job: pushAsk>pushFetch",
    "job: pushAsk>pullAsk",
    "job: pushAsk>none",
    "job: pushFetch>pushAnswer",
    "job: pushFetch>none",
    "job: pushAnswer>pullAsk",
    "job: pushAnswer>none",
    "job: pullFetch>refill",
    "job: refill>pullAsk",
    "listen: idle>locking",
    "listen: idle>claiming",
    "listen: claiming>held",
    "listen: claiming>waiting",
    "listen: waiting>claiming",
    "listen: held>releasing",
    "listen: releasing>idle",
    "poke",
    "token refused",
    "image job: fill",
    "image job: fill failed",
    "push: applied",
    "pull: reset",
    "pull without reduction",
    "push: unknown_client",
    "push: duplicate",
    "push: forked",
    "push: held",
    "push: rejected",
    "server: group commit",
    "image job: roll",
    "image job: roll failed",
    "image job: delete",
    "window: image loaded",
    "window: image of no use",
    "inbox: retry",
    "inbox: discard",
    "run twice",
};

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
  for (const char* what : kTransitions) {
    if (!counts.contains(what)) missing.push_back(what);
  }
  return missing;
}

}  // namespace skerry::sim
