#include "test/core/log/row_map.h"

#include "test/core/log/log_fixture.h"

namespace skerry::test {

std::map<std::pair<ObjectKey, String>, Row> AllRows(const BaseRows& rows) {
  std::map<std::pair<ObjectKey, String>, Row> all;
  for (const TableDef& table : LogSchema().tables()) {
    for (const auto& [id, realm] : rows.BaseKeys(table.index)) {
      const ObjectKey key{table.index, id};
      if (std::optional<Row> row = rows.GetBase(realm, key)) all[{key, realm}] = *row;
    }
  }
  return all;
}

}  // namespace skerry::test
