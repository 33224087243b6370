// 4 convergence: at every step base of each realm equals the server's rows in scope at its cursor:
// folded here from the records alone, whenever one is written, and compared with the naive server's
// state at that revision. Every window's base is the fold up to the window's n. When all is quiet,
// every window's view equals the server's rows in scope, times included, and so does what a window
// shows that starts cold.
#include "log/codec.h"
#include "test/core/log/row_map.h"
#include "test/core/model_check/base_check.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

using test::RowMap;

class ConvergenceCheck final : public Check {
 public:
  using Check::Check;

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    for (const Data& write : writes.items()) {
      if (write["store"].as_string() != "updates" || write.Find("put") == nullptr) continue;
      Enter(host.profile(), write["put"]);
    }
    const Data sync = host.profile().storage.Get("sync", "sync");
    if (!sync.is_object()) return;
    const RowMap& base = folds_[host.profile().index][sync["n"].as_u64()];
    const String problem =
        test::BaseProblem({host.profile().scopes, sync, base}, world_->checks().naive());
    if (!problem.empty()) Fail("4 convergence: " + problem);
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override {
    Folds& folds = folds_[profile.index];
    folds.erase(folds.upper_bound(NOf(profile)), folds.end());
  }

  void Copied(const Profile& profile, const Profile& of) override {
    Folds folds = folds_[of.index];
    folds.erase(folds.upper_bound(NOf(profile)), folds.end());
    folds_[profile.index] = std::move(folds);
  }

  void Moment() override {
    for (const auto& profile : world_->profiles()) {
      for (const auto& tab : profile->tabs) {
        if (tab->window->ready()) CompareBase(*profile, *tab->window);
      }
    }
  }

  void End() override {
    for (const auto& profile : world_->profiles()) {
      const test::naive::Rows wanted = InScope(*profile);
      for (const auto& tab : profile->tabs) {
        if (tab->window->Visible() != wanted)
          return Fail("4 convergence: window " + tab->id + " shows something else than the server");
      }
    }
  }

 private:
  using Folds = std::map<uint64_t, RowMap>;  // by n

  static uint64_t NOf(const Profile& profile) {
    return profile.storage.Get("sync", "sync")["n"].as_u64();
  }

  void Enter(const Profile& profile, const Data& record) {
    const uint64_t n = record["n"].as_u64();
    Folds& folds = folds_[profile.index];
    RowMap base = folds[n - 1];
    test::TouchedKeys touched;
    const auto steps = DecodeSteps(test::CheckSchema(), record["body"].as_bytes());
    if (!steps.ok() || !ApplySteps(test::CheckSchema(), steps.value(), &base, &touched).ok())
      return Fail("4 convergence: a record that cannot be read");
    if (n > 1 && folds.contains(n)) return Fail("4 convergence: a second record n = " + ToText(n));
    folds[n] = std::move(base);
  }

  void CompareBase(const Profile& profile, WindowHost& window) {
    const uint64_t n = window.client().tab().mirror().n();
    const auto fold = folds_[profile.index].find(n);
    if (fold == folds_[profile.index].end()) return;
    size_t held = 0;
    for (const TableDef& table : window.client().schema().tables()) {
      for (const auto& [id, realm] : window.client().view().BaseKeys(table.index)) {
        const ObjectKey key{table.index, id};
        const std::optional<Row> row = fold->second.GetBase(realm, key);
        ++held;
        if (!row || *row != *window.client().view().GetBase(realm, key))
          return Fail("4 convergence: base of window " + window.tab() + " is wrong at " + id);
      }
    }
    if (held != fold->second.rows.size())
      Fail("4 convergence: base of window " + window.tab() + " lacks rows at n = " + ToText(n));
  }

  test::naive::Rows InScope(const Profile& profile) const {
    test::naive::Rows rows;
    for (const auto& [key, row] : world_->checks().naive().rows()) {
      for (const test::CheckScope& scope : profile.scopes) {
        if (test::naive::TableOf(key) == scope.table && scope.holds(key, row)) rows[key] = row;
      }
    }
    return rows;
  }

  std::map<size_t, Folds> folds_;  // by profile
};

}  // namespace

std::unique_ptr<Check> MakeConvergenceCheck(World* world) {
  return std::make_unique<ConvergenceCheck>(world);
}

}  // namespace skerry::sim
