#include "model/schema_parse.h"

#include <string>
#include <utility>

#include "base/vector.h"
#include "model/members.h"

namespace skerry {
namespace {

Status Wrong(std::string detail) { return {Code::kSchema, std::move(detail)}; }

// Names become SQL identifiers (in snake case) and members of JavaScript objects. So they have at
// most 48 letters, digits and _, and do not begin with a digit.
bool IsName(std::string_view name) {
  if (name.empty() || name.size() > 48) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return true;
}

bool IsSystemColumn(std::string_view name) {
  return name == "id" || name == "realm" || name == "createdAt" || name == "modifiedAt";
}

bool ParseType(std::string_view text, PropType* type) {
  static constexpr std::pair<std::string_view, PropType> kTypes[] = {
      {"string", PropType::kString}, {"number", PropType::kNumber}, {"boolean", PropType::kBoolean},
      {"date", PropType::kDate},     {"bytes", PropType::kBytes},   {"enum", PropType::kEnum},
      {"ref", PropType::kRef},       {"json", PropType::kJson},     {"class", PropType::kClass},
  };
  for (const auto& [name, value] : kTypes) {
    if (name != text) continue;
    *type = value;
    return true;
  }
  return false;
}

void ParseFormer(const Data& description, FormerNames* former) {
  for (const Data& was : description["was"].items()) former->Add(was["name"].as_string());
}

Status ParseEnum(const std::string& where, const Data& description, PropDef* prop) {
  prop->type_name = description["type"].as_string();
  for (const Data& value : description["values"].items()) {
    if (value.as_string().empty()) return Wrong(where + ": an enum's names are not empty");
    for (const std::string& other : prop->enum_values) {
      if (other == value.as_string()) return Wrong(where + ": repeated name " + other);
    }
    prop->enum_values.push_back(value.as_string());
  }
  return prop->enum_values.empty() ? Wrong(where + ": an enum needs names") : Status::Ok();
}

Status ParseRef(const std::string& where, const Data& description, const Vector<TableDef>& tables,
                PropDef* prop) {
  const std::string& target = description["table"].as_string();
  for (const TableDef& table : tables) {
    if (table.name == target) prop->ref_table = table.index;
  }
  if (prop->ref_table == kNone) return Wrong(where + ": no table " + target);
  if (target == kMembersTable) return Wrong(where + ": no ref leads to a membership");
  const std::string& on_delete = description["onDelete"].as_string();
  if (on_delete == "cascade") {
    prop->on_delete = OnDelete::kCascade;
  } else if (on_delete == "setNull") {
    prop->on_delete = OnDelete::kSetNull;
    if (!prop->optional) return Wrong(where + ": setNull needs an optional ref");
  } else if (on_delete == "restrict") {
    prop->on_delete = OnDelete::kRestrict;
  } else if (!on_delete.empty()) {
    return Wrong(where + ": unknown onDelete " + on_delete);
  }
  prop->touch = description["touch"].as_bool();
  prop->indexed = true;
  return Status::Ok();
}

Status ParseProp(const std::string& table, const Data& description, const Vector<TableDef>& tables,
                 PropDef* prop) {
  prop->name = description["name"].as_string();
  const std::string where = table + "." + prop->name;
  if (!IsName(prop->name)) return Wrong(where + ": not a prop's name");
  ParseFormer(description, &prop->former);
  if (IsSystemColumn(prop->name)) return Wrong(where + ": every row has this column already");
  if (!ParseType(description["type"].as_string(), &prop->type)) {
    return Wrong(where + ": unknown type " + description["type"].as_string());
  }
  prop->optional = description["optional"].as_bool();
  prop->unique = description["unique"].as_bool();
  prop->indexed = description["index"].as_bool() || prop->unique;
  if (prop->type == PropType::kEnum) {
    SKERRY_RETURN_IF_ERROR(ParseEnum(where, description["enum"], prop));
  } else if (prop->type == PropType::kRef) {
    SKERRY_RETURN_IF_ERROR(ParseRef(where, description["ref"], tables, prop));
  } else if (prop->type == PropType::kClass) {
    prop->type_name = description["class"]["type"].as_string();
    prop->class_version = static_cast<uint32_t>(description["class"]["version"].as_u64(1));
    if (prop->type_name.empty()) return Wrong(where + ": a class needs a registered name");
  }
  const Data* default_value = description.Find("default");
  if (!default_value || default_value->is_null()) return Status::Ok();
  Result<Value> value = ValueFromData(*prop, *default_value);
  if (!value.ok()) return Wrong(where + ": the default does not fit: " + value.status().detail());
  prop->has_default = true;
  prop->default_value = std::move(value.value());
  return Status::Ok();
}

Status ParseTable(const Data& description, const Vector<TableDef>& tables, TableDef* table) {
  for (const Data& item : description["props"].items()) {
    PropDef prop;
    SKERRY_RETURN_IF_ERROR(ParseProp(table->name, item, tables, &prop));
    if (table->FindProp(prop.name) != kNone)
      return Wrong(table->name + "." + prop.name + ": repeated");
    if (prop.has_default) {
      const Status fits = CheckNewValue(*table, prop, prop.default_value);
      if (!fits.ok()) return Wrong(fits.detail());
    }
    table->props.push_back(std::move(prop));
  }
  if (table->name == kMembersTable && !IsMembersTable(*table)) {
    return Wrong(table->name + ": not the table of memberships");
  }
  return Status::Ok();
}

}  // namespace

Status ParseTables(const Data& description, Vector<TableDef>* tables) {
  const Data::Array& items = description["tables"].items();
  if (items.size() > 1000) return Wrong("more than 1000 tables");
  for (const Data& item : items) {
    TableDef table;
    table.name = item["name"].as_string();
    if (!IsName(table.name) && table.name != kMembersTable)
      return Wrong(table.name + ": not a table's name");
    for (const TableDef& other : *tables) {
      if (other.name == table.name) return Wrong(table.name + ": repeated");
    }
    if (item["props"].items().size() > 500) return Wrong(table.name + ": more than 500 props");
    ParseFormer(item, &table.former);
    table.index = static_cast<TableIndex>(tables->size());
    table.custom_ids = item["ids"].Is("string");
    table.autosubscribe = item["autosubscribe"].as_bool();
    tables->push_back(std::move(table));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    SKERRY_RETURN_IF_ERROR(ParseTable(items[i], *tables, &(*tables)[i]));
  }
  return Status::Ok();
}

}  // namespace skerry
