// 5 rebase: a window shows base + pending. A new view that gets the base and then all pending
// mutations, in order, must show the same rows as the window, which derived them step by step.
#include <memory>

#include "client/view.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

class RebaseCheck final : public Check {
 public:
  using Check::Check;

  void Moment() override {
    for (const auto& profile : world_->profiles()) {
      for (const auto& tab : profile->tabs) {
        if (tab->window->ready()) Compare(*tab->window);
      }
    }
  }

 private:
  void Compare(WindowHost& window) {
    const View& view = window.client().view();
    View fresh(&window.client().schema());
    Vector<std::unique_ptr<Pending>> pending;
    for (const TableDef& table : window.client().schema().tables()) {
      for (const auto& [id, realm] : view.BaseKeys(table.index)) {
        const ObjectKey key{table.index, id};
        fresh.PutBase(key, *view.GetBase(realm, key));
        fresh.Touched(realm, key);
      }
    }
    for (const Pending* one : window.client().tab().mirror().pending().InOrder()) {
      pending.push_back(std::make_unique<Pending>(*one));
      fresh.Attach(pending.back().get());
    }
    fresh.Derive();
    if (window.Visible() != RowsOf(fresh))
      Fail("5 rebase: window " + window.tab() + " shows something else than base and pending");
    for (const auto& one : pending) fresh.Detach(one.get());
    fresh.Derive();
  }

  static test::naive::Rows RowsOf(const View& view) {
    test::naive::Rows rows;
    for (const TableDef& table : view.schema().tables()) {
      const RowStore& store = view.rows(table.index);
      for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
        if (!store.IsLive(slot)) continue;
        const ObjectKey key{table.index, store.Id(slot)};
        const Row row = store.Get(slot);
        rows[test::KeyOf(key, row.realm, view.schema())] =
            test::NaiveRowOf(key, row, view.schema());
      }
    }
    return rows;
  }
};

}  // namespace

std::unique_ptr<Check> MakeRebaseCheck(World* world) {
  return std::make_unique<RebaseCheck>(world);
}

}  // namespace skerry::sim
