// View: what a window shows. One RowStore a table holds the *visible* rows, so that queries and
// indexes work on them directly:
//
//   visible = cascade(fold(base, pending ops in order))
//
// - base: the confirmed rows, per (realm, table, id). Of two base rows of one object (in the middle
//   of a move) the one with the later modifiedAt is folded upon.
// - fold: each object on its own: its pending ops in the order of their mutations.
// - cascade: what pending ops do to *other* objects: the children that a delete deletes
//   (`cascade`) or whose refs it sets to null (`setNull`), and the masters that a change touches.
//   This is evaluated over the folded rows, after all pending ops, not op by op. So it does not
//   depend on the order of ops, and from scratch equals incremental (docs/design.md,
//   "Invariants", 5).
//
// Where visible equals the one base row, there is nothing but that row in its store. Everywhere
// else a Shadow keeps the base rows and what else is known. The protocol: any number of base
// changes (BaseRows, TouchedSink) and of Attach, Detach and Reordered, then Derive() once, which
// re-derives exactly the objects concerned. Nothing in between is shown: a row in a store is only
// written when what it shows differs (no flicker). AppendOp is the fast way for the transaction
// that is open: it appends behind everything that is pending, and derives at once.
//
// Costs: Derive folds the ops of the objects concerned. The cascade, where there is one, is
// evaluated over all objects with pending deletes or touches. AppendOp costs its own op and its own
// cascade.
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

class LiveQueries;
class StepsWriter;

class View final : public BaseRows, public Tables, public TouchedSink, public ImageSink {
 public:
  explicit View(const Schema* schema);  // `schema` outlives it
  ~View() override;
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // Is told before each change of a visible row. May be null; must then be set before anything is
  // shown to anyone.
  void set_live(LiveQueries* live) { live_ = live; }

  RowStore& store(TableIndex table) override { return *stores_[table]; }
  const RowStore& rows(TableIndex table) const { return *stores_[table]; }
  const Schema& schema() const { return *schema_; }
  std::optional<Row> Visible(const ObjectKey& key) const;
  // Is there a pending op on the object, or does the cascade of one change it?
  bool IsPending(const ObjectKey& key) const;

  // Base. Rows arrive and leave without being shown before Derive where pending ops touch them.
  std::optional<Row> GetBase(std::string_view realm, const ObjectKey& key) const override;
  void PutBase(const ObjectKey& key, const Row& row) override;
  void EraseBase(std::string_view realm, const ObjectKey& key) override;
  Vector<std::pair<std::string, std::string>> BaseKeys(TableIndex table) const override;
  void Touched(const ObjectKey& key) override;
  RowStore* ImageStore(TableIndex table) override;
  void ImageExtra(const ObjectKey& key, const Row& row) override;
  // Makes base equal to another one, writing only what differs: rows that stay keep their slots.
  // Where nothing is here the rows are taken over as they are: `base` is of no use then.
  void ReplaceBase(Base* base);
  // Empties everything. REQUIRES: nothing is attached.
  void Clear();

  // Pending mutations. Their owner keeps them alive and unchanged while they are attached.
  void Attach(Pending* pending);
  void Detach(Pending* pending);
  // Its place in the order changed, or its confirmed realms did.
  void Reordered(const Pending& pending);
  void Derive();

  // Attaches the last op of `pending` and derives. False: it is not the first one on its object.
  // REQUIRES: `pending` comes behind all that are attached, and its earlier ops are attached.
  bool AppendOp(Pending* pending);

  // What turns base into what is shown, as steps of kind kChange at this revision: how a window
  // without a remote confirms its own mutations.
  void WriteDiff(uint64_t revision, StepsWriter* steps) const;
  // What is shown is base from here on, at this revision where it differed, and nothing is pending.
  // The same as applying what WriteDiff wrote to base and detaching all that is attached, without
  // working out again what is shown already. REQUIRES: nothing was attached or changed in base
  // since WriteDiff.
  void ShownIsBase(uint64_t revision);

  // Rows of `table` whose ref `prop` names `id`, as shown.
  void ChildrenOf(TableIndex table, PropIndex prop, std::string_view id, Vector<Slot>* slots);

  // Slots whose content may have changed since the last call, ascending.
  Vector<Slot> TakeDirty(TableIndex table);
  // Objects that were hidden since it was last cleared, while a transaction is open (it checks
  // `restrict` on them).
  void TrackHidden(Vector<ObjectKey>* hidden) { hidden_ = hidden; }

  size_t shadow_count() const { return shadows_.size(); }
  const Vector<PropIndex>& touch_props(TableIndex table) const { return touch_props_[table]; }

 private:
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
  // What pending ops on other objects do to this one.
  struct Cascaded {
    bool deleted = false;
    double deleted_at = 0;
    Vector<std::pair<PropIndex, double>> nulled;  // prop, at
    double touched = 0;
    bool empty() const { return !deleted && nulled.empty() && touched == 0; }
  };
  struct Shadow {
    Vector<Row> base;           // one a realm, sorted by realm
    Vector<OpRef> ops;          // in order
    std::optional<Row> folded;  // base and ops, cascades apart
    bool gone = false;          // its ops delete it
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
  // The row that is shown of an object with a shadow: folded, or `*affected`; null if there is
  // none.
  const Row* Shown(const ObjectKey& key, const Shadow& shadow, std::optional<Row>* affected) const;

  // derive.cc
  void Fold(const ObjectKey& key, Shadow* shadow);
  void ApplyOp(const ObjectKey& key, const OpRef& ref, Shadow* shadow);
  void NoteTouches(const ObjectKey& key, const std::optional<Row>& row, double at, Shadow* shadow);
  void IndexRefs(const ObjectKey& key, const std::optional<Row>& before,
                 const std::optional<Row>& after);
  void Show(const ObjectKey& key);
  void Show(const ObjectKey& key, const Shadow& shadow);
  bool IsBare() const;  // no rows, nothing pending, and live queries know it
  void ForgetShadows();
  bool HasCascades() const;

  // cascade.cc: additive; each notes in changed_ what it changed.
  class Cascading;
  void EvaluateCascades();
  void AddDeletion(const ObjectKey& key);  // of gone_
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
  Refs refs_;                 // of the folded rows of shadows, with cascade or setNull
  Set<ObjectKey> concerned_;  // to be folded by the next Derive
  Set<ObjectKey> affected_;   // that a cascade changes
  Set<ObjectKey> gone_;       // shadows that are gone
  Set<ObjectKey> touching_;   // shadows with touches
  Set<ObjectKey> changed_;    // by cascades, since they were shown
  double latest_at_ = 0;      // of all ops appended or folded
  Vector<Vector<Slot>> dirty_;
  Vector<ObjectKey>* hidden_ = nullptr;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_VIEW_H_
