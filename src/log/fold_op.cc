// Applies one op to one row (log/fold.h).
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

void SetProps(const Op& op, Row* row) {
  for (const PropValue& change : op.set) {
    Value& value = row->props[change.prop];
    if (!change.for_new || value.is_null()) value = change.value;
  }
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
  if (row->has_value() && op.Has(kOnlyNew)) return false;
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
    case OpKind::kOffer:
      SetProps(op, &**row);
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
