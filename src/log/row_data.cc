#include "log/row_data.h"

#include "base/vector.h"
#include "log/wire.h"

namespace skerry {

Data PlainRow(const TableDef& table, std::string_view id, const Row& row, bool bytes_as_base64) {
  Data props = Data::MakeObject();
  for (size_t i = 0; i < table.props.size() && i < row.props.size(); ++i) {
    if (row.props[i].is_null()) continue;
    const PropDef& prop = table.props[i];
    props.mutable_members().emplace_back(prop.name,
                                         ValueToData(prop, row.props[i], bytes_as_base64));
  }
  Data data = Data::MakeObject();
  data.Set("id", id).Set("realm", row.realm).Set("createdAt", row.created_at);
  data.Set("modifiedAt", row.modified_at)
      .Set("revision", row.revision)
      .Set("props", std::move(props));
  return data;
}

Result<Row> RowFromPlain(const TableDef& table, const Data& data) {
  SKERRY_RETURN_IF_ERROR(CheckId(table, data["id"].as_string()));
  SKERRY_RETURN_IF_ERROR(CheckRealm(data["realm"]));
  SKERRY_RETURN_IF_ERROR(CheckTime(data["createdAt"]));
  SKERRY_RETURN_IF_ERROR(CheckTime(data["modifiedAt"]));
  if (!data["props"].is_object())
    return Status(Code::kInvalidArgument, "`props` must be an object");
  Row row;
  row.realm = data["realm"].as_string();
  row.created_at = data["createdAt"].as_number();
  row.modified_at = data["modifiedAt"].as_number();
  if (!ReadU64(data["revision"], &row.revision)) {
    return Status(Code::kInvalidArgument, "`revision` must be a number");
  }
  Data known = Data::MakeObject();
  for (const Data::Member& member : data["props"].members()) {
    if (table.FindProp(member.first) != kNone) known.mutable_members().push_back(member);
  }
  Result<Vector<PropValue>> set = SetFromData(table, known, Origin::kStored);
  if (!set.ok()) return set.status();
  row.props.resize(table.props.size());
  for (PropValue& prop : set.value()) row.props[prop.prop] = std::move(prop.value);
  return row;
}

}  // namespace skerry
