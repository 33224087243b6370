// What random histories of the authority do: scopes of clients, and ops on the rows of three realms.
#ifndef SKERRY_TEST_CORE_AUTHORITY_HISTORY_OPS_H_
#define SKERRY_TEST_CORE_AUTHORITY_HISTORY_OPS_H_

#include <string>

#include "base/random.h"

namespace skerry::authority_test {

inline constexpr const char* kHistoryRealms[] = {"A", "B", "C"};

// A list of scopes, as JSON.
const char* AnyHistoryScopes(Random* random);
// An op, as JSON. Rows have few ids, so that ops meet.
std::string AnyHistoryOp(Random* random);
// A list of ops that create rows, so that there is something to change and to select from.
std::string FirstHistoryOps(const std::string& realm);

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_HISTORY_OPS_H_
