// What a server reads for a pull, and the pull itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "authority/admission_json.h"
#include "authority/pull_json.h"
#include "authority/scope.h"
#include "base/json.h"
#include "base/vector.h"
#include "test/core/authority/world.h"

namespace skerry::authority_test {
namespace {

Data Quote(const std::string& text) { return Data(text); }

// An entry as a pull reads it: with what its answer called gone.
Data Said(Data entry) {
  entry.Set("gone", entry["answer"]["gone"]);
  return entry;
}

}  // namespace

Data World::Page(const Data& need) const {
  Data list = Data::MakeArray();
  Data scope = Data::MakeObject();
  scope.Set("table", need["table"]).Set("where", need["where"]).Set("filled", true);
  list.Push(std::move(scope));
  const Result<Scopes> scopes = Scopes::Parse(WorldSchema(), list);
  Data rows = Data::MakeArray();
  bool has_more = false;
  for (const auto& [key, row] : rows_) {
    if (!IsLive(row) || key.first != need["table"].as_string()) continue;
    if (key.second <= need["above"].as_string()) continue;
    const Data::Array& realms = need["realms"].items();
    if (std::find(realms.begin(), realms.end(), row["realm"]) == realms.end()) continue;
    const Result<StoredRow> stored = StoredRowFromData(WorldSchema(), row);
    if (!scopes.value().Hold(stored.value().key, stored.value().row, true)) continue;
    has_more = rows.items().size() >= page_rows;
    if (has_more) break;
    rows.Push(row);
  }
  Data page = Data::MakeObject();
  page.Set("rows", std::move(rows)).Set("more", has_more);
  return page;
}

Data World::RowAfter(const Data& need) const {
  Data out = Data::MakeObject();
  out.Set("realm", need["realm"]).Set("table", need["table"]).Set("id", need["id"]);
  for (const Data& change : changes_) {
    if (!(change["realm"] == need["realm"]) || !(change["table"] == need["table"])) continue;
    if (!(change["id"] == need["id"]) || change["revision"].as_u64() <= need["after"].as_u64())
      continue;
    return out.Set("before", change["before"]);
  }
  const Data& row = Row(need["table"].as_string(), need["id"].as_string());
  return out.Set("row", row["realm"] == need["realm"] ? row : Data());
}

Data World::EntryTables(const std::string& realm, uint64_t from, uint64_t upto) const {
  Data tables = Data::MakeArray();
  for (const Data& entry : entries_) {
    const uint64_t revision = entry["revision"].as_u64();
    if (entry["realm"].as_string() != realm || revision <= from || revision > upto) continue;
    for (const Data& table : entry["tables"].items()) tables.Push(table);
  }
  return tables;
}

Data World::PullRead(const Data& needs, bool rows_along) const {
  Data entries = Data::MakeArray(), changes = Data::MakeArray(), own = Data::MakeArray();
  Data state = Data::MakeArray(), pages = Data::MakeArray(), rows = Data::MakeArray();
  Data images = Data::MakeArray(), actions = Data::MakeArray(), left_out = Data::MakeArray();
  const auto leave_out = [&](const std::string& realm, const Data& tables) {
    Data item = Data::MakeObject();
    left_out.Push(item.Set("realm", realm).Set("tables", tells_nothing ? Data() : tables));
  };
  std::map<std::string, uint64_t> last;
  for (const Data& need : needs["entries"].items()) {
    const std::string& realm = need["realm"].as_string();
    uint64_t limit = need["limit"].as_u64();
    if (most_entries.contains(realm)) limit = std::min(limit, most_entries.at(realm) + 1);
    if (untold.contains(realm) && need["client"].is_null()) limit = 2;
    if (tells_nothing) leave_out(realm, Data());
    for (const Data& entry : entries_) {
      if (!(entry["realm"] == need["realm"]) || entry["revision"].as_u64() < need["from"].as_u64())
        continue;
      if (!need["client"].is_null() && !(entry["client"] == need["client"])) continue;
      if (limit == 0) break;
      --limit;
      last[realm] = entry["revision"].as_u64();
      entries.Push(Said(entry));
    }
  }
  for (const Data& need : needs["changes"].items()) {
    const std::string& realm = need["realm"].as_string();
    const uint64_t upto = last[realm];
    if (untold.contains(realm)) {
      leave_out(realm, EntryTables(realm, need["from"].as_u64(), upto));
      continue;
    }
    for (Data change : changes_) {
      const uint64_t revision = change["revision"].as_u64();
      if (!(change["realm"] == need["realm"]) || revision <= need["from"].as_u64()) continue;
      if (revision > upto) continue;
      if (rows_along) {
        Data key = change;
        const Data after = RowAfter(key.Set("after", upto));
        Data row = after.Find("before") ? after["before"] : after["row"];
        if (!IsLive(row)) row = Data();
        for (const char* name : {"table", "id", "realm"}) {
          if (row.is_object()) row.Remove(name);
        }
        change.Set("row", std::move(row));
      }
      changes.Push(std::move(change));
    }
  }
  for (const Data& id : needs["own"].items()) {
    for (const Data& entry : entries_) {
      if (!entry["declared"].as_bool() || !(entry["update"] == id)) continue;
      Data said = Said(entry);
      if (tells_nothing) said.Remove("ops");
      own.Push(std::move(said));
    }
  }
  for (const Data& id : needs["actions"].items()) {
    for (const Data& action : actions_) {
      if (action["id"] == id) actions.Push(action);
    }
  }
  for (const Data& need : needs["state"].items()) {
    if (untold.contains(need["realm"].as_string())) {
      leave_out(need["realm"].as_string(), need["tables"]);
      continue;
    }
    for (const auto& [key, row] : rows_) {
      const Data::Array& tables = need["tables"].items();
      const bool is_asked =
          std::find(tables.begin(), tables.end(), Quote(key.first)) != tables.end();
      if (is_asked && IsLive(row) && row["realm"] == need["realm"]) state.Push(row);
    }
  }
  for (const Data& need : needs["pages"].items())
    pages.Push(pages_left_out.contains(need["table"].as_string()) ? Data() : Page(need));
  for (const Data& need : needs["rows"].items()) rows.Push(RowAfter(need));
  for (const Data& need : needs["images"].items()) {
    Data image = Data::MakeObject();
    images.Push(image.Set("realm", need["realm"]).Set("url", "/v1/snapshot"));
  }
  Data in = Data::MakeObject();
  in.Set("entries", std::move(entries))
      .Set("changes", std::move(changes))
      .Set("own", std::move(own))
      .Set("actions", std::move(actions));
  in.Set("state", std::move(state)).Set("pages", std::move(pages)).Set("rows", std::move(rows));
  in.Set("images", std::move(images)).Set("untold", std::move(left_out));
  return in;
}

Data World::Pull(const std::string& user, const Data& request) {
  Data realms = Data::MakeObject();
  for (const auto& [realm, right] : rights_[user]) {
    const uint64_t count = states_.at(realm).back().size();
    Data state = Data::MakeObject();
    state.Set("head", heads_.at(realm).head).Set("headAt", heads_.at(realm).at);
    realms.Set(realm, state.Set("rows", rows_for_image ? rows_for_image : count));
  }
  Data in = Data::MakeObject();
  in.Set("now", now).Set("request", request).Set("realms", std::move(realms));
  // Rows that come with the changes save a round, and nothing else is different.
  const Data answer = RunPull(in, true);
  const Data asked = RunPull(in, false);
  CHECK(WriteJson(answer) == WriteJson(asked));
  return asked;
}

Data World::RunPull(Data in, bool rows_along) {
  PullSession session(&WorldSchema());
  for (rounds_ = 1; rounds_ < 10; ++rounds_) {
    const Data out = Json(session.Step(WriteJson(in)));
    if (out.Find("error") || out.Find("gone")) return out;
    if (const Data* answer = out.Find("answer")) return *answer;
    in = PullRead(out["needs"], rows_along);
  }
  FAIL("the pull never ended");
  return Data();
}

void World::CheckGivenRows(const Vector<Request>& requests, const Data& refuse,
                           const Data& done) const {
  Data rows = Data::MakeArray(), looked = Data::MakeArray();
  std::set<Key> keys;
  for (const Request& request : requests) {
    for (const Data& update : request.updates) {
      for (const Data& op : update["ops"].items()) {
        const Key key{op["table"].as_string(), op["id"].as_string()};
        if (WorldSchema().FindTable(key.first) == kNone || !keys.insert(key).second) continue;
        looked.Push(Data::MakeArray().Push(key.first).Push(key.second));
        if (const auto row = rows_.find(key); row != rows_.end()) rows.Push(row->second);
      }
    }
  }
  Data in = StartInput(requests, refuse);
  in.Set("rows", std::move(rows)).Set("looked", std::move(looked));
  AdmissionSession session(&WorldSchema());
  Data out = ReadStep(session.Step(WriteJson(in)));
  for (int round = 0; out.Find("needs") && round < 1000; ++round) {
    out = ReadStep(session.Step(WriteJson(Answer(out["needs"]))));
  }
  CHECK(WriteJson(out["done"]) == WriteJson(done));
}

}  // namespace skerry::authority_test
