// PullJoins: which outer rows may have entered or left a scope because inner rows have changed, and what
// the inner rows select at both ends of a range. An inner row at the range's end is the `before` of
// its first change after it. So inner changes are read up to the head, wherever the range ends; and
// those of outer rows, whose prop may have been another one at the range's end.
#include "authority/pull_joins.h"

#include <utility>

#include "authority/row_data.h"

namespace skerry {

void PullJoins::Begin() {
  const Vector<Scope>& scopes = io_->request.scopes.list();
  for (size_t i = 0; i < scopes.size(); ++i) {
    for (const SubSelect& select : FindSubSelects(scopes[i].filter, scopes[i].where))
      joins_.push_back({i, scopes[i].table, select});
  }
}

Set<TableIndex> PullJoins::TablesToHead() const {
  Set<TableIndex> tables;
  for (const PullJoin& join : joins_) {
    tables.insert(join.outer);
    tables.insert(join.select.filter->table);
  }
  return tables;
}

Vector<Value> PullJoins::SelectByChanges(const PullJoin& join, const PulledRows& realm,
                                         Selection* selection) const {
  const Filter& filter = *join.select.filter;
  Vector<Value> affected;
  // What the row selects; null: nothing.
  const auto selected = [&](const ObjectKey& key, const Row* stored) {
    std::optional<Row> filled;
    const Row* row = WithDefaults(io_->schema->table(key.table), stored, &filled);
    const bool matches = row && Matches(filter.children[0], key.id, *row, nullptr);
    return matches ? ColumnValue(filter.via, key.id, *row) : Value();
  };
  for (const auto& [key, befores] : realm.changes) {
    if (key.table != filter.table) continue;
    const Value start = selected(key, realm.RowAtStart(key));
    const Value end = selected(key, realm.RowAtEnd(key));
    if (!start.is_null()) selection->start.insert(SelectableOf(start));
    if (!end.is_null()) selection->end.insert(SelectableOf(end));
    if (start == end) continue;
    if (!start.is_null()) affected.push_back(start);
    if (!end.is_null()) affected.push_back(end);
  }
  return affected;
}

bool PullJoins::AskForCandidates() {
  for (const auto& [name, range] : ranges_->all()) {
    if (range.mode != RealmMode::kRange || range.to == range.from.revision) continue;
    const PulledRows& realm = rows_->Of(name);
    Vector<Selection>& selections = selections_[name];
    selections.resize(joins_.size());
    for (size_t i = 0; i < joins_.size(); ++i) {
      const PullJoin& join = joins_[i];
      Vector<Value> values = SelectByChanges(join, realm, &selections[i]);
      const bool has_begun = io_->request.scopes.list()[join.scope].has_begun();
      if (values.empty() || !has_begun || ranges_->IsUnread(join.outer)) continue;
      Set<Selectable> affected;
      for (const Value& value : values) affected.insert(SelectableOf(value));
      // Rows that have changed after the range's end may have another value now.
      for (const auto& [key, befores] : realm.changes) {
        if (key.table != join.outer || befores.begin()->first <= range.to) continue;
        const Row* row = realm.RowAtEnd(key);
        if (row == nullptr) continue;
        const Value value = ColumnValue(join.select.filter->column, key.id, *row);
        if (!value.is_null() && affected.contains(SelectableOf(value)))
          rows_->AddCandidate(name, key);
      }
      io_->needs.candidates.push_back({name, i, std::move(values)});
    }
  }
  asked_candidates_ = io_->needs.candidates;
  return !io_->needs.candidates.empty();
}

void PullJoins::LoadUnread(const std::string& realm) {
  Set<TableIndex> tables;
  for (const PullJoin& join : joins_) tables.insert(join.outer);
  ranges_->LoadUnread(realm, std::move(tables));
}

Set<TableIndex> PullJoins::InnerTables() const {
  Set<TableIndex> tables;
  for (const PullJoin& join : joins_) tables.insert(join.select.filter->table);
  return tables;
}

void PullJoins::LoadCandidates(size_t place, Vector<std::pair<ObjectKey, Row>> rows,
                               bool has_more) {
  if (place >= asked_candidates_.size()) return;
  const std::string& name = asked_candidates_[place].realm;
  const TableIndex outer = joins_[asked_candidates_[place].join].outer;
  if (has_more) return ranges_->LoadUnread(name, Set<TableIndex>{outer});
  for (auto& [key, row] : rows) rows_->AddCandidate(name, key, std::move(row));
}

bool PullJoins::AskForSelected() {
  for (const auto& [name, range] : ranges_->all()) {
    if (range.mode == RealmMode::kImage || joins_.empty()) continue;
    const PulledRows& realm = rows_->Of(name);
    selections_[name].resize(joins_.size());
    const Vector<ObjectKey> keys = rows_->KeysOf(realm);
    for (size_t i = 0; i < joins_.size(); ++i) {
      const PropIndex column = joins_[i].select.filter->column;
      Map<Selectable, Value> values;
      for (const ObjectKey& key : keys) {
        if (key.table != joins_[i].outer) continue;
        for (const Row* stored : {realm.RowAtStart(key), realm.RowAtEnd(key)}) {
          std::optional<Row> filled;
          const Row* row = WithDefaults(io_->schema->table(key.table), stored, &filled);
          Value value = row ? ColumnValue(column, key.id, *row) : Value();
          if (!value.is_null()) values.try_emplace(SelectableOf(value), std::move(value));
        }
      }
      if (values.empty()) continue;
      PullNeeds::Selected need{name, i, {}, range.from.revision};
      if (range.mode == RealmMode::kState) need.upto = range.now.head;
      for (auto& [selectable, value] : values) need.values.push_back(std::move(value));
      io_->needs.selected.push_back(std::move(need));
    }
  }
  asked_selected_ = io_->needs.selected;
  return !io_->needs.selected.empty();
}

void PullJoins::LoadSelected(size_t place, const Vector<size_t>& found) {
  if (place >= asked_selected_.size()) return;
  const PullNeeds::Selected& asked = asked_selected_[place];
  Set<Selectable>& unchanged = selections_.at(asked.realm)[asked.join].unchanged;
  for (const size_t i : found) {
    if (i < asked.values.size()) unchanged.insert(SelectableOf(asked.values[i]));
  }
}

PullJoins::InnerRows::InnerRows(const PullJoins& joins, const std::string& realm, bool is_end)
    : joins_(joins), selections_(nullptr), is_end_(is_end) {
  const auto found = joins.selections_.find(realm);
  if (found != joins.selections_.end()) selections_ = &found->second;
}

bool PullJoins::InnerRows::Exists(const Filter& filter, std::string_view id, const Row* row) const {
  const Value value = ColumnValue(filter.column, id, *row);
  if (value.is_null() || selections_ == nullptr) return false;
  const Selectable wanted = SelectableOf(value);
  for (size_t i = 0; i < joins_.joins_.size(); ++i) {
    if (joins_.joins_[i].select.filter != &filter || i >= selections_->size()) continue;
    const Selection& selection = (*selections_)[i];
    const Set<Selectable>& changed = is_end_ ? selection.end : selection.start;
    return selection.unchanged.contains(wanted) || changed.contains(wanted);
  }
  return false;
}

}  // namespace skerry
