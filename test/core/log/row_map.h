// RowMap: the simplest BaseRows, to compare others with; and a sink that remembers which rows were
// touched.
#ifndef SKERRY_TEST_CORE_LOG_ROW_MAP_H_
#define SKERRY_TEST_CORE_LOG_ROW_MAP_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/vector.h"
#include "log/base_rows.h"
#include "log/record.h"

namespace skerry::test {

class RowMap final : public BaseRows {
 public:
  std::optional<Row> GetBase(std::string_view realm, const ObjectKey& key) const override {
    const auto found = rows.find({key, std::string(realm)});
    if (found == rows.end()) return std::nullopt;
    return found->second;
  }
  void PutBase(const ObjectKey& key, const Row& row) override { rows[{key, row.realm}] = row; }
  void EraseBase(std::string_view realm, const ObjectKey& key) override {
    rows.erase({key, std::string(realm)});
  }
  Vector<std::pair<std::string, std::string>> BaseKeys(TableIndex table) const override {
    Vector<std::pair<std::string, std::string>> keys;
    for (const auto& [place, row] : rows) {
      if (place.first.table == table) keys.emplace_back(place.first.id, place.second);
    }
    return keys;
  }

  std::map<std::pair<ObjectKey, std::string>, Row> rows;  // by (key, realm)
};

class TouchedKeys final : public TouchedSink {
 public:
  void Touched(std::string_view, const ObjectKey& key) override { keys.insert(key); }
  std::set<ObjectKey> keys;
};

// All rows of a BaseRows, to compare.
std::map<std::pair<ObjectKey, std::string>, Row> AllRows(const BaseRows& rows);  // of LogSchema
std::map<std::pair<ObjectKey, std::string>, Row> AllRows(const BaseRows& rows,
                                                         const Schema& schema);

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_LOG_ROW_MAP_H_
