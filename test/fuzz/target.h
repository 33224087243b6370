// Targets: the decoders and cores that take in what comes from outside, each with valid inputs to
// begin from and a function that runs one input. A function says what is wrong in words (a rule
// that was broken); a crash, a report of a sanitizer or a run without end speaks for itself
// (runner.h). It also says whether the input was taken: whether it got past the first checks to what
// the target is about. Every seed must be taken: seeds in an old format test only the refusal.
#ifndef SKERRY_TEST_FUZZ_TARGET_H_
#define SKERRY_TEST_FUZZ_TARGET_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "test/fuzz/mutator.h"

namespace skerry::fuzz {

struct Target {
  const char* name;  // and the folder of its corpus
  Form form;
  int cases;  // of one run of the core's tests
  Vector<std::string> (*seeds)();
  // Empty: nothing is wrong. `taken` is false before.
  std::string (*run)(std::string_view input, bool* taken);
};

const Vector<Target>& Targets();

// The seeds of a channel, which takes lists of messages: each on its own, then all in a row.
Vector<std::string> SeedsOfMessages(const Data::Array& messages);

// By what they are about, one file each.
void AddModelTargets(Vector<Target>* targets);
void AddLogTargets(Vector<Target>* targets);
void AddWindowTargets(Vector<Target>* targets);
void AddWorkerTargets(Vector<Target>* targets);
void AddAuthorityTargets(Vector<Target>* targets);

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_TARGET_H_
