// 1 durable: a mutation whose `durable` has resolved is from then on pending, confirmed, or in the
// conflict inbox. A withdrawn mutation (its `durable` failed) is never confirmed. Four exceptions
// are no loss: mutations that only leave a realm, mutations that the user discarded, mutations that
// only the lost part of a restored server's log had, and mutations that a profile lost when an
// older copy replaced it.
#include <algorithm>
#include <map>
#include <set>

#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

// The actions that storage holds, pending or in the inbox. A part of an action is not the action: the
// rest is pending, or in the log, and a retry of the part is an action of its own.
std::set<std::string> Held(const Profile& profile) {
  std::set<std::string> held;
  auto& storage = const_cast<sync_test::FakeStorage&>(profile.storage);
  for (const auto& [key, record] : storage.store("mutations"))
    held.insert(record["id"].as_string());
  for (const auto& [key, entry] : storage.store("conflicts")) {
    if (entry["part"].as_bool()) continue;
    held.insert(entry["mutation"]["id"].as_string());
  }
  return held;
}

// Those whose updates were pushed once more, because no pull had their realm.
std::set<std::string> AskedAgain(const Profile& profile) {
  std::set<std::string> asked;
  auto& storage = const_cast<sync_test::FakeStorage&>(profile.storage);
  for (const auto& [key, update] : storage.store("outbox")) {
    if (!update["checked"].as_bool()) continue;
    for (const Data& mutation : update["mutations"].items())
      asked.insert(mutation["id"].as_string());
  }
  return asked;
}

class DurableCheck final : public Check {
 public:
  using Check::Check;

  // If the user is not a member any more, the wish to leave has come true.
  void Made(const MadeMutation& made) override {
    if (made.only_leaves) excused_.insert(made.action);
  }

  void Settled(WindowHost& /*window*/, const std::string& action, const std::string& stage,
               const std::string& code) override {
    if (stage != "durable") return;
    if (code.empty()) {
      durable_.insert(action);
    } else {
      withdrawn_.insert(action);
    }
  }

  // An undo of what is not in the log does nothing, and is no action of the log itself.
  void Committed(const CommittedPush& push) override {
    for (size_t i = 0; i < push.results.size(); ++i) {
      if (!push.results[i]["status"].Is("applied")) continue;
      vain_.merge(VainActions(push.body["updates"].items()[i], push.results[i]));
    }
  }

  void Restored(const Profile& profile, const Profile& before) override {
    const std::set<std::string> kept = Held(profile);
    for (const std::string& action : Held(before)) {
      if (!kept.contains(action)) excused_.insert(action);
    }
  }

  // A mutation that only the lost part of the log had is not in the log again, if its client has seen
  // it confirmed and removed it: its rows are (given_back.cc), and what it appended (appended.cc). A mutation that the client still
  // holds is pending again, unless it is about to be removed, because no pull has its realm and the
  // lost log had it when it was asked once more.
  void ServerRestored(const Database& before) override {
    std::set<std::string> held, asked;
    for (const auto& profile : world_->profiles()) {
      held.merge(Held(*profile));
      asked.merge(AskedAgain(*profile));
    }
    for (const auto& [action, realms] : before.actions()) {
      if (world_->network().database().HasAction(action)) continue;
      if (!held.contains(action) || asked.contains(action)) {
        excused_.insert(action);
        continue;
      }
      durable_.insert(action);
      for (const Data& place : realms) again_[action].insert(place["realm"].as_string());
    }
  }

  // An answer that was on its way when the server was restored still confirms lost mutations. So
  // does one that revokes a realm of theirs: they cannot be pushed again.
  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (again_.empty()) return;
    for (const Data& write : writes.items()) {
      if (!write["store"].Is("updates")) continue;
      const bool is_late =
          !world_->checks().IsInHistory(host.profile().storage.Get("sync", "sync")["cursors"]);
      for (const Data& item : write["put"]["confirmed"].items()) {
        const std::string& action = item["id"].as_string();
        const auto again = again_.find(action);
        if (again == again_.end()) continue;
        if (is_late || !MayRead(host.profile(), again->second)) excused_.insert(action);
      }
    }
  }

  void Resolved(const std::string& action, bool retry, const std::string& /*code*/) override {
    if (!retry) excused_.insert(action);
  }

  void Moment() override {
    std::set<std::string> held;
    for (const auto& profile : world_->profiles()) held.merge(Held(*profile));
    const Database& database = world_->network().database();
    for (const std::string& action : durable_) {
      const bool there =
          held.contains(action) || database.HasAction(action) || vain_.contains(action);
      if (!there && !excused_.contains(action)) return Fail("1 durable: " + action + " is lost");
    }
    for (const std::string& action : withdrawn_) {
      if (held.contains(action) || database.HasAction(action))
        return Fail("1 durable: " + action + " was withdrawn, and is there all the same");
    }
    // A mutation in the log stays in the log: it need not be checked again.
    std::erase_if(durable_, [&](const std::string& action) { return database.HasAction(action); });
  }

 private:
  bool MayRead(const Profile& profile, const std::set<std::string>& realms) {
    Network& network = world_->network();
    const auto readable = network.database().ReadableBy(network.CallerOf(profile));
    return std::all_of(realms.begin(), realms.end(),
                       [&](const std::string& realm) { return readable.contains(realm); });
  }

  std::set<std::string> durable_, withdrawn_, excused_;
  std::map<std::string, std::set<std::string>>
      again_;  // lost by the server, held by a client: realms
  std::set<std::string> vain_;
};

}  // namespace

std::unique_ptr<Check> MakeDurableCheck(World* world) {
  return std::make_unique<DurableCheck>(world);
}

}  // namespace skerry::sim
