#include "authority/row_data.h"

#include <utility>

#include "log/wire.h"

namespace skerry {

Result<Row> RowOfTable(const TableDef& table, const std::string& realm, const Data& data) {
  Row row;
  row.realm = realm;
  row.created_at = data["createdAt"].as_number();
  row.modified_at = data["modifiedAt"].as_number();
  row.revision = data["revision"].as_u64();
  row.props.resize(table.props.size());
  for (const auto& [name, value] : data["props"].members()) {
    const PropIndex prop = table.FindProp(name);
    if (prop == kNone) continue;
    Result<Value> parsed = ValueFromData(table.props[prop], value);
    if (!parsed.ok()) return At(table.name + "." + name, parsed.status());
    row.props[prop] = std::move(parsed.value());
  }
  return row;
}

Result<StoredRow> StoredRowFromData(const Schema& schema, const Data& data) {
  StoredRow stored;
  stored.key.table = schema.FindTable(data["table"].as_string());
  if (stored.key.table == kNone) {
    return Status(Code::kUnknownTable, "no table " + data["table"].as_string());
  }
  const TableDef& table = schema.table(stored.key.table);
  stored.key.id = data["id"].as_string();
  SKERRY_RETURN_IF_ERROR(CheckId(table, stored.key.id));
  const std::string& realm = data["realm"].as_string();
  if (realm.empty()) return Status(Code::kInvalidArgument, "a row without a realm");
  if (data["deletedAt"].is_number()) stored.deleted_at = data["deletedAt"].as_number();
  stored.moved_to = data["movedTo"].as_string();
  Result<Row> row = RowOfTable(table, realm, data);
  if (!row.ok()) return row.status();
  stored.row = std::move(row.value());
  return stored;
}

Data StoredRowToData(const Schema& schema, const StoredRow& stored) {
  const TableDef& table = schema.table(stored.key.table);
  Data props = Data::MakeObject();
  for (size_t i = 0; i < table.props.size(); ++i) {
    const Value& value = stored.row.props[i];
    if (value.is_null()) continue;
    props.mutable_members().emplace_back(table.props[i].name,
                                         ValueToData(table.props[i], value, true));
  }
  Data data = Data::MakeObject();
  data.Set("table", table.name)
      .Set("id", stored.key.id)
      .Set("realm", stored.row.realm)
      .Set("createdAt", stored.row.created_at)
      .Set("modifiedAt", stored.row.modified_at)
      .Set("revision", stored.row.revision);
  if (stored.deleted_at) data.Set("deletedAt", *stored.deleted_at);
  if (!stored.moved_to.empty()) data.Set("movedTo", stored.moved_to);
  data.Set("props", std::move(props));
  return data;
}

Data RowToData(const Schema& schema, const ObjectKey& key, const std::optional<Row>& row) {
  if (!row) return Data();
  return StoredRowToData(schema, {key, *row, std::nullopt});
}

Result<std::optional<Row>> RowFromData(const Schema& schema, const Data& data) {
  if (data.is_null()) return std::optional<Row>();
  Result<StoredRow> stored = StoredRowFromData(schema, data);
  if (!stored.ok()) return stored.status();
  if (stored.value().deleted_at) return std::optional<Row>();
  return std::optional<Row>(std::move(stored.value().row));
}

void SetDefaults(const TableDef& table, Row* row) {
  for (size_t i = 0; i < table.props.size(); ++i) {
    if (row->props[i].is_null()) row->props[i] = DefaultOrNull(table.props[i]);
  }
}

const Row* WithDefaults(const TableDef& table, const Row* row, std::optional<Row>* space) {
  if (!row) return nullptr;
  for (size_t i = 0; i < table.props.size(); ++i) {
    if (!row->props[i].is_null() || DefaultOrNull(table.props[i]).is_null()) continue;
    SetDefaults(table, &space->emplace(*row));
    return &**space;
  }
  return row;
}

void ClearUnknownDefault(const TableDef& table, const Row& before, Row* row) {
  for (size_t i = 0; i < table.props.size(); ++i) {
    if (before.props[i].is_null() && !DefaultOrNull(table.props[i]).is_null()) row->props[i] = {};
  }
}

const char* CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kUnknownTable:
      return "unknown_table";
    case Code::kUnknownProp:
      return "unknown_prop";
    case Code::kWrongType:
      return "wrong_type";
    case Code::kMissingProp:
      return "missing_prop";
    case Code::kInvalidId:
      return "invalid_id";
    case Code::kLimit:
      return "limit";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kParse:
      return "parse";
    case Code::kConflict:
      return "conflict";
    case Code::kClosed:
      return "misuse";
    default:
      return "invalid";
  }
}

Data ErrorToData(const Status& status) {
  Data error = Data::MakeObject();
  error.Set("code", CodeName(status.code())).Set("detail", status.detail());
  return Data::MakeObject().Set("error", std::move(error));
}

}  // namespace skerry
