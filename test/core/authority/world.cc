#include "test/core/authority/world.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <utility>

#include "authority/cursor.h"
#include "base/fields.h"
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
    {"name":"text","type":"string","optional":true}]},
  {"name":"boxes","props":[{"name":"n","type":"number","optional":true}]},
  {"name":"$members","ids":"string","props":[
    {"name":"user","type":"string"},
    {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},
    {"name":"by","type":"string","optional":true}]}]})";

}  // namespace

Data Json(std::string_view text) {
  Result<Data> data = ParseJson(text);
  REQUIRE_MESSAGE(data.ok(), std::string(text));
  return data.value();
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

AuthorityWorld::AuthorityWorld() : database_(&WorldSchema()) {
  AddRealm("A");
  AddRealm("B");
  for (const char* realm : {"A", "B"}) Grant("anna", realm, "write");
  reads.page_rows = 2;
  reads.image = [](const Data& need) {
    const std::string& realm = need["realm"].as_string();
    return Fields{{"realm", realm},
                  {"revision", 1},
                  {"hash", "0123456789abcdef"},
                  {"bytes", 5000},
                  {"url", "/v1/snapshot"}};
  };
}

void AuthorityWorld::AddRealm(const std::string& realm) {
  database_.AddRealm(realm);
  states_[realm] = {Rows()};
}

void AuthorityWorld::Grant(const std::string& user, const std::string& realm,
                           const std::string& right) {
  Data& rights = rights_[user];
  if (rights.is_null()) rights = Data::MakeObject();
  if (right == "none") {
    rights.Remove(realm);
  } else {
    rights.Set(realm, right);
  }
}

test::MemoryDatabase::Push AuthorityWorld::PushOf(const Vector<Request>& requests,
                                                  const Data& refuse) const {
  test::MemoryDatabase::Push push;
  push.now = now;
  push.refuse = refuse;
  push.asks_consent = asks_consent;
  push.rules = rules;
  for (const Request& request : requests) {
    const auto held = rights_.find(request.token.empty() ? request.user : request.token);
    const Data rights = held == rights_.end() ? Data::MakeObject() : held->second;
    push.requests.push_back({request.client, request.user, request.updates, rights, request.seen,
                             request.follows, request.is_older});
  }
  return push;
}

Data AuthorityWorld::Commit(const Vector<Request>& requests, const Data& refuse) {
  now += 10;
  test::MemoryDatabase::Push push = PushOf(requests, refuse);
  const test::MemoryDatabase::Admitted admitted = database_.Admit(WorldSchema(), push);
  rounds_ = admitted.rounds;
  if (admitted.out.Find("error")) return admitted.out;
  // Rows that come with the first step save rounds, and nothing else is different.
  push.gives_rows = true;
  CHECK(WriteJson(database_.Admit(WorldSchema(), push).out) == WriteJson(admitted.out));
  database_.Commit(WorldSchema(), admitted);
  done_ = admitted.done();
  Remember(done_);
  return done_["results"];
}

void AuthorityWorld::WriteForeign(std::string_view ops) {
  now += 10;
  Vector<test::MemoryDatabase::ForeignWrite> writes;
  std::map<PlacedKey, Data> props;  // of rows that an earlier op has written
  const Data list = Json(ops);
  for (const Data& op : list.items()) {
    const TableIndex index = WorldSchema().FindTable(op["table"].as_string());
    const TableDef& table = WorldSchema().table(index);
    const PlacedKey key{op["realm"].as_string(), {index, op["id"].as_string()}};
    const std::string& kind = op["op"].as_string();
    if (kind == "delete" || kind == "move") {
      writes.push_back({key, std::nullopt, op["to"].as_string()});
      continue;
    }
    const auto stored = database_.rows().find(key);
    const bool is_there = stored != database_.rows().end() && !stored->second.deleted_at;
    Data& known = props[key];
    if (known.is_null() && is_there)
      known = StoredRowToData(WorldSchema(), stored->second)["props"];
    if (known.is_null()) {
      if (kind == "update") continue;
      known = Data::MakeObject();
    }
    for (const auto& [name, value] : op["set"].members()) known.Set(name, value);
    skerry::Row row = RowOfTable(table, key.realm, Data::MakeObject().Set("props", known)).value();
    SetDefaults(table, &row);
    writes.push_back({key, std::move(row)});
  }
  Remember(database_.WriteForeign(WorldSchema(), writes, now, "foreign " + std::to_string(now),
                                  "foreign " + std::to_string(now)));
}

bool AuthorityWorld::FollowUp(size_t most) {
  now += 10;
  const std::string name = "owed " + std::to_string(now);
  done_ = database_.FollowUp(WorldSchema(), most, now, name, name);
  if (done_.is_null()) return false;
  Remember(done_);
  return true;
}

// The states between the entries of one commit: undoes its changes one by one, from the end.
void AuthorityWorld::Remember(const Data& done) {
  for (const Data& entry : done["entries"].items()) entries_.push_back(entry);
  for (const Data& change : done["changes"].items()) changes_.push_back(change);
  for (auto& [realm, states] : states_) {
    Rows present;
    for (const auto& [key, row] : database_.rows()) {
      if (row.deleted_at || key.realm != realm) continue;
      const std::string& table = WorldSchema().table(key.object.table).name;
      present[{table, key.object.id}] = StoredRowToData(WorldSchema(), row);
    }
    const size_t known = states.size();
    REQUIRE(head(realm) + 1 >= known);
    states.resize(head(realm) + 1);
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

Data AuthorityWorld::Push(const std::string& client, const std::string& user, const Data& update) {
  const Data results = Commit({{client, user, {update}}});
  if (results.Find("error")) return results;
  return results.items()[0].items()[0];
}

Data AuthorityWorld::Pull(const std::string& user, const Data& request) {
  Data realms = Data::MakeObject();
  for (const auto& [realm, right] : rights_[user].members()) {
    const uint64_t count = states_.at(realm).back().size();
    realms.Set(realm, database_.HeadOf(realm).Set("rows", rows_for_image ? rows_for_image : count));
  }
  // Rows that come with the changes save a round, and nothing else is different.
  const Data answer = RunPull(request, realms, true);
  const Data asked = RunPull(request, realms, false);
  CHECK(WriteJson(answer) == WriteJson(asked));
  return asked;
}

Data AuthorityWorld::RunPull(const Data& request, const Data& realms, bool rows_along) {
  reads.rows_along = rows_along;
  const Data out = database_.Pull(WorldSchema(), request, realms, now, reads, &rounds_);
  const Data* answer = out.Find("answer");
  return answer ? *answer : out;
}

const StoredRow* AuthorityWorld::Find(const std::string& table, const std::string& id) const {
  const ObjectKey key{WorldSchema().FindTable(table), id};
  const StoredRow* found = nullptr;
  for (const auto& [place, row] : database_.rows()) {
    if (place.object != key || !row.moved_to.empty()) continue;
    if (!found || !row.deleted_at) found = &row;
  }
  return found;
}

Data AuthorityWorld::Row(const std::string& table, const std::string& id) const {
  const StoredRow* row = Find(table, id);
  return row == nullptr || row->deleted_at ? Data() : StoredRowToData(WorldSchema(), *row);
}

Data AuthorityWorld::tombstone(const std::string& table, const std::string& id) const {
  const StoredRow* row = Find(table, id);
  return row == nullptr || !row->deleted_at ? Data() : StoredRowToData(WorldSchema(), *row);
}

const AuthorityWorld::Rows& AuthorityWorld::StateAt(const std::string& realm,
                                                    uint64_t revision) const {
  return states_.at(realm)[revision];
}

std::string AuthorityWorld::cursor(const std::string& realm, uint64_t revision) const {
  if (revision == 0 || revision > head(realm)) return "0@0";
  const Data& entry = database_.log(realm)[revision - 1];
  return CursorText({revision, entry["at"].as_number()});
}

}  // namespace skerry::authority_test
