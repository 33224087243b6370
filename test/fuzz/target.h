// Targets: the decoders and cores that read input from outside. Each has valid inputs to begin
// with, and a function that runs one input and returns the rule that was broken, in words. A crash,
// a report of a sanitizer and a run without end are detected by the runner (runner.h). The function
// also says whether the input was taken: it got past the first checks to what the target is about.
// Every valid input must be taken: one in an old format would test only the rejection.
#ifndef SKERRY_TEST_FUZZ_TARGET_H_
#define SKERRY_TEST_FUZZ_TARGET_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "test/fuzz/mutator.h"

namespace skerry::fuzz {

struct Target {
  const char* name;  // also that of the folder of its corpus
  Form form;
  int cases;  // changed inputs in one run of the core's tests
  Vector<std::string> (*seeds)();
  // Returns the problem; empty: none. `taken` is false before.
  std::string (*run)(std::string_view input, bool* taken);
};

const Vector<Target>& Targets();

// The seeds of a channel, whose inputs are lists of messages: each message alone, then all in a
// row.
Vector<std::string> SeedsOfMessages(const Data::Array& messages);

// One file for each folder of the core.
void AddModelTargets(Vector<Target>* targets);
void AddLogTargets(Vector<Target>* targets);
void AddWindowTargets(Vector<Target>* targets);
void AddWorkerTargets(Vector<Target>* targets);
void AddAuthorityTargets(Vector<Target>* targets);

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_TARGET_H_
