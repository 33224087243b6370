#include "test/sim/batch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "test/sim/coverage.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kTwiceEvery =
    50;  // one in so many seeds runs twice, and must have the same hash

uint64_t current_seed = 0;

// An assertion of the production code ends the process: this still prints the seed.
void OnAbort(int) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "seed %llu: aborted\n",
                                   static_cast<unsigned long long>(current_seed));
  [[maybe_unused]] const auto written = write(2, text, static_cast<size_t>(length));
  _exit(3);
}

void CatchEnds() {
  std::signal(SIGABRT, OnAbort);
  std::signal(SIGSEGV, OnAbort);
}

// The share of one process: every `jobs`-th seed. Writes counts to `out` as lines, and failed seeds
// to stderr.
int RunShare(uint64_t from, uint64_t to, uint64_t jobs, std::FILE* out) {
  Counts counts;
  int failures = 0;
  for (current_seed = from; current_seed < to; current_seed += jobs) {
    const Script script = Generate(current_seed);
    Outcome outcome = RunScript(script, false);
    if (outcome.problem.empty() && current_seed % kTwiceEvery == 0) {
      if (RunScript(script, false).hash != outcome.hash) outcome.problem = "another hash";
      ++counts["run twice"];
    }
    if (!outcome.problem.empty()) {
      std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(current_seed),
                   outcome.problem.c_str());
      if (++failures >= 10) break;
    }
    ++counts["seeds"];
    for (const auto& [what, count] : outcome.counts) counts[what] += count;
  }
  for (const auto& [what, count] : counts)
    std::fprintf(out, "%llu %s\n", static_cast<unsigned long long>(count), what.c_str());
  return failures == 0 ? 0 : 1;
}

}  // namespace

Outcome RunScript(const Script& script, bool prints) {
  World world(script, prints);
  world.Run();
  return {world.problem(), world.hash(), world.counts()};
}

Result<Script> ReadScript(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return Status(Code::kNotFound, "no such file");
  std::string text;
  char buffer[4096];
  for (size_t read; (read = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
    text.append(buffer, read);
  std::fclose(file);
  Result<Data> data = ParseJson(text);
  if (!data.ok()) return data.status();
  return ScriptFromData(data.value());
}

int RunOne(uint64_t seed, bool prints) {
  current_seed = seed;
  CatchEnds();
  const Outcome outcome = RunScript(Generate(seed), prints);
  std::printf("seed %llu: %s, hash %016llx\n", static_cast<unsigned long long>(seed),
              outcome.problem.empty() ? "holds" : outcome.problem.c_str(),
              static_cast<unsigned long long>(outcome.hash));
  return outcome.problem.empty() ? 0 : 1;
}

int RunFile(const char* path, bool prints) {
  Result<Script> script = ReadScript(path);
  if (!script.ok()) {
    std::printf("%s: %s\n", path, script.status().detail().c_str());
    return 2;
  }
  const Outcome outcome = RunScript(script.value(), prints);
  std::printf("%s: %s\n", path, outcome.problem.empty() ? "holds" : outcome.problem.c_str());
  return outcome.problem.empty() ? 0 : 1;
}

int RunMany(uint64_t from, uint64_t seeds, uint64_t jobs) {
  CatchEnds();
  Vector<std::FILE*> files;
  for (uint64_t job = 0; job < jobs; ++job) {
    files.push_back(std::tmpfile());
    if (fork() == 0) {
      const int code = RunShare(from + job, from + seeds, jobs, files.back());
      std::fflush(files.back());
      _exit(code);
    }
  }
  bool failed = false;
  for (uint64_t job = 0; job < jobs; ++job) {
    int status = 0;
    wait(&status);
    failed = failed || status != 0;
  }
  Counts counts;
  for (std::FILE* file : files) {
    std::rewind(file);
    unsigned long long count = 0;
    char what[128];
    while (std::fscanf(file, "%llu %127[^\n]", &count, what) == 2) counts[what] += count;
    std::fclose(file);
  }
  for (const auto& [what, count] : counts)
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(count), what.c_str());
  for (const std::string& what : Missing(counts)) {
    std::printf("never happened: %s\n", what.c_str());
    failed = true;
  }
  std::printf("%llu seeds: %s\n", static_cast<unsigned long long>(counts["seeds"]),
              failed ? "FAILED" : "hold");
  return failed ? 1 : 0;
}

}  // namespace skerry::sim
