// What base must be, wherever a client stands: the checks of step_by_step_test.cc that look at one
// client. Each gives what is wrong in words, or nothing.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_BASE_CHECK_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_BASE_CHECK_H_

#include "base/string.h"
#include "sync/pull.h"
#include "test/core/model_check/naive_model.h"
#include "test/core/model_check/production_client.h"

namespace skerry::test {

// Realm by realm base is exactly the server's rows in scope at the client's cursor, as far as its
// fill has come.
String BaseProblem(const ProductionClient& client, const naive::Server& server);

// Objects of own updates that were just confirmed are there whole, however far the fill has come:
// what a user has made does not vanish until its page comes.
String OwnProblem(const ProductionClient& client, const naive::Server& server,
                  const PullRequest& request, const PullAnswer& answer);

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_BASE_CHECK_H_
