// 4 convergence: at every step the base of each realm equals the server's rows in scope at its
// cursor. Whenever a record is written, the base is folded here from the records alone, and
// compared with the naive server's state at that revision. Every window's base is the fold up to
// the window's n. When all is quiet, the view of every window, also of one that starts cold, equals
// the server's rows in scope, times included.
#include <algorithm>

#include "log/sync_record.h"
#include "sync/records.h"
#include "test/core/log/row_map.h"
#include "test/core/model_check/base_check.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/folds.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

using test::RowMap;

class ConvergenceCheck final : public Check {
 public:
  using Check::Check;

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (!ChangesBase(writes)) return;
    const Profile& profile = host.profile();
    const Data sync = profile.storage.Get("sync", "sync");
    // Cursors of a history that the server has lost cannot be compared with its present one.
    if (!sync.is_object() || !world_->checks().IsInHistory(sync["cursors"])) return;
    // Nor can they be compared while everything is loaded again: old rows stay until the answer.
    if (!sync["refill"].items().empty()) return;
    // Nor if an older release has left out parts that this release would have kept.
    const SyncRecord record = SyncRecord::Read(sync);
    const bool lacks = record.lacks.has_value() && IsFromNewerVersion(host.schema(), record);
    if (lacks || MustReadAgain(host.schema(), record) ||
        !world_->checks().IsCorrected(sync["cursors"]))
      return;
    const RowMap& base = world_->checks().folds().Now(profile, host.release());
    // The record names scopes as the newest release does that has opened the database.
    const Release named = ReleaseOf(world_->has_releases(), record.schema);
    const std::string problem = test::BaseProblem(
        {profile.ScopesOf(named), sync, base, &host.schema(), KnownTo(host.release())},
        world_->checks().naive());
    if (!problem.empty()) Fail("4 convergence: " + problem);
  }

  void Moment() override {
    for (const auto& profile : world_->profiles()) {
      // While everything is loaded again, a window that starts without an image begins empty, and
      // the other windows keep their rows.
      if (!profile->storage.Get("sync", "sync")["refill"].items().empty()) continue;
      for (const auto& tab : profile->tabs) {
        if (tab->window->ready()) CompareBase(*profile, *tab->window);
      }
    }
  }

  void End() override {
    for (const auto& profile : world_->profiles()) {
      const Profile::Waiting waiting = profile->WaitingForRealms();
      const test::naive::Rows rows = Comparable(InScope(*profile), waiting);
      for (const auto& tab : profile->tabs) {
        const KnownRows known = KnownTo(tab->window->release());
        const test::naive::Rows shown = Comparable(tab->window->Visible(), waiting);
        const std::string problem =
            known == nullptr ? Differ(shown, rows) : Differ(known(shown), known(rows));
        if (!problem.empty())
          return Fail("4 convergence: window " + tab->id + " shows something else than the server" +
                      problem);
      }
    }
  }

 private:
  // Without the rows of realms that the server has lost for this profile, or in which mutations
  // wait.
  static test::naive::Rows Comparable(test::naive::Rows rows, const Profile::Waiting& waiting) {
    std::erase_if(rows, [&](const auto& item) {
      const std::string& realm = item.second.realm;
      return waiting.realms.contains(realm) || waiting.touched.contains(realm);
    });
    return rows;
  }

  static std::string Differ(const test::naive::Rows& shown, const test::naive::Rows& wanted) {
    if (shown == wanted) return {};
    for (const auto& [key, row] : wanted) {
      const auto found = shown.find(key);
      if (found == shown.end()) return ": " + key + " is missing";
      if (found->second != row) return ": " + key + test::DifferenceOf(found->second, row);
    }
    return ": there is more";
  }

  static bool ChangesBase(const Data& writes) {
    for (const Data& write : writes.items()) {
      const std::string& store = write["store"].as_string();
      if (store == "updates" || (store == "sync" && write["key"].Is("sync"))) return true;
    }
    return false;
  }

  void CompareBase(const Profile& profile, WindowHost& window) {
    const uint64_t n = window.client().tab().mirror().n();
    const Release release = window.release();
    const RowMap* const fold = world_->checks().folds().RowsAt(profile, release, n);
    if (fold == nullptr) return;
    size_t held = 0;
    for (const TableDef& table : window.client().schema().tables()) {
      for (const auto& [id, realm] : window.client().view().BaseKeys(table.index)) {
        const ObjectKey key{table.index, id};
        const std::optional<Row> row = fold->GetBase(realm, key);
        ++held;
        if (!row || WithoutDropped(release, key, *row) !=
                        WithoutDropped(release, key, *window.client().view().GetBase(realm, key)))
          return Fail("4 convergence: base of window " + window.tab() + " is wrong at " + id);
      }
    }
    if (held != fold->rows.size())
      Fail("4 convergence: base of window " + window.tab() +
           " has missing rows at n = " + std::to_string(n));
  }

  test::naive::Rows InScope(const Profile& profile) const {
    return world_->checks().naive().Shown(
        [&](const test::naive::Key& key, const test::naive::Row& row) {
          return std::any_of(
              profile.scopes.begin(), profile.scopes.end(), [&](const test::CheckScope& scope) {
                return test::naive::TableOf(key) == scope.table && scope.holds(key, row);
              });
        },
        world_->checks().RightsOf(profile));
  }
};

}  // namespace

std::unique_ptr<Check> MakeConvergenceCheck(World* world) {
  return std::make_unique<ConvergenceCheck>(world);
}

}  // namespace skerry::sim
