// What pending ops do to other objects: cascades, refs set to null, touches (client/view.h). All of
// it only adds, and deletions are visited in the order of their times: so adding what a new op does
// gives the same as evaluating anew.
#include <algorithm>

#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "client/view.h"

namespace skerry {

void View::EvaluateEffects() {
  for (const ObjectKey& key : affected_) {
    if (Shadow* shadow = FindShadow(key)) shadow->effect = {};
    changed_.insert(key);
  }
  affected_.clear();
  Vector<Cause> causes;
  for (const ObjectKey& key : gone_) {
    const Shadow* shadow = FindShadow(key);
    causes.push_back({key, shadow->gone_realm, shadow->gone_at});
  }
  // Deletions of one time do the same in any order.
  Sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return a.at < b.at; });
  for (Cause& cause : causes) AddDeletion(std::move(cause));
  for (const ObjectKey& key : touching_) {
    const Vector<Touch> touches = FindShadow(key)->touches;
    for (const Touch& touch : touches) AddTouch(touch);
  }
}

// Visits the children of a deleted object, and theirs; then touches the masters of all that were
// changed.
void View::AddDeletion(Cause cause) {
  const double at = cause.at;
  Vector<Cause> queue;
  Set<ObjectKey> before = std::move(changed_);
  changed_.clear();
  queue.push_back(std::move(cause));
  while (!queue.empty()) {
    const Cause next = std::move(queue.back());
    queue.pop_back();
    DeleteChildren(next, &queue);
  }
  const Set<ObjectKey> children = changed_;
  changed_.insert(before.begin(), before.end());
  for (const ObjectKey& child : children) TouchMasters(child, at);
}

void View::DeleteChildren(const Cause& cause, Vector<Cause>* queue) {
  for (const BackRef& back : schema_->back_refs(cause.key.table)) {
    const OnDelete rule = schema_->table(back.table).props[back.prop].on_delete;
    if (rule != OnDelete::kCascade && rule != OnDelete::kSetNull) continue;
    Vector<ObjectKey> children;
    Vector<Slot> slots;
    ChildrenOf(back.table, back.prop, cause.key.id, &slots);
    for (const Slot slot : slots) {
      ObjectKey child{back.table, stores_[back.table]->Id(slot)};
      if (FindShadow(child) == nullptr) children.push_back(std::move(child));
    }
    for (auto it = refs_.lower_bound({cause.key, {back.table, ""}, 0});
         it != refs_.end() && std::get<0>(*it) == cause.key && std::get<1>(*it).table == back.table;
         ++it) {
      if (std::get<2>(*it) == back.prop) children.push_back(std::get<1>(*it));
    }
    for (const ObjectKey& child : children) AffectChild(child, back.prop, cause, queue);
  }
}

void View::AffectChild(const ObjectKey& child, PropIndex prop, const Cause& cause,
                       Vector<Cause>* queue) {
  String realm;
  if (!Folded(child, &realm) || realm != cause.realm) return;
  Effect& effect = EnsureShadow(child).effect;
  if (schema_->table(child.table).props[prop].on_delete == OnDelete::kSetNull) {
    for (const auto& [nulled, at] : effect.nulled) {
      if (nulled == prop) return;
    }
    effect.nulled.emplace_back(prop, cause.at);
  } else {
    if (effect.deleted) return;
    effect.deleted = true;
    effect.deleted_at = cause.at;
    queue->push_back({child, realm, cause.at});
  }
  affected_.insert(child);
  changed_.insert(child);
}

bool View::HasGoneParent(const ObjectKey& key) const {
  for (const PropIndex prop : delete_props_[key.table]) {
    const Value target = FoldedProp(key, prop);
    if (target.is_null()) continue;
    const Shadow* parent =
        FindShadow({schema_->table(key.table).props[prop].ref_table, target.text()});
    if (parent != nullptr && (parent->gone || parent->effect.deleted)) return true;
  }
  return false;
}

void View::AddTouch(Touch touch) {
  Vector<Touch> queue{std::move(touch)};
  while (!queue.empty()) {
    const Touch next = std::move(queue.back());
    queue.pop_back();
    String realm;
    if (!Folded(next.master, &realm) || realm != next.realm) continue;
    Effect& effect = EnsureShadow(next.master).effect;
    if (effect.deleted || effect.touched >= next.at) continue;
    effect.touched = next.at;
    affected_.insert(next.master);
    changed_.insert(next.master);
    for (const PropIndex prop : touch_props_[next.master.table]) {
      const Value target = FoldedProp(next.master, prop);
      if (target.is_null()) continue;
      queue.push_back({{schema_->table(next.master.table).props[prop].ref_table, target.text()},
                       realm,
                       next.at});
    }
  }
}

void View::TouchMasters(const ObjectKey& key, double at) {
  String realm;
  if (!Folded(key, &realm)) return;
  for (const PropIndex prop : touch_props_[key.table]) {
    const Value target = FoldedProp(key, prop);
    if (target.is_null()) continue;
    AddTouch({{schema_->table(key.table).props[prop].ref_table, target.text()}, realm, at});
  }
}

bool View::Folded(const ObjectKey& key, String* realm) const {
  if (const Shadow* shadow = FindShadow(key)) {
    if (!shadow->folded) return false;
    *realm = shadow->folded->realm;
    return true;
  }
  const RowStore& store = *stores_[key.table];
  const Slot slot = store.Find(key.id);
  if (slot == kNoSlot) return false;
  *realm = store.GetValue(slot, kRealmColumn).text();
  return true;
}

Value View::FoldedProp(const ObjectKey& key, PropIndex prop) const {
  if (const Shadow* shadow = FindShadow(key)) {
    return shadow->folded ? shadow->folded->props[prop] : Value();
  }
  const RowStore& store = *stores_[key.table];
  const Slot slot = store.Find(key.id);
  return slot == kNoSlot ? Value() : store.GetValue(slot, prop);
}

}  // namespace skerry
