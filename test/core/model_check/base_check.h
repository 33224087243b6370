// What holds for a client's base at all times: the checks of one client, used by
// step_by_step_test.cc and by the simulator. Each returns what is wrong as a text, or an empty
// one.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_BASE_CHECK_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_BASE_CHECK_H_

#include <string>

#include "base/data.h"
#include "sync/pull.h"
#include "test/core/log/row_map.h"
#include "test/core/model_check/check_schema.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test {

// The part of a client that these checks use.
struct Replica {
  const CheckScopes& scopes;  // all that it ever wants
  const Data& sync;
  const RowMap& base;
  const Schema* schema = &CheckSchema();               // of base
  naive::Rows (*known)(const naive::Rows&) = nullptr;  // what of rows is compared; null: all
};

// The scope's `filled`; null: the scope is dropped.
const Data* FilledOf(const Data& sync, const CheckScope& scope);

// Checks that base, realm by realm, is exactly the server's rows in scope at the client's cursor,
// as far as the scope is filled.
std::string BaseProblem(const Replica& client, const naive::Server& server);

// Checks that base has the whole objects of own updates that were just confirmed, also beyond the
// filled part: a user's own objects do not disappear until their page comes.
std::string OwnProblem(const Replica& client, const naive::Server& server,
                       const PullRequest& request, const PullAnswer& answer);

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_BASE_CHECK_H_
