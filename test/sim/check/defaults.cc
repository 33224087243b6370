// Defaults: a required prop with a default is never null, in any window and at any time. When all
// is quiet, every window of either release shows the database's value of it, no matter which
// release wrote the row, and whether the prop was ever written.
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class DefaultsCheck final : public Check {
 public:
  using Check::Check;

  void Moment() override {
    ForEach([](const Profile&, const PlacedKey&, const PropDef&,
               const Value& value) { return !value.is_null(); },
            "shows null");
  }

  void End() override {
    const Database& database = world_->network().database();
    const Schema& columns = database.columns();
    ForEach(
        [&](const Profile& profile, const PlacedKey& key, const PropDef& prop, const Value& value) {
          // The profile keeps what it had of a realm that the server has lost.
          const Profile::Waiting waiting = profile.WaitingForRealms();
          if (waiting.realms.contains(key.realm) || waiting.touched.contains(key.realm))
            return true;
          const auto row = database.rows().find(key);
          const PropIndex column = columns.table(key.object.table).FindProp(prop.name);
          return row != database.rows().end() && row->second.row.props[column] == value;
        },
        "shows another value than the database has");
  }

 private:
  // Checks every required prop with a default, in all rows of all windows. The key is that of the
  // database.
  template <typename Holds>
  void ForEach(const Holds& holds, const char* problem) {
    if (!world_->has_releases()) return;  // then there is no such prop
    const Schema& columns = world_->network().database().columns();
    for (const auto& profile : world_->profiles()) {
      for (const auto& tab : profile->tabs) {
        for (const TableDef& table : tab->window->schema().tables()) {
          const RowStore& store = tab->window->client().view().rows(table.index);
          for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
            if (!store.IsLive(slot)) continue;
            const Row row = store.Get(slot);
            const PlacedKey key{row.realm, {columns.FindTable(table.name), store.Id(slot)}};
            for (PropIndex i = 0; i < table.props.size(); ++i) {
              const PropDef& prop = table.props[i];
              if (DefaultOrNull(prop).is_null() || holds(*profile, key, prop, row.props[i]))
                continue;
              return Fail("defaults: window " + tab->id + " " + problem + ": " +
                          test::KeyOf(key.object, key.realm, columns) + "." + prop.name);
            }
          }
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Check> MakeDefaultsCheck(World* world) {
  return std::make_unique<DefaultsCheck>(world);
}

}  // namespace skerry::sim
