// MemoryDatabase: what other programs write, as the server's triggers log it (server/src/capture).
#include <algorithm>
#include <utility>

#include "authority/admission_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {
namespace {

// The author of these entries.
constexpr char kSql[] = "sql";

bool IsLive(const MemoryDatabase::Rows& rows, const PlacedKey& key) {
  const auto row = rows.find(key);
  return row != rows.end() && !row->second.deleted_at;
}

// Applies a write to a copy of the rows, without times and revisions. Returns the keys that it touches.
Vector<PlacedKey> ApplyTo(MemoryDatabase::Rows* rows, const MemoryDatabase::ForeignWrite& write) {
  const bool is_live = IsLive(*rows, write.key);
  if (write.row) {
    StoredRow& stored = (*rows)[write.key];
    const double created_at = is_live ? stored.row.created_at : 0;
    stored = {write.key.object, *write.row, std::nullopt};
    stored.row.realm = write.key.realm;
    stored.row.created_at = created_at;
    return {write.key};
  }
  if (!is_live) return {};
  const PlacedKey to{write.to, write.key.object};
  if (!write.to.empty()) {
    if (IsLive(*rows, to)) return {};
    StoredRow moved = rows->at(write.key);
    moved.row.realm = write.to;
    (*rows)[to] = std::move(moved);
  }
  StoredRow& left = rows->at(write.key);
  left.deleted_at = 0;
  left.moved_to = write.to;
  if (write.to.empty()) return {write.key};
  return {write.key, to};
}

}  // namespace

Data MemoryDatabase::WriteForeign(const Schema& served, const Vector<ForeignWrite>& writes,
                                  double now, const std::string& client,
                                  const std::string& update) {
  Rows space;
  const Rows before = RowsOf(served, &space);
  Rows after = before;
  std::set<PlacedKey> touched;
  for (const ForeignWrite& write : writes) {
    for (PlacedKey& key : ApplyTo(&after, write)) touched.insert(std::move(key));
  }
  double at = now;
  for (const PlacedKey& key : touched) at = std::max(at, heads_.at(key.realm).at + 1);
  std::map<std::string, std::set<std::string>> tables;
  std::map<std::string, uint64_t> counts;
  Data changes = Data::MakeArray();
  for (const PlacedKey& key : touched) {
    const bool was_live = IsLive(before, key), is_live = IsLive(after, key);
    StoredRow& stored = after.at(key);
    const bool is_same = was_live && is_live && before.at(key).row.props == stored.row.props;
    if ((!was_live && !is_live) || is_same) continue;
    const uint64_t revision = heads_.at(key.realm).head + 1;
    stored.row.revision = revision;
    stored.row.modified_at = at;
    if (!was_live && stored.row.created_at == 0) stored.row.created_at = at;
    if (stored.deleted_at) stored.deleted_at = at;
    Write(served, stored);
    const std::string& table = served.table(key.object.table).name;
    changes.Push(Fields{{"realm", key.realm},
                        {"revision", revision},
                        {"table", table},
                        {"id", key.object.id},
                        {"before", was_live ? StoredRowToData(served, before.at(key)) : Data()},
                        {"touch", false}});
    tables[key.realm].insert(table);
    ++counts[key.realm];
    owed_.insert(key);
  }
  Data entries = Data::MakeArray();
  for (const auto& [realm, names] : tables) {
    Head& head = heads_.at(realm);
    Data touches = Data::MakeArray();
    for (const std::string& name : names) touches.Push(name);
    entries.Push(Fields{{"realm", realm},
                        {"revision", head.head + 1},
                        {"at", at},
                        {"client", client},
                        {"user", kSql},
                        {"update", update},
                        {"declared", false},
                        {"actions", Data::MakeArray()},
                        {"ops", Data::MakeArray()},
                        {"base", Data::MakeObject().Set(realm, head.head)},
                        {"tables", std::move(touches)},
                        {"streams", Data::MakeArray()},
                        {"changes", counts[realm]}});
    ++head.head;
    head.at = at;
  }
  for (const Data& entry : entries.items()) Log(entry);
  for (const Data& change : changes.items()) LogChange(change);
  return Fields{{"entries", std::move(entries)}, {"changes", std::move(changes)}};
}

// Locks the realms that the rows are in, until the authority asks for more.
Data MemoryDatabase::FollowUp(const Schema& served, size_t most, double now,
                              const std::string& client, const std::string& update) {
  Rows space;
  const Rows& rows = RowsOf(served, &space);
  std::set<std::string> realms;
  Data keys = Data::MakeArray();
  auto end = owed_.begin();
  for (; end != owed_.end() && keys.items().size() < most; ++end) {
    realms.insert(end->realm);
    keys.Push(Data(Data::Array{Data(end->realm), Data(served.table(end->object.table).name),
                               Data(end->object.id)}));
  }
  if (keys.items().empty()) return {};
  for (;;) {
    Admitted admitted;
    admitted.locked = Data::MakeObject();
    admitted.said = Data::MakeArray();
    for (const std::string& realm : realms) admitted.locked.Set(realm, HeadOf(realm));
    const Data owed =
        Fields{{"client", client}, {"user", kSql}, {"update", update}, {"rows", keys}};
    Data in = Fields{{"now", now},
                     {"realms", admitted.locked},
                     {"rights", Data::MakeArray()},
                     {"requests", Data::MakeArray()},
                     {"owed", owed}};
    AdmissionSession session(&served);
    for (;;) {
      SKERRY_CHECK(++admitted.rounds < kMaxRounds);
      admitted.out = ReadStep(session.Step(WriteJson(in)));
      const Data* needs = admitted.out.Find("needs");
      if (needs == nullptr) break;
      in = NeededRows(served, rows, *needs);
    }
    if (const Data* more = admitted.out.Find("lock")) {
      for (const Data& realm : more->items()) SKERRY_CHECK(realms.insert(realm.as_string()).second);
      continue;
    }
    Commit(served, admitted);
    owed_.erase(owed_.begin(), end);
    return admitted.done();
  }
}

}  // namespace skerry::test
