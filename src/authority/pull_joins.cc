// Pull: which outer rows may have entered or left a scope because inner rows have changed, and what
// the inner rows select at both ends of a range. An inner row at the range's end is the `before` of
// its first change after it. So inner changes are read up to the head, wherever the range ends; and
// those of outer rows, whose prop may have been another one at the range's end.
#include "authority/pull_joins.h"

#include <utility>

#include "authority/row_data.h"
#include "base/vector.h"

namespace skerry {

void Pull::FindJoins() {
  const Vector<Scope>& scopes = request_.scopes.list();
  for (size_t i = 0; i < scopes.size(); ++i) {
    for (const SubSelect& select : FindSubSelects(scopes[i].filter, scopes[i].where))
      joins_.push_back({i, scopes[i].table, select});
  }
}

bool Pull::IsSelectedFrom(TableIndex table) const {
  for (const PullJoin& join : joins_) {
    if (join.select.filter->table == table) return true;
  }
  return false;
}

Set<TableIndex> Pull::TablesToHead() const {
  Set<TableIndex> tables;
  for (const PullJoin& join : joins_) {
    tables.insert(join.outer);
    tables.insert(join.select.filter->table);
  }
  return tables;
}

Vector<Value> Pull::SelectByChanges(const PullJoin& join, Realm* realm,
                                    Selection* selection) const {
  const Filter& filter = *join.select.filter;
  Vector<Value> affected;
  // What the row selects; null: nothing.
  const auto selected = [&](const ObjectKey& key, const Row* stored) {
    std::optional<Row> filled;
    const Row* row = WithDefaults(schema_->table(key.table), stored, &filled);
    const bool matches = row && Matches(filter.children[0], key.id, *row, nullptr);
    return matches ? ColumnValue(filter.via, key.id, *row) : Value();
  };
  for (const auto& [key, befores] : realm->changes) {
    if (key.table != filter.table) continue;
    const Value start = selected(key, RowAtStart(*realm, key));
    const Value end = selected(key, RowAtEnd(*realm, key));
    if (!start.is_null()) selection->start.insert(SelectableOf(start));
    if (!end.is_null()) selection->end.insert(SelectableOf(end));
    if (start == end) continue;
    if (!start.is_null()) affected.push_back(start);
    if (!end.is_null()) affected.push_back(end);
  }
  return affected;
}

bool Pull::AskForCandidates() {
  for (auto& [name, realm] : realms_) {
    if (realm.mode != Mode::kRange || realm.to == realm.from.revision) continue;
    realm.selections.resize(joins_.size());
    for (size_t i = 0; i < joins_.size(); ++i) {
      const PullJoin& join = joins_[i];
      Vector<Value> values = SelectByChanges(join, &realm, &realm.selections[i]);
      const bool has_begun = request_.scopes.list()[join.scope].has_begun();
      if (values.empty() || !has_begun || IsUnread(join.outer)) continue;
      Set<Selectable> affected;
      for (const Value& value : values) affected.insert(SelectableOf(value));
      // Rows that have changed after the range's end may have another value now.
      for (const auto& [key, befores] : realm.changes) {
        if (key.table != join.outer || befores.begin()->first <= realm.to) continue;
        const Row* row = RowAtEnd(realm, key);
        if (row == nullptr) continue;
        const Value value = ColumnValue(join.select.filter->column, key.id, *row);
        if (!value.is_null() && affected.contains(SelectableOf(value)))
          realm.candidates.insert(key);
      }
      needs_.candidates.push_back({name, i, std::move(values)});
    }
  }
  asked_candidates_ = needs_.candidates;
  return !needs_.candidates.empty();
}

void Pull::LoadCandidates(size_t place, Vector<std::pair<ObjectKey, Row>> rows, bool has_more) {
  if (place >= asked_candidates_.size()) return;
  const std::string& name = asked_candidates_[place].realm;
  const TableIndex outer = joins_[asked_candidates_[place].join].outer;
  if (has_more) return LoadUnread(name, Set<TableIndex>{outer});
  Realm& realm = realms_.at(name);
  for (auto& [key, row] : rows) {
    realm.candidates.insert(key);
    // A row that has changed is known from its changes.
    if (!realm.changes.contains(key)) realm.rows.try_emplace(key, std::move(row));
  }
}

bool Pull::AskForSelected() {
  for (auto& [name, realm] : realms_) {
    if (realm.mode == Mode::kImage || joins_.empty()) continue;
    realm.selections.resize(joins_.size());
    const Vector<ObjectKey> keys = KeysOf(realm);
    for (size_t i = 0; i < joins_.size(); ++i) {
      const PropIndex column = joins_[i].select.filter->column;
      Map<Selectable, Value> values;
      for (const ObjectKey& key : keys) {
        if (key.table != joins_[i].outer) continue;
        for (const Row* stored : {RowAtStart(realm, key), RowAtEnd(realm, key)}) {
          std::optional<Row> filled;
          const Row* row = WithDefaults(schema_->table(key.table), stored, &filled);
          Value value = row ? ColumnValue(column, key.id, *row) : Value();
          if (!value.is_null()) values.try_emplace(SelectableOf(value), std::move(value));
        }
      }
      if (values.empty()) continue;
      PullNeeds::Selected need{name, i, {}, realm.from.revision};
      if (realm.mode == Mode::kState) need.upto = realm.now.head;
      for (auto& [selectable, value] : values) need.values.push_back(std::move(value));
      needs_.selected.push_back(std::move(need));
    }
  }
  asked_selected_ = needs_.selected;
  return !needs_.selected.empty();
}

void Pull::LoadSelected(size_t place, const Vector<size_t>& found) {
  if (place >= asked_selected_.size()) return;
  const PullNeeds::Selected& asked = asked_selected_[place];
  Set<Selectable>& unchanged = realms_.at(asked.realm).selections[asked.join].unchanged;
  for (const size_t i : found) {
    if (i < asked.values.size()) unchanged.insert(SelectableOf(asked.values[i]));
  }
}

bool Pull::InnerRows::Exists(const Filter& filter, std::string_view id, const Row* row) const {
  const Value value = ColumnValue(filter.column, id, *row);
  if (value.is_null()) return false;
  const Selectable wanted = SelectableOf(value);
  for (size_t i = 0; i < pull_.joins_.size(); ++i) {
    if (pull_.joins_[i].select.filter != &filter || i >= realm_.selections.size()) continue;
    const Selection& selection = realm_.selections[i];
    const Set<Selectable>& changed = is_end_ ? selection.end : selection.start;
    return selection.unchanged.contains(wanted) || changed.contains(wanted);
  }
  return false;
}

}  // namespace skerry
