// skerry_simulate runs the simulator: one seed, many seeds in several processes, or a script.
//   --seeds N [--from M] [--jobs J]   many; fails if one fails, or if a fault never happened
//   --seed N [--trace]                one, printed
//   --script FILE [--trace]           a script of test/spec
//   --shrink N                        the smallest script that fails like this seed, as JSON
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "test/sim/batch.h"

namespace {

const char* Option(int count, char** words, const char* name) {
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(words[i], name) == 0) return i + 1 < count ? words[i + 1] : "";
  }
  return nullptr;
}

uint64_t Number(const char* text, uint64_t otherwise) {
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int count, char** words) {
  const bool prints = Option(count, words, "--trace") != nullptr;
  if (const char* seed = Option(count, words, "--seed"))
    return skerry::sim::RunOne(Number(seed, 0), prints);
  if (const char* file = Option(count, words, "--script"))
    return skerry::sim::RunFile(file, prints);
  if (const char* seed = Option(count, words, "--shrink"))
    return skerry::sim::ShrinkSeed(Number(seed, 0));
  return skerry::sim::RunMany(Number(Option(count, words, "--from"), 1),
                              Number(Option(count, words, "--seeds"), 100),
                              Number(Option(count, words, "--jobs"), 2));
}
