#include "log/record.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "log/fold.h"

namespace skerry {
namespace {

// Looks up sub-selects in base. What the inner rows select is collected once: REQUIRES: base does
// not change while this is used.
class BaseContext final : public FilterContext {
 public:
  explicit BaseContext(const BaseRows& rows) : rows_(rows) {}
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override {
    // ParseFilter rejects `exists` in scopes.
    if (filter.kind != FilterKind::kInSelect) return false;
    const Value wanted = ColumnValue(filter.column, id, *row);
    const auto found = selected_.find(&filter);
    const Selected& selected = found == selected_.end() ? Collect(filter) : found->second;
    return !wanted.is_null() && selected.contains(KeyOf(row->realm, wanted));
  }

 private:
  // Realm, and value as number and text.
  using Key = std::pair<std::string, std::pair<double, std::string>>;
  using Selected = Set<Key>;
  static Key KeyOf(const std::string& realm, const Value& value) {
    return {realm, {value.number(), value.text()}};
  }
  const Selected& Collect(const Filter& filter) const {
    Selected& selected = selected_[&filter];
    for (const auto& [id, realm] : rows_.BaseKeys(filter.table)) {
      const std::optional<Row> inner = rows_.GetBase(realm, {filter.table, id});
      if (!inner || !Matches(filter.children[0], id, *inner, nullptr)) continue;
      const Value value = ColumnValue(filter.via, id, *inner);
      if (!value.is_null()) selected.insert(KeyOf(realm, value));
    }
    return selected;
  }

  const BaseRows& rows_;
  mutable Map<const Filter*, Selected> selected_;
};

class StepApplier {
 public:
  StepApplier(const Schema& schema, const Vector<Step>& steps, BaseRows* rows, TouchedSink* touched)
      : schema_(schema), steps_(steps), rows_(*rows), touched_(*touched) {}
  Status Apply(const Step& step);

 private:
  struct Place {
    std::string realm;
    ObjectKey key;
  };
  void ApplyOwnOps(const Step& step);
  void ApplyChange(const Change& change);
  void ApplyContent(const Change& change, Row row, const std::string& realm);
  Status ApplyPage(const PageRange& page);
  void DropRealm(const std::string& realm);
  Status KeepScopes(const Vector<ScopeFilter>& scopes);
  void Erase(const std::string& realm, const ObjectKey& key);
  void EraseAll(const Vector<Place>& places);

  const Schema& schema_;
  const Vector<Step>& steps_;
  BaseRows& rows_;
  TouchedSink& touched_;
};

void StepApplier::Erase(const std::string& realm, const ObjectKey& key) {
  rows_.EraseBase(realm, key);
  touched_.Touched(realm, key);
}

void StepApplier::EraseAll(const Vector<Place>& places) {
  for (const Place& place : places) Erase(place.realm, place.key);
}

void StepApplier::ApplyOwnOps(const Step& step) {
  for (const Op& op : RowOps(step.ops)) {
    const ObjectKey key = op.key();
    std::optional<Row> row = rows_.GetBase(step.realm, key);
    if (!FoldOp(schema_, op, {step.at, step.revision}, FoldTarget::kBase, &row)) continue;
    if (row) {
      rows_.PutBase(key, *row);
      touched_.Touched(step.realm, key);
    } else {
      Erase(step.realm, key);
    }
  }
}

void StepApplier::ApplyContent(const Change& change, Row row, const std::string& realm) {
  row.realm = realm;
  row.created_at = change.created_at;
  row.modified_at = change.modified_at;
  row.revision = change.revision;
  for (const PropValue& set : change.set) row.props[set.prop] = set.value;
  rows_.PutBase(change.key, row);
  touched_.Touched(realm, change.key);
}

// A change of a missing row is ignored: it holds only the props that differ, so no row can be made
// of it.
void StepApplier::ApplyChange(const Change& change) {
  if (change.kind == ChangeKind::kCreate) {
    Row row;
    row.props.resize(schema_.table(change.key.table).props.size());
    return ApplyContent(change, std::move(row), change.realm);
  }
  std::optional<Row> row = rows_.GetBase(change.realm, change.key);
  if (!row) return;
  switch (change.kind) {
    case ChangeKind::kUpdate:
      return ApplyContent(change, std::move(*row), change.realm);
    case ChangeKind::kMove:
      Erase(change.realm, change.key);
      return ApplyContent(change, std::move(*row), change.to);
    case ChangeKind::kDelete:
    case ChangeKind::kLeave:
      return Erase(change.realm, change.key);
    case ChangeKind::kCreate:
      return;
  }
}

// A page is read at the head of every realm, and its rows have come as creates before it. So a row
// of base in its range that the page does not name does not exist any more, unless it belongs to
// another scope (then it does not match `where`). A page names ids, and ids belong to their realm:
// so a row is named only if this record has a create for its realm, too.
Status StepApplier::ApplyPage(const PageRange& page) {
  Result<Filter> filter = ReadFilter(schema_, page.table, page.where);
  if (!filter.ok()) return filter.status();
  const BaseContext context(rows_);
  Set<std::pair<std::string, ObjectKey>> created;  // realm, key
  for (const Step& step : steps_) {
    const Change& change = step.change;
    if (step.kind == StepKind::kChange && change.kind == ChangeKind::kCreate)
      created.insert({change.realm, change.key});
  }
  Vector<Place> gone;
  for (const auto& [id, realm] : rows_.BaseKeys(page.table)) {
    if (id <= page.above || (page.upto && id > *page.upto)) continue;
    if (!page.realms.empty() && !std::binary_search(page.realms.begin(), page.realms.end(), realm))
      continue;
    const ObjectKey key{page.table, id};
    const std::optional<Row> row = rows_.GetBase(realm, key);
    if (!row) continue;
    const bool is_named = std::binary_search(page.ids.begin(), page.ids.end(), id);
    if (is_named && created.contains({realm, key})) continue;
    if (Matches(filter.value(), id, *row, &context)) gone.push_back({realm, key});
  }
  EraseAll(gone);
  return Status::Ok();
}

void StepApplier::DropRealm(const std::string& realm) {
  for (const TableDef& table : schema_.tables()) {
    for (const auto& [id, row_realm] : rows_.BaseKeys(table.index)) {
      if (row_realm == realm) Erase(realm, {table.index, id});
    }
  }
}

// Tests all rows before it removes any, because a sub-select may look at rows that are removed.
Status StepApplier::KeepScopes(const Vector<ScopeFilter>& scopes) {
  Vector<Vector<Filter>> filters(schema_.tables().size());
  for (const ScopeFilter& scope : scopes) {
    Result<Filter> filter = ReadFilter(schema_, scope.table, scope.where);
    if (!filter.ok()) return filter.status();
    filters[scope.table].push_back(std::move(filter.value()));
  }
  const BaseContext context(rows_);
  Vector<Place> gone;
  for (const TableDef& table : schema_.tables()) {
    for (const auto& [id, realm] : rows_.BaseKeys(table.index)) {
      const ObjectKey key{table.index, id};
      const std::optional<Row> row = rows_.GetBase(realm, key);
      if (!row) continue;
      bool kept = false;
      for (const Filter& filter : filters[table.index])
        kept = kept || Matches(filter, id, *row, &context);
      if (!kept) gone.push_back({realm, key});
    }
  }
  EraseAll(gone);
  return Status::Ok();
}

Status StepApplier::Apply(const Step& step) {
  switch (step.kind) {
    case StepKind::kOwnOps:
      ApplyOwnOps(step);
      return Status::Ok();
    case StepKind::kChange:
      ApplyChange(step.change);
      return Status::Ok();
    case StepKind::kPage:
      return ApplyPage(step.page);
    case StepKind::kDropRealm:
      DropRealm(step.realm);
      return Status::Ok();
    case StepKind::kKeepScopes:
      return KeepScopes(step.scopes);
    case StepKind::kActions:
    case StepKind::kSnapshot:
      return Status::Ok();
  }
  return Status::Ok();
}

}  // namespace

Result<Filter> ReadFilter(const Schema& schema, TableIndex table, const std::string& where) {
  Result<Data> data = DecodeData(where);
  if (!data.ok()) return data.status();
  return ParseFilter(schema, schema.table(table), data.value(), /*allow_exists=*/false);
}

Status ApplySteps(const Schema& schema, const Vector<Step>& steps, BaseRows* rows,
                  TouchedSink* touched) {
  StepApplier applier(schema, steps, rows, touched);
  for (const Step& step : steps) SKERRY_RETURN_IF_ERROR(applier.Apply(step));
  return Status::Ok();
}

}  // namespace skerry
