#include "authority/former_schema.h"

#include <algorithm>
#include <utility>

namespace skerry {
namespace {

// Writes the name that the version has for what `description` describes. Returns whether it is another.
bool NameAs(uint32_t version, Data* description) {
  for (const Data& was : (*description)["was"].items()) {
    if (version >= was["until"].as_u64()) continue;
    description->Set("name", was["name"].as_string());
    return true;
  }
  return false;
}

}  // namespace

std::optional<Schema> NamedAs(uint32_t version, const Schema& schema) {
  if (version == 0 || version >= schema.version() || !HasFormerNames(schema)) return std::nullopt;
  Result<Data> description = DecodeData(schema.description());
  Vector<TableDef> tables = schema.tables();
  bool is_any = false;
  for (TableDef& table : tables) {
    Data named = description.value()["tables"].items()[table.index];
    if (NameAs(version, &named)) is_any = true;
    table.name = named["name"].as_string();
    for (size_t i = 0; i < table.props.size(); ++i) {
      Data prop = named["props"].items()[i];
      if (NameAs(version, &prop)) is_any = true;
      table.props[i].name = prop["name"].as_string();
    }
  }
  if (!is_any) return std::nullopt;
  return Schema::OfNames(std::move(tables));
}

bool HasFormerNames(const Schema& schema) {
  const auto is_renamed = [](const auto& def) { return !def.former.empty(); };
  return std::any_of(schema.tables().begin(), schema.tables().end(), [&](const TableDef& table) {
    return is_renamed(table) || std::any_of(table.props.begin(), table.props.end(), is_renamed);
  });
}

}  // namespace skerry
