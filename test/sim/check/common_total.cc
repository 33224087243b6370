#include "test/sim/check/common_total.h"

namespace skerry::sim {

double CommonTotal::AddsOf(const std::string& action) const {
  const auto found = adds_.find(action);
  return found == adds_.end() ? 0 : found->second;
}

bool CommonTotal::Entered(const std::string& action, double at) {
  entered_[action] = at;
  return AddsOf(action) != 0 && given_.contains(action);
}

void CommonTotal::Restored(const std::set<std::string>& left, double end, double now) {
  restored_ = now;
  std::erase_if(entered_, [&](const auto& entry) {
    if (left.contains(entry.first)) return false;
    lost_.push_back({entry.first, entry.second, now});
    return true;
  });
  std::erase_if(given_, [&](const auto& entry) {
    if (entry.second <= end) return false;
    lost_.push_back({entry.first, entry.second, now});
    return true;
  });
}

bool CommonTotal::GivenBack(double change, double known, double at) {
  const double before = sum();
  // What was given back before the restore is in the log, and in every later state.
  std::erase_if(given_, [&](const auto& entry) { return entry.second >= restored_; });
  for (const Lost& lost : lost_) {
    if (lost.from <= known && known < lost.until) given_[lost.action] = at;
  }
  return sum() - before == change;
}

double CommonTotal::sum() const {
  double sum = 0;
  for (const auto& [action, at] : given_) sum += AddsOf(action);
  return sum;
}

}  // namespace skerry::sim
