#include "test/core/database/memory_database.h"

#include <algorithm>
#include <utility>

#include "authority/admission_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "log/codec.h"

namespace skerry::test {
namespace {

// Of a list of [realm, table, ..].
const std::string& TextAt(const Data& list, size_t i) { return list.items()[i].as_string(); }

// Whether a row matches [realm, table, filter].
bool IsMatching(const Schema& served, const StoredRow& stored, const Data& which) {
  const TableDef& table = served.table(stored.key.table);
  if (stored.row.realm != TextAt(which, 0) || table.name != TextAt(which, 1)) return false;
  const Result<Filter> filter = ParseFilter(served, table, which.items()[2], false);
  SKERRY_CHECK(filter.ok());
  return Matches(filter.value(), stored.key.id, stored.row, nullptr);
}

// `which`: [realm, table, prop, value].
bool Holds(const Schema& schema, const StoredRow& row, const Data& which) {
  const TableDef& table = schema.table(row.key.table);
  if (row.row.realm != TextAt(which, 0) || table.name != TextAt(which, 1)) return false;
  const PropIndex prop = table.FindProp(TextAt(which, 2));
  return ValueToData(table.props[prop], row.row.props[prop], true) == which.items()[3];
}

}  // namespace

bool ContainsString(const Data& array, std::string_view text) {
  for (const Data& item : array.items()) {
    if (item.is_string() && item.as_string() == text) return true;
  }
  return false;
}

Data ReadStep(std::string_view text) {
  Vector<Data> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(ParseJson(text.substr(0, end)).value());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Data out = lines[0];
  const Data* done = out.Find("done");
  if (done == nullptr) return out;
  size_t line = 0;
  Data whole = *done;
  for (const char* list : {"entries", "changes", "actions", "appends", "chains", "heads"}) {
    whole.Set(list, lines[++line]);
  }
  Data rows = Data::MakeArray();
  for (const Data& table : (*done)["tables"].items()) {
    for (const Data& row : lines[++line].items()) {
      SKERRY_CHECK(row["table"] == table);
      rows.Push(row);
    }
  }
  SKERRY_CHECK(++line == lines.size());
  SKERRY_CHECK(rows.items().size() == (*done)["rows"].as_u64());
  whole.Set("rows", std::move(rows));
  return out.Set("done", std::move(whole));
}

void MemoryDatabase::AddRealm(const std::string& realm) {
  heads_[realm] = {};
  log_[realm] = {};
  changes_[realm] = {};
  appends_[realm] = {};
}

Data MemoryDatabase::HeadOf(const std::string& realm) const {
  const Head& head = heads_.at(realm);
  Data data = Fields{{"head", head.head}, {"headAt", head.at}};
  if (head.floor > 0) data.Set("floor", head.floor).Set("floorAt", head.floor_at);
  if (head.given_back > 0) data.Set("givenBack", head.given_back);
  return data;
}

const MemoryDatabase::Rows& MemoryDatabase::RowsOf(const Schema& served, Rows* /*space*/) const {
  SKERRY_CHECK(&served == schema_);
  return rows_;
}

// Only the realms that the updates name are locked, until the authority asks for more.
MemoryDatabase::Admitted MemoryDatabase::Admit(const Schema& served, const Push& push) const {
  Rows space;
  const Rows& rows = RowsOf(served, &space);
  std::set<std::string> locked;
  for (const Request& request : push.requests) {
    for (const Data& update : request.updates) {
      for (const auto& [realm, link] : update["after"].members()) locked.insert(realm);
    }
  }
  for (int rounds = 0;;) {
    Admitted admitted = TryToAdmit(served, rows, push, locked);
    rounds = admitted.rounds += rounds;
    const Data* more = admitted.out.Find("lock");
    if (more == nullptr) return admitted;
    for (const Data& realm : more->items()) SKERRY_CHECK(locked.insert(realm.as_string()).second);
  }
}

MemoryDatabase::Admitted MemoryDatabase::TryToAdmit(const Schema& served, const Rows& rows,
                                                    const Push& push,
                                                    const std::set<std::string>& locked) const {
  Admitted admitted;
  admitted.locked = Data::MakeObject();
  for (const std::string& realm : locked)
    admitted.locked.Set(realm, heads_.contains(realm) ? HeadOf(realm) : Data());
  admitted.said = Data::MakeArray();
  for (const Request& request : push.requests) {
    Data said = Fields{{"client", request.client}, {"now", push.now}};
    admitted.said.Push(said.Set("seen", request.seen).Set("follows", request.follows));
  }
  Data in = FirstStep(push, admitted.locked);
  if (push.gives_rows) GiveRows(served, rows, push, &in);
  AdmissionSession session(&served);
  for (;;) {
    SKERRY_CHECK(++admitted.rounds < kMaxRounds);
    admitted.out = ReadStep(session.Step(WriteJson(in)));
    if (const Data* questions = admitted.out.Find("rules")) {
      Data answers = Data::MakeArray();
      for (const Data& question : questions->items()) answers.Push(push.rules(question));
      in = Fields{{"rules", std::move(answers)}};
      continue;
    }
    const Data* needs = admitted.out.Find("needs");
    if (needs == nullptr) return admitted;
    in = NeededRows(served, rows, *needs);
  }
}

Data MemoryDatabase::FirstStep(const Push& push, const Data& locked) const {
  Data rights = Data::MakeArray(), chains = Data::MakeArray(), applied = Data::MakeArray();
  Data actions = Data::MakeArray(), requests = Data::MakeArray();
  std::set<std::string> clients, updates, pushed;
  for (const Request& request : push.requests) {
    clients.insert(request.client);
    for (const Data& update : request.updates) {
      updates.insert(update["id"].as_string());
      for (const Data& action : update["actions"].items()) pushed.insert(action["id"].as_string());
    }
    const auto since = since_.find(request.client);
    Data follows = request.follows.is_object() ? Data(true) : Data();
    if (follows.is_null() && since != since_.end()) follows = since->second;
    requests.Push(Fields{{"client", request.client},
                         {"user", request.user},
                         {"rights", uint64_t{rights.items().size()}},
                         {"follows", std::move(follows)},
                         {"older", request.is_older},
                         {"sent", request.sent},
                         {"updates", Data(request.updates)}});
    rights.Push(request.rights);
  }
  for (const auto& [key, chain] : chains_) {
    if (clients.contains(key.first)) chains.Push(chain);
  }
  for (const auto& [realm, log] : log_) {
    for (const Data& entry : log) {
      if (!entry["declared"].as_bool() || !updates.contains(entry["update"].as_string())) continue;
      if (!HasEntry(realm, entry["revision"].as_u64())) continue;
      applied.Push(Fields{
          {"client", entry["client"]}, {"id", entry["update"]}, {"answer", entry["answer"]}});
    }
  }
  for (const std::string& id : pushed) AddActions(id, &actions);
  Data in = Fields{{"now", push.now}, {"realms", locked}, {"refuse", push.refuse}};
  if (!push.asks_consent) in.Set("invitations", "direct");
  if (push.rules) in.Set("validates", true);
  in.Set("rights", std::move(rights)).Set("chains", std::move(chains));
  in.Set("applied", std::move(applied)).Set("actions", std::move(actions));
  return in.Set("requests", std::move(requests));
}

void MemoryDatabase::GiveRows(const Schema& served, const Rows& rows, const Push& push, Data* in) {
  Data given = Data::MakeArray(), looked = Data::MakeArray();
  std::set<PlacedKey> keys;
  for (const Request& request : push.requests) {
    for (const Data& update : request.updates) {
      for (const Data& op : update["ops"].items()) {
        const PlacedKey key{op["realm"].as_string(),
                            {served.FindTable(op["table"].as_string()), op["id"].as_string()}};
        if (key.object.table == kNone || !keys.insert(key).second) continue;
        looked.Push(Data(Data::Array{op["realm"], op["table"], op["id"]}));
        const auto row = rows.find(key);
        if (row != rows.end()) given.Push(StoredRowToData(served, row->second));
      }
    }
  }
  in->Set("rows", std::move(given)).Set("looked", std::move(looked));
}

Data MemoryDatabase::NeededRows(const Schema& served, const Rows& rows, const Data& needs) const {
  Data found = Data::MakeArray(), others = Data::MakeArray();
  for (const Data& which : needs["rows"].items()) {
    const auto row =
        rows.find({TextAt(which, 0), {served.FindTable(TextAt(which, 1)), TextAt(which, 2)}});
    if (row != rows.end()) found.Push(StoredRowToData(served, row->second));
  }
  for (const auto& [key, row] : rows) {
    if (row.deleted_at) continue;
    bool wanted = false;
    for (const char* kind : {"children", "unique"}) {
      for (const Data& which : needs[kind].items()) wanted = wanted || Holds(served, row, which);
    }
    for (const Data& which : needs["matching"].items())
      wanted = wanted || IsMatching(served, row, which);
    if (wanted) found.Push(StoredRowToData(served, row));
  }
  for (const Data& which : needs["others"].items()) {
    others.Push(Fields{{"realm", which.items()[0]},
                       {"table", which.items()[1]},
                       {"id", which.items()[2]},
                       {"client", which.items()[3]},
                       {"revision", LastRevisionByOthers(which)}});
  }
  return Fields{{"rows", std::move(found)},
                {"others", std::move(others)},
                {"undone", DoneActions(needs["undone"])}};
}

// The entries of [realm, action, whether with rows].
Data MemoryDatabase::DoneActions(const Data& undone) const {
  Data done = Data::MakeArray();
  for (const Data& which : undone.items()) {
    const std::string& realm = TextAt(which, 0);
    Data actions = Data::MakeArray();
    AddActions(TextAt(which, 1), &actions);
    for (const Data& action : actions.items()) {
      if (action["realm"].as_string() != realm) continue;
      const uint64_t revision = action["revision"].as_u64();
      Data one = Fields{{"realm", realm}, {"action", action["id"]}, {"revision", revision}};
      const bool with_rows = which.items()[2].as_bool();
      const Data& entry = log_.at(realm)[revision - 1];
      Data rows = Data::MakeArray();
      for (const Data& change : changes_.at(realm)) {
        const bool is_of_it = change["revision"].as_u64() == revision && !change["touch"].as_bool();
        if (is_of_it && !change["before"].is_null()) rows.Push(change["before"]);
      }
      one.Set("ops", with_rows ? entry["ops"] : Data());
      one.Set("actions", with_rows ? entry["actions"] : Data());
      one.Set("rows", with_rows ? std::move(rows) : Data());
      done.Push(std::move(one));
    }
  }
  return done;
}

// The last revision at which another client changed the row of [realm, table, id, client].
uint64_t MemoryDatabase::LastRevisionByOthers(const Data& which) const {
  uint64_t last = 0;
  const std::string& realm = TextAt(which, 0);
  for (const Data& change : changes_.at(realm)) {
    const bool is_it = change["table"] == which.items()[1] && change["id"] == which.items()[2];
    if (!is_it || change["touch"].as_bool()) continue;
    const uint64_t revision = change["revision"].as_u64();
    if (log_.at(realm)[revision - 1]["client"] == which.items()[3]) continue;
    last = std::max(last, revision);
  }
  return last;
}

void MemoryDatabase::Commit(const Schema& served, const Admitted& admitted) {
  const Data& done = admitted.done();
  SKERRY_CHECK(done.is_object());
  Rows space;
  const Rows& before = RowsOf(served, &space);
  for (const Data& data : done["rows"].items()) {
    const StoredRow row = StoredRowFromData(served, data).value();
    SKERRY_CHECK(data["isNew"].as_bool() == !before.contains({row.row.realm, row.key}));
    SKERRY_CHECK(admitted.locked.Find(row.row.realm) != nullptr);
    Write(served, row);
  }
  for (const Data& entry : done["entries"].items()) Log(entry);
  for (const Data& change : done["changes"].items()) LogChange(change);
  for (const Data& action : done["actions"].items())
    actions_[action["id"].as_string()].push_back(action);
  for (const Data& append : done["appends"].items())
    appends_.at(append["realm"].as_string()).push_back(append);
  for (Data chain : done["chains"].items()) {
    Data& stored = chains_[{chain["client"].as_string(), chain["realm"].as_string()}];
    uint64_t seen = stored["seen"].as_u64();
    for (const Data& said : admitted.said.items()) {
      if (said["client"] == chain["client"])
        seen = std::max(seen, said["seen"][chain["realm"].as_string()].as_u64());
    }
    chain.Set("seen", seen);
    stored = std::move(chain);
  }
  for (const Data& said : admitted.said.items()) {
    since_.try_emplace(said["client"].as_string(),
                       said["follows"].is_object() ? said["now"] : Data());
  }
  for (const Data& data : done["heads"].items()) {
    Head& head = heads_.at(data["realm"].as_string());
    SKERRY_CHECK(data["headAt"].as_number() > head.at);
    head.head = data["head"].as_u64();
    head.at = data["headAt"].as_number();
    if (data["givenBack"].as_bool()) head.given_back = head.at;
  }
}

void MemoryDatabase::Write(const Schema& /*served*/, const StoredRow& row) {
  rows_[{row.row.realm, row.key}] = row;
}

void MemoryDatabase::Log(Data entry) {
  Vector<Data>& log = log_.at(entry["realm"].as_string());
  log.push_back(std::move(entry));
  SKERRY_CHECK(log.size() == log.back()["revision"].as_u64());
}

void MemoryDatabase::LogChange(Data change) {
  changes_.at(change["realm"].as_string()).push_back(std::move(change));
}

}  // namespace skerry::test
