// The same targets under libFuzzer, which looks for inputs that reach new code (preset `fuzz`,
// clang). SKERRY_FUZZ_TARGET names the target. Its valid inputs are written into the first folder
// of the command line, where libFuzzer also keeps the inputs that it finds.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/checksum.h"
#include "doctest/doctest.h"
#include "test/fuzz/runner.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

const Target* chosen = nullptr;
doctest::Context* context = nullptr;

void Write(const std::filesystem::path& folder, std::string_view input) {
  const std::string name(Hex16(Xxh64(input)));
  std::ofstream(folder / name, std::ios::binary)
      .write(input.data(), static_cast<std::streamsize>(input.size()));
}

void Choose(int argc, char** argv) {
  const char* name = std::getenv("SKERRY_FUZZ_TARGET");
  for (const Target& target : Targets()) {
    if (name != nullptr && std::string_view(name) == target.name) chosen = &target;
  }
  if (chosen == nullptr) {
    std::fprintf(stderr, "SKERRY_FUZZ_TARGET must be one of:\n");
    for (const Target& target : Targets()) std::fprintf(stderr, "  %s\n", target.name);
    std::exit(2);
  }
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-' || !std::filesystem::is_directory(argv[i])) continue;
    for (const std::string& seed : chosen->seeds()) Write(argv[i], seed);
    for (const CorpusFile& file : Corpus(*chosen)) Write(argv[i], file.bytes);
    return;
  }
}

}  // namespace
}  // namespace skerry::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  // Fixtures use doctest's assertions outside of any test case.
  skerry::fuzz::context = new doctest::Context;
  skerry::fuzz::context->setAsDefaultForAssertsOutOfTestCases();
  skerry::fuzz::context->setAssertHandler([](const doctest::AssertData& failed) {
    std::fprintf(stderr, "%s:%d: %s\n", failed.m_file, failed.m_line, failed.m_expr);
    std::abort();
  });
  skerry::fuzz::Choose(*argc, *argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  bool taken = false;
  const std::string problem = skerry::fuzz::chosen->run(input, &taken);
  if (problem.empty()) return 0;
  std::fprintf(stderr, "%s\n", problem.c_str());
  std::abort();
}

// Half of the changes keep the structure of the input; the other half are libFuzzer's own.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most,
                                          unsigned int seed) {
  using skerry::fuzz::chosen;
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  skerry::fuzz::Mutator mutator(seed);
  for (const std::string& known : chosen->seeds()) mutator.Know(chosen->form, known);
  const std::string changed =
      mutator.Mutate(chosen->form, {reinterpret_cast<const char*>(data), size});
  const size_t length = changed.size() < most ? changed.size() : most;
  std::memcpy(data, changed.data(), length);
  return length;
}
