// What a client has of a history that the server has lost is there again when all is quiet, if its user may write there: each row,
// in the latest state that a client had (docs/design.md, "Another history"); unless somebody has changed or deleted it since the server
// was restored, or the server has refused it. Nothing is asked of profiles that were replaced by an older copy, or made from one, or
// whose images could not be read; nor of a realm that the client reads from its start for another reason: nothing then shows it that
// the log is another one.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "authority/placed_key.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/folds.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class GivenBackCheck final : public Check {
 public:
  using Check::Check;

  void ServerRestored(const Database& before) override {
    held_.clear();
    settled_.clear();
    seen_.clear();
    for (const auto& [realm, head] : world_->network().database().heads()) seen_[realm] = head.head;
    for (const auto& profile : world_->profiles()) Expect(*profile, before);
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override { Forget(profile); }
  void Copied(const Profile& profile, const Profile& of) override {
    Forget(profile);
    Forget(of);
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (GivesUpImages(writes)) ExcuseAll(host.profile());
  }

  void Pulling(const Profile& profile, const Data& request) override {
    Excuse([&](const Place& place, const Holder& holder) {
      const bool is_reading_again =
          !request["cursors"].Find(place.realm) && !profile.KnowsAsLost(place.realm);
      return holder.profile == profile.index &&
             (is_reading_again || !Wants(request["scopes"], place.table));
    });
  }

  void TakenBack(const sim::TakenBack& taken) override {
    const Data::Array& ops = taken.body["ops"].items();
    for (const Data& refused : taken.done["offers"]["refused"].items()) {
      const Data& op = ops[refused["op"].as_u64()];
      settled_.insert({op["table"].as_string(), op["id"].as_string(), op["realm"].as_string()});
    }
  }

  // Entries that have changed rows, and do not give them back.
  void CommittedAll(const Database& database) override {
    if (held_.empty()) return;
    for (const auto& [realm, head] : database.heads()) {
      for (const Data& change : database.changes(realm)) {
        const bool is_new = change["revision"].as_u64() > seen_[realm];
        if (is_new && change["offered"].is_null() && !change["touch"].as_bool())
          settled_.insert({change["table"].as_string(), change["id"].as_string(), realm});
      }
      seen_[realm] = head.head;
    }
  }

  void End() override {
    for (const auto& [place, holders] : held_) {
      if (settled_.contains(place)) continue;
      const Holder* latest = nullptr;
      for (const Holder& holder : holders) {
        const bool is_later = latest == nullptr || holder.row.modified_at > latest->row.modified_at;
        if (is_later && IsEntitled(holder, place)) latest = &holder;
      }
      if (latest == nullptr) continue;
      const Row* now = FindRow(latest->release, place);
      const bool is_there = now != nullptr && std::ranges::any_of(holders, [&](const Holder& one) {
                              return one.row.modified_at >= latest->row.modified_at &&
                                     one.release == latest->release && one.row.props == now->props;
                            });
      if (!is_there) {
        return Fail("another history: " + place.id + " of " + place.realm +
                    (now == nullptr ? " is lost" : " is in an earlier state") + ", which profile " +
                    std::to_string(uint64_t{latest->profile}) + " had");
      }
      world_->Count("another history: a lost row is there again");
    }
  }

 private:
  struct Place {
    std::string table, id, realm;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Holder {
    size_t profile;
    Release release;
    ObjectKey key;
    Row row;
    bool is_excused = false;
  };

  // The application may have dropped the scope meanwhile, and with it the rows.
  static bool Wants(const Data& scopes, const std::string& table) {
    return std::ranges::any_of(scopes.items(),
                               [&](const Data& scope) { return scope["table"] == Data(table); });
  }

  void Expect(const Profile& profile, const Database& before) {
    const Database& now = world_->network().database();
    const Data sync = profile.storage.Get("sync", "sync");
    if (copied_.contains(profile.index) || !sync.is_object() || !sync["refill"].items().empty())
      return;
    const Schema& schema = SchemaOf(profile.release);
    const test::RowMap& base = world_->checks().folds().Now(profile, profile.release);
    for (const auto& [at, row] : base.rows) {
      const auto& [key, realm] = at;
      const Data* cursor = sync["cursors"].Find(realm);
      if (key.table == schema.members() || cursor == nullptr) continue;
      const uint64_t common = now.CommonOf(realm, cursor->as_string());
      // The server takes nothing of a realm that the backup lacks, or whose log it has forgotten since.
      if (common == 0 || common < now.heads().at(realm).floor || row.revision <= common) continue;
      const std::string table(schema.table(key.table).name);
      const Row* lost = RowIn(before.rows(), now.columns().FindTable(table), key.id, realm);
      if (lost == nullptr) continue;  // it was deleted, or moved
      held_[{table, key.id, realm}].push_back({profile.index, profile.release, key, row});
    }
  }

  template <typename Predicate>
  void Excuse(Predicate predicate) {
    for (auto& [place, holders] : held_) {
      for (Holder& holder : holders) holder.is_excused |= predicate(place, holder);
    }
  }

  void Forget(const Profile& profile) {
    copied_.insert(profile.index);
    ExcuseAll(profile);
  }

  void ExcuseAll(const Profile& profile) {
    Excuse([&](const Place&, const Holder& holder) { return holder.profile == profile.index; });
  }

  // Its user may still write there, and wants the row.
  bool IsEntitled(const Holder& holder, const Place& place) const {
    if (holder.is_excused) return false;
    const Profile& profile = *world_->profiles()[holder.profile];
    const auto rights =
        world_->network().database().ReadableBy(world_->network().CallerOf(profile));
    const auto right = rights.find(place.realm);
    if (right == rights.end() || right->second == "read") return false;
    const Schema& schema = SchemaOf(holder.release);
    const test::naive::Key key = test::KeyOf(holder.key, holder.row.realm, schema);
    const test::naive::Row row = test::NaiveRowOf(holder.key, holder.row, schema);
    return std::ranges::any_of(profile.scopes, [&](const test::CheckScope& scope) {
      return scope.table == test::naive::TableOf(key) && scope.holds(key, row);
    });
  }

  static const Row* RowIn(const Database::Rows& rows, TableIndex table, const std::string& id,
                          const std::string& realm) {
    const auto found = rows.find({realm, {table, id}});
    return found == rows.end() || found->second.deleted_at ? nullptr : &found->second.row;
  }

  const Row* FindRow(Release release, const Place& place) {
    const Schema& schema = SchemaOf(release);
    return RowIn(world_->network().database().RowsOf(schema, &space_),
                 schema.FindTable(place.table), place.id, place.realm);
  }

  std::map<Place, Vector<Holder>> held_;  // what the lost history had
  std::set<Place> settled_;               // since the restore: refused, or changed
  std::map<std::string, uint64_t> seen_;  // heads
  std::set<size_t> copied_;
  Database::Rows space_;
};

}  // namespace

std::unique_ptr<Check> MakeGivenBackCheck(World* world) {
  return std::make_unique<GivenBackCheck>(world);
}

}  // namespace skerry::sim
