#include "test/fuzz/runner.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/checksum.h"

namespace skerry::fuzz {
namespace {

// A hundred times the duration of the slowest input.
[[maybe_unused]] constexpr unsigned kMostSeconds = 60;

const Target* running = nullptr;
std::string_view running_input;

std::string FileName(const Target& target, std::string_view input) {
  return std::string("input-") + target.name + "-" + Hex16(Xxh64(input));
}

void WriteRunning(const char* why) {
  if (running == nullptr) return;
  const Target* target = running;
  running = nullptr;
  const std::string name = Keep(*target, running_input);
  std::fprintf(stderr, "fuzz: %s: the input is in %s\n", why, name.c_str());
}

[[noreturn]] void OnSignal(int signal) {
  WriteRunning(signal == SIGALRM ? "an input that does not end" : "an input that crashes");
  std::_Exit(1);
}

// Called for each input, because doctest installs its own handlers, which do not save the input.
void Watch() {
  std::signal(SIGABRT, OnSignal);
#ifndef __EMSCRIPTEN__
  std::signal(SIGALRM, OnSignal);
#endif
}

}  // namespace

std::string Keep(const Target& target, std::string_view input) {
  const std::string name = FileName(target, input);
  std::ofstream(name, std::ios::binary)
      .write(input.data(), static_cast<std::streamsize>(input.size()));
  return name;
}

std::string RunInput(const Target& target, std::string_view input, bool* taken) {
  *taken = false;
  Watch();
  running = &target;
  running_input = input;
#ifndef __EMSCRIPTEN__
  alarm(kMostSeconds);
#endif
  std::string problem = target.run(input, taken);
#ifndef __EMSCRIPTEN__
  alarm(0);
#endif
  running = nullptr;
  return problem;
}

Vector<CorpusFile> Corpus(const Target& target) {
  const std::filesystem::path folder =
      std::filesystem::path(SKERRY_ROOT) / "test/fuzz/corpus" / target.name;
  Vector<CorpusFile> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    files.push_back({std::string(entry.path().filename().string()), std::string(bytes)});
  }
  std::sort(files.begin(), files.end(),
            [](const CorpusFile& a, const CorpusFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace skerry::fuzz

#ifdef __SANITIZE_ADDRESS__
// The address sanitizer calls this before it ends the program.
extern "C" void __asan_on_error() { skerry::fuzz::WriteRunning("a report of the sanitizers"); }
#endif
