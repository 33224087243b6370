// 2 once: the effect of a confirmed mutation is in the log exactly once, also of an `inc`. The
// naive server gets every push as well, in the order of the commits. It must answer with the same
// statuses, and have the same rows afterwards, times and revisions included. In the end the common
// counter equals the sum over the actions of the log, and of those that were given back to a restored
// server, each counted once. An action whose outcome was
// unknown (`outcome_unknown`), and which its user has made again, may have been in the part of the
// log that was forgotten: it counts each time. What a restored row has of props that only one of two
// releases has is not compared.
#include <algorithm>
#include <set>
#include <utility>

#include "base/json.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/check/common_total.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

// An update of the older release is applied without what the served schema lacks.
Data StoredOf(const Schema& served, const Data& version, const Data& wire) {
  if (version.as_u64(served.version()) >= served.version()) return wire;
  Data ops = Data::MakeArray();
  for (Data op : wire["ops"].items()) {
    const TableIndex table = served.FindTable(op["table"].as_string());
    if (table == kNone && op["stream"].is_null()) continue;
    bool is_emptied = false;
    for (const char* name : {"set", "was", "add"}) {
      if (!op[name].is_object()) continue;
      Data known = Data::MakeObject();
      for (const auto& [prop, value] : op[name].members()) {
        if (served.table(table).FindProp(prop) != kNone) known.Set(prop, value);
      }
      const bool is_trimmed = known.members().size() < op[name].members().size();
      is_emptied = is_trimmed && known.members().empty() && !op["op"].Is("create") &&
                   !op["op"].Is("restore");
      op.Set(name, std::move(known));
    }
    if (!is_emptied) ops.Push(std::move(op));
  }
  Data stored = wire;
  return stored.Set("ops", std::move(ops));
}

bool IsRefused(const CommittedPush& push, const std::string& client, const std::string& id) {
  return std::ranges::any_of(push.refused.items(), [&](const Data& refused) {
    return refused["client"].as_string() == client && refused["id"].as_string() == id;
  });
}

bool IsUnread(const std::string& code) {
  return code == "invalid" || code == "missing_prop" || code == "unknown_table" ||
         code == "unknown_prop" || code == "wrong_type" || code == "invalid_id";
}

bool IsOfOneRelease(const std::string& key, const std::string& prop) {
  const std::string table = test::naive::TableOf(key);
  const auto has = [&](Release release) {
    const TableIndex index = SchemaOf(release).FindTable(table);
    return index != kNone && SchemaOf(release).table(index).FindProp(prop) != kNone;
  };
  return has(Release::kOlder) != has(Release::kNewer);
}

const std::string kCounter = "items/total@A";

class OnceCheck final : public Check {
 public:
  using Check::Check;

  void Made(const MadeMutation& made) override { total_.Made(made.action, made.total); }

  void Committed(const CommittedPush& push) override {
    const std::string& client = push.body["client"].as_string();
    test::naive::Server& naive = world_->checks().naive();
    const auto& [user, grants] = push.author;
    for (size_t i = 0; i < push.results.size(); ++i) {
      const Data wire = StoredOf(push.served, push.body["schema"], push.body["updates"].items()[i]);
      test::naive::Update update = test::naive::UpdateOf(client, wire);
      for (const auto& [realm, seq] : push.body["seen"].members())
        update.seen[realm] = seq.as_u64();
      update.follows = push.body["follows"].is_object();
      if (const Data* sent = push.body["sent"].Find(update.id)) update.sent = sent->as_number();
      const bool is_taken = Knows(push.served, update) && !IsRefused(push, client, update.id);
      if (world_->has_releases()) UseFirstNames(&update);
      const test::naive::Result expected =
          naive.Push(update, i == 0, push.at, naive.RightsOf(user, grants), is_taken, user, grants);
      if (push.results[i]["status"].as_string() != expected.status) {
        return Fail("2 once: the naive server says " + expected.status + ": " +
                    WriteJson(push.results[i]) + " on " + WriteJson(wire) + " of " + user);
      }
      if (expected.status != "applied") continue;
      Vector<uint32_t> missing;
      for (const Data& op : push.results[i]["missing"].items())
        missing.push_back(static_cast<uint32_t>(op.as_u64()));
      if (missing != expected.missing)
        return Fail("2 once: the naive server misses other objects: " + WriteJson(push.results[i]) +
                    " on " + WriteJson(wire));
      Enter(update, VainActions(push.body["updates"].items()[i], push.results[i]), push.at);
      for (const test::naive::Op& op : update.ops)
        has_restored_ = has_restored_ || op.op == "restore";
    }
  }

  // Each offer by itself. What the server could not read is nothing to the naive one.
  void TakenBack(const sim::TakenBack& taken) override {
    const Data& told = taken.done["offers"];
    std::set<uint64_t> unread;
    for (const Data& refused : told["refused"].items()) {
      if (IsUnread(refused["code"].as_string())) unread.insert(refused["op"].as_u64());
    }
    Vector<test::naive::Server::Offer> offers;
    for (uint64_t i = 0; i < told["done"].as_u64(); ++i) {
      if (unread.contains(i)) continue;
      Data wire = Data::MakeObject();
      Data action = Data::MakeObject();
      action.Set("id", "offer");
      wire.Set("id", "offer").Set("after", Data::MakeObject());
      wire.Set("actions", Data(Data::Array{std::move(action)}));
      wire.Set("ops", Data(Data::Array{taken.body["ops"].items()[i]}));
      test::naive::Update update =
          test::naive::UpdateOf("offer", StoredOf(taken.served, taken.body["schema"], wire));
      if (world_->has_releases()) UseFirstNames(&update);
      if (update.ops.empty()) continue;
      const double at = taken.body["times"].items()[i].as_number();
      offers.push_back({update.ops[0].key, update.ops[0].set, at, update.ops[0].op == "delete"});
    }
    test::naive::Server& naive = world_->checks().naive();
    const auto& [user, grants] = taken.author;
    const double before = Counter();
    const double at = taken.done["at"].as_number();
    const uint64_t expected = naive.TakeBack(taken.body["realm"].as_string(), taken.common, offers,
                                             at, naive.RightsOf(user, grants), user);
    for (const test::naive::Server::Offer& offer : offers) {
      if (Counter() == before || offer.key != kCounter) continue;
      if (!total_.GivenBack(Counter() - before, offer.at, at))
        Fail("2 once: the total that is given back has other actions: " + WriteJson(taken.body));
    }
    if (expected == told["taken"].as_u64()) return;
    Fail("2 once: the naive server takes back " + std::to_string(expected) + " of " +
         WriteJson(taken.body) + ": " + WriteJson(told));
  }

  void Resolved(const std::string& action, bool retry, const std::string& code) override {
    if (retry && code == "outcome_unknown") made_again_.insert(action);
  }

  void ServerRestored(const Database& /*before*/) override {
    seen_.clear();
    for (const std::string& realm : world_->realms()) {
      for (const test::naive::Entry& entry : world_->checks().naive().log(realm)) {
        for (const std::string& action : entry.actions) seen_[action][realm].insert(entry.update);
      }
    }
    std::set<std::string> left;
    for (const auto& [action, realms] : seen_) {
      if (realms.contains("A")) left.insert(action);
    }
    const auto& log = world_->checks().naive().log("A");
    total_.Restored(left, log.empty() ? 0 : log.back().at, world_->mono());
  }

  void CommittedAll(const Database& database) override {
    AdoptPropsOfOneRelease(database);
    size_t live = 0;
    for (const auto& [key, stored] : database.rows()) {
      if (stored.deleted_at) continue;
      ++live;
      const std::string name = test::KeyOf(key.object, key.realm, database.columns());
      const test::naive::Rows& rows = world_->checks().naive().rows(key.realm);
      const auto row = rows.find(name);
      if (row == rows.end()) return Fail("2 once: the server has " + name + " more");
      const test::naive::Row found = test::NaiveRowOf(key.object, stored.row, database.columns());
      if (row->second != found) {
        return Fail("2 once: the servers' rows differ at " + name +
                    test::DifferenceOf(row->second, found));
      }
    }
    size_t expected = 0;
    for (const std::string& realm : world_->checks().naive().realms())
      expected += world_->checks().naive().rows(realm).size();
    if (live != expected) Fail("2 once: the server has lost a row");
  }

  void End() override {
    const double found = Counter();
    double sum = total_.sum();
    for (const auto& [action, realms] : seen_) {
      std::set<std::string> updates;
      for (const auto& [realm, ids] : realms) updates.insert(ids.begin(), ids.end());
      for (const std::string& update : updates)
        sum += appends_.contains(update) ? 0 : total_.AddsOf(action);
    }
    if (found != sum) {
      Fail("2 once: the total is " + std::to_string(static_cast<uint64_t>(found)) + " instead of " +
           std::to_string(static_cast<uint64_t>(sum)));
    }
  }

 private:
  // Rows that were restored, while two releases are served.
  void AdoptPropsOfOneRelease(const Database& database) {
    if (!std::exchange(has_restored_, false) || !world_->has_releases()) return;
    for (const auto& [key, stored] : database.rows()) {
      if (stored.deleted_at) continue;
      const std::string name = test::KeyOf(key.object, key.realm, database.columns());
      const auto row = test::NaiveRowOf(key.object, stored.row, database.columns());
      for (const PropDef& prop : database.columns().table(key.object.table).props) {
        const std::string prop_name = test::NameOf(prop);
        if (!IsOfOneRelease(name, prop_name)) continue;
        const auto value = row.props.find(prop_name);
        world_->checks().naive().Adopt(key.realm, name, prop_name,
                                       value == row.props.end() ? Data() : value->second);
      }
    }
  }

  double Counter() const {
    const auto& rows = world_->checks().naive().rows("A");
    const auto total = rows.find(kCounter);
    if (total == rows.end()) return 0;
    const auto value = total->second.props.find("x");
    return value == total->second.props.end() ? 0 : value->second.as_number();
  }

  void Enter(const test::naive::Update& update, const std::set<std::string>& vain, double at) {
    // What was appended to streams is appended again by itself; the rest of the action comes back with its rows.
    const bool only_appends = std::all_of(update.ops.begin(), update.ops.end(),
                                          [](const auto& op) { return !op.stream.empty(); });
    if (only_appends) appends_.insert(update.id);
    for (const auto& [realm, link] : update.after) {
      for (const std::string& action : update.actions) {
        if (vain.contains(action)) continue;
        std::set<std::string>& updates = seen_[action][realm];
        updates.insert(update.id);
        const bool is_given = realm == "A" && !only_appends && total_.Entered(action, at);
        if ((is_given || updates.size() > 1) && !made_again_.contains(action))
          return Fail("2 once: " + action + " is twice in the log of " + realm);
      }
    }
  }

  // By action and realm: the updates by which it came into the log.
  std::map<std::string, std::map<std::string, std::set<std::string>>> seen_;
  CommonTotal total_;
  std::set<std::string> made_again_;
  std::set<std::string> appends_;  // updates that change no rows
  bool has_restored_ = false;      // an update of the present commit
};

}  // namespace

std::unique_ptr<Check> MakeOnceCheck(World* world) { return std::make_unique<OnceCheck>(world); }

}  // namespace skerry::sim
