#include "test/core/sync/sync_server.h"

#include <utility>

#include "base/fields.h"
#include "base/json.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

constexpr size_t kRowsOfAPage = 1000;
constexpr uint64_t kForeignIds = 500'000'000;

// Ops that set the name `bad` are refused: the server sees a value of another type in them.
Data WithoutBadNames(Data update) {
  Data ops = update["ops"];
  for (Data& op : ops.mutable_items()) {
    if (op["set"]["name"].Is("bad")) op.Set("set", Data(op["set"]).Set("name", 0));
  }
  return update.Set("ops", std::move(ops));
}

}  // namespace

SyncServer::SyncServer() : database_(&SyncSchema()) {}

bool SyncServer::IsReadable(const std::string& realm) const {
  return !write_only.contains(realm) && !revoked.contains(realm);
}

void SyncServer::AddRealm(const std::string& realm) {
  if (!database_.heads().contains(realm)) database_.AddRealm(realm);
}

Data SyncServer::Push(const Data& request) {
  Vector<Data> updates;
  Data results = Data::MakeArray();
  for (const Data& update : request["updates"].items()) {
    const std::string& id = update["id"].as_string();
    bodies[id].insert(WriteJson(update));
    if (forks || held.contains(id)) {
      results.Push(Fields{{"id", id}, {"status", forks ? "forked" : "held"}});
    } else {
      updates.push_back(WithoutBadNames(update));
    }
  }
  Data out = Data::MakeObject();
  Admit(request["client"].as_string(), updates, &out);
  if (out["error"].is_object()) return out;
  for (const Data& result : out["results"].items()) results.Push(result);
  return Fields{{"time", ++time_}, {"results", std::move(results)}};
}

void SyncServer::Admit(const std::string& client, const Vector<Data>& updates, Data* out) {
  Data rights = Data::MakeObject();
  for (const Data& update : updates) {
    for (const auto& [realm, link] : update["after"].members()) {
      AddRealm(realm);
    }
  }
  for (const auto& [realm, head] : database_.heads()) {
    if (!revoked.contains(realm)) rights.Set(realm, "write");
  }
  test::MemoryDatabase::Push push;
  push.now = ++time_;
  push.requests.push_back({client, "anna", updates, std::move(rights)});
  const test::MemoryDatabase::Admitted admitted = database_.Admit(SyncSchema(), push);
  *out = admitted.out;
  if (!admitted.done().is_object()) return;
  database_.Commit(SyncSchema(), admitted);
  *out = Fields{{"results", admitted.done()["results"].items()[0]}};
}

std::pair<int, std::string> SyncServer::Get(const std::string& path) const {
  std::string found = database_.StateAt(path);
  if (found.empty()) return {404, R"({"code":"not_found","detail":"There is no such snapshot."})"};
  return {200, state.empty() ? std::move(found) : state};
}

Data SyncServer::Pull(const Data& request) {
  test::MemoryDatabase::Reads reads;
  reads.page_rows = kRowsOfAPage;
  reads.most_actions = actions_a_pull;
  reads.omits_actions = omits_actions;
  reads.snapshot_saves = snapshot_saves;
  Data realms = Data::MakeObject();
  for (const auto& [realm, head] : database_.heads()) {
    if (!IsReadable(realm)) continue;
    realms.Set(realm, database_.HeadOf(realm));
    reads.most_entries[realm] = entries_a_pull;
  }
  Data asked = request;
  if (!knows_streams) asked.Remove("streams");
  Data out = database_.Pull(SyncSchema(), asked, realms, ++time_, reads);
  if (!out["answer"].is_object()) return out;
  Data answer = out["answer"];
  if (!says_known) answer.Remove("known");
  Data revoked = Data::MakeArray(), gone = Data::MakeArray();
  for (const Data& realm : answer["revoked"].items()) {
    (lost.contains(realm.as_string()) ? gone : revoked).Push(realm);
  }
  answer.Set("revoked", std::move(revoked));
  for (const Data& realm : request["lost"].items()) {
    const bool is_told = test::ContainsString(gone, realm.as_string());
    if (lost.contains(realm.as_string()) && !is_told) gone.Push(realm);
  }
  if (!gone.items().empty()) answer.Set("lost", std::move(gone));
  return answer;
}

void SyncServer::Foreign(const std::string& key, const std::string& realm, std::string_view name) {
  const auto all = rows();
  const auto there = all.find(key);
  Data op = Fields{{"op", there == all.end() ? "create" : "update"}, {"table", "items"}};
  op.Set("id", key).Set("realm", there == all.end() ? realm : there->second.row.realm);
  op.Set("set", Data::MakeObject().Set("name", name));
  const std::string at = op["realm"].as_string();
  AdmitForeign(at, std::move(op), Data());
}

void SyncServer::ForeignAppend(const std::string& stream, const std::string& realm,
                               std::string_view arg) {
  AdmitForeign(realm, Fields{{"op", "append"}, {"stream", stream}, {"realm", realm}}, Data(arg));
}

void SyncServer::AdmitForeign(const std::string& realm, Data op, const Data& arg) {
  // Each update comes from a client of its own, so it follows none.
  Data update = Fields{{"id", SyncUuid(kForeignIds + ++foreign_)}, {"at", time_}};
  update.Set("after", Data::MakeObject().Set(std::string_view(realm), nullptr));
  Data action = Fields{{"id", SyncUuid(kForeignIds * 2 + foreign_)}, {"name", "change"}};
  action.Set("at", time_).Set("arg", arg);
  update.Set("actions", Data::MakeArray().Push(std::move(action)));
  update.Set("ops", Data::MakeArray().Push(std::move(op)));
  Data out;
  Admit("somebody-" + std::to_string(foreign_), {update}, &out);
  SKERRY_CHECK(out["results"].items()[0]["status"].Is("applied"));
}

void SyncServer::Restore(const SyncServer& copy) {
  const test::MemoryDatabase before = std::move(database_);
  database_ = copy.database_;
  for (const auto& [realm, head] : before.heads()) AddRealm(realm);
}

std::map<std::string, StoredRow> SyncServer::rows() const {
  std::map<std::string, StoredRow> live;
  for (const auto& [key, row] : database_.rows()) {
    if (!row.deleted_at) live[key.object.id] = row;
  }
  return live;
}

double SyncServer::n(const std::string& id) const {
  const auto all = rows();
  const auto row = all.find(id);
  return row == all.end() ? -1 : row->second.row.props[0].number();
}

const Vector<Data>& SyncServer::log(const std::string& realm) const {
  static const Vector<Data> none;
  return database_.heads().contains(realm) ? database_.log(realm) : none;
}

Vector<std::string> SyncServer::ActionsAfter(const std::string& realm, uint64_t revision) const {
  Vector<std::string> ids;
  const Vector<Data>& entries = log(realm);
  for (size_t i = revision; i < entries.size(); ++i) {
    if (entries[i]["client"].as_string().starts_with("somebody")) continue;
    for (const Data& action : entries[i]["actions"].items())
      ids.push_back(action["id"].as_string());
  }
  return ids;
}

std::map<std::pair<std::string, std::string>, int> SyncServer::ActionCounts() const {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto& [realm, head] : database_.heads()) {
    for (const std::string& action : ActionsAfter(realm, 0)) ++counts[{realm, action}];
  }
  return counts;
}

}  // namespace skerry::sync_test
