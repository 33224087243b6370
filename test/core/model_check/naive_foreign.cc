// What other programs write, and what follows from it (docs/design.md, "Other programs that write").
#include <algorithm>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {

// An entry in each realm whose rows differ from those of its last entry.
void Server::LogForeign(double at) {
  for (const std::string& realm : realms_) {
    if (rows_[realm] == states_[realm].back()) continue;
    log_[realm].push_back({at, "foreign", {}, {}, {}, false});
    states_[realm].push_back(rows_[realm]);
  }
}

Server::AllRows Server::WriteForeign(const Vector<Op>& ops, double at) {
  const AllRows before = rows_;
  origins_.clear();
  for (Op op : ops) {
    Rows& rows = rows_.at(op.realm);
    const bool is_there = rows.contains(op.key);
    if (op.op == "move") {
      if (is_there) Move({op.realm, op.key}, op.to, at);
      continue;
    }
    if (!is_there && op.op != "create") continue;
    FoldOp(op, at, head(op.realm) + 1, false, &rows);
    if (op.op == "delete") {
      left_[{op.realm, op.key}] = head(op.realm) + 1;
    } else {
      moved_.erase({op.realm, op.key});
    }
  }
  FillDefaults(&rows_);
  // What has the same values as before was not changed.
  for (auto& [realm, rows] : rows_) {
    for (auto& [key, row] : rows) {
      const auto old = before.at(realm).find(key);
      if (old != before.at(realm).end() && old->second.props == row.props) row = old->second;
    }
  }
  LogForeign(at);
  origins_.clear();
  return before;
}

void Server::FollowUp(const Vector<Op>& ops, const AllRows& before, double at) {
  const AllRows written = rows_;
  std::set<Place> owed;
  for (const Op& op : ops) {
    for (const std::string& realm : {op.realm, op.to.empty() ? op.realm : op.to}) {
      const bool was_there = before.at(realm).contains(op.key);
      const bool is_there = rows_.at(realm).contains(op.key);
      const bool is_same =
          was_there && is_there && before.at(realm).at(op.key) == rows_.at(realm).at(op.key);
      if ((was_there || is_there) && !is_same) owed.insert({realm, op.key});
    }
  }
  FollowParents({}, at, {});
  CascadeDeletes({});
  SetNulls(at);
  // The masters of what was written and of what has changed since, and their masters.
  std::set<Place> changed;
  for (const AllRows* side : {&written, const_cast<const AllRows*>(&rows_)}) {
    for (const auto& [realm, rows] : *side) {
      for (const auto& [key, row] : rows) {
        const auto was = written.at(realm).find(key);
        const auto is = rows_.at(realm).find(key);
        const bool both = was != written.at(realm).end() && is != rows_.at(realm).end();
        if (!both || was->second != is->second) changed.insert({realm, key});
      }
    }
  }
  for (const auto& [realm, key] : changed) {
    if (!rows_.at(realm).contains(key)) left_[{realm, key}] = head(realm) + 1;
  }
  Vector<std::pair<Place, Row>> queue;
  const auto add = [&](const AllRows& rows, const Place& place) {
    const auto row = rows.at(place.first).find(place.second);
    if (row != rows.at(place.first).end()) queue.push_back({place, row->second});
  };
  for (const Place& place : owed) {
    if (!written.at(place.first).contains(place.second)) add(before, place);
    add(rows_, place);
  }
  for (const Place& place : changed) {
    add(written, place);
    add(rows_, place);
  }
  while (!queue.empty()) {
    const auto [place, row] = queue.back();
    queue.pop_back();
    for (const Ref& ref : tables_.refs) {
      if (ref.table != TableOf(place.second) || !ref.touch || !row.props.contains(ref.prop))
        continue;
      const Key master = KeyOf(ref.target, row.props.at(ref.prop).as_string(), place.first);
      const auto found = rows_.at(place.first).find(master);
      if (found == rows_.at(place.first).end() || !changed.insert({place.first, master}).second)
        continue;
      Stamp(at, &found->second);
      queue.push_back({{place.first, master}, found->second});
    }
  }
  LogForeign(at);
  origins_.clear();
}

}  // namespace skerry::test::naive
