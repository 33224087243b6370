// What a client has appended to streams, and a restored server has lost, is there again when all is quiet, or in the inbox of
// its user: as long as the client keeps it (sync/own_changes.h), and the user may write in the realm. Nothing is asked
// of profiles that were replaced by an older copy, or made from one, nor of a realm that the client reads from its start
// for another reason: nothing then shows it that the log is another one.
#include <map>
#include <set>
#include <string>
#include <utility>

#include "log/codec.h"
#include "log/own_record.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class AppendedCheck final : public Check {
 public:
  using Check::Check;

  void ServerRestored(const Database& before) override {
    for (const auto& profile : world_->profiles()) {
      auto& storage = const_cast<sync_test::FakeStorage&>(profile->storage);
      for (const auto& [key, stored] : storage.store("own")) Expect(*profile, stored, before);
    }
  }

  // An entry that the user has settled.
  void Resolved(const std::string& action, bool /*retry*/, const std::string& /*code*/) override {
    std::erase_if(expected_, [&](const auto& item) { return item.first.first == action; });
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override { Forget(profile); }
  void Copied(const Profile& profile, const Profile& of) override {
    Forget(profile);
    Forget(of);
  }

  void Pulling(const Profile& profile, const Data& request) override {
    std::erase_if(expected_, [&](const auto& item) {
      const std::string& realm = item.first.second;
      return item.second == profile.index && !request["cursors"].Find(realm) &&
             !profile.KnowsAsLost(realm);
    });
  }

  void End() override {
    const Database& now = world_->network().database();
    for (const auto& [lost, index] : expected_) {
      const auto& [action, realm] = lost;
      const Profile& profile = *world_->profiles()[index];
      const auto rights = now.ReadableBy(world_->network().CallerOf(profile));
      const auto right = rights.find(realm);
      if (IsThere(now, action, realm)) {
        world_->Count("another history: an action is appended again");
        continue;
      }
      if (IsInInbox(profile, action)) {
        world_->Count("another history: a lost action is in the inbox");
        continue;
      }
      if (right == rights.end() || right->second == "read") continue;
      return Fail("streams: " + action + " in " + realm + " of profile " +
                  std::to_string(uint64_t{index}) + " is lost");
    }
  }

 private:
  using Lost = std::pair<std::string, std::string>;  // action, realm

  static bool IsThere(const Database& database, const std::string& action,
                      const std::string& realm) {
    const auto found = database.actions().find(action);
    if (found == database.actions().end()) return false;
    for (const Data& place : found->second) {
      if (place["realm"].as_string() == realm) return true;
    }
    return false;
  }

  static bool IsInInbox(const Profile& profile, const std::string& action) {
    auto& storage = const_cast<sync_test::FakeStorage&>(profile.storage);
    for (const auto& [key, entry] : storage.store("conflicts")) {
      if (entry["mutation"]["id"].as_string() == action) return true;
    }
    return false;
  }

  void Expect(const Profile& profile, const Data& stored, const Database& before) {
    if (copied_.contains(profile.index)) return;
    const OwnRecord record = OwnRecord::Read(stored);
    Schema names = Schema::OfNames({});
    const Result<Mutation> read =
        DecodeMutationAsItIs(SchemaOf(profile.release), record.body, &names);
    if (!read.ok()) return;
    for (const Op& op : read.value().ops) {
      // An undo does nothing where what it undoes is not there.
      if (!op.Has(kOnStream) || !op.of.empty() || !record.revisions.contains(op.realm)) continue;
      const bool is_lost = IsThere(before, record.id, op.realm) &&
                           !IsThere(world_->network().database(), record.id, op.realm);
      if (is_lost) expected_[{record.id, op.realm}] = profile.index;
    }
  }

  void Forget(const Profile& profile) {
    copied_.insert(profile.index);
    std::erase_if(expected_, [&](const auto& item) { return item.second == profile.index; });
  }

  std::map<Lost, size_t> expected_;  // the profile that keeps it
  std::set<size_t> copied_;
};

}  // namespace

std::unique_ptr<Check> MakeAppendedCheck(World* world) {
  return std::make_unique<AppendedCheck>(world);
}

}  // namespace skerry::sim
