// The rule of the simulator's windows: `n` and `u` of a row are not equal. So two changes that are right
// by themselves can be wrong together.
#ifndef SKERRY_TEST_SIM_WINDOW_RULES_H_
#define SKERRY_TEST_SIM_WINDOW_RULES_H_

#include <set>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "client/client.h"

namespace skerry::sim {

// A row that is wrong, with the realm where it is.
struct WrongRow {
  ObjectKey key;  // a client's (KeyIn)
  std::string realm;
};

class WindowRules {
 public:
  // The answer to the effect `validate`. Sets `problem` if a row has become wrong that the effect does
  // not name: a host asks about the rows that it names, and about those that were wrong.
  Data Judge(Client& client, const Data& validate, std::string* problem);
  // Those of the last answer: pending mutations change them.
  const Vector<WrongRow>& wrong() const { return wrong_; }

 private:
  std::set<ObjectKey> known_;  // all wrong rows, when last asked
  Vector<WrongRow> wrong_;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_WINDOW_RULES_H_
