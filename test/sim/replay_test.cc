// Runs of the simulator that once failed, shrunk, replayed for ever after; and a few whole runs, so
// that the tests of the core notice when the simulator itself breaks.
#include <filesystem>

#include "doctest/doctest.h"
#include "test/sim/batch.h"

namespace skerry::sim {
namespace {

TEST_CASE("scripts of runs that once failed hold") {
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

TEST_CASE("a run depends on its seed alone, and a script says all of it") {
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
