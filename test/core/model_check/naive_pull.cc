// The naive server's answers to pulls.
#include <algorithm>

#include "base/vector.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {
namespace {

Rows InScope(const Rows& rows, const Scope& scope) {
  Rows held;
  for (const auto& [key, row] : rows) {
    if (scope(key, row)) held[key] = row;
  }
  return held;
}

std::optional<Row> RowIn(const Rows& rows, const Key& key) {
  const auto found = rows.find(key);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

}  // namespace

Own Server::OwnOf(const std::string& client, const Names& have, const Cursors& from,
                  const Cursors& ends) const {
  Own own;
  for (const auto& [realm, end] : ends) {
    for (uint64_t revision = 1; revision <= end; ++revision) {
      const Entry& entry = log_.at(realm)[revision - 1];
      const bool in_range = entry.client == client && revision > from.at(realm);
      if (entry.declared && (in_range || have.contains(entry.update)))
        own[entry.update][realm] = {revision, entry.at};
    }
  }
  return own;
}

Answer Server::Pull(const std::string& client, const Cursors& cursors, const Names& have,
                    const Scope& scope, const Cursors& limit, const std::string& filled, bool whole,
                    bool has_changes) const {
  Answer answer;
  answer.from = cursors;
  answer.have = have;
  answer.was_filled = filled;
  answer.was_whole = whole;
  for (const auto& [realm, from] : cursors) {
    const auto most = limit.find(realm);
    const bool cut = whole && most != limit.end();  // only a pull to the heads has a page
    answer.cursors[realm] = cut ? std::min(head(realm), from + most->second) : head(realm);
  }
  answer.own = OwnOf(client, have, cursors, answer.cursors);
  if (!has_changes && answer.cursors != cursors) {
    answer.is_refill = true;
    return answer;
  }
  for (const auto& [realm, end] : answer.cursors) {
    Rows held = InScope(StateAt(realm, cursors.at(realm)), scope);
    Names own_keys;
    for (uint64_t revision = cursors.at(realm) + 1; revision <= end; ++revision) {
      const Entry& entry = log_.at(realm)[revision - 1];
      const bool reduced = have.contains(entry.update) ||
                           (broken_.contains(Break::kReduceAllOwn) && entry.client == client);
      if (!entry.declared || !reduced) continue;
      for (const Op& op : entry.ops) {
        FoldOp(op, entry.at, revision, true, &held);
        own_keys.insert(op.key);
      }
    }
    const Rows wanted = InScope(
        broken_.contains(Break::kRowsAtHead) ? states_.at(realm).back() : StateAt(realm, end),
        scope);
    Names keys = own_keys;
    for (const Rows* side : {const_cast<const Rows*>(&held), &wanted}) {
      for (const auto& [key, row] : *side) keys.insert(key);
    }
    for (const Key& key : keys) {
      const bool covered = whole || key <= filled;
      const std::optional<Row> row = RowIn(wanted, key);
      // Beyond the filled part, only own objects are sent, and whole: the client's rows there are
      // unknown.
      if (covered ? row != RowIn(held, key) : own_keys.contains(key))
        answer.changes[realm][key] = row;
    }
  }
  if (whole) return answer;
  answer.has_page = true;
  answer.whole = true;
  // All rows of one key: the smallest page.
  Names keys;
  Key last;
  for (const auto& [realm, rows] : rows_) {
    for (const auto& [key, row] : InScope(rows, scope)) keys.insert(key);
    if (!rows.empty()) last = std::max(last, rows.rbegin()->first);
  }
  const auto next = keys.upper_bound(filled);
  if (next == keys.end()) return answer;
  answer.filled = *next;
  answer.whole = *next == last;
  for (const auto& [realm, rows] : rows_) {
    const std::optional<Row> row = RowIn(rows, *next);
    if (row && scope(*next, *row)) answer.page[realm][*next] = *row;
  }
  return answer;
}

Rows Server::Shown(const Scope& scope, const Rights& rights) const {
  Rows shown;
  for (const auto& [realm, rows] : rows_) {
    if (RightIn(rights, realm) == May::kNothing) continue;
    for (const auto& [key, row] : InScope(rows, scope)) {
      const auto found = shown.find(key);
      if (found == shown.end() || found->second.modified < row.modified) shown[key] = row;
    }
  }
  return shown;
}

}  // namespace skerry::test::naive
