// Goal: no input from outside makes a decoder or a core crash, hang, or read beyond its memory. It
// reports an error, and handles valid input afterwards as usual. Method: every target runs, under
// the sanitizers, changed valid inputs that keep their structure (mutator.h), and every input that
// once failed (corpus). SKERRY_FUZZ_SEED chooses other changes, SKERRY_FUZZ_TIMES multiplies their
// number, SKERRY_FUZZ_TARGET runs one target only.
#include <cstdlib>

#include "doctest/doctest.h"
#include "test/core/rounds.h"
#include "test/fuzz/runner.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

uint64_t Number(const char* variable, uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

bool IsLeftOut(const Target& target) {
  const char* only = std::getenv("SKERRY_FUZZ_TARGET");
  return only != nullptr && std::string_view(only) != target.name;
}

// Whether the input was taken.
bool Run(const Target& target, std::string_view input, std::string_view what) {
  bool taken = false;
  const std::string problem = RunInput(target, input, &taken);
  if (problem.empty()) return taken;
  const std::string name = Keep(target, input);
  FAIL_CHECK(std::string(target.name), ", ", std::string(what), ": ", problem, " (", name, ")");
  return taken;
}

TEST_CASE("fuzz: runs the valid inputs and the corpus of every target without a problem") {
  for (const Target& target : Targets()) {
    if (IsLeftOut(target)) continue;
    const Vector<std::string> seeds = target.seeds();
    CHECK_MESSAGE(!seeds.empty(), std::string(target.name));
    for (size_t i = 0; i < seeds.size(); ++i) {
      CHECK_MESSAGE(Run(target, seeds[i], "a valid input"), std::string(target.name), ": seed ", i,
                    " does not reach what the target is about");
    }
    // To make a file for the corpus of: a valid input with one mistake in it.
    if (std::getenv("SKERRY_FUZZ_KEEP") != nullptr) {
      for (const std::string& seed : seeds) static_cast<void>(Keep(target, seed));
    }
    for (const CorpusFile& file : Corpus(target))
      static_cast<void>(Run(target, file.bytes, file.name));
  }
}

TEST_CASE("fuzz: runs randomly changed inputs of every target without a problem") {
#ifdef __EMSCRIPTEN__
  const uint64_t share = 10;  // fewer: the same code, with other widths of integers
#else
  const uint64_t share = test::Rounds(1, 3);
#endif
  const uint64_t seed = Number("SKERRY_FUZZ_SEED", 1);
  const uint64_t times = Number("SKERRY_FUZZ_TIMES", 1);
  for (const Target& target : Targets()) {
    if (IsLeftOut(target)) continue;
    const Vector<std::string> seeds = target.seeds();
    Mutator mutator(seed);
    for (const std::string& input : seeds) mutator.Know(target.form, input);
    const uint64_t cases = static_cast<uint64_t>(target.cases) * times / share;
    for (uint64_t i = 0; i < cases; ++i) {
      const std::string input = mutator.Mutate(target.form, seeds[mutator.Below(seeds.size())]);
      static_cast<void>(Run(target, input, "case " + std::to_string(i)));
    }
  }
}

}  // namespace
}  // namespace skerry::fuzz
