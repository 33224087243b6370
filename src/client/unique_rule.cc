#include "client/unique_rule.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/map.h"

namespace skerry {
namespace {

bool HasUnique(const TableDef& table) {
  return std::any_of(table.props.begin(), table.props.end(),
                     [](const PropDef& prop) { return prop.unique; });
}

// The message names no row: the user may see the other one, but a log should not.
Status IsTaken(const TableDef& table, PropIndex prop) {
  return {Code::kUnique, table.name + "." + table.props[prop].name +
                             ": another object of the realm has this value"};
}

// Whether a visible row of the realm, other than those in `except`, has the value.
bool IsHeld(View* view, TableIndex table, PropIndex prop, const Value& value,
            const std::string& realm, const Set<ObjectKey>& except) {
  Vector<Slot> slots;
  view->RowsWith(table, prop, value, &slots);
  const RowStore& rows = view->rows(table);
  return std::any_of(slots.begin(), slots.end(), [&](Slot slot) {
    return rows.GetValue(slot, kRealmColumn).text() == realm && !except.contains(rows.Key(slot));
  });
}

// Whether the op may have given the prop another value, or brought it to another realm.
bool MayChange(const Op& op, PropIndex prop) {
  if (op.Has(kCreates) || op.Has(kMoves)) return true;
  const auto names = [prop](const auto& change) { return change.prop == prop; };
  return std::any_of(op.set.begin(), op.set.end(), names) ||
         std::any_of(op.add.begin(), op.add.end(), names);
}

}  // namespace

Status CheckUniqueAfter(View* view, const Vector<Op>& ops) {
  const Schema& schema = view->schema();
  for (const Op& op : RowOps(ops)) {
    const TableDef& table = schema.table(op.table);
    if (op.Has(kDeletes) || !HasUnique(table)) continue;
    const ObjectKey key = KeyIn(schema, op.table, op.id, op.Has(kMoves) ? op.to : op.realm);
    const std::optional<Row> row = view->Visible(key);
    if (!row) continue;
    for (PropIndex prop = 0; prop < table.props.size(); ++prop) {
      const Value& value = row->props[prop];
      if (!table.props[prop].unique || value.is_null() || !MayChange(op, prop)) continue;
      if (IsHeld(view, op.table, prop, value, row->realm, {key})) return IsTaken(table, prop);
    }
  }
  return Status::Ok();
}

Status CheckUniqueBefore(View* view, const Vector<Op>& ops) {
  const Schema& schema = view->schema();
  Set<ObjectKey> changed;
  for (const Op& op : RowOps(ops)) changed.insert(KeyOf(schema, op));
  for (const Op& op : RowOps(ops)) {
    const TableDef& table = schema.table(op.table);
    for (const PropValue& set : op.set) {
      if (!table.props[set.prop].unique || set.value.is_null()) continue;
      if (IsHeld(view, op.table, set.prop, set.value, op.realm, changed))
        return IsTaken(table, set.prop);
    }
  }
  return Status::Ok();
}

}  // namespace skerry
