#include "model/query.h"

#include "base/vector.h"
#include "model/prepared_query.h"

namespace skerry {

QueryEngine::QueryEngine(const Schema* schema, Tables* tables) : schema_(schema), tables_(tables) {}

void QueryEngine::Run(const Query& query, Vector<uint32_t>* stream) {
  PreparedQuery prepared(&query, tables_, &rows_visited_);
  Vector<Slot> slots;
  prepared.Run(&slots);
  prepared.Render(slots, stream);
}

void QueryEngine::RunSlots(const Query& query, Vector<Slot>* slots) {
  PreparedQuery(&query, tables_, &rows_visited_).Run(slots);
}

size_t QueryEngine::Count(const Query& query) {
  return PreparedQuery(&query, tables_, &rows_visited_).Count();
}

Result<Value> QueryEngine::Aggregate(const Query& query, AggregateKind kind, PropIndex column) {
  const TableDef& table = schema_->table(query.table);
  if (column >= table.props.size() && (column < kIdColumn || column > kModifiedAtColumn)) {
    return Status(Code::kUnknownProp, table.name + " has no such prop");
  }
  const PropDef& prop = ColumnProp(table, column);
  const bool opaque = prop.type == PropType::kJson || prop.type == PropType::kClass;
  if (opaque || (kind == AggregateKind::kSum && prop.type != PropType::kNumber)) {
    return Status(Code::kWrongType,
                  table.name + "." + prop.name + ": there is no such total of it");
  }
  PreparedQuery prepared(&query, tables_, &rows_visited_);
  Vector<Slot> slots;
  if (query.limit == kNoLimit && query.offset == 0) {
    prepared.RunUnordered(&slots);
  } else {
    prepared.Run(&slots);
  }
  const RowStore& store = prepared.store();
  double sum = 0;
  Slot best = kNoSlot;
  for (const Slot slot : slots) {
    const Value value = kind == AggregateKind::kSum ? store.GetValue(slot, column) : Value();
    if (kind == AggregateKind::kSum) {
      sum += value.number();
      continue;
    }
    // Null sorts first, but is not a minimum.
    if (store.IsNull(slot, column)) continue;
    const int compared = best == kNoSlot ? 0 : store.Compare(slot, best, column);
    if (best == kNoSlot || (kind == AggregateKind::kMin ? compared < 0 : compared > 0)) best = slot;
  }
  if (kind == AggregateKind::kSum) return Value::Number(sum);
  return best == kNoSlot ? Value::Null() : store.GetValue(best, column);
}

bool QueryEngine::Exists(const Filter& filter, std::string_view id, const Row* row) const {
  RowStore& inner = tables_->store(filter.table);
  Value outer;  // outlives the probe, which refers to its text
  Probe probe;
  if (filter.kind == FilterKind::kExists) {
    probe = inner.MakeIdProbe(id);
  } else {
    SKERRY_CHECK(row != nullptr);
    outer = ColumnValue(filter.column, id, *row);
    if (outer.is_null()) return false;
    probe = inner.MakeProbe(filter.via, outer);
  }
  InnerCandidates rows(&inner, &filter, &probe, row ? row->realm : std::string_view(),
                       &rows_visited_);
  for (Slot slot = rows.Next(); slot != kNoSlot; slot = rows.Next()) {
    if (Matches(filter.children[0], inner.Id(slot), inner.Get(slot), this)) return true;
  }
  return false;
}

}  // namespace skerry
