#include "model/schema.h"

#include <utility>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/vector.h"
#include "model/members.h"
#include "model/schema_parse.h"

namespace skerry {
namespace {

// Covers what decides the layout of packed rows: names, types, kinds of ids and enum members, in
// order.
uint64_t Fingerprint(const Vector<TableDef>& tables) {
  std::string layout;
  for (const TableDef& table : tables) {
    PutText(&layout, table.name);
    PutU8(&layout, table.custom_ids ? 1 : 0);
    PutVarint(&layout, table.props.size());
    for (const PropDef& prop : table.props) {
      PutText(&layout, prop.name);
      PutU8(&layout, static_cast<uint8_t>(prop.type));
      PutText(&layout, prop.type_name);
      for (const std::string& value : prop.enum_values) PutText(&layout, value);
    }
  }
  return Xxh64(layout);
}

}  // namespace

PropIndex TableDef::FindProp(std::string_view prop) const {
  for (size_t i = 0; i < props.size(); ++i) {
    if (props[i].name == prop) return static_cast<PropIndex>(i);
  }
  for (size_t i = 0; i < props.size(); ++i) {
    if (props[i].former.Has(prop)) return static_cast<PropIndex>(i);
  }
  return kNone;
}

PropIndex TableDef::FindColumn(std::string_view column) const {
  if (column == "id") return kIdColumn;
  if (column == "realm") return kRealmColumn;
  if (column == "createdAt") return kCreatedAtColumn;
  if (column == "modifiedAt") return kModifiedAtColumn;
  return FindProp(column);
}

Result<Schema> Schema::Parse(const Data& description) {
  Schema schema;
  schema.version_ = static_cast<uint32_t>(description["version"].as_u64());
  if (schema.version_ == 0) return Status(Code::kSchema, "a schema's version is 1 or more");
  for (const Data& version : description["accepts"].items()) {
    schema.accepts_.push_back(static_cast<uint32_t>(version.as_u64()));
  }
  schema.validates_ = description["validates"].as_bool();
  SKERRY_RETURN_IF_ERROR(ParseTables(description, &schema.tables_));
  schema.members_ = schema.FindTable(kMembersTable);
  schema.back_refs_.resize(schema.tables_.size());
  for (const TableDef& table : schema.tables_) {
    for (size_t i = 0; i < table.props.size(); ++i) {
      if (table.props[i].ref_table == kNone) continue;
      schema.back_refs_[table.props[i].ref_table].push_back(
          {table.index, static_cast<PropIndex>(i)});
    }
  }
  schema.fingerprint_ = Fingerprint(schema.tables_);
  EncodeData(description, &schema.description_);
  return schema;
}

Schema Schema::OfNames(Vector<TableDef> tables) {
  Schema schema;
  schema.tables_ = std::move(tables);
  schema.back_refs_.resize(schema.tables_.size());
  return schema;
}

TableIndex Schema::FindTable(std::string_view name) const {
  for (const TableDef& table : tables_) {
    if (table.name == name) return table.index;
  }
  for (const TableDef& table : tables_) {
    if (table.former.Has(name)) return table.index;
  }
  return kNone;
}

Status CheckId(const TableDef& table, std::string_view id) {
  if (table.custom_ids) {
    if (!id.empty() && id.size() <= kMaxIdBytes && IsStorableText(id)) return Status::Ok();
    return {Code::kInvalidId, table.name + ": an id is text of 1 to 128 bytes"};
  }
  Uuid uuid;
  if (ParseUuid(id, &uuid)) return Status::Ok();
  return {Code::kInvalidId, table.name + ": an id is a UUID in lower case"};
}

}  // namespace skerry
