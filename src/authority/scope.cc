#include "authority/scope.h"

#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "base/vector.h"
#include "model/filter_cost.h"

namespace skerry {
namespace {

Result<Scope> ParseScope(const Schema& schema, wire::PulledScope part) {
  Scope scope;
  scope.table = schema.FindTable(part.table);
  if (scope.table == kNone) return Status(Code::kUnknownTable, "no table " + part.table);
  scope.where = part.where.is_null() ? Data::MakeArray().Push("true") : std::move(part.where);
  Result<Filter> filter = ParseFilter(schema, schema.table(scope.table), scope.where, false);
  if (!filter.ok()) return filter.status();
  scope.filter = std::move(filter.value());
  scope.is_filled = part.filled.whole;
  scope.filled = part.filled.upto.value_or("");
  if (scope.filled.size() > kMaxIdBytes || !IsStorableText(scope.filled))
    return Status(Code::kInvalidId, "`filled` is no id");
  scope.cost = CostOf(scope.filter).comparisons;
  return scope;
}

}  // namespace

Result<Scopes> Scopes::Parse(const Schema& schema, Vector<wire::PulledScope> list,
                             UnknownTables unknown) {
  if (list.size() > kMaxScopes) return Status(Code::kLimit, "too many scopes");
  Scopes scopes;
  scopes.members_ = schema.members();
  ScopeBudget budget;
  for (wire::PulledScope& part : list) {
    const bool known = schema.FindTable(part.table) != kNone;
    if (!known && unknown == UnknownTables::kLeftOut) continue;
    Result<Scope> scope = ParseScope(schema, std::move(part));
    if (!scope.ok()) return scope.status();
    SKERRY_RETURN_IF_ERROR(budget.Add(scope.value().filter));
    scopes.list_.push_back(std::move(scope.value()));
  }
  scopes.FindWaiting(schema);
  return scopes;
}

void Scopes::FindWaiting(const Schema& schema) {
  for (Scope& outer : list_) {
    for (const SubSelect& select : FindSubSelects(outer.filter, outer.where)) {
      const TableIndex table = schema.FindTable((*select.select)["table"].as_string());
      for (const Scope& inner : list_) {
        const bool is_its = inner.table == table && inner.where == select.where();
        outer.waits = outer.waits || (is_its && !inner.is_filled);
      }
    }
  }
}

size_t Scopes::CountUnfilled() const {
  size_t count = 0;
  for (const Scope& scope : list_) count += !scope.is_filled;
  return count;
}

Vector<size_t> Scopes::PagesAtOnce() const {
  Vector<size_t> pages;
  uint64_t cost = 0;
  for (size_t i = 0; i < list_.size(); ++i) {
    if (list_[i].is_filled || list_[i].waits) continue;
    cost += list_[i].cost;
    if (!pages.empty() && (pages.size() == kPagesPerAnswer || cost > kMaxPagesCost)) break;
    pages.push_back(i);
  }
  return pages;
}

bool Scopes::HaveAllTables(const Schema& schema) const {
  Vector<bool> is_whole(schema.tables().size(), false);
  for (const Scope& scope : list_) {
    if (scope.filter.kind == FilterKind::kTrue) is_whole[scope.table] = true;
  }
  if (schema.members() != kNone) is_whole[schema.members()] = true;
  for (const bool whole : is_whole) {
    if (!whole) return false;
  }
  return true;
}

Set<TableIndex> Scopes::Tables() const {
  Set<TableIndex> tables;
  for (const Scope& scope : list_) {
    tables.insert(scope.table);
    for (const SubSelect& select : FindSubSelects(scope.filter, scope.where))
      tables.insert(select.filter->table);
  }
  if (members_ != kNone) tables.insert(members_);
  return tables;
}

bool Scopes::Cover(const ObjectKey& key) const {
  if (key.table == members_) return true;
  for (const Scope& scope : list_) {
    if (scope.table == key.table && !scope.Covers(key.id)) return false;
  }
  return true;
}

bool Scopes::Hold(const ObjectKey& key, const Row& row, bool only_covering,
                  const FilterContext& inner) const {
  if (key.table == members_) return true;
  for (const Scope& scope : list_) {
    if (scope.table != key.table || (only_covering && !scope.Covers(key.id))) continue;
    if (Matches(scope.filter, key.id, row, &inner)) return true;
  }
  return false;
}

}  // namespace skerry
