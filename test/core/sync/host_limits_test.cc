// Goal: limits that JavaScript checks before the core does are the core's. Method: that of
// test/core/log/wire_types_test.cc: the files with these numbers are written from the constants.
#include <doctest/doctest.h>

#include <string>

#include "base/limits.h"
#include "sync/times.h"
#include "test/core/log/declarations.h"

namespace skerry::test {
namespace {

std::string Number(const char* name, double value) {
  return "export const " + std::string(name) + " = " +
         std::to_string(static_cast<uint64_t>(value)) + ";\n";
}

constexpr const char* kBy = "test/core/sync/host_limits_test.cc";

TEST_CASE("the package's limits are those of the core") {
  CheckWritten(SKERRY_ROOT "/js/core/limits.ts", "src/base/limits.h and src/sync/times.h", kBy,
               "\n" + Number("maxBodyBytes", kMaxBodyBytes) +
                   Number("imageFileBytes", kImageFileBytes) +
                   Number("maxImageBytes", kMaxImageBytes) + Number("maxUserBytes", kMaxUserBytes) +
                   Number("tokenMs", SyncTimes().token_ms));
}

TEST_CASE("the server's limits of the wire are those of the core") {
  CheckWritten(
      SKERRY_ROOT "/server/src/base/core-limits.ts", "src/base/limits.h", kBy,
      "\n" + Number("maxBodyBytes", kMaxBodyBytes) + Number("maxJsonDepth", kMaxJsonDepth) +
          Number("maxRealmsPerUpdate", kMaxRealmsPerUpdate) +
          Number("maxActionsPerUpdate", kMaxActionsPerUpdate) + Number("maxCursors", kMaxCursors) +
          Number("maxScopes", kMaxScopes) + Number("maxFilterDepth", kMaxFilterDepth) +
          Number("maxScopesCost", kMaxScopesCost) + Number("maxScopesValues", kMaxScopesValues) +
          Number("maxPatternCharacters", kMaxPatternCharacters) +
          Number("maxDiffParts", kMaxDiffParts) + Number("maxDiffRows", kMaxDiffRows) +
          Number("maxPullEntries", kMaxPullEntries) + Number("pageRows", kPageRows) +
          Number("maxStreamScopes", kMaxStreamScopes) + Number("maxNameBytes", kMaxNameBytes) +
          Number("maxUserBytes", kMaxUserBytes) + Number("maxIdBytes", kMaxIdBytes) +
          Number("maxObjectBytes", kMaxObjectBytes) + Number("maxValueDepth", kMaxValueDepth) +
          Number("maxTimeMs", kMaxTimeMs));
}

}  // namespace
}  // namespace skerry::test
