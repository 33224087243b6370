// Coverage: in a batch, every fault must have happened, and every transition of the production's
// state machines that can be seen from outside.
#ifndef SKERRY_TEST_SIM_COVERAGE_H_
#define SKERRY_TEST_SIM_COVERAGE_H_

#include <string>

#include "base/vector.h"
#include "test/sim/world.h"

namespace skerry::sim {

// The faults and transitions that never happened. Empty for a batch that is too small for all.
Vector<std::string> Missing(const Counts& counts);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_COVERAGE_H_
