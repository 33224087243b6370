// Lost realms (docs/design.md, "Signed realms"): a server that is restored from a backup may have
// lost realms of which clients hold the only copies. Until such a realm is founded again, every
// client keeps what it held of it. An owner's client founds it again: when all is quiet, it is
// there. Nothing is asked of profiles that were replaced by an older copy, or made from one, or
// whose images could not be read.
#include <set>

#include "model/members.h"
#include "test/sim/checks.h"
#include "test/sim/folds.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class LostCheck final : public Check {
 public:
  using Check::Check;

  void Committed(const CommittedPush& push) override {
    for (size_t i = 0; i < push.results.size(); ++i) {
      if (!push.results[i]["status"].Is("applied")) continue;
      for (const Data& action : push.body["updates"].items()[i]["actions"].items()) {
        if (action["name"].Is("skerry/found")) world_->Count("a lost realm: founded again");
      }
    }
  }

  void ServerRestored(const Database& before) override {
    const Database& now = world_->network().database();
    CommittedAll(now);
    for (const auto& [realm, head] : before.heads()) {
      if (!IsFoundable(realm) || head.head == 0 || now.heads().at(realm).head > 0) continue;
      for (const auto& profile : world_->profiles()) {
        // Who was removed, or has left, may be about to hear of it.
        const bool is_member = before.ReadableBy({profile->user, {}}).contains(realm);
        if (is_member && !copied_.contains(profile->index) && Holds(*profile, realm))
          holders_[realm].insert(profile->index);
      }
    }
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (GivesUpImages(writes)) Forget(host.profile());
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override { Forget(profile); }
  void Copied(const Profile& profile, const Profile& of) override {
    Forget(profile);
    Forget(of);
  }

  void CommittedAll(const Database& database) override {
    std::erase_if(holders_,
                  [&](const auto& item) { return database.heads().at(item.first).head > 0; });
  }

  void Moment() override {
    for (const auto& [realm, holders] : holders_) {
      for (const size_t index : holders) {
        if (!Holds(*world_->profiles()[index], realm))
          return Fail("lost realms: profile " + std::to_string(uint64_t{index}) + " has dropped " +
                      realm);
      }
    }
  }

  void End() override {
    for (const auto& [realm, holders] : holders_) {
      for (const size_t index : holders) {
        if (IsOwned(*world_->profiles()[index], realm))
          return Fail("lost realms: an owner has not founded " + realm + " again");
      }
    }
  }

 private:
  void Forget(const Profile& profile) {
    copied_.insert(profile.index);
    for (auto& [realm, holders] : holders_) holders.erase(profile.index);
  }

  // The user's own membership of the realm, as the profile's records have it; null: none.
  const Row* OwnMembership(const Profile& profile, const std::string& realm) {
    const test::RowMap& base = world_->checks().folds().Now(profile, profile.release);
    const ObjectKey key{SchemaOf(profile.release).members(), MembershipId(realm, profile.user)};
    const auto row = base.rows.find({key, realm});
    return row == base.rows.end() ? nullptr : &row->second;
  }

  bool Holds(const Profile& profile, const std::string& realm) {
    return OwnMembership(profile, realm) != nullptr;
  }

  bool IsOwned(const Profile& profile, const std::string& realm) {
    const Row* own = OwnMembership(profile, realm);
    return own != nullptr && RoleOf(own->props[kMemberRole]) == MemberRole::kOwner;
  }

  std::map<std::string, std::set<size_t>> holders_;  // of lost realms: profiles
  std::set<size_t> copied_;
};

}  // namespace

std::unique_ptr<Check> MakeLostCheck(World* world) { return std::make_unique<LostCheck>(world); }

}  // namespace skerry::sim
