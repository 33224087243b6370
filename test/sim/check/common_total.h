// What the common counter (`x` of items/total, in realm A) must be, when the server is restored and clients give back what it has
// lost: the actions of the log count, and those of lost histories that came back with the row; each once.
#ifndef SKERRY_TEST_SIM_CHECK_COMMON_TOTAL_H_
#define SKERRY_TEST_SIM_CHECK_COMMON_TOTAL_H_

#include <map>
#include <set>
#include <string>
#include <vector>

namespace skerry::sim {

class CommonTotal {
 public:
  // What the action adds.
  void Made(const std::string& action, double adds) { adds_[action] = adds; }
  double AddsOf(const std::string& action) const;
  // The log of A has the action, at this time. Returns whether the row has it already.
  bool Entered(const std::string& action, double at);
  // The server was restored: the log of A ends at `end`, and has these actions.
  void Restored(const std::set<std::string>& left, double end, double now);
  // The counter has changed by so much, since a device gave the row back as it was at `known`.
  // Returns whether that is what the device's history had more.
  bool GivenBack(double change, double known, double at);
  // Of what was given back.
  double sum() const;

 private:
  // An action was in the row between these times, in a history that is lost.
  struct Lost {
    std::string action;
    double from = 0;
    double until = 0;
  };
  std::map<std::string, double> adds_;
  std::map<std::string, double> entered_;  // when
  std::map<std::string, double> given_;    // when
  double restored_ = 0;                    // when the server was restored last
  std::vector<Lost> lost_;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_CHECK_COMMON_TOTAL_H_
