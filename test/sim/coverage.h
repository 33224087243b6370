// What must have happened in a batch: every fault, and every transition of the production's state
// machines that can be seen from outside.
#ifndef SKERRY_TEST_SIM_COVERAGE_H_
#define SKERRY_TEST_SIM_COVERAGE_H_

#include <string>

#include "base/vector.h"
#include "test/sim/world.h"

namespace skerry::sim {

// What never happened; empty for batches that are too small to demand it.
Vector<std::string> Missing(const Counts& counts);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_COVERAGE_H_
