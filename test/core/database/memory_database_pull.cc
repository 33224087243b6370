// What is read for a pull, and the pull itself.
#include <algorithm>
#include <utility>

#include "authority/pull_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "model/filter.h"
#include "model/members.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {
namespace {

constexpr int kMaxSteps = 10;

bool IsOf(const Data& change, const Data& need) {
  return change["table"] == need["table"] && change["id"] == need["id"];
}

// Memberships are read even where all else is left out.
bool IsAlwaysRead(const std::string& table) { return table == kMembersTable; }

// An entry as a pull reads it.
Data EntryOf(const Data& entry) {
  Data read = Data::MakeObject();
  for (const char* member :
       {"realm", "revision", "at", "client", "update", "declared", "spans", "streams"})
    read.Set(member, entry[member]);
  for (const char* member : {"gone", "missing", "dropped", "notAppended"})
    read.Set(member, entry["answer"][member]);
  read.Set("base", entry["base"][entry["realm"].as_string()]);
  return read;
}

Data PageOf(const Schema& schema, const MemoryDatabase::Rows& all, const Data& need,
            const MemoryDatabase::Reads& reads) {
  const TableIndex table = schema.FindTable(need["table"].as_string());
  const Filter filter = ParseFilter(schema, schema.table(table), need["where"], false).value();
  const LiveInnerRows inner(all);
  std::multimap<std::string, const StoredRow*> by_id;
  for (const auto& [key, stored] : all) {
    const std::string& id = key.object.id;
    if (stored.deleted_at || key.object.table != table || id <= need["above"].as_string()) continue;
    if (ContainsString(need["realms"], key.realm)) by_id.emplace(id, &stored);
  }
  Data rows = Data::MakeArray();
  size_t looked = 0;
  std::string last, upto;
  for (const auto& [id, stored] : by_id) {
    // A page has all rows of its last id, and ends after so many looks: `upto` says where.
    if (looked++ >= reads.page_looks && id != upto)
      return Fields{{"rows", std::move(rows)}, {"more", true}, {"upto", upto}};
    upto = id;
    if (!Matches(filter, id, stored->row, &inner)) continue;
    if (rows.items().size() >= reads.page_rows && id != last)
      return Fields{{"rows", std::move(rows)}, {"more", true}};
    rows.Push(StoredRowToData(schema, *stored));
    last = id;
  }
  return Fields{{"rows", std::move(rows)}, {"more", false}};
}

// Whether a value is among the plain values of a need. Texts, numbers and dates are plain.
bool IsAmong(const Data& values, const PropDef& prop, const Value& value) {
  for (const Data& plain : values.items()) {
    if (ValueFromData(prop, plain).value() == value) return true;
  }
  return false;
}

}  // namespace

bool LiveInnerRows::Exists(const Filter& filter, std::string_view id, const Row* row) const {
  const Value wanted = ColumnValue(filter.column, id, *row);
  for (const auto& [key, stored] : rows_) {
    const ObjectKey& inner = key.object;
    if (stored.deleted_at || inner.table != filter.table || key.realm != row->realm) continue;
    if (wanted.is_null() || !(ColumnValue(filter.via, inner.id, stored.row) == wanted)) continue;
    if (Matches(filter.children[0], inner.id, stored.row, nullptr)) return true;
  }
  return false;
}

Data MemoryDatabase::CandidatesOf(const Schema& served, const Rows& rows, const Data& need,
                                  size_t most) {
  const TableDef& table = served.table(served.FindTable(need["table"].as_string()));
  const PropIndex column = table.FindColumn(need["prop"].as_string());
  Data found = Data::MakeArray();
  for (const auto& [key, stored] : rows) {
    const bool is_there = !stored.deleted_at && key.object.table == table.index &&
                          key.realm == need["realm"].as_string();
    if (is_there && IsAmong(need["values"], ColumnProp(table, column),
                            ColumnValue(column, key.object.id, stored.row)))
      found.Push(StoredRowToData(served, stored));
  }
  if (found.items().size() > most) return Fields{{"rows", Data::MakeArray()}, {"more", true}};
  return Fields{{"rows", std::move(found)}, {"more", false}};
}

Data MemoryDatabase::SelectedOf(const Schema& served, const Rows& rows, const Data& need) {
  const TableDef& table = served.table(served.FindTable(need["table"].as_string()));
  const PropIndex via = table.FindColumn(need["select"].as_string());
  const Filter where = ParseFilter(served, table, need["where"], false).value();
  Data found = Data::MakeArray();
  for (size_t i = 0; i < need["values"].items().size(); ++i) {
    const Data one = Data::MakeArray().Push(need["values"].items()[i]);
    for (const auto& [key, stored] : rows) {
      const std::string& id = key.object.id;
      const bool is_there = !stored.deleted_at && key.object.table == table.index &&
                            key.realm == need["realm"].as_string() &&
                            stored.row.revision <= need["upto"].as_u64();
      if (!is_there || !Matches(where, id, stored.row, nullptr)) continue;
      if (!IsAmong(one, ColumnProp(table, via), ColumnValue(via, id, stored.row))) continue;
      found.Push(static_cast<double>(i));
      break;
    }
  }
  return found;
}

Data MemoryDatabase::Pull(const Schema& served, const Data& request, const Data& realms, double now,
                          const Reads& reads, int* rounds) const {
  Rows space;
  const Rows& rows = RowsOf(served, &space);
  Data in = Fields{{"now", now}, {"request", request}, {"realms", realms}};
  PullSession session(&served);
  for (int step = 1; step < kMaxSteps; ++step) {
    if (rounds != nullptr) *rounds = step;
    Data out = ParseJson(session.Step(WriteJson(in))).value();
    const Data* needs = out.Find("needs");
    if (needs == nullptr) return out;
    in = ReadFor(served, rows, *needs, reads);
  }
  SKERRY_CHECK(false);  // the pull never ended
  return {};
}

Data MemoryDatabase::ReadFor(const Schema& served, const Rows& all, const Data& needs,
                             const Reads& reads) const {
  Data found = Data::MakeObject();
  ReadLog(served, all, needs, reads, &found);
  Data state = Data::MakeArray(), pages = Data::MakeArray(), rows = Data::MakeArray();
  Data images = Data::MakeArray();
  for (const Data& need : needs["state"].items()) {
    const std::string& realm = need["realm"].as_string();
    const bool is_omitted = reads.omitted.contains(realm);
    for (const auto& [key, stored] : all) {
      const std::string& table = served.table(key.object.table).name;
      if (stored.deleted_at || key.realm != realm || (is_omitted && !IsAlwaysRead(table))) continue;
      if (ContainsString(need["tables"], table)) state.Push(StoredRowToData(served, stored));
    }
  }
  for (const Data& need : needs["pages"].items()) {
    const bool left_out = reads.pages_left_out.contains(need["table"].as_string());
    pages.Push(left_out ? Data() : PageOf(served, all, need, reads));
  }
  for (const Data& need : needs["rows"].items()) rows.Push(RowAfter(served, all, need));
  for (const Data& need : needs["images"].items()) images.Push(reads.image(need));
  Data candidates = Data::MakeArray(), selected = Data::MakeArray();
  for (const Data& need : needs["candidates"].items())
    candidates.Push(CandidatesOf(served, all, need, reads.most_candidates));
  for (const Data& need : needs["selected"].items()) selected.Push(SelectedOf(served, all, need));
  found.Set("state", std::move(state)).Set("pages", std::move(pages));
  Data streams = Data::MakeArray();
  for (const Data& need : needs["streams"].items())
    streams.Push(reads.omits_actions ? Data() : ReadStream(need, reads));
  found.Set("candidates", std::move(candidates)).Set("selected", std::move(selected));
  found.Set("streams", std::move(streams));
  return found.Set("rows", std::move(rows)).Set("images", std::move(images));
}

void MemoryDatabase::ReadLog(const Schema& served, const Rows& rows, const Data& needs,
                             const Reads& reads, Data* found) const {
  Data entries = Data::MakeArray(), changes = Data::MakeArray(), omitted = Data::MakeArray();
  const auto leave_out = [&](const std::string& realm, const Data& tables) {
    omitted.Push(Fields{{"realm", realm}, {"tables", reads.omits_all ? Data() : tables}});
  };
  std::map<std::string, uint64_t> last;
  for (const Data& need : needs["entries"].items()) {
    const std::string& realm = need["realm"].as_string();
    const Data& client = need["client"];
    uint64_t left = need["limit"].as_u64();
    if (client.is_null()) {  // with the entry at the cursor
      const auto most = reads.most_entries.find(realm);
      if (most != reads.most_entries.end()) left = std::min(left, most->second + 1);
      if (reads.omitted.contains(realm)) left = 2;
    }
    if (reads.omits_all) leave_out(realm, Data());
    for (const Data& entry : log_.at(realm)) {
      const uint64_t revision = entry["revision"].as_u64();
      if (revision < need["from"].as_u64() || !HasEntry(realm, revision) || left == 0) continue;
      if (!client.is_null() && !(client == entry["client"])) continue;
      --left;
      last[realm] = revision;
      entries.Push(EntryOf(entry));
    }
  }
  for (const Data& need : needs["changes"].items()) {
    const std::string& realm = need["realm"].as_string();
    const uint64_t from = need["from"].as_u64(), upto = last[realm];
    const bool is_omitted = reads.omitted.contains(realm);
    if (is_omitted) leave_out(realm, TablesOf(realm, from, upto));
    size_t beyond = 0;
    for (const Data& change : changes_.at(realm)) {
      beyond += change["revision"].as_u64() > upto &&
                ContainsString(need["toHead"], change["table"].as_string());
    }
    const bool reads_to_head = !is_omitted && beyond <= reads.most_to_head;
    if (!is_omitted && !reads_to_head) omitted.Push(Fields{{"realm", realm}, {"joins", true}});
    for (const Data& change : changes_.at(realm)) {
      const uint64_t revision = change["revision"].as_u64();
      const std::string& table = change["table"].as_string();
      if (revision <= from || !ContainsString(need["tables"], table)) continue;
      if (is_omitted && !IsAlwaysRead(table)) continue;
      if (revision > upto && !(reads_to_head && ContainsString(need["toHead"], table))) continue;
      changes.Push(change);
      if (!reads.rows_along || revision > upto) continue;
      const Data after = RowAfter(served, rows, Data(change).Set("after", upto));
      Data row = after.Find("before") != nullptr ? after["before"] : after["row"];
      for (const char* name : {"table", "id", "realm"}) {
        if (row.is_object()) row.Remove(name);
      }
      changes.mutable_items().back().Set("row", std::move(row));
    }
  }
  for (const Data& need : needs["state"].items()) {
    const std::string& realm = need["realm"].as_string();
    if (reads.omitted.contains(realm)) leave_out(realm, need["tables"]);
  }
  found->Set("omitted", std::move(omitted)).Set("entries", std::move(entries));
  found->Set("changes", std::move(changes)).Set("own", ReadOwn(needs["own"], reads));
  found->Set("actions", ReadActions(needs["actions"]));
}

Data MemoryDatabase::ReadOwn(const Data& ids, const Reads& reads) const {
  Data own = Data::MakeArray();
  for (const Data& id : ids.items()) {
    for (const auto& [realm, log] : log_) {
      for (const Data& entry : log) {
        if (!entry["declared"].as_bool() || !(entry["update"] == id)) continue;
        if (!HasEntry(realm, entry["revision"].as_u64())) continue;
        Data read = EntryOf(entry).Set("revisions", entry["answer"]["revisions"]);
        read.Set("ops", reads.omits_all ? MemberOps(entry["ops"]) : entry["ops"]);
        if (!reads.omits_all) read.Set("forgotten", entry["forgotten"].as_bool());
        own.Push(std::move(read));
      }
    }
  }
  return own;
}

Data MemoryDatabase::ReadActions(const Data& ids) const {
  Data actions = Data::MakeArray();
  for (const Data& id : ids.items()) AddActions(id.as_string(), &actions);
  return actions;
}

void MemoryDatabase::AddActions(const std::string& id, Data* to) const {
  const auto found = actions_.find(id);
  if (found == actions_.end()) return;
  for (const Data& action : found->second) {
    if (HasEntry(action["realm"].as_string(), action["revision"].as_u64())) to->Push(action);
  }
}

Data MemoryDatabase::TablesOf(const std::string& realm, uint64_t from, uint64_t upto) const {
  std::set<std::string> names;
  for (const Data& change : changes_.at(realm)) {
    const uint64_t revision = change["revision"].as_u64();
    if (revision > from && revision <= upto) names.insert(change["table"].as_string());
  }
  Data tables = Data::MakeArray();
  for (const std::string& name : names) tables.Push(name);
  return tables;
}

Data MemoryDatabase::RowAfter(const Schema& served, const Rows& rows, const Data& need) const {
  const std::string& realm = need["realm"].as_string();
  Data out = Data::MakeObject();
  for (const char* member : {"realm", "table", "id"}) out.Set(member, need[member]);
  for (const Data& change : changes_.at(realm)) {
    if (change["revision"].as_u64() > need["after"].as_u64() && IsOf(change, need))
      return out.Set("before", change["before"]);
  }
  const ObjectKey key{served.FindTable(need["table"].as_string()), need["id"].as_string()};
  const auto row = rows.find({realm, key});
  const bool is_there = row != rows.end() && !row->second.deleted_at;
  return out.Set("row", is_there ? StoredRowToData(served, row->second) : Data());
}

}  // namespace skerry::test
