// Rows under several schemas, and the changes of rows when a server starts with another schema.
#include <algorithm>

#include "base/fields.h"
#include "test/core/model_check/check_schema.h"
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
  if (&served == &columns()) return rows();
  for (const auto& [key, stored] : rows()) {
    const TableDef& all = columns().table(key.object.table);
    const TableIndex index = served.FindTable(all.name);
    if (index == kNone) continue;
    StoredRow row = stored;
    row.key.table = index;
    row.row.props.clear();
    for (const PropDef& prop : served.table(index).props)
      row.row.props.push_back(stored.row.props[all.FindProp(prop.name)]);
    (*space)[{key.realm, row.key}] = std::move(row);
  }
  return *space;
}

// The object that is written, as it was: in its realm, or in another one, from which it moves. A row that is created again
// over another one, or over a tombstone, is another object.
const StoredRow* Database::BeforeMove(const PlacedKey& key, const StoredRow& row) const {
  const StoredRow* found = nullptr;
  for (const auto& [place, stored] : rows()) {
    if (place.object != key.object || stored.row.created_at != row.row.created_at) continue;
    if (place.realm == key.realm && !stored.deleted_at) return &stored;
    // What a deletion leaves says nothing of it.
    if (!stored.deleted_at || stored.moved_to == key.realm) found = &stored;
  }
  return found;
}

void Database::Write(const Schema& served, const StoredRow& row) {
  if (&served == &columns()) return MemoryDatabase::Write(served, row);
  const TableDef& table = served.table(row.key.table);
  const PlacedKey key{row.row.realm, {columns().FindTable(table.name), row.key.id}};
  const TableDef& all = columns().table(key.object.table);
  const StoredRow* before = BeforeMove(key, row);
  StoredRow to = row;
  to.key = key.object;
  to.row.props.clear();
  for (PropIndex i = 0; i < all.props.size(); ++i) {
    const PropIndex from = table.FindProp(test::NameOf(all.props[i]));
    const auto otherwise = defaults_.find({all.index, i});
    to.row.props.push_back(from != kNone                  ? row.row.props[from]
                           : before != nullptr            ? before->row.props[i]
                           : otherwise != defaults_.end() ? otherwise->second
                                                          : Value::Null());
  }
  mutable_rows()[key] = std::move(to);
}

Vector<Database::Corrected> Database::Deploy(const Schema& schema, double now) {
  Vector<Corrected> corrected;
  if (newest_ != nullptr && newest_->version() >= schema.version()) return corrected;
  for (const TableDef& table : schema.tables()) {
    const TableIndex index = columns().FindTable(table.name);
    const TableIndex former = newest_ == nullptr ? kNone : newest_->FindTable(table.name);
    Vector<PropIndex> unsure;
    for (const PropDef& prop : table.props) {
      const Value& absent = DefaultOrNull(prop);
      const PropIndex column = columns().table(index).FindProp(prop.name);
      const PropIndex before =
          former == kNone ? kNone : newest_->table(former).FindProp(test::NameOf(prop));
      if (before == kNone) {
        // A new column: every row gets its default.
        for (auto& [key, row] : mutable_rows()) {
          if (key.object.table == index) row.row.props[column] = absent;
        }
      } else if (DefaultOrNull(newest_->table(former).props[before]) != absent) {
        unsure.push_back(column);
      }
      defaults_[{index, column}] = absent;
    }
    if (!unsure.empty()) Correct(columns().table(index), unsure, now, &corrected);
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
  for (auto& [key, stored] : mutable_rows()) {
    if (key.object.table != table.index || stored.deleted_at) continue;
    const bool differs = std::any_of(unsure.begin(), unsure.end(), [&](PropIndex prop) {
      return stored.row.props[prop] != defaults_[{table.index, prop}];
    });
    if (!differs) continue;
    const std::string& realm = key.realm;
    Corrected& entry = entries[realm];
    Head& head = mutable_heads()[realm];
    if (entry.keys.empty()) {
      ++head.head;
      head.at = std::max(head.at + 1, now);
      entry.realm = realm;
      entry.at = head.at;
      Log(Fields{{"realm", realm},
                 {"revision", head.head},
                 {"at", head.at},
                 {"client", "nobody"},
                 {"update", "none"},
                 {"declared", false}});
    }
    entry.keys.push_back(key.object);
    LogChange(Fields{{"realm", realm},
                     {"revision", head.head},
                     {"table", table.name},
                     {"id", key.object.id},
                     {"before", Before(columns(), stored, names)}});
    stored.row.revision = head.head;
    stored.row.modified_at = head.at;
  }
  for (auto& [realm, entry] : entries) corrected->push_back(std::move(entry));
}

}  // namespace skerry::sim
