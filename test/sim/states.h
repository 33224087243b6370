// Names of the states of the production's state machines, to count their transitions.
#ifndef SKERRY_TEST_SIM_STATES_H_
#define SKERRY_TEST_SIM_STATES_H_

#include <string>

#include "base/vector.h"
#include "sync/lease.h"
#include "sync/sync_stage.h"

namespace skerry::sim {

inline const char* NameOf(LeaseState state) {
  static constexpr const char* kNames[] = {"idle",     "locking", "waiting",  "stealing",
                                           "claiming", "held",    "releasing"};
  return kNames[static_cast<size_t>(state)];
}

inline const char* NameOf(SyncStep step) {
  static constexpr const char* kNames[] = {"none",       "pullAsk", "pullFetch", "pullStates",
                                           "pullFold",   "pushAsk", "pushFetch", "pushAnswer",
                                           "quarantine", "refill",  "check"};
  return kNames[static_cast<size_t>(step)];
}

template <typename State>
std::string Transition(State from, State to) {
  return std::string(NameOf(from)) + ">" + NameOf(to);
}

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_STATES_H_
