// The rule of an application, as the naive server asks it.
#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {

bool IsAboveMost(const std::string& id, const Data& n) {
  return id != "total" && n.as_number() > 4;
}

// Whether a row is wrong that was not before, in the realm where it was.
bool Server::BreaksAppRule(const AllRows& before) const {
  if (!has_app_rule_) return false;
  const auto is_wrong = [](const Key& key, const Row& row) {
    const auto n = row.props.find("n");
    return n != row.props.end() && IsAboveMost(IdOf(key), n->second);
  };
  for (const auto& [realm, rows] : rows_) {
    for (const auto& [key, row] : rows) {
      if (!is_wrong(key, row)) continue;
      bool was_wrong = false;
      for (const auto& [from, earlier] : before) {
        const auto found = earlier.find(key);
        const bool is_from = from == realm || !rows_.at(from).contains(key);
        if (found != earlier.end() && is_from)
          was_wrong = was_wrong || is_wrong(key, found->second);
      }
      if (!was_wrong) return true;
    }
  }
  return false;
}

}  // namespace skerry::test::naive
