// 3 order: a client's mutations appear in each realm's log in the order of their keys. A retry from
// the inbox has a new key. Not checked are: profiles that were copied, or restored from a copy,
// because two copies have no common order; profiles in which mutations have waited for a realm that
// the server had lost; runs in which the server was restored; mutations that a worker of the older
// release leaves to one of the newer release; and mutations that a window held back, with later ones
// that name their objects, while others were grouped.
#include <set>

#include "log/codec.h"
#include "model/members.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class OrderCheck final : public Check {
 public:
  using Check::Check;

  void Stored(Host& host, const Data& writes, const Data& keys) override {
    size_t added = 0;
    for (const Data& write : writes.items()) {
      // Mutations wait for a realm that the server has lost, and others overtake them.
      if (write["key"].Is("sync") && !write["put"]["lost"].items().empty())
        excused_.insert(host.profile().index);
      // A newer release writes again what it takes a part out of.
      if (write["store"].Is("mutations") && write["put"].is_object() &&
          MayBeHeld(host, write["put"]))
        again_.insert(write["put"]["id"].as_string());
      if (write["store"].Is("outbox") && world_->Has(Part::kRules)) NoteHeld(host);
      if (write.Find("add") == nullptr) continue;
      const uint64_t key = keys.items()[added++].as_u64();
      if (write["store"].as_string() != "mutations") continue;
      const std::string& action = write["add"]["id"].as_string();
      if (keys_.contains(action) || MayBeHeld(host, write["add"])) again_.insert(action);
      keys_[action] = {host.profile().index, key};
    }
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override {
    excused_.insert(profile.index);
  }
  void Copied(const Profile& profile, const Profile& of) override {
    excused_.insert(profile.index);
    excused_.insert(of.index);
  }

  // A restored server has forgotten updates that it applied or rejected, so late copies of them may
  // be applied in another order.
  void ServerRestored(const Database& /*before*/) override { is_restored_ = true; }

  void End() override {
    if (is_restored_) return;
    for (const std::string& realm : world_->realms()) {
      std::map<size_t, uint64_t> last;
      for (const test::naive::Entry& entry : world_->checks().naive().log(realm)) {
        for (const std::string& action : entry.actions) {
          const auto place = keys_.find(action);
          if (place == keys_.end() || again_.contains(action)) continue;
          const auto [profile, key] = place->second;
          if (excused_.contains(profile)) continue;
          if (key <= last[profile]) return Fail("3 order: " + action + " is too late in " + realm);
          last[profile] = key;
        }
      }
    }
  }

 private:
  // With those that name an object of a held one.
  void NoteHeld(Host& host) {
    std::set<std::string> ids;
    for (const auto& [key, record] : host.profile().storage.store("mutations")) {
      const auto mutation = DecodeMutation(host.schema(), record["body"].as_bytes());
      if (!mutation.ok()) continue;
      const Vector<Op>& ops = mutation.value().ops;
      bool waits = record["held"].as_bool();
      for (const Op& op : ops) {
        waits = waits || ids.contains(op.id);
        for (const PropValue& set : op.set) waits = waits || ids.contains(set.value.text());
      }
      if (!waits) continue;
      again_.insert(record["id"].as_string());
      for (const Op& op : RowOps(ops)) ids.insert(op.id);
    }
  }

  // A worker of the older release leaves unknown mutations to the newer release, and also later
  // mutations of the same objects, and of the realm if it may be founded by one of them.
  bool MayBeHeld(Host& host, const Data& mutation) {
    if (host.release() == Release::kOnly) return false;
    Status left_out;
    const auto decoded =
        DecodeMutation(SchemaOf(Release::kOlder), mutation["body"].as_bytes(), &left_out);
    bool held = !left_out.ok();
    std::set<std::string>& keys = held_[host.profile().index];
    for (const char* names : {"keys", "realms"}) {
      for (const Data& name : mutation[names].items())
        held = held || keys.contains(name.as_string());
    }
    if (!decoded.ok() || held) {
      for (const Data& key : mutation["keys"].items()) keys.insert(key.as_string());
      for (const Data& realm : mutation["realms"].items()) {
        const std::string own = std::string(kMembersTable) + '\0' +
                                MembershipId(realm.as_string(), host.profile().user);
        if (test::ContainsString(mutation["keys"], own)) keys.insert(realm.as_string());
      }
    }
    return !decoded.ok() || held;
  }

  std::map<size_t, std::set<std::string>> held_;             // by profile: keys, and realms
  std::map<std::string, std::pair<size_t, uint64_t>> keys_;  // action: profile, key
  std::set<std::string> again_;
  std::set<size_t> excused_;  // profiles
  bool is_restored_ = false;
};

}  // namespace

std::unique_ptr<Check> MakeOrderCheck(World* world) { return std::make_unique<OrderCheck>(world); }

}  // namespace skerry::sim
