// 16 told, of what others overwrite without having seen it (docs/design.md, "Overwritten changes"). Each
// answer's `over` is compared with a list of all pushes: there is one where an own update lies above
// what others had seen when they changed the row, and each one is the `base` of such a push. An entry
// in the inbox is of an update above the `base` of a later one of somebody else. Nothing is asked of
// answers that fill scopes, nor of tables in no scope, nor of profiles with several identities.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/json.h"
#include "test/sim/checks.h"
#include "test/sim/host.h"
#include "test/sim/worker_host.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

struct Logged {
  std::string client;
  uint64_t revision = 0;
  std::optional<uint64_t> base;
  std::set<std::string> actions;
  std::set<std::string> objects;  // that it has changed, "table/id"
};

uint64_t RevisionIn(const Data& cursors, const std::string& realm) {
  return std::strtoull(cursors[realm].as_string().c_str(), nullptr, 10);
}

std::string ObjectOf(const Data& of) {
  return of["table"].as_string() + "/" + of["id"].as_string();
}

class OverwrittenCheck final : public Check {
 public:
  using Check::Check;

  void Committed(const CommittedPush& push) override {
    for (const Data& update : push.body["updates"].items())
      pushed_.insert_or_assign(update["id"].as_string(), update);
  }

  // Every entry that one of these pushes has made.
  void CommittedAll(const Database& database) override {
    for (const auto& [realm, head] : database.heads()) {
      uint64_t& known = known_[realm];
      const Vector<Data>& entries = database.log(realm);
      for (; known < head.head; ++known) {
        const Data& entry = entries[known];
        const auto update = pushed_.find(entry["update"].as_string());
        const bool is_foreign = entry["user"].Is("sql");
        if (update == pushed_.end() && !is_foreign) continue;
        Logged logged;
        logged.client = entry["client"].as_string();
        logged.revision = entry["revision"].as_u64();
        if (is_foreign) {
          // Another program has seen all that came before.
          logged.base = logged.revision - 1;
          log_[realm].push_back(std::move(logged));
          continue;
        }
        const Data& bases = update->second["base"];
        if (!entry["declared"].as_bool()) {
          logged.base = 0;  // an op has followed a row that moved
        } else if (bases[realm].is_number()) {
          logged.base = bases[realm].as_u64();
        }
        for (const Data& action : update->second["actions"].items())
          logged.actions.insert(action["id"].as_string());
        const Vector<Data>& changes = database.changes(realm);
        for (size_t i = changes.size(); i > 0; --i) {
          const uint64_t revision = changes[i - 1]["revision"].as_u64();
          if (revision < logged.revision) break;
          if (revision == logged.revision) logged.objects.insert(ObjectOf(changes[i - 1]));
        }
        log_[realm].push_back(std::move(logged));
      }
    }
    pushed_.clear();
  }

  void Answering(const Caller& /*caller*/, const Data& request,
                 const std::string& answer) override {
    const Data read = ParseJson(answer).value();
    if (!read["changes"].is_array() || read["refill"].is_array()) return;
    std::set<std::string> tables;
    for (const Data& scope : request["scopes"].items()) {
      if (!scope["filled"].is_bool() || !scope["filled"].as_bool()) return;
      tables.insert(scope["table"].as_string());
    }
    const std::string& client = request["client"].as_string();
    for (const Data& change : read["changes"].items()) {
      const std::string& realm = change["realm"].as_string();
      const uint64_t from = RevisionIn(request["cursors"], realm);
      const uint64_t to = RevisionIn(read["cursors"], realm);
      if (from == 0) continue;
      const Data& over = change["over"];
      if (!over.is_null()) CheckOver(realm, client, from, to, over.as_u64());
      const bool is_compared = change["change"].Is("update") || change["change"].Is("delete");
      if (is_compared && tables.contains(change["table"].as_string()))
        CheckTold(change, client, from, to);
    }
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    for (const Data& write : writes.items()) {
      const Data& entry = write["add"];
      if (!write["store"].Is("conflicts") || !entry["code"].Is("overwritten")) continue;
      world_->Count("an entry of what was overwritten");
      const std::string action = entry["mutation"]["id"].as_string();
      if (is_restored_ || copied_.contains(host.profile().index)) continue;
      if (!WasOverwritten(action))
        Fail("16 told: " + action + " was not overwritten unseen: " + ObjectOf(entry));
    }
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override {
    copied_.insert(profile.index);
  }
  void Copied(const Profile& profile, const Profile& of) override {
    copied_.insert(profile.index);
    copied_.insert(of.index);
  }
  void ServerRestored(const Database& /*before*/) override {
    log_.clear();
    known_.clear();
    is_restored_ = true;
  }

 private:
  void CheckOver(const std::string& realm, const std::string& client, uint64_t from, uint64_t to,
                 uint64_t over) {
    world_->Count("a change that others made over what they had not seen");
    if (is_restored_) return;
    const bool is_base =
        std::any_of(log_[realm].begin(), log_[realm].end(), [&](const Logged& log) {
          return log.client != client && log.revision > from && log.revision <= to &&
                 log.base == over;
        });
    if (!is_base) Fail("16 told: nobody's base is " + std::to_string(over) + " in " + realm);
  }

  void CheckTold(const Data& change, const std::string& client, uint64_t from, uint64_t to) {
    const std::string object = ObjectOf(change);
    const Vector<Logged>& log = log_[change["realm"].as_string()];
    for (const Logged& other : log) {
      const bool is_theirs = other.client != client && other.base.has_value() &&
                             other.revision > from && other.revision <= to &&
                             other.objects.contains(object);
      if (!is_theirs) continue;
      const bool is_unseen = std::any_of(log.begin(), log.end(), [&](const Logged& own) {
        return own.client == client && own.revision > *other.base && own.revision < other.revision;
      });
      const Data& over = change["over"];
      if (is_unseen && (over.is_null() || over.as_u64() > *other.base))
        return Fail("16 told: `over` is not " + std::to_string(*other.base) + " in " +
                    WriteJson(change));
    }
  }

  bool WasOverwritten(const std::string& action) const {
    for (const auto& [realm, log] : log_) {
      for (const Logged& own : log) {
        if (!own.actions.contains(action)) continue;
        const bool is_unseen = std::any_of(log.begin(), log.end(), [&](const Logged& other) {
          return other.client != own.client && other.base.has_value() &&
                 other.revision > own.revision && *other.base < own.revision;
        });
        if (is_unseen) return true;
      }
    }
    return false;
  }

  std::map<std::string, Data> pushed_;         // the updates of the present commit, by id
  std::map<std::string, uint64_t> known_;      // the revision up to which log_ is made, by realm
  std::map<std::string, Vector<Logged>> log_;  // by realm
  std::set<size_t> copied_;
  bool is_restored_ = false;
};

}  // namespace

std::unique_ptr<Check> MakeOverwrittenCheck(World* world) {
  return std::make_unique<OverwrittenCheck>(world);
}

}  // namespace skerry::sim
