#include "test/sim/coverage.h"

#include "test/sim/event.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kEnoughSeeds = 500;

// The states before and after an event; states that a machine only passes through within one event
// are not seen. `quarantine` (a mutation that no build can read) does not happen here, because no
// core writes such records.
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
    "pull: refill",
    "pull: revoked",
    "pull: lost",
    "a lost realm: founded again",
    "another history: rows are taken back",
    "another history: a lost row is there again",
    "another history: given back again after a second restore",
    "pull without reduction",
    "push: unknown_client",
    "push: duplicate",
    "push: forked",
    "push: held",
    "push: rejected",
    "stream: it takes no more actions",
    "server: group commit",
    "server: refused by the rule of the application",
    "server: older than its client",
    "server: takes up the newer schema",
    "image job: compact",
    "image job: compact failed",
    "image job: empty",
    "window: image loaded",
    "window: image of no use",
    "inbox: retry",
    "inbox: discard",
    "inbox: amend",
    "window: holds back what is wrong",
    "window: mends what is wrong",
    "run twice",
};

// The transitions in runs with a service worker.
constexpr const char* kServiceTransitions[] = {
    "service: started",
    "service: not reached",
    "service lease: idle>locking",
    "service lease: locking>held",
    "service lease: locking>idle",
    "service lease: held>idle",
    "service job: none>pullAsk",
    "service job: none>pushAsk",
    "service job: pullAsk>pullFetch",
    "service job: pullFetch>pullFold",
    "service job: pullFetch>none",
    "service job: pullFetch>refill",
    "service job: pullFold>pushAsk",
    "service job: pushAsk>pushFetch",
    "service job: pushFetch>pushAnswer",
    "service job: pushFetch>none",
    "service job: pushAnswer>pullAsk",
    "service job: refill>pullAsk",
    "mode: helper>lease",
    "mode: lease>helper",
    "image job: fill",
    "image job: compact",
    "pull: refill",
    "pull: revoked",
    "pull: lost",
    "a lost realm: founded again",
    "push: duplicate",
    "push: forked",
    "push: rejected",
    "token refused",
    "window: holds back what is wrong",
    "run twice",
};

}  // namespace

Vector<std::string> Missing(const Counts& counts) {
  Vector<std::string> missing;
  const auto seeds = counts.find("seeds");
  if (seeds == counts.end() || seeds->second < kEnoughSeeds) return missing;
  const bool has_service = counts.contains("service: started");
  const auto kinds = static_cast<size_t>(has_service ? Kind::kCount : kFirstOfService);
  for (size_t kind = 0; kind < kinds; ++kind) {
    const KindInfo& info = InfoOf(static_cast<Kind>(kind));
    const std::string what = std::string("fault: ") + info.name;
    if (info.is_fault && !counts.contains(what)) missing.push_back(what);
  }
  const auto look = [&](const char* what) {
    if (!counts.contains(what)) missing.push_back(what);
  };
  if (has_service) {
    for (const char* what : kServiceTransitions) look(what);
  } else {
    for (const char* what : kTransitions) look(what);
  }
  return missing;
}

}  // namespace skerry::sim
