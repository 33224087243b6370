// Runs inputs, and saves the one that ends the program. A crash leaves a file (input-*). Put it
// into test/fuzz/corpus/<target> when the bug is understood.
#ifndef SKERRY_TEST_FUZZ_RUNNER_H_
#define SKERRY_TEST_FUZZ_RUNNER_H_

#include <string>
#include <string_view>

#include "base/vector.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {

// Returns the problem; empty: none. If the program crashes, or works on the input for more than a
// minute, the input is saved and the program ends.
std::string RunInput(const Target& target, std::string_view input, bool* taken);

// The files of a target's corpus, in the order of their names.
struct CorpusFile {
  std::string name;
  std::string bytes;
};
Vector<CorpusFile> Corpus(const Target& target);

// Writes an input into the current folder, as input-<target>-<checksum>. Returns the file's name.
std::string Keep(const Target& target, std::string_view input);

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_RUNNER_H_
