// Finds the smallest script that fails like a seed: leaves out half of the events at a time, then
// fewer and fewer, as long as the same invariant is broken.
#include <cstdio>

#include "base/json.h"
#include "test/sim/batch.h"

namespace skerry::sim {
namespace {

// The number and name of the invariant, without the details of a run.
std::string Which(const std::string& problem) { return problem.substr(0, problem.find(':')); }

Script Without(const Script& script, size_t from, size_t count) {
  Script less{script.setup, script.parts, {}};
  for (size_t i = 0; i < script.events.size(); ++i) {
    if (i < from || i >= from + count) less.events.push_back(script.events[i]);
  }
  return less;
}

Script Shrink(Script script, const std::string& wanted) {
  for (size_t part = script.events.size() / 2; part > 0;) {
    bool any = false;
    for (size_t from = 0; from < script.events.size();) {
      Script less = Without(script, from, part);
      if (Which(RunScript(less, false).problem) == wanted) {
        script = std::move(less);
        any = true;
      } else {
        from += part;
      }
    }
    if (part > 1) {
      part /= 2;
    } else if (!any) {
      break;
    }
  }
  return script;
}

}  // namespace

int ShrinkSeed(uint64_t seed) {
  const Script script = Generate(seed);
  const Outcome outcome = RunScript(script, false);
  if (outcome.problem.empty()) {
    std::printf("seed %llu holds\n", static_cast<unsigned long long>(seed));
    return 1;
  }
  const Script less = Shrink(script, Which(outcome.problem));
  Data data = Data::MakeObject();
  data.Set("problem", RunScript(less, false).problem).Set("seed", seed);
  const Data events = ScriptToData(less);
  for (const auto& [name, value] : events.members()) data.Set(name, value);
  std::printf("%s\n", WriteJson(data).c_str());
  return 0;
}

}  // namespace skerry::sim
