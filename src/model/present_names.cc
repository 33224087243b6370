#include "model/present_names.h"

namespace skerry {
namespace {

std::string PresentProp(const TableDef& table, const std::string& name) {
  const PropIndex prop = table.FindProp(name);
  return prop == kNone ? name : table.props[prop].name;
}

// A list: of an operator and filters, or of one, a prop and a value (model/filter_parse.cc).
void RenameIn(const Schema& schema, const TableDef& table, Data* where) {
  if (where->items().size() < 2) return;
  Data::Array& items = where->mutable_items();
  if (!items[1].is_string()) {
    for (Data& item : items) RenameIn(schema, table, &item);
    return;
  }
  items[1] = PresentProp(table, items[1].as_string());
  if (items.size() != 3 || !items[2].is_object()) return;
  Data& select = items[2];
  const TableIndex index = schema.FindTable(select["table"].as_string());
  if (index == kNone) return;
  const TableDef& inner = schema.table(index);
  select.Set("table", inner.name);
  select.Set("select", PresentProp(inner, select["select"].as_string()));
  for (Data::Member& member : select.mutable_members()) RenameIn(schema, inner, &member.second);
}

}  // namespace

std::string PresentName(const Schema& schema, const std::string& table) {
  const TableIndex index = schema.FindTable(table);
  return index == kNone ? table : schema.table(index).name;
}

std::string PresentName(const Schema& schema, const std::string& table, const std::string& prop) {
  const TableIndex index = schema.FindTable(table);
  return index == kNone ? prop : PresentProp(schema.table(index), prop);
}

void UsePresentNames(const Schema& schema, std::string* table, Data* where) {
  const TableIndex index = schema.FindTable(*table);
  if (index == kNone) return;
  *table = schema.table(index).name;
  RenameIn(schema, schema.table(index), where);
}

}  // namespace skerry
