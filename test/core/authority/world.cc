#include "test/core/authority/world.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

#include "authority/admission_json.h"
#include "base/json.h"
#include "base/vector.h"

namespace skerry::authority_test {
namespace {

constexpr char kDescription[] = R"({"version":1,"accepts":[],"tables":[
  {"name":"groups","ids":"string","props":[{"name":"name","type":"string"}]},
  {"name":"members","ids":"string","props":[
    {"name":"group","type":"ref","ref":{"table":"groups","onDelete":"cascade","touch":true}},
    {"name":"person","type":"ref","optional":true,"ref":{"table":"people","onDelete":"setNull"}},
    {"name":"role","type":"string","default":"guest"}]},
  {"name":"people","ids":"string","props":[
    {"name":"name","type":"string"},
    {"name":"email","type":"string","optional":true,"unique":true}]},
  {"name":"countries","ids":"string","props":[{"name":"name","type":"string"}]},
  {"name":"cities","ids":"string","props":[
    {"name":"name","type":"string"},
    {"name":"population","type":"number","optional":true},
    {"name":"country","type":"ref","optional":true,"ref":{"table":"countries","onDelete":"restrict"}}]},
  {"name":"items","ids":"string","props":[
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"items","onDelete":"cascade"}},
    {"name":"n","type":"number","optional":true},
    {"name":"u","type":"number","optional":true,"unique":true},
    {"name":"note","type":"string","optional":true},
    {"name":"friend","type":"ref","optional":true,"ref":{"table":"items","onDelete":"setNull"}}]},
  {"name":"logs","ids":"string","props":[
    {"name":"member","type":"ref","ref":{"table":"members","onDelete":"cascade","touch":true}},
    {"name":"text","type":"string","optional":true}]}]})";

const Data kNothing;

}  // namespace

Data Json(std::string_view text) {
  Result<Data> data = ParseJson(text);
  REQUIRE_MESSAGE(data.ok(), std::string(text));
  return data.value();
}

Data ReadStep(std::string_view text) {
  Vector<Data> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(Json(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Data out = lines[0];
  const Data* done = out.Find("done");
  if (!done) return out;
  size_t line = 0;
  Data whole = *done;
  for (const char* list : {"entries", "changes", "actions", "chains", "heads"}) {
    whole.Set(list, lines[++line]);
  }
  Data rows = Data::MakeArray();
  for (const Data& table : (*done)["tables"].items()) {
    for (const Data& row : lines[++line].items()) {
      CHECK(row["table"] == table);
      rows.Push(row);
    }
  }
  CHECK(++line == lines.size());
  CHECK(rows.items().size() == (*done)["rows"].as_u64());
  whole.Set("rows", std::move(rows));
  out.Set("done", std::move(whole));
  return out;
}

std::string Id(uint64_t number) {
  char text[40];
  std::snprintf(text, sizeof text, "01890000-0000-7000-8000-%012llx",
                static_cast<unsigned long long>(number));
  return text;
}

const Data& WorldSchemaData() {
  static const Data data = ParseJson(kDescription).value();
  return data;
}

const Schema& WorldSchema() {
  static const Schema schema = [] {
    Result<Schema> parsed = Schema::Parse(WorldSchemaData());
    return std::move(parsed.value());
  }();
  return schema;
}

World::World() {
  AddRealm("A");
  AddRealm("B");
  for (const char* realm : {"A", "B"}) Grant("anna", realm, "write");
}

void World::AddRealm(const std::string& realm) {
  heads_[realm] = {};
  states_[realm] = {Rows()};
}

void World::Grant(const std::string& user, const std::string& realm, const std::string& right) {
  if (right == "none") {
    rights_[user].erase(realm);
  } else {
    rights_[user][realm] = right;
  }
}

Data World::StartInput(const Vector<Request>& requests, const Data& refuse) const {
  Data realms = Data::MakeObject(), tokens = Data::MakeArray(), chains = Data::MakeArray();
  Data applied = Data::MakeArray(), actions = Data::MakeArray(), pushed = Data::MakeArray();
  std::set<std::string> named = locked_, ids, action_ids;
  for (const Request& request : requests) {
    for (const Data& update : request.updates) {
      for (const auto& [realm, link] : update["after"].members()) named.insert(realm);
      ids.insert(update["id"].as_string());
      for (const Data& action : update["actions"].items())
        action_ids.insert(action["id"].as_string());
    }
    Data item = Data::MakeObject();
    item.Set("client", request.client)
        .Set("user", request.user)
        .Set("rights", tokens.items().size())
        .Set("updates", Data(request.updates));
    pushed.Push(std::move(item));
    Data rights = Data::MakeObject();
    const auto held = rights_.find(request.token.empty() ? request.user : request.token);
    if (held != rights_.end()) {
      for (const auto& [realm, right] : held->second) rights.Set(realm, right);
    }
    tokens.Push(std::move(rights));
  }
  for (const std::string& realm : named) {
    const auto head = heads_.find(realm);
    Data state;
    if (head != heads_.end()) {
      state = Data::MakeObject();
      state.Set("head", head->second.head).Set("headAt", head->second.at);
    }
    realms.Set(realm, std::move(state));
  }
  for (const auto& [key, row] : chains_) chains.Push(row);
  for (const Data& entry : entries_) {
    if (!entry["declared"].as_bool() || !ids.contains(entry["update"].as_string())) continue;
    Data item = Data::MakeObject();
    item.Set("client", entry["client"]).Set("id", entry["update"]).Set("answer", entry["answer"]);
    applied.Push(std::move(item));
  }
  for (const Data& action : actions_) {
    if (action_ids.contains(action["id"].as_string())) actions.Push(action);
  }
  Data in = Data::MakeObject();
  in.Set("now", now).Set("realms", std::move(realms)).Set("rights", std::move(tokens));
  in.Set("chains", std::move(chains)).Set("applied", std::move(applied));
  in.Set("actions", std::move(actions)).Set("requests", std::move(pushed)).Set("refuse", refuse);
  return in;
}

Data World::Answer(const Data& needs) const {
  Data rows = Data::MakeArray(), others = Data::MakeArray();
  for (const Data& key : needs["rows"].items()) {
    const auto row = rows_.find({key.items()[0].as_string(), key.items()[1].as_string()});
    if (row != rows_.end()) rows.Push(row->second);
  }
  for (const auto& [key, row] : rows_) {
    if (!IsLive(row)) continue;
    for (const Data& child : needs["children"].items()) {
      const Data::Array& which = child.items();
      if (key.first != which[0].as_string()) continue;
      if (row["props"][which[1].as_string()] == which[2]) rows.Push(row);
    }
    for (const Data& unique : needs["unique"].items()) {
      const Data::Array& which = unique.items();
      if (key.first != which[0].as_string() || !(row["realm"] == which[2])) continue;
      if (row["props"][which[1].as_string()] == which[3]) rows.Push(row);
    }
  }
  for (const Data& other : needs["others"].items()) {
    uint64_t last = 0;
    for (const Data& change : changes_) {
      const bool is_it = change["table"] == other.items()[0] && change["id"] == other.items()[1];
      if (!is_it || change["touch"].as_bool()) continue;
      for (const Data& entry : entries_) {
        if (entry["realm"] == change["realm"] && entry["revision"] == change["revision"] &&
            !(entry["client"] == other.items()[2])) {
          last = std::max(last, change["revision"].as_u64());
        }
      }
    }
    Data item = Data::MakeObject();
    item.Set("table", other.items()[0]).Set("id", other.items()[1]).Set("client", other.items()[2]);
    others.Push(item.Set("revision", last));
  }
  Data in = Data::MakeObject();
  in.Set("rows", std::move(rows)).Set("others", std::move(others));
  return in;
}

Data World::Commit(const Vector<Request>& requests, const Data& refuse) {
  now += 10;
  locked_.clear();
  rounds_ = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    AdmissionSession session(&WorldSchema());
    Data in = StartInput(requests, refuse);
    const Data locked = in["realms"];
    for (int round = 0; round < 1000; ++round) {
      ++rounds_;
      const Data out = ReadStep(session.Step(WriteJson(in)));
      if (out.Find("error")) return out;
      if (const Data* lock = out.Find("lock")) {
        for (const Data& realm : lock->items()) locked_.insert(realm.as_string());
        break;
      }
      if (const Data* done = out.Find("done")) {
        CheckGivenRows(requests, refuse, *done);
        Store(*done, locked);
        return (*done)["results"];
      }
      in = Answer(out["needs"]);
    }
  }
  FAIL("the admission never ended");
  return Data();
}

void World::Store(const Data& done, const Data& locked) {
  done_ = done;
  for (const Data& row : done["rows"].items()) {
    const Key key{row["table"].as_string(), row["id"].as_string()};
    const auto there = rows_.find(key);
    CHECK(row["isNew"].as_bool() == (there == rows_.end()));
    // As the server's SQL has it: a row is written over in a realm that is locked, and nowhere
    // else.
    CHECK((there == rows_.end() || locked.Find(there->second["realm"].as_string()) != nullptr));
    Data stored = row;
    stored.Remove("isNew");
    rows_[key] = std::move(stored);
  }
  for (const Data& entry : done["entries"].items()) entries_.push_back(entry);
  for (const Data& change : done["changes"].items()) changes_.push_back(change);
  for (const Data& action : done["actions"].items()) actions_.push_back(action);
  for (const Data& chain : done["chains"].items()) {
    chains_[{chain["realm"].as_string(), chain["client"].as_string()}] = chain;
  }
  for (const Data& head : done["heads"].items()) {
    Head& mine = heads_.at(head["realm"].as_string());
    CHECK(head["headAt"].as_number() > mine.at);
    mine = {head["head"].as_u64(), head["headAt"].as_number()};
  }
  // The states between the entries of one commit: undo its changes one by one, from the end.
  for (auto& [realm, states] : states_) {
    Rows present;
    for (const auto& [key, row] : rows_) {
      if (IsLive(row) && row["realm"].as_string() == realm) present[key] = row;
    }
    const size_t known = states.size();
    REQUIRE(heads_.at(realm).head + 1 >= known);
    states.resize(heads_.at(realm).head + 1);
    for (size_t revision = states.size(); revision-- > known;) {
      states[revision] = present;
      for (const Data& change : done["changes"].items()) {
        if (change["realm"].as_string() != realm || change["revision"].as_u64() != revision)
          continue;
        const Key key{change["table"].as_string(), change["id"].as_string()};
        if (change["before"].is_null()) {
          present.erase(key);
        } else {
          present[key] = change["before"];
        }
      }
    }
    // What is left after undoing everything must be what was there before.
    if (states.size() > known) CHECK(present == states[known - 1]);
  }
}

Data World::Push(const std::string& client, const std::string& user, const Data& update) {
  const Data results = Commit({{client, user, {update}}});
  if (results.Find("error")) return results;
  return results.items()[0].items()[0];
}

const Data& World::Row(const std::string& table, const std::string& id) const {
  const auto row = rows_.find({table, id});
  return row == rows_.end() || !IsLive(row->second) ? kNothing : row->second;
}

const Data& World::tombstone(const std::string& table, const std::string& id) const {
  const auto row = rows_.find({table, id});
  return row == rows_.end() || IsLive(row->second) ? kNothing : row->second;
}

const World::Rows& World::StateAt(const std::string& realm, uint64_t revision) const {
  return states_.at(realm)[revision];
}

std::string World::cursor(const std::string& realm, uint64_t revision) const {
  for (const Data& entry : entries_) {
    if (entry["realm"].as_string() != realm || entry["revision"].as_u64() != revision) continue;
    return std::to_string(revision) + "@" +
           std::to_string(static_cast<uint64_t>(entry["at"].as_number()));
  }
  return "0@0";
}

}  // namespace skerry::authority_test
