// View: what a window shows. One RowStore per table has the *visible* rows, so queries and indexes
// work on them directly:
//
//   visible = cascade(fold(base, pending ops in order))
//
// - base: the confirmed rows, per (realm, table, id). If an object has two base rows (in the middle
//   of a move), the one with the later modifiedAt is folded upon.
// - fold: each object by itself: its pending ops in the order of their mutations.
// - cascade: what pending ops do to *other* objects: the children that a delete deletes (`cascade`)
//   or whose refs it sets to null (`setNull`), and the masters that a change touches. It is
//   evaluated over the folded rows, after all pending ops, not op by op. So it does not depend on
//   the order of ops, and an incremental result equals one from scratch (docs/design.md,
//   "Invariants", 5).
//
// If the visible row equals the only base row, its store has just that row. For any other object, a
// Shadow keeps the base rows and what else is known. The protocol: any number of base changes
// (BaseRows, TouchedSink) and of Attach, Detach and Reordered; then Derive() once, which derives
// exactly the affected objects again. Nothing in between is shown: a visible row is only written if
// its content differs (no flicker). AppendOp is a fast path for the open transaction: it appends
// after all pending ops, and derives at once.
//
// Costs: Derive folds the ops of the affected objects. If there are cascades, they are evaluated
// over all objects with pending deletes or touches. AppendOp costs its own op and its own cascade.
#ifndef SKERRY_CLIENT_VIEW_H_
#define SKERRY_CLIENT_VIEW_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "client/pending.h"
#include "log/base.h"
#include "log/base_rows.h"
#include "log/image.h"
#include "log/record.h"
#include "log/ref_closure.h"
#include "model/query.h"
#include "model/row_store.h"

namespace skerry {

class ChangedRows;
class LiveQueries;
class StepsWriter;

// Visible objects that have changed. `all`: too many of them, or rows came with an image.
struct ChangedObjects {
  bool all = false;
  Set<ObjectKey> keys;
};

class View final : public BaseRows, public Tables, public TouchedSink, public ImageSink {
 public:
  explicit View(const Schema* schema);  // `schema` outlives it
  ~View() override;
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // `live` is notified before each change of a visible row. It may be null, and must be set before
  // any row is shown.
  void set_live(LiveQueries* live) { live_ = live; }

  RowStore& store(TableIndex table) override { return *stores_[table]; }
  const RowStore& rows(TableIndex table) const { return *stores_[table]; }
  const Schema& schema() const { return *schema_; }
  // Keys are a client's (KeyIn).
  std::optional<Row> Visible(const ObjectKey& key) const;
  // The base row on which pending ops are folded.
  std::optional<Row> Confirmed(const ObjectKey& key) const;
  // The visible row with this id: in `realm`; without one in `first`, or else the only one there
  // is. kNoSlot if there is none. kInvalidArgument if several other realms have it. Realms only matter to
  // tables with ids of their own.
  Result<Slot> Locate(TableIndex table, std::string_view id, std::string_view realm,
                      std::string_view first) const;
  // Whether the object has a pending op, or is changed by the cascade of one.
  bool IsPending(const ObjectKey& key) const;

  // The ids of the mutations with a pending op on the object, in order.
  Vector<std::string> PendingOf(const ObjectKey& key) const;

  // The base rows. If pending ops touch an object, changes of its base rows are shown only at
  // Derive.
  std::optional<Row> GetBase(std::string_view realm, const ObjectKey& key) const override;
  void PutBase(const ObjectKey& key, const Row& row) override;
  void EraseBase(std::string_view realm, const ObjectKey& key) override;
  Vector<std::pair<std::string, std::string>> BaseKeys(TableIndex table) const override;
  void Touched(std::string_view realm, const ObjectKey& key) override;
  RowStore* ImageStore(TableIndex table) override;
  void ImageExtra(const ObjectKey& key, const Row& row) override;
  // Whether base rows of the object are beside the visible rows, because they differ or did.
  bool IsKeptAside(const ObjectKey& key) const { return FindShadow(key) != nullptr; }
  // Calls `found(id, row)` for these base rows of a table.
  template <typename Found>
  void EachKeptAside(TableIndex table, const Found& found) const {
    for (auto it = shadows_.lower_bound({table, ""});
         it != shadows_.end() && it->first.table == table; ++it) {
      for (const Row& row : it->second.base) found(it->first.id, row);
    }
  }
  // Makes base equal to another one, and writes only the differences: rows that stay keep their
  // slots. If the view is empty, the rows are moved over instead; `base` must not be used
  // afterwards.
  void ReplaceBase(Base* base);
  // Empties everything. REQUIRES: nothing is attached.
  void Clear();

  // Pending mutations. The owner keeps them alive and unchanged while they are attached.
  void Attach(Pending* pending);
  void Detach(Pending* pending);
  // To be called when its place in the order, or its confirmed realms, have changed.
  void Reordered(const Pending& pending);
  void Derive();

  // Attaches the last op of `pending` and derives. Returns false if an earlier op of `pending` is
  // on the same object. REQUIRES: `pending` comes after all that are attached, and its earlier ops
  // are attached.
  bool AppendOp(Pending* pending);

  // Writes the difference between base and the visible rows, as steps of kind kChange at this
  // revision: a window without a remote confirms its own mutations by them.
  void WriteDiff(uint64_t revision, StepsWriter* steps) const;
  // Makes the visible rows the base, with this revision where they differed, with nothing pending.
  // This equals applying the steps of WriteDiff to base and detaching all mutations, but derives
  // nothing again. REQUIRES: nothing was attached, and base was not changed, since WriteDiff.
  void ShownIsBase(uint64_t revision);

  // Visible rows of `table` whose `prop` has the value.
  void RowsWith(TableIndex table, PropIndex prop, Value value, Vector<Slot>* slots);
  // Visible rows of `table` whose ref `prop` names `id`.
  void ChildrenOf(TableIndex table, PropIndex prop, std::string_view id, Vector<Slot>* slots);

  // Slots whose content may have changed since the last call; ascending.
  Vector<Slot> TakeDirty(TableIndex table);
  // From now on, what changes is remembered until it is taken.
  void Follow() { changed_objects_.emplace(); }
  bool HasChanged() const {
    return changed_objects_.has_value() &&
           (changed_objects_->all || !changed_objects_->keys.empty());
  }
  ChangedObjects TakeChanged() { return std::exchange(*changed_objects_, {}); }
  // Reports each change of a visible row's props or realm, while a transaction is open. Null: to nobody.
  void ReportTo(ChangedRows* changed) { changed_rows_ = changed; }

  size_t shadow_count() const { return shadows_.size(); }

  // Realms in which nothing is written, whatever the memberships say.
  void SetFrozen(Set<std::string> realms) { frozen_ = std::move(realms); }
  bool IsFrozen(const std::string& realm) const { return frozen_.contains(realm); }
  const Set<std::string>& frozen() const { return frozen_; }

 private:
  Set<std::string> frozen_;
  struct OpRef {
    Pending* pending = nullptr;
    uint32_t index = 0;
  };
  struct Touch {
    ObjectKey master;
    std::string realm;
    double at = 0;
    friend bool operator==(const Touch&, const Touch&) = default;
  };
  // What pending ops on other objects do to this object.
  struct Cascaded {
    bool deleted = false;
    double deleted_at = 0;
    Vector<std::pair<PropIndex, double>> nulled;  // prop, at
    double touched = 0;
    bool empty() const { return !deleted && nulled.empty() && touched == 0; }
  };
  struct Shadow {
    Vector<Row> base;           // one per realm, sorted by realm
    Vector<OpRef> ops;          // in order
    std::optional<Row> folded;  // base and ops, without cascades
    bool gone = false;          // its own ops delete it
    std::string gone_realm;
    double gone_at = 0;
    Vector<Touch> touches;  // what its ops touch
    Cascaded cascaded;
  };
  using Shadows = Map<ObjectKey, Shadow>;

  // view.cc
  const Shadow* FindShadow(const ObjectKey& key) const;
  Shadow* FindShadow(const ObjectKey& key);
  Shadow& EnsureShadow(const ObjectKey& key);
  void SetVisible(const ObjectKey& key, const std::optional<Row>& row);
  void WillChange(const ObjectKey& key, Slot slot);
  void WillChangeAll();
  // The visible row of an object with a shadow: the folded one, or the one in `*affected`; null if
  // there is none.
  const Row* Shown(const ObjectKey& key, const Shadow& shadow, std::optional<Row>* affected) const;

  // derive.cc
  void Fold(const ObjectKey& key, Shadow* shadow);
  void ApplyOp(const ObjectKey& key, const OpRef& ref, Shadow* shadow);
  void NoteTouches(const ObjectKey& key, const std::optional<Row>& row, double at, Shadow* shadow);
  void IndexRefs(const ObjectKey& key, const std::optional<Row>& before,
                 const std::optional<Row>& after);
  void Show(const ObjectKey& key);
  void Show(const ObjectKey& key, const Shadow& shadow);
  bool IsEmptyAndSettled()
      const;  // no rows, nothing pending, and live queries have handled every change
  void ForgetShadows();
  bool HasCascades() const;

  // cascade.cc. These only add; each enters the objects that it changed into changed_.
  class Cascading;
  void EvaluateCascades();
  void AddDeletion(const ObjectKey& key);  // REQUIRES: `key` is in gone_
  bool HasGoneParent(const ObjectKey& key) const;
  void AddTouch(Touch touch);
  void TouchMasters(const ObjectKey& key, double at);
  bool Folded(const ObjectKey& key, std::string* realm) const;
  Value FoldedProp(const ObjectKey& key, PropIndex prop) const;

  const Schema* schema_;
  LiveQueries* live_ = nullptr;
  Vector<std::unique_ptr<RowStore>> stores_;
  std::unique_ptr<QueryEngine> engine_;
  Vector<Vector<PropIndex>> touch_props_;   // by table: refs with `touch`
  Vector<Vector<PropIndex>> delete_props_;  // by table: refs with cascade or setNull
  Shadows shadows_;
  Refs refs_;                       // refs with cascade or setNull, in the folded rows of shadows
  Set<ObjectKey> objects_to_fold_;  // objects that the next Derive folds
  Set<ObjectKey> affected_;         // objects that a cascade changes
  Set<ObjectKey> gone_;             // shadows that are gone
  Set<ObjectKey> touching_;         // shadows with touches
  Set<ObjectKey> changed_;          // objects that cascades changed since they were last shown
  double latest_at_ = 0;            // the latest time of all ops that were appended or folded
  Vector<Vector<Slot>> dirty_;
  ChangedRows* changed_rows_ = nullptr;
  std::optional<ChangedObjects> changed_objects_;  // none: nobody follows
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_VIEW_H_
