// MapRows: the simplest base, in a map, for the clients of tests. It can be copied.
#ifndef SKERRY_TEST_CORE_AUTHORITY_MAP_ROWS_H_
#define SKERRY_TEST_CORE_AUTHORITY_MAP_ROWS_H_

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/vector.h"
#include "log/base_rows.h"
#include "log/record.h"

namespace skerry::authority_test {

class MapRows final : public BaseRows, public TouchedSink {
 public:
  std::map<std::pair<std::string, ObjectKey>, Row> rows;  // by realm and key

  std::optional<Row> GetBase(std::string_view realm, const ObjectKey& key) const override {
    const auto row = rows.find({std::string(realm), key});
    return row == rows.end() ? std::nullopt : std::optional<Row>(row->second);
  }
  void PutBase(const ObjectKey& key, const Row& row) override { rows[{row.realm, key}] = row; }
  void EraseBase(std::string_view realm, const ObjectKey& key) override {
    rows.erase({std::string(realm), key});
  }
  Vector<std::pair<std::string, std::string>> BaseKeys(TableIndex table) const override {
    Vector<std::pair<std::string, std::string>> keys;
    for (const auto& [key, row] : rows) {
      if (key.second.table == table) keys.emplace_back(key.second.id, key.first);
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  void Touched(const ObjectKey&) override {}
};

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_MAP_ROWS_H_
