// Replays shrunk runs of the simulator that once failed, and a few whole runs, so that the tests of
// the core notice when the simulator itself breaks.
#include <filesystem>

#include "doctest/doctest.h"
#include "test/sim/batch.h"

namespace skerry::sim {
namespace {

TEST_CASE("replays the scripts of runs that once failed, without a problem") {
  size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(SKERRY_ROOT "/test/spec")) {
    if (file.path().extension() != ".json") continue;
    const Result<Script> script = ReadScript(file.path().c_str());
    REQUIRE(script.ok());
    const std::string problem = RunScript(script.value(), false).problem;
    CHECK_MESSAGE(problem.empty(), file.path().c_str(), ": ", problem);
    ++count;
  }
  CHECK(count > 0);
}

TEST_CASE("repeats a run exactly from its script") {
  for (const uint64_t seed : {1, 2, 3}) {
    const Script script = Generate(seed);
    CHECK(script.events.size() >= 200);
    const Result<Script> again = ScriptFromData(ScriptToData(script));
    REQUIRE(again.ok());
    const Outcome outcome = RunScript(script, false);
    CHECK_MESSAGE(outcome.problem.empty(), "seed ", seed, ": ", outcome.problem);
    CHECK(RunScript(again.value(), false).hash == outcome.hash);
  }
}

}  // namespace
}  // namespace skerry::sim
