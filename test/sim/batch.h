// Batch: many runs, in parallel processes, and their results.
#ifndef SKERRY_TEST_SIM_BATCH_H_
#define SKERRY_TEST_SIM_BATCH_H_

#include <cstdint>
#include <string>

#include "base/data.h"
#include "base/status.h"
#include "test/sim/event.h"
#include "test/sim/world.h"

namespace skerry::sim {

struct Outcome {
  std::string problem;  // empty: none
  uint64_t hash = 0;
  Counts counts;
};
Outcome RunScript(const Script& script, bool prints);
Result<Script> ReadScript(const char* path);

// Each returns the exit code of the process.
int RunOne(uint64_t seed, bool prints);
int RunFile(const char* path, bool prints);
int RunMany(uint64_t from, uint64_t seeds, uint64_t jobs);
int ShrinkSeed(uint64_t seed);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_BATCH_H_
