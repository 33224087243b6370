#include "test/core/log/row_map.h"

#include "test/core/log/log_fixture.h"

namespace skerry::test {

std::map<std::pair<ObjectKey, std::string>, Row> AllRows(const BaseRows& rows,
                                                         const Schema& schema) {
  std::map<std::pair<ObjectKey, std::string>, Row> all;
  for (const TableDef& table : schema.tables()) {
    for (const auto& [id, realm] : rows.BaseKeys(table.index)) {
      const ObjectKey key{table.index, id};
      if (std::optional<Row> row = rows.GetBase(realm, key)) all[{key, realm}] = *row;
    }
  }
  return all;
}

std::map<std::pair<ObjectKey, std::string>, Row> AllRows(const BaseRows& rows) {
  return AllRows(rows, LogSchema());
}

}  // namespace skerry::test
