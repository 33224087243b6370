// What pending ops do to other objects: children deleted with their parent, refs set to null,
// masters touched (client/view.h). Every change by a cascade rule only adds, and deletions are
// handled in the order of their times. So adding the changes by a new op gives the same result as
// evaluating from scratch.
#include <algorithm>

#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/ref_closure.h"

namespace skerry {

// The changes by cascade rules that follow one deletion. Rows are looked up as folded, without
// such changes.
class View::Cascading final : public DependantVisitor {
 public:
  Cascading(View* view, double at) : view_(view), at_(at) {}

  Vector<ObjectKey> Children(const BackRef& back, const Departure& parent) override {
    Vector<ObjectKey> children;
    Vector<Slot> slots;
    view_->ChildrenOf(back.table, back.prop, parent.key.id, &slots);
    for (const Slot slot : slots) {
      ObjectKey child = view_->stores_[back.table]->Key(slot);
      if (view_->FindShadow(child) == nullptr) children.push_back(std::move(child));
    }
    AppendChildren(view_->refs_, back, parent.key, &children);
    return children;
  }
  bool IsIn(const ObjectKey& key, const std::string& realm) override {
    std::string where;
    return view_->Folded(key, &where) && where == realm;
  }
  bool Visit(const Departure&, const ObjectKey& child, PropIndex prop, OnDelete rule) override {
    Cascaded& cascaded = view_->EnsureShadow(child).cascaded;
    if (rule == OnDelete::kSetNull) {
      for (const auto& [nulled, at] : cascaded.nulled) {
        if (nulled == prop) return false;
      }
      cascaded.nulled.emplace_back(prop, at_);
    } else {
      if (cascaded.deleted) return false;
      cascaded.deleted = true;
      cascaded.deleted_at = at_;
    }
    view_->affected_.insert(child);
    view_->changed_.insert(child);
    return rule == OnDelete::kCascade;
  }

 private:
  View* view_;
  double at_;
};

void View::EvaluateCascades() {
  for (const ObjectKey& key : affected_) {
    if (Shadow* shadow = FindShadow(key)) shadow->cascaded = {};
    changed_.insert(key);
  }
  affected_.clear();
  Vector<ObjectKey> gone;
  for (const ObjectKey& key : gone_) gone.push_back(key);
  // Deletions with the same time give the same result in any order.
  Sort(gone.begin(), gone.end(), [this](const ObjectKey& a, const ObjectKey& b) {
    return FindShadow(a)->gone_at < FindShadow(b)->gone_at;
  });
  for (const ObjectKey& key : gone) AddDeletion(key);
  for (const ObjectKey& key : touching_) {
    const Vector<Touch> touches = FindShadow(key)->touches;
    for (const Touch& touch : touches) AddTouch(touch);
  }
}

// Deletes the children of a deleted object, their children and so on, and sets refs to null; then
// touches the masters of all objects that changed.
void View::AddDeletion(const ObjectKey& key) {
  const Shadow* shadow = FindShadow(key);
  const double at = shadow->gone_at;
  Set<ObjectKey> before = std::move(changed_);
  changed_.clear();
  Cascading cascading(this, at);
  Vector<Departure> left{{key, shadow->gone_realm, {}}};
  WalkDependants(*schema_, kCascadeOrNull, &left, &cascading);
  const Set<ObjectKey> children = changed_;
  changed_.insert(before.begin(), before.end());
  for (const ObjectKey& child : children) TouchMasters(child, at);
}

bool View::HasGoneParent(const ObjectKey& key) const {
  std::string realm;
  if (!Folded(key, &realm)) return false;
  for (const PropIndex prop : delete_props_[key.table]) {
    const Value target = FoldedProp(key, prop);
    if (target.is_null()) continue;
    const TableIndex table = schema_->table(key.table).props[prop].ref_table;
    const Shadow* parent = FindShadow(KeyIn(*schema_, table, target.text(), realm));
    if (parent != nullptr && (parent->gone || parent->cascaded.deleted)) return true;
  }
  return false;
}

void View::AddTouch(Touch touch) {
  Vector<Touch> queue{std::move(touch)};
  while (!queue.empty()) {
    const Touch next = std::move(queue.back());
    queue.pop_back();
    std::string realm;
    if (!Folded(next.master, &realm) || realm != next.realm) continue;
    Cascaded& cascaded = EnsureShadow(next.master).cascaded;
    if (cascaded.deleted || cascaded.touched >= next.at) continue;
    cascaded.touched = next.at;
    affected_.insert(next.master);
    changed_.insert(next.master);
    for (const PropIndex prop : touch_props_[next.master.table]) {
      const Value target = FoldedProp(next.master, prop);
      if (target.is_null()) continue;
      const TableIndex table = schema_->table(next.master.table).props[prop].ref_table;
      queue.push_back({KeyIn(*schema_, table, target.text(), realm), realm, next.at});
    }
  }
}

void View::TouchMasters(const ObjectKey& key, double at) {
  std::string realm;
  if (!Folded(key, &realm)) return;
  for (const PropIndex prop : touch_props_[key.table]) {
    const Value target = FoldedProp(key, prop);
    if (target.is_null()) continue;
    const TableIndex table = schema_->table(key.table).props[prop].ref_table;
    AddTouch({KeyIn(*schema_, table, target.text(), realm), realm, at});
  }
}

bool View::Folded(const ObjectKey& key, std::string* realm) const {
  if (const Shadow* shadow = FindShadow(key)) {
    if (!shadow->folded) return false;
    *realm = shadow->folded->realm;
    return true;
  }
  const RowStore& store = *stores_[key.table];
  const Slot slot = store.Find(key.id, key.realm);
  if (slot == kNoSlot) return false;
  *realm = store.GetValue(slot, kRealmColumn).text();
  return true;
}

Value View::FoldedProp(const ObjectKey& key, PropIndex prop) const {
  if (const Shadow* shadow = FindShadow(key)) {
    return shadow->folded ? shadow->folded->props[prop] : Value();
  }
  const RowStore& store = *stores_[key.table];
  const Slot slot = store.Find(key.id, key.realm);
  return slot == kNoSlot ? Value() : store.GetValue(slot, prop);
}

}  // namespace skerry
