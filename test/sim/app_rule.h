// The rule of the simulator's application, which its server asks: the `n` of a row is not above 4, but for
// the row `total`, which all clients increment.
#ifndef SKERRY_TEST_SIM_APP_RULE_H_
#define SKERRY_TEST_SIM_APP_RULE_H_

#include "base/data.h"

namespace skerry::sim {

// A wire::RuleAnswer to a wire::RuleQuestion. It reads the first row of each question, before and after
// the action, and checks that it gets what the question says.
Data AnswerByAppRule(const Data& question);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_APP_RULE_H_
