// 16 told: a change that did not come into effect is in the inbox, once. Here of edits of objects that
// others have deleted, or moved out of sight: the server applies the rest of the update, and names
// these ops (`missing`; the naive server says of each push whether it names the right ones: once.cc).
// Nothing is asked of profiles that were replaced by an older copy, or made from one, nor of actions
// that are known to be in the log under another update. Of an object that the profile deletes later
// there may be no entry.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "log/codec.h"
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
      sent_.emplace(update["id"].as_string(), worker.profile().index);
  }

  void Committed(const CommittedPush& push) override {
    for (size_t i = 0; i < push.results.size(); ++i) {
      if (!push.results[i]["status"].Is("applied")) continue;
      const Data& update = push.body["updates"].items()[i];
      const auto sent = sent_.find(update["id"].as_string());
      if (sent == sent_.end()) continue;
      for (const Data& place : push.results[i]["missing"].items()) {
        const Data::Array& ops = update["ops"].items();
        const Data& op = ops[place.as_u64()];
        if (IsDeletedAfter(ops, place.as_u64())) continue;
        const auto expect = [&](uint64_t by) {
          const std::string action = update["actions"].items()[by]["id"].as_string();
          expected_.insert({sent->second, action, ObjectOf(op)});
        };
        if (op["by"].is_null()) expect(0);
        for (const Data& by : op["by"].items()) expect(by.as_u64());
        world_->Count("an edit of an object that is gone");
      }
    }
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    for (const Data& write : writes.items()) {
      const Data& known = write["put"]["known"];
      if (write["store"].Is("mutations") && known.is_object())
        known_.insert(write["put"]["id"].as_string());
      if (write["store"].Is("mutations") && write["add"].is_object()) Made(host, write["add"]);
      const Data& entry = write["add"];
      // An action's ops on an object have one entry: what else became of them may be its reason.
      const bool tells = entry["code"].Is("row_deleted") || entry["code"].Is("parent_deleted");
      if (!write["store"].Is("conflicts") || !tells) continue;
      const std::string action = entry["mutation"]["id"].as_string();
      const std::string object = ObjectOf(entry);
      const size_t profile = host.profile().index;
      told_.insert({profile, action, object});
      // Tables with ids of their own may have it in several realms.
      if (!entries_.insert({profile, action, object + RealmOf(host, entry)}).second &&
          !copied_.contains(profile))
        Fail("16 told: twice of " + action + " on " + object);
    }
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override {
    copied_.insert(profile.index);
  }
  void Copied(const Profile& profile, const Profile& of) override {
    copied_.insert(profile.index);
    copied_.insert(of.index);
  }
  // What it has lost is pushed again, and has another outcome.
  void ServerRestored(const Database& /*before*/) override {
    expected_.clear();
    is_restored_ = true;
  }

  void End() override {
    for (const Lost& lost : expected_) {
      const auto& [profile, action, object] = lost;
      const auto deleted = deleted_.find({profile, object});
      if (deleted != deleted_.end() && deleted->second > made_[action]) continue;
      if (copied_.contains(profile) || known_.contains(action) || told_.contains(lost)) continue;
      return Fail("16 told: nothing of " + action + " on " + object + " in the inbox");
    }
  }

 private:
  using Lost = std::tuple<size_t, std::string, std::string>;  // profile, action, object

  static std::string RealmOf(Host& host, const Data& entry) {
    const auto part = DecodeMutation(host.schema(), entry["mutation"]["body"].as_bytes());
    return part.ok() && !part.value().ops.empty() ? " in " + part.value().ops[0].realm : "";
  }

  void Made(Host& host, const Data& mutation) {
    const std::string& action = mutation["id"].as_string();
    const auto [made, is_new] = made_.try_emplace(action, made_.size());
    const size_t order = made->second;
    // A window stores it once more, without what was noted in it, if the window was frozen before it
    // knew that it had. Only a restored server may then say again what has become of it.
    if (!is_new && is_restored_)
      std::erase_if(entries_, [&](const Lost& told) { return std::get<1>(told) == action; });
    const auto decoded = DecodeMutation(host.schema(), mutation["body"].as_bytes());
    if (!decoded.ok()) return;
    for (const Op& op : decoded.value().ops) {
      if (!op.Has(kDeletes)) continue;
      size_t& last =
          deleted_[{host.profile().index, host.schema().table(op.table).name + "/" + op.id}];
      last = std::max(last, order);
    }
  }

  // Of an op, or of an entry of the inbox.
  static std::string ObjectOf(const Data& of) {
    return of["table"].as_string() + "/" + of["id"].as_string();
  }

  static bool IsDeletedAfter(const Data::Array& ops, size_t place) {
    for (size_t i = place + 1; i < ops.size(); ++i) {
      if (ops[i]["op"].Is("delete") && ops[i]["table"] == ops[place]["table"] &&
          ops[i]["id"] == ops[place]["id"])
        return true;
    }
    return false;
  }

  std::map<std::string, size_t> sent_;                        // update -> its profile
  std::map<std::string, size_t> made_;                        // action -> its place among all
  std::map<std::pair<size_t, std::string>, size_t> deleted_;  // by profile and object: the last one
  std::set<Lost> expected_;
  std::set<Lost> told_;
  std::set<Lost> entries_;       // with the object's realm
  std::set<std::string> known_;  // actions
  std::set<size_t> copied_;      // profiles
  bool is_restored_ = false;
};

}  // namespace

std::unique_ptr<Check> MakeToldCheck(World* world) { return std::make_unique<ToldCheck>(world); }

}  // namespace skerry::sim
