// Applies one op to one row (log/fold.h).
#include <algorithm>

#include "log/fold.h"
#include "log/number_add.h"
#include "model/members.h"

namespace skerry {
namespace {

Row NewRow(const TableDef& table, const Op& op, FoldStamp stamp) {
  Row row;
  row.realm = op.realm;
  row.created_at = stamp.at;
  row.props.resize(table.props.size());
  return row;
}

// Returns false if no prop has the value that the op expects (`was`).
bool SetProps(const Op& op, Row* row) {
  bool is_met = op.was.empty();
  for (const PropValue& change : op.set) {
    Value& value = row->props[change.prop];
    if (!op.was.empty() &&
        std::find(op.was.begin(), op.was.end(), PropValue{change.prop, value}) == op.was.end())
      continue;
    is_met = true;
    if (!change.for_new || value.is_null()) value = change.value;
  }
  return is_met;
}

void SetPropsOfInvited(const Op& op, Row* row) {
  const Value former = row->props[kMemberRole];
  SetProps(op, row);
  Value& role = row->props[kMemberRole];
  if (KeepsRole(former, role)) role = former;
}

void AddProps(const TableDef& table, const Op& op, Row* row) {
  for (const PropAdd& change : op.add) {
    Value& value = row->props[change.prop];
    const bool unknown = value.is_null() && !DefaultOrNull(table.props[change.prop]).is_null();
    if (!unknown) value = AddToValue(value, change.by);
  }
}

void Stamp(FoldStamp stamp, Row* row) {
  row->modified_at = stamp.at;
  row->revision = stamp.revision;
}

}  // namespace

bool FoldOp(const Schema& schema, const Op& op, FoldStamp stamp, FoldTarget target,
            std::optional<Row>* row) {
  if (!op.Has(kOnRow)) return false;
  if (row->has_value() && (*row)->realm != op.realm) return false;
  if (row->has_value() && (op.Has(kOnlyNew) || op.Has(kRestores))) return false;
  // In a log, and without the row, there is nothing to restore it from: it comes as a create.
  if (op.Has(kRestores) && (target == FoldTarget::kBase || !op.created_at)) return false;
  if (!row->has_value()) {
    if (!op.Has(kCreates)) return false;
    row->emplace(NewRow(schema.table(op.table), op, stamp));
  }
  switch (op.kind) {
    case OpKind::kCreate:
      if (op.table == schema.members()) {
        SetPropsOfInvited(op, &**row);
      } else {
        SetProps(op, &**row);
      }
      break;
    case OpKind::kUpdate:
      if (!SetProps(op, &**row)) return false;
      break;
    case OpKind::kOffer:
      SetProps(op, &**row);
      break;
    case OpKind::kRestore:
      SetProps(op, &**row);
      (*row)->created_at = *op.created_at;
      break;
    case OpKind::kInc:
      AddProps(schema.table(op.table), op, &**row);
      break;
    case OpKind::kDelete:
      row->reset();
      return true;
    case OpKind::kMove:
      if (target == FoldTarget::kBase) {
        row->reset();
        return true;
      }
      (*row)->realm = op.to;
      break;
    case OpKind::kAppend:
      return false;
  }
  Stamp(stamp, &**row);
  return true;
}

}  // namespace skerry
