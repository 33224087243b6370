#include "test/core/sync/naive_server.h"

#include <algorithm>

#include "base/json.h"
#include "base/vector.h"
#include "sync/records.h"

namespace skerry::sync_test {
namespace {

Data ResultOf(const Data& update, std::string_view status) {
  Data result = Data::MakeObject();
  result.Set("id", update["id"]).Set("status", status);
  return result;
}

uint64_t Seq(const Data& link) { return link["seq"].as_u64(); }

std::optional<NaiveServer::Row> In(const std::map<std::string, NaiveServer::Row>& rows,
                                   const std::string& key, const std::string& realm) {
  const auto it = rows.find(key);
  if (it == rows.end() || it->second.realm != realm) return std::nullopt;
  return it->second;
}

bool SameContent(const std::optional<NaiveServer::Row>& a,
                 const std::optional<NaiveServer::Row>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->props == b->props && a->modified == b->modified;
}

}  // namespace

Data NaiveServer::Push(const Data& request) {
  ++time;
  epochs.insert(request["epoch"].as_u64());
  Data results = Data::MakeArray();
  for (const Data& update : request["updates"].items()) {
    bodies[update["id"].as_string()].insert(WriteJson(update));
    results.Push(PushOne(request["client"].as_string(), update));
  }
  Data answer = Data::MakeObject();
  return answer.Set("time", time).Set("results", std::move(results));
}

Data NaiveServer::PushOne(const std::string& client, const Data& update) {
  const std::string& id = update["id"].as_string();
  if (forks) return ResultOf(update, "forked");
  if (held.count(id) != 0) return ResultOf(update, "held");
  if (const auto it = applied_.find(id); it != applied_.end()) {
    Data again = it->second;
    return again.Set("status", "duplicate");
  }
  bool follows = true;
  for (const auto& [realm, link] : update["after"].members()) {
    Chain& chain = chains_[{realm, client}];
    if (const auto it = chain.refused.find(id); it != chain.refused.end()) return it->second;
    if (Seq(link) < Seq(chain.last)) return ResultOf(update, "forked");
    if (chain.last.is_null() && !link.is_null()) return ResultOf(update, "unknown_client");
    follows = follows && chain.last == link;
  }
  if (!follows) return ResultOf(update, "held");
  return Admit(client, update);
}

Data NaiveServer::Refuse(const std::string& client, const Data& update, Data result) {
  for (const auto& [realm, link] : update["after"].members()) {
    chains_[{realm, client}].refused[update["id"].as_string()] = result;
  }
  return result;
}

Data NaiveServer::Admit(const std::string& client, const Data& update) {
  const Data& actions = update["actions"];
  Data known = Data::MakeObject();
  for (const Data& action : actions.items()) {
    const auto it = actions_.find(action["id"].as_string());
    if (it != actions_.end()) known.Set(it->first, it->second);
  }
  Data bad = Data::MakeArray();
  for (size_t i = 0; i < update["ops"].items().size(); ++i) {
    const Data& op = update["ops"].items()[i];
    if (op["set"]["name"].as_string() != "bad") continue;
    Data names = Data::MakeArray();
    if (op["by"].items().empty()) names.Push(actions.items()[0]["id"]);
    for (const Data& by : op["by"].items()) names.Push(actions.items()[by.as_u64()]["id"]);
    Data entry = Data::MakeObject();
    bad.Push(entry.Set("op", static_cast<uint64_t>(i))
                 .Set("actions", names)
                 .Set("code", "unique")
                 .Set("detail", "bad"));
  }
  if (!known.members().empty() || !bad.items().empty()) {
    return Refuse(client, update,
                  ResultOf(update, "rejected").Set("known", known).Set("rejected", bad));
  }
  ++time;
  const std::map<std::string, Row> before = rows_;
  for (const Data& op : update["ops"].items()) Apply(op);
  // An entry goes into every realm that the update declares, and into every one that it affects.
  std::set<std::string> keys, realms;
  for (const auto& [realm, link] : update["after"].members()) realms.insert(realm);
  for (const Data& op : update["ops"].items()) keys.insert(op["id"].as_string());
  for (const std::string& key : keys) {
    for (const auto& rows : {before, rows_}) {
      const auto it = rows.find(key);
      if (it == rows.end()) continue;
      const std::string& realm = it->second.realm;
      if (!SameContent(In(before, key, realm), In(rows_, key, realm))) realms.insert(realm);
    }
  }
  Data revisions = Data::MakeObject();
  for (const std::string& realm : realms) {
    const bool declared = update["after"].Find(realm) != nullptr;
    Entry entry{time, client, update["id"].as_string(), declared, {}, {}, {}};
    const uint64_t revision = logs_[realm].size() + 1;
    for (const Data& action : actions.items()) {
      if (declared) entry.actions.push_back(action["id"].as_string());
    }
    entry.own_keys.assign(keys.begin(), keys.end());
    for (const std::string& key : keys) {
      const auto was = In(before, key, realm);
      if (SameContent(was, In(rows_, key, realm))) continue;
      entry.before.emplace_back(key, was);
      if (const auto it = rows_.find(key); it != rows_.end() && it->second.realm == realm)
        it->second.revision = revision;
    }
    logs_[realm].push_back(std::move(entry));
    if (declared) revisions.Set(realm, revision);
  }
  for (const auto& [realm, link] : update["after"].members()) {
    Data last = Data::MakeObject();
    chains_[{realm, client}] = {last.Set("seq", Seq(link) + 1).Set("id", update["id"]), {}};
  }
  for (const Data& action : actions.items()) actions_[action["id"].as_string()] = revisions;
  const Data result = ResultOf(update, "applied").Set("revisions", revisions).Set("at", time);
  applied_[update["id"].as_string()] = result;
  return result;
}

void NaiveServer::Apply(const Data& op) {
  const std::string& key = op["id"].as_string();
  const std::string& kind = op["op"].as_string();
  const auto it = rows_.find(key);
  if (kind == "create" && it == rows_.end()) {
    rows_[key] = {op["realm"].as_string(), op["set"].is_object() ? op["set"] : Data::MakeObject(),
                  time, time, 0};
    return;
  }
  if (it == rows_.end()) return;
  Row& row = it->second;
  row.modified = time;
  if (kind == "create" || kind == "update") {
    for (const auto& [prop, value] : op["set"].members()) row.props.Set(prop, value);
  } else if (kind == "inc") {
    for (const auto& [prop, by] : op["add"].members())
      row.props.Set(prop, row.props[prop].as_number() + by.as_number());
  } else if (kind == "move") {
    row.realm = op["to"].as_string();
  } else {
    rows_.erase(it);
  }
}

void NaiveServer::Foreign(const std::string& key, const std::string& wanted,
                          std::string_view name) {
  const auto there = rows_.find(key);
  const std::string realm = there == rows_.end() ? wanted : there->second.realm;
  Entry entry{++time, "somebody", "", false, {}, {key}, {}};
  entry.before.emplace_back(key, In(rows_, key, realm));
  Row& row = rows_[key];
  if (row.realm.empty()) row = {realm, Data::MakeObject(), time, time, 0};
  row.modified = time;
  row.revision = logs_[realm].size() + 1;
  row.props.Set("name", name);
  logs_[realm].push_back(std::move(entry));
}

std::optional<NaiveServer::Row> NaiveServer::RowAt(const std::string& realm, const std::string& key,
                                                   uint64_t revision) {
  const Vector<Entry>& log = logs_[realm];
  for (size_t i = revision; i < log.size(); ++i) {
    for (const auto& [touched, before] : log[i].before) {
      if (touched == key) return before;
    }
  }
  return In(rows_, key, realm);
}

void NaiveServer::PullRealm(const std::string& realm, const Data& request, Data* answer) {
  const Vector<Entry>& log = logs_[realm];
  const uint64_t from = CursorRevision(request["cursors"][realm].as_string());
  const uint64_t end = std::min<uint64_t>(log.size(), from + entries_a_pull);
  Data own = (*answer)["own"];
  Data changes = (*answer)["changes"];
  std::set<std::string> keys;
  for (uint64_t i = 0; i < end; ++i) {
    const Entry& entry = log[i];
    const bool asked = ContainsString(request["have"], entry.id);
    if (entry.declared && (asked || (entry.client == request["client"].as_string() && i >= from))) {
      Data place = Data::MakeObject();
      Data realms = own[entry.id].is_object() ? own[entry.id] : Data::MakeObject();
      own.Set(entry.id, realms.Set(realm, place.Set("revision", i + 1).Set("at", entry.at)));
    }
    if (i < from) continue;
    for (const auto& [key, before] : entry.before) keys.insert(key);
    keys.insert(entry.own_keys.begin(), entry.own_keys.end());
  }
  for (const std::string& key : keys) {
    const std::optional<Row> row = RowAt(realm, key, end);
    Data change = Data::MakeObject();
    change.Set("change", row ? "create" : "delete")
        .Set("table", "items")
        .Set("id", key)
        .Set("realm", realm);
    if (row)
      change.Set("set", row->props).Set("createdAt", row->created).Set("modifiedAt", row->modified);
    changes.Push(change.Set("revision", row ? row->revision : end));
  }
  Data cursors = (*answer)["cursors"];
  cursors.Set(realm, MakeCursor(end, end == 0 ? 0 : log[end - 1].at));
  answer->Set("own", std::move(own))
      .Set("changes", std::move(changes))
      .Set("cursors", std::move(cursors));
  if (end < log.size()) answer->Set("more", true);
}

// The requested actions that the log has up to the answer's cursors.
Data NaiveServer::Known(const Data& request, const Data& answer) const {
  Data known = Data::MakeObject();
  for (const auto& [realm, cursor] : answer["cursors"].members()) {
    for (size_t i = 0; i < CursorRevision(cursor.as_string()); ++i) {
      for (const std::string& action : logs_.at(realm)[i].actions) {
        if (!ContainsString(request["known"], action)) continue;
        Data realms = known[action].is_object() ? known[action] : Data::MakeObject();
        known.Set(action, realms.Set(realm, uint64_t{i + 1}));
      }
    }
  }
  return known;
}

Data NaiveServer::Pull(const Data& request) {
  ++time;
  Data answer = Data::MakeObject();
  answer.Set("time", time)
      .Set("cursors", Data::MakeObject())
      .Set("more", false)
      .Set("own", Data::MakeObject());
  answer.Set("revoked", Data::MakeArray())
      .Set("fills", Data::MakeArray())
      .Set("changes", Data::MakeArray());
  for (const auto& [realm, log] : logs_) {
    if (write_only.count(realm) == 0 && revoked.count(realm) == 0)
      PullRealm(realm, request, &answer);
  }
  if (says_known && request["known"].is_array()) answer.Set("known", Known(request, answer));
  Data gone = Data::MakeArray();
  for (const std::string& realm : revoked) {
    if (request["cursors"].Find(realm) != nullptr) gone.Push(realm);
  }
  return answer.Set("revoked", std::move(gone));
}

std::map<std::pair<std::string, std::string>, int> NaiveServer::ActionCounts() const {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto& [realm, log] : logs_) {
    for (const Entry& entry : log) {
      for (const std::string& action : entry.actions) ++counts[{realm, action}];
    }
  }
  return counts;
}

void NaiveServer::ForgetAfter(const std::string& realm, uint64_t revision) {
  Vector<Entry>& log = logs_[realm];
  while (log.size() > revision) {
    for (const auto& [key, before] : log.back().before) {
      if (before) {
        rows_[key] = *before;
      } else {
        rows_.erase(key);
      }
    }
    Chain& chain = chains_[{realm, log.back().client}];
    const uint64_t seq = Seq(chain.last);
    chain.last = nullptr;
    for (size_t i = 0; i + 1 < log.size(); ++i) {
      if (log[i].client != log.back().client || !log[i].declared) continue;
      Data last = Data::MakeObject();
      chain.last = last.Set("seq", seq - 1).Set("id", log[i].id);
    }
    applied_.erase(log.back().id);
    for (const std::string& action : log.back().actions) actions_.erase(action);
    log.pop_back();
  }
}

}  // namespace skerry::sync_test
