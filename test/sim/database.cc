#include "test/sim/database.h"

#include <algorithm>

#include "authority/pull_json.h"
#include "authority/row_data.h"
#include "base/json.h"
#include "base/limits.h"
#include "model/filter.h"
#include "sync/records.h"
#include "test/core/model_check/check_schema.h"
#include "test/core/model_check/stored_rows.h"
#include "test/sim/server_images.h"

namespace skerry::sim {
namespace {

constexpr int kMaxRounds = 300;

Data Object() { return Data::MakeObject(); }

}  // namespace

Database::Database(const Schema* columns) : columns_(columns) {
  for (const std::string& realm : test::CheckRealms()) {
    heads_[realm] = {};
    log_[realm] = {};
  }
}

// ---- push ----

std::unique_ptr<Admission> Database::Admit(const Schema& served,
                                           const Vector<Admission::Request>& requests,
                                           double now) const {
  Rows space;
  const Rows& rows = RowsOf(served, &space);
  // Only the realms that the updates name are locked, until the authority asks for more.
  Set<std::string> locked;
  for (const Admission::Request& request : requests) {
    for (const Data& update : request.updates) {
      for (const auto& [realm, link] : update["after"].members()) locked.insert(realm);
    }
  }
  for (;;) {
    std::unique_ptr<Admission> admission = TryToAdmit(served, rows, requests, locked, now);
    if (admission->locks().empty()) return admission;
    for (const std::string& realm : admission->locks()) SKERRY_CHECK(locked.insert(realm).second);
  }
}

std::unique_ptr<Admission> Database::TryToAdmit(const Schema& served, const Rows& rows,
                                                const Vector<Admission::Request>& requests,
                                                const Set<std::string>& locked, double now) const {
  Admission::Input input;
  input.now = now;
  auto admission = std::make_unique<Admission>(&served);
  Map<std::string, Right>& rights = input.rights.emplace_back();
  for (const auto& [realm, head] : heads_) {
    if (locked.contains(realm)) input.realms[realm] = {true, head.head, head.at};
    rights[realm] = Right::kWrite;
  }
  for (const Admission::Request& request : requests) {
    for (const auto& [key, row] : chains_) {
      if (key.second == request.client) admission->chains().Load(key.first, key.second, row);
    }
    for (const auto& [key, answer] : applied_) {
      if (key.first == request.client)
        admission->chains().LoadApplied(key.first, key.second, answer);
    }
  }
  input.actions = actions_;
  input.requests = requests;
  SKERRY_CHECK(admission->Begin(std::move(input)).ok());
  for (int round = 0; admission->Run() == Admission::Outcome::kNeeds; ++round) {
    SKERRY_CHECK(round < kMaxRounds);
    test::LoadNeeded(rows, admission->TakeNeeds(), &admission->rows());
    admission->rows().Settle();
  }
  return admission;
}

void Database::Commit(const Schema& served, const Admission& admission) {
  for (const WorkingSet::Final& row : admission.final_rows()) {
    // As in the server's SQL: an existing row may be overwritten only if its realm is locked.
    const auto there = rows_.find(KeyOf(served, row.stored.key));
    SKERRY_CHECK(there == rows_.end() || admission.realms().contains(there->second.row.realm));
    Write(served, row.stored);
  }
  for (const LogEntry& entry : admission.entries()) {
    Data stored = Object();
    stored.Set("realm", entry.realm).Set("revision", entry.revision).Set("at", admission.at());
    stored.Set("client", entry.client)
        .Set("update", entry.update)
        .Set("declared", entry.is_declared);
    stored.Set("ops", entry.ops).Set("spans", entry.spans).Set("gone", entry.answer["gone"]);
    Log(std::move(stored));
    if (entry.is_declared) applied_[{entry.client, entry.update}] = entry.answer;
  }
  for (const LogChange& change : admission.changes()) {
    changes_[{change.realm, served.table(change.key.table).name, change.key.id}].push_back(
        {change.revision, RowToData(served, change.key, change.before)});
  }
  for (const LogAction& action : admission.new_actions()) {
    actions_.push_back(action);
    action_ids_.insert(action.id);
  }
  for (const auto& [key, row] : admission.chains().rows()) chains_[key] = row;
  for (const auto& [realm, state] : admission.realms()) heads_[realm] = {state.head, state.head_at};
}

// ---- pull ----

std::string Database::Pull(const Schema& served, const Data& request, const PullLimits& limits,
                           double now, ServerImages* images) const {
  Rows space;
  Reading reading{&served, &RowsOf(served, &space), limits.page_rows, images};
  std::string answer = PullOnce(reading, request, Reads::kAll, now);
  reading.page_rows = 1;
  for (const Reads reads : {Reads::kOneEntry, Reads::kNoChanges, Reads::kNoOps}) {
    if (limits.bytes == 0 || answer.size() <= limits.bytes) break;
    answer = PullOnce(reading, request, reads, now);
  }
  return answer;
}

std::string Database::PullOnce(const Reading& reading, const Data& request, Reads reads,
                               double now) const {
  Data realms = Object();
  for (const auto& [realm, head] : heads_) {
    Data state = Object();
    const uint64_t rows = reading.images != nullptr && head.head > 0 ? reading.images->rows() : 0;
    realms.Set(realm, state.Set("head", head.head).Set("headAt", head.at).Set("rows", rows));
  }
  Data in = Object();
  in.Set("now", now).Set("request", request).Set("realms", std::move(realms));
  PullSession session(reading.schema);
  for (int round = 0; round < kMaxRounds; ++round) {
    const Data out = ParseJson(session.Step(WriteJson(in))).value();
    if (out["answer"].is_object()) return WriteJson(out["answer"]);
    if (out["gone"].as_bool()) return {};
    SKERRY_CHECK(out["needs"].is_object());
    in = Read(reading, out["needs"], reads);
  }
  SKERRY_CHECK(false);
  return {};
}

bool Database::HasEntry(const std::string& realm, uint64_t revision) const {
  const auto cut = cut_.find(realm);
  return cut == cut_.end() || revision > cut->second;
}

void Database::CutLog(const std::string& realm, uint64_t revision) {
  cut_[realm] = std::max(cut_[realm], revision);
  for (auto& [key, list] : changes_) {
    if (key.realm != realm) continue;
    erase_if(list, [&](const Change& change) { return change.revision <= revision; });
  }
}

Data Database::TablesOf(const std::string& realm, uint64_t from, uint64_t upto) const {
  Set<std::string> names;
  for (const auto& [key, list] : changes_) {
    for (const Change& change : list) {
      const bool is_within = change.revision > from && change.revision <= upto;
      if (key.realm == realm && is_within) names.insert(key.table);
    }
  }
  Data tables = Data::MakeArray();
  for (const std::string& name : names) tables.Push(name);
  return tables;
}

void Database::ReadLog(const Data& needs, Reads reads, Data* found) const {
  Data entries = Data::MakeArray(), changes = Data::MakeArray(), own = Data::MakeArray();
  Data untold = Data::MakeArray();
  const auto leave_out = [&](const std::string& realm, const Data& tables) {
    Data item = Object();
    untold.Push(item.Set("realm", realm).Set("tables", reads == Reads::kNoOps ? Data() : tables));
  };
  std::map<std::string, uint64_t> last;
  for (const Data& need : needs["entries"].items()) {
    const std::string& realm = need["realm"].as_string();
    uint64_t left = need["limit"].as_u64();
    if (reads != Reads::kAll && need["client"].is_null()) left = 2;  // with the cursor's own entry
    if (reads == Reads::kNoOps) leave_out(realm, Data());
    for (const Data& entry : log_.at(realm)) {
      const uint64_t revision = entry["revision"].as_u64();
      if (revision < need["from"].as_u64() || !HasEntry(realm, revision) || left == 0) continue;
      if (!need["client"].is_null() && !(need["client"] == entry["client"])) continue;
      --left;
      last[realm] = revision;
      entries.Push(entry);
    }
  }
  for (const Data& need : needs["changes"].items()) {
    const std::string& realm = need["realm"].as_string();
    if (reads >= Reads::kNoChanges) {
      leave_out(realm, TablesOf(realm, need["from"].as_u64(), last[realm]));
      continue;
    }
    for (const auto& [key, list] : changes_) {
      for (const Change& change : list) {
        if (key.realm != realm || change.revision <= need["from"].as_u64() ||
            change.revision > last[realm])
          continue;
        Data item = Object();
        item.Set("realm", realm).Set("revision", change.revision);
        item.Set("table", key.table).Set("id", key.id).Set("before", change.before);
        changes.Push(std::move(item));
      }
    }
  }
  for (const Data& id : needs["own"].items()) {
    for (const auto& [realm, log] : log_) {
      for (const Data& entry : log) {
        if (!entry["declared"].as_bool() || !(entry["update"] == id)) continue;
        own.Push(entry);
        if (reads == Reads::kNoOps) own.mutable_items().back().Remove("ops");
      }
    }
  }
  Data actions = Data::MakeArray();
  for (const Data& id : needs["actions"].items()) {
    for (const LogAction& action : actions_) {
      if (action.id != id.as_string()) continue;
      Data item = Object();
      item.Set("realm", action.realm).Set("id", id).Set("revision", action.revision);
      actions.Push(std::move(item));
    }
  }
  if (reads >= Reads::kNoChanges) {
    for (const Data& need : needs["state"].items())
      leave_out(need["realm"].as_string(), need["tables"]);
  }
  found->Set("untold", std::move(untold));
  found->Set("entries", std::move(entries)).Set("actions", std::move(actions));
  found->Set("changes", std::move(changes)).Set("own", std::move(own));
}

Data Database::Read(const Reading& reading, const Data& needs, Reads reads) const {
  const Schema& schema = *reading.schema;
  Data found = Object();
  ReadLog(needs, reads, &found);
  Data state = Data::MakeArray(), pages = Data::MakeArray(), rows = Data::MakeArray();
  for (const Data& need : needs["state"].items()) {
    if (reads >= Reads::kNoChanges) break;
    for (const auto& [key, stored] : *reading.rows) {
      bool wanted = false;
      for (const Data& table : need["tables"].items())
        wanted = wanted || table.as_string() == schema.table(key.table).name;
      if (wanted && !stored.deleted_at && stored.row.realm == need["realm"].as_string())
        state.Push(StoredRowToData(schema, stored));
    }
  }
  for (const Data& need : needs["pages"].items()) pages.Push(ReadPage(reading, need));
  for (const Data& need : needs["rows"].items()) rows.Push(RowAfter(reading, need));
  Data offered = Data::MakeArray();
  for (const Data& need : needs["images"].items())
    offered.Push(reading.images->Offer(need["realm"].as_string(), schema, *this));
  found.Set("images", std::move(offered));
  found.Set("state", std::move(state));
  return found.Set("pages", std::move(pages)).Set("rows", std::move(rows));
}

Data Database::ReadPage(const Reading& reading, const Data& page) const {
  const Schema& schema = *reading.schema;
  const TableIndex table = schema.FindTable(page["table"].as_string());
  const Filter filter = ParseFilter(schema, schema.table(table), page["where"], false).value();
  Data rows = Data::MakeArray();
  bool more = false;
  for (const auto& [key, stored] : *reading.rows) {
    if (stored.deleted_at || key.table != table || key.id <= page["above"].as_string()) continue;
    if (!ContainsString(page["realms"], stored.row.realm)) continue;
    if (!Matches(filter, key.id, stored.row, nullptr)) continue;
    more = rows.items().size() >= reading.page_rows;
    if (more) break;
    rows.Push(StoredRowToData(schema, stored));
  }
  Data out = Object();
  return out.Set("rows", std::move(rows)).Set("more", more);
}

Data Database::RowAfter(const Reading& reading, const Data& need) const {
  const std::string& realm = need["realm"].as_string();
  const std::string& table = need["table"].as_string();
  const ObjectKey key{reading.schema->FindTable(table), need["id"].as_string()};
  Data out = need;
  out.Remove("after");
  if (const auto changes = changes_.find({realm, table, key.id}); changes != changes_.end()) {
    for (const Change& change : changes->second) {
      if (change.revision > need["after"].as_u64()) return out.Set("before", change.before);
    }
  }
  const auto row = reading.rows->find(key);
  if (row != reading.rows->end() && !row->second.deleted_at && row->second.row.realm == realm)
    out.Set("row", RowToData(*reading.schema, key, row->second.row));
  return out;
}

}  // namespace skerry::sim
