// Folding pending ops over base, object by object, and showing the result (client/view.h).
#include <algorithm>

#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/fold.h"

namespace skerry {
namespace {

// The base row on which pending ops are folded: the one that was modified last; the first realm if
// several are equal.
const Row* LatestOf(const Vector<Row>& base) {
  const Row* latest = nullptr;
  for (const Row& row : base) {
    if (latest == nullptr || latest->modified_at < row.modified_at) latest = &row;
  }
  return latest;
}

}  // namespace

std::optional<Row> View::Confirmed(const ObjectKey& key) const {
  const Shadow* shadow = FindShadow(key);
  if (shadow == nullptr) return Visible(key);
  const Row* latest = LatestOf(shadow->base);
  return latest == nullptr ? std::nullopt : std::optional<Row>(*latest);
}

void View::Attach(Pending* pending) {
  const Vector<Op>& ops = pending->mutation.ops;
  for (uint32_t i = 0; i < ops.size(); ++i) {
    if (!ops[i].Has(kOnRow)) continue;
    const ObjectKey key = KeyOf(*schema_, ops[i]);
    EnsureShadow(key).ops.push_back({pending, i});
    objects_to_fold_.insert(key);
  }
}

void View::Detach(Pending* pending) {
  for (const Op& op : RowOps(pending->mutation.ops)) {
    const ObjectKey key = KeyOf(*schema_, op);
    Shadow* shadow = FindShadow(key);
    SKERRY_CHECK(shadow != nullptr);
    erase_if(shadow->ops, [&](const OpRef& ref) { return ref.pending == pending; });
    objects_to_fold_.insert(key);
  }
}

void View::Reordered(const Pending& pending) {
  for (const Op& op : RowOps(pending.mutation.ops)) objects_to_fold_.insert(KeyOf(*schema_, op));
}

bool View::HasCascades() const {
  return !gone_.empty() || !touching_.empty() || !affected_.empty();
}

void View::Derive() {
  bool cascades = HasCascades();
  for (const ObjectKey& key : objects_to_fold_) {
    if (Shadow* shadow = FindShadow(key)) Fold(key, shadow);
  }
  cascades = cascades || HasCascades();
  if (cascades) EvaluateCascades();
  Set<ObjectKey> keys = std::move(objects_to_fold_);
  objects_to_fold_.clear();
  keys.insert(changed_.begin(), changed_.end());
  changed_.clear();
  for (const ObjectKey& key : keys) Show(key);
  if (shadows_.empty()) latest_at_ = 0;
}

void View::Fold(const ObjectKey& key, Shadow* shadow) {
  Sort(shadow->ops.begin(), shadow->ops.end(), [](const OpRef& a, const OpRef& b) {
    if (a.pending != b.pending) return FoldsBefore(*a.pending, *b.pending);
    return a.index < b.index;
  });
  const std::optional<Row> before = std::move(shadow->folded);
  const Row* latest = LatestOf(shadow->base);
  shadow->folded = latest == nullptr ? std::nullopt : std::optional<Row>(*latest);
  shadow->gone = false;
  shadow->touches.clear();
  for (const OpRef& ref : shadow->ops) ApplyOp(key, ref, shadow);
  IndexRefs(key, before, shadow->folded);
  if (shadow->gone) {
    gone_.insert(key);
  } else {
    gone_.erase(key);
  }
  if (shadow->touches.empty()) touching_.erase(key);
}

void View::ApplyOp(const ObjectKey& key, const OpRef& ref, Shadow* shadow) {
  const Op& op = ref.pending->mutation.ops[ref.index];
  if (!ref.pending->IsLive(op)) return;
  // A row with an application-defined id stays in its realm. An earlier release may have logged such a move.
  if (op.Has(kMoves) && schema_->table(key.table).custom_ids) return;
  const double at = ref.pending->mutation.action.at;
  latest_at_ = std::max(latest_at_, at);
  const bool missing = !shadow->folded.has_value();
  std::optional<Row> before;
  if (!touch_props_[key.table].empty()) before = shadow->folded;
  const bool changed = FoldOp(*schema_, op, {at, 0}, FoldTarget::kView, &shadow->folded);
  if (changed) {
    NoteTouches(key, before, at, shadow);
    NoteTouches(key, shadow->folded, at, shadow);
  }
  // A delete of a row that base no longer has still deletes the row's children: the authority will
  // do the same.
  if (op.Has(kDeletes) && (changed || (missing && !shadow->gone))) {
    shadow->gone = true;
    shadow->gone_realm = op.realm;
    shadow->gone_at = at;
  }
  if (shadow->folded) shadow->gone = false;
}

void View::NoteTouches(const ObjectKey& key, const std::optional<Row>& row, double at,
                       Shadow* shadow) {
  if (!row) return;
  for (const PropIndex prop : touch_props_[key.table]) {
    const Value& target = row->props[prop];
    if (target.is_null()) continue;
    const TableIndex master = schema_->table(key.table).props[prop].ref_table;
    Touch touch{KeyIn(*schema_, master, target.text(), row->realm), row->realm, at};
    if (!shadow->touches.empty() && shadow->touches.back() == touch) continue;
    shadow->touches.push_back(std::move(touch));
    touching_.insert(key);
  }
}

void View::IndexRefs(const ObjectKey& key, const std::optional<Row>& before,
                     const std::optional<Row>& after) {
  for (const PropIndex prop : delete_props_[key.table]) {
    const Value none;
    const Value& was = before ? before->props[prop] : none;
    const Value& is = after ? after->props[prop] : none;
    // A row whose key has no realm may have moved.
    if (was == is && (!before || !after || before->realm == after->realm)) continue;
    const TableIndex target = schema_->table(key.table).props[prop].ref_table;
    if (!was.is_null())
      refs_.erase({KeyIn(*schema_, target, was.text(), before->realm), key, prop});
    if (!is.is_null()) refs_.insert({KeyIn(*schema_, target, is.text(), after->realm), key, prop});
  }
}

void View::Show(const ObjectKey& key) {
  const auto it = shadows_.find(key);
  if (it == shadows_.end()) return;
  const Shadow& shadow = it->second;
  Show(key, shadow);
  if (shadow.ops.empty() && shadow.base.size() <= 1 && shadow.cascaded.empty()) {
    IndexRefs(key, shadow.folded, std::nullopt);
    shadows_.erase(it);
  }
}

void View::Show(const ObjectKey& key, const Shadow& shadow) {
  if (shadow.cascaded.empty()) return SetVisible(key, shadow.folded);
  std::optional<Row> row;
  if (!shadow.cascaded.deleted) row = shadow.folded;
  if (row) {
    row->modified_at = std::max(row->modified_at, shadow.cascaded.touched);
    for (const auto& [prop, at] : shadow.cascaded.nulled) {
      row->props[prop] = Value();
      row->modified_at = std::max(row->modified_at, at);
    }
  }
  SetVisible(key, row);
}

bool View::AppendOp(Pending* pending) {
  const OpRef ref{pending, static_cast<uint32_t>(pending->mutation.ops.size() - 1)};
  const Op& op = pending->mutation.ops[ref.index];
  if (!op.Has(kOnRow)) return true;
  const ObjectKey key = KeyOf(*schema_, op);
  Shadow& shadow = EnsureShadow(key);
  const bool first = shadow.ops.empty() || shadow.ops.back().pending != pending;
  shadow.ops.push_back(ref);
  const Cascaded& cascaded = shadow.cascaded;
  // An appended op can only add to cascades, except in three cases: the object itself was deleted,
  // a cascade has changed it, or the clock went back.
  if (shadow.gone || cascaded.deleted || !cascaded.nulled.empty() ||
      pending->mutation.action.at < latest_at_) {
    objects_to_fold_.insert(key);
    Derive();
    return first;
  }
  const size_t touches = shadow.touches.size();
  const std::optional<Row> before = delete_props_[key.table].empty() ? std::nullopt : shadow.folded;
  ApplyOp(key, ref, &shadow);
  if (!delete_props_[key.table].empty()) IndexRefs(key, before, shadow.folded);
  if (shadow.gone) {
    gone_.insert(key);
    AddDeletion(key);
  } else if (!gone_.empty() && HasGoneParent(key)) {
    objects_to_fold_.insert(key);
    Derive();
    return first;
  }
  for (size_t i = touches; i < shadow.touches.size(); ++i) AddTouch(shadow.touches[i]);
  changed_.erase(key);
  const Set<ObjectKey> others = std::move(changed_);
  changed_.clear();
  Show(key, shadow);
  for (const ObjectKey& changed : others) Show(changed);
  return first;
}

}  // namespace skerry
