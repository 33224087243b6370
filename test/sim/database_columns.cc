// Rows under several schemas, and the changes of rows when a server starts with another schema.
#include <algorithm>

#include "test/sim/database.h"

namespace skerry::sim {
namespace {

// The `before` of a change, without the props for which clients may hold another default.
Data Before(const Schema& columns, const StoredRow& row, const Vector<std::string>& unsure) {
  Data before = RowToData(columns, row.key, row.row);
  Data props = before["props"];
  for (const std::string& prop : unsure) props.Remove(prop);
  return before.Set("props", std::move(props));
}

}  // namespace

const Database::Rows& Database::RowsOf(const Schema& served, Rows* space) const {
  if (&served == columns_) return rows_;
  for (const TableDef& table : served.tables()) {
    const TableIndex index = columns_->FindTable(table.name);
    const TableDef& columns = columns_->table(index);
    for (auto at = rows_.lower_bound({index, std::string()}); at != rows_.end(); ++at) {
      if (at->first.table != index) break;
      StoredRow row = at->second;
      row.key.table = table.index;
      row.row.props.clear();
      for (const PropDef& prop : table.props)
        row.row.props.push_back(at->second.row.props[columns.FindProp(prop.name)]);
      (*space)[row.key] = std::move(row);
    }
  }
  return *space;
}

ObjectKey Database::KeyOf(const Schema& served, const ObjectKey& key) const {
  return {columns_->FindTable(served.table(key.table).name), key.id};
}

void Database::Write(const Schema& served, const StoredRow& row) {
  if (&served == columns_) {
    rows_[row.key] = row;
    return;
  }
  const TableDef& table = served.table(row.key.table);
  const ObjectKey key = KeyOf(served, row.key);
  const TableDef& columns = columns_->table(key.table);
  const auto there = rows_.find(key);
  // A row that is created again over another one, or over a tombstone, keeps no props of it.
  const bool is_same = there != rows_.end() && there->second.row.created_at == row.row.created_at;
  StoredRow to = row;
  to.key = key;
  to.row.props.clear();
  for (PropIndex i = 0; i < columns.props.size(); ++i) {
    const PropIndex from = table.FindProp(columns.props[i].name);
    const auto otherwise = defaults_.find({columns.index, i});
    to.row.props.push_back(from != kNone                  ? row.row.props[from]
                           : is_same                      ? there->second.row.props[i]
                           : otherwise != defaults_.end() ? otherwise->second
                                                          : Value::Null());
  }
  rows_[key] = std::move(to);
}

void Database::Log(Data entry) {
  Vector<Data>& log = log_[entry["realm"].as_string()];
  log.push_back(std::move(entry));
  SKERRY_CHECK(log.size() == log.back()["revision"].as_u64());
}

Vector<Database::Corrected> Database::Deploy(const Schema& schema, double now) {
  Vector<Corrected> corrected;
  if (newest_ != nullptr && newest_->version() >= schema.version()) return corrected;
  for (const TableDef& table : schema.tables()) {
    const TableIndex index = columns_->FindTable(table.name);
    const TableIndex former = newest_ == nullptr ? kNone : newest_->FindTable(table.name);
    Vector<PropIndex> unsure;
    for (const PropDef& prop : table.props) {
      const Value& absent = AbsentValue(prop);
      const PropIndex column = columns_->table(index).FindProp(prop.name);
      const PropIndex before = former == kNone ? kNone : newest_->table(former).FindProp(prop.name);
      if (before == kNone) {
        // A new column: every row gets its default.
        for (auto& [key, row] : rows_) {
          if (key.table == index) row.row.props[column] = absent;
        }
      } else if (AbsentValue(newest_->table(former).props[before]) != absent) {
        unsure.push_back(column);
      }
      defaults_[{index, column}] = absent;
    }
    if (!unsure.empty()) Correct(columns_->table(index), unsure, now, &corrected);
  }
  newest_ = &schema;
  return corrected;
}

// Logs the rows that differ from a new default as changed, by one entry in each realm
// (server/src/sql/corrections.ts).
void Database::Correct(const TableDef& table, const Vector<PropIndex>& unsure, double now,
                       Vector<Corrected>* corrected) {
  std::map<std::string, Corrected> entries;
  Vector<std::string> names;
  for (const PropIndex prop : unsure) names.push_back(table.props[prop].name);
  for (auto& [key, stored] : rows_) {
    if (key.table != table.index || stored.deleted_at) continue;
    const bool differs = std::any_of(unsure.begin(), unsure.end(), [&](PropIndex prop) {
      return stored.row.props[prop] != defaults_[{table.index, prop}];
    });
    if (!differs) continue;
    const std::string& realm = stored.row.realm;
    Corrected& entry = entries[realm];
    Head& head = heads_[realm];
    if (entry.keys.empty()) {
      head = {head.head + 1, std::max(head.at + 1, now)};
      entry.realm = realm;
      entry.at = head.at;
      Data logged = Data::MakeObject();
      logged.Set("realm", realm).Set("revision", head.head).Set("at", head.at);
      logged.Set("client", "nobody").Set("update", "none").Set("declared", false);
      Log(std::move(logged.Set("ops", Data::MakeArray())));
    }
    entry.keys.push_back(key);
    changes_[{realm, table.name, key.id}].push_back({head.head, Before(*columns_, stored, names)});
    stored.row.revision = head.head;
    stored.row.modified_at = head.at;
  }
  for (auto& [realm, entry] : entries) corrected->push_back(std::move(entry));
}

}  // namespace skerry::sim
