// 16 told: a change that did not come into effect is in the inbox, once. Here of edits of objects that
// others have deleted, or moved out of sight: the server applies the rest of the update, and names
// these ops (`missing`; the naive server says of each push whether it names the right ones: once.cc).
// Nothing is asked of profiles that were replaced by an older copy, or made from one, nor of actions
// that are known to be in the log under another update.
#include <map>
#include <set>
#include <tuple>

#include "test/sim/checks.h"
#include "test/sim/host.h"
#include "test/sim/worker_host.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class ToldCheck final : public Check {
 public:
  using Check::Check;

  void Sending(WorkerHost& worker, const Data& push) override {
    for (const Data& update : push["updates"].items())
      sender_[update["id"].as_string()] = worker.profile().index;
  }

  void Committed(const CommittedPush& push) override {
    for (size_t i = 0; i < push.results.size(); ++i) {
      if (!push.results[i]["status"].Is("applied")) continue;
      const Data& update = push.body["updates"].items()[i];
      const auto sender = sender_.find(update["id"].as_string());
      if (sender == sender_.end()) continue;
      for (const Data& place : push.results[i]["missing"].items()) {
        const Data::Array& ops = update["ops"].items();
        const Data& op = ops[place.as_u64()];
        if (IsDeletedAfter(ops, place.as_u64())) continue;
        const uint64_t by = op["by"].is_null() ? 0 : op["by"].items()[0].as_u64();
        expected_.insert({sender->second, update["actions"].items()[by]["id"].as_string(),
                          op["table"].as_string() + "/" + op["id"].as_string()});
        world_->Count("an edit of an object that is gone");
      }
    }
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    for (const Data& write : writes.items()) {
      const Data& known = write["put"]["known"];
      if (write["store"].Is("mutations") && known.is_object())
        known_.insert(write["put"]["id"].as_string());
      const Data& entry = write["add"];
      if (!write["store"].Is("conflicts") || !entry["code"].Is("row_deleted")) continue;
      const Lost lost{host.profile().index, entry["mutation"]["id"].as_string(),
                      entry["table"].as_string() + "/" + entry["id"].as_string()};
      // An update may hold several ops on one object; each has its entry, all of them at once.
      const auto [seen, is_new] = told_.try_emplace(lost, &writes);
      if (!is_new && seen->second != &writes && !copied_.contains(host.profile().index))
        Fail("16 told: twice of " + std::get<1>(lost) + " on " + std::get<2>(lost));
    }
    for (auto& [lost, in] : told_) in = nullptr;
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override {
    copied_.insert(profile.index);
  }
  void Copied(const Profile& profile, const Profile& of) override {
    copied_.insert(profile.index);
    copied_.insert(of.index);
  }
  // What it has lost is pushed again, and has another outcome.
  void ServerRestored(const Database& /*before*/) override { expected_.clear(); }

  void End() override {
    for (const Lost& lost : expected_) {
      const auto& [profile, action, object] = lost;
      if (copied_.contains(profile) || known_.contains(action) || told_.contains(lost)) continue;
      return Fail("16 told: nothing of " + action + " on " + object + " in the inbox");
    }
  }

 private:
  using Lost = std::tuple<size_t, std::string, std::string>;  // profile, action, object

  static bool IsDeletedAfter(const Data::Array& ops, size_t place) {
    for (size_t i = place + 1; i < ops.size(); ++i) {
      if (ops[i]["op"].Is("delete") && ops[i]["table"] == ops[place]["table"] &&
          ops[i]["id"] == ops[place]["id"])
        return true;
    }
    return false;
  }

  std::map<std::string, size_t> sender_;  // of updates
  std::set<Lost> expected_;
  std::map<Lost, const Data*> told_;  // and, during a transaction, that it is in it
  std::set<std::string> known_;       // actions
  std::set<size_t> copied_;           // profiles
};

}  // namespace

std::unique_ptr<Check> MakeToldCheck(World* world) { return std::make_unique<ToldCheck>(world); }

}  // namespace skerry::sim
