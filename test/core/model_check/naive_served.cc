// The naive server under schemas that follow each other.
#include <utility>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {

void Server::FillDefaults(Rows* rows) const {
  if (defaults_.empty()) return;
  for (auto& [key, row] : *rows) {
    const auto table = defaults_.find(TableOf(key));
    if (table == defaults_.end()) continue;
    for (const auto& [prop, value] : table->second) row.props.try_emplace(prop, value);
  }
}

void Server::Serve(Defaults defaults) {
  defaults_ = std::move(defaults);
  FillDefaults(&rows_);
  for (auto& [realm, states] : states_) FillDefaults(&states.back());
}

void Server::Correct(const std::string& realm, const Names& keys, double at) {
  for (const Key& key : keys) Stamp(at, &rows_.at(key));
  Rows state;
  for (const auto& [key, row] : rows_) {
    if (row.realm == realm) state[key] = row;
  }
  log_[realm].push_back({at, {}, {}, {}, {}, false});
  states_[realm].push_back(std::move(state));
}

}  // namespace skerry::test::naive
