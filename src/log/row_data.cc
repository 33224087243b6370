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

}  // namespace skerry
