// Runs inputs, and keeps the one that ends the program: a crash leaves a file (input-*), which
// belongs into test/fuzz/corpus/<target> once it is understood.
#ifndef SKERRY_TEST_FUZZ_RUNNER_H_
#define SKERRY_TEST_FUZZ_RUNNER_H_

#include <string>
#include <string_view>

#include "base/vector.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {

// What is wrong, and whether the input was taken; it is written down if the program ends, or works
// on it for more than a minute.
std::string RunInput(const Target& target, std::string_view input, bool* taken);

// The files of a target's corpus, in the order of their names.
struct CorpusFile {
  std::string name;
  std::string bytes;
};
Vector<CorpusFile> Corpus(const Target& target);

// Writes an input where the program was started, as input-<target>-<checksum>; its name.
std::string Keep(const Target& target, std::string_view input);

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_RUNNER_H_
