#include "client/inverse.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/limits.h"
#include "base/map.h"
#include "log/number_add.h"

namespace skerry {
namespace {

// What a mutation does to one object.
struct Done {
  std::string realm;  // where the object is afterwards
  bool is_created = false;
  bool is_deleted = false;  // it may be created afterwards
  bool is_restored = false;
  bool is_moved = false;
  Map<PropIndex, Value> set;
  Map<PropIndex, Value> back;  // of an undo: what it put back is undone to this
  Map<PropIndex, double> add;
};

void Take(const Op& op, Done* done) {
  done->realm = op.Has(kMoves) ? op.to : op.realm;
  done->is_moved = done->is_moved || op.Has(kMoves);
  if (op.Has(kDeletes)) {
    const bool is_moved = done->is_moved;
    *done = Done();
    done->realm = op.realm;
    done->is_moved = is_moved;
    done->is_deleted = true;
    return;
  }
  if (op.Has(kRestores)) {
    done->is_restored = true;
    return;
  }
  if (op.Has(kCreates)) done->is_created = true;
  for (const PropValue& set : op.set) {
    done->set[set.prop] = set.value;
    done->add.erase(set.prop);
  }
  for (const PropValue& was : op.was) done->back[was.prop] = was.value;
  for (const PropAdd& add : op.add) {
    const auto set = done->set.find(add.prop);
    if (set == done->set.end()) {
      done->add[add.prop] += add.by;
    } else {
      set->second = AddToValue(set->second, add.by);
    }
  }
}

class Inverse {
 public:
  Inverse(const View& view, const ChangedRows& changed) : view_(view), changed_(changed) {
    for (const auto& [key, row] : changed.rows()) before_.emplace(key, &row);
  }

  // Returns false if the mutation cannot be undone.
  bool Read(const Mutation& mutation) {
    for (const Op& op : mutation.ops) {
      if (!op.Has(kOnRow) || op.Has(kOnlyNew) || op.table == view_.schema().members()) return false;
      const ObjectKey key = KeyOf(view_.schema(), op);
      const auto [done, is_new] = done_.try_emplace(key);
      if (is_new) order_.push_back(key);
      Take(op, &done->second);
    }
    return true;
  }

  // The last objects first: what was made later may refer to what was made before.
  Vector<Op> Ops() {
    for (size_t i = order_.size(); i > 0; --i) {
      const ObjectKey& key = order_[i - 1];
      AddOps(key, done_.at(key));
    }
    for (const auto& [key, row] : changed_.rows()) {
      if (!done_.contains(key)) AddCascaded(key, row);
    }
    return std::move(ops_);
  }

  // Restores alone, if the mutation does nothing but delete.
  std::optional<Vector<Op>> BareRestores() const {
    Vector<Op> ops;
    for (const ObjectKey& key : order_) {
      const Done& done = done_.at(key);
      if (!done.is_deleted || done.is_created) return std::nullopt;
      ops.push_back(NewOp(OpKind::kRestore, key, done.realm));
    }
    return ops;
  }

 private:
  Op* Add(OpKind kind, const ObjectKey& key, const std::string& realm) {
    ops_.push_back(NewOp(kind, key, realm));
    return &ops_.back();
  }

  void AddOps(const ObjectKey& key, const Done& done) {
    const auto found = before_.find(key);
    const Row* before = found == before_.end() ? nullptr : found->second;
    const bool is_gone = done.is_deleted && !done.is_created;
    if (is_gone) {
      AddRestore(key, done.realm, before);
      return AddMoveBack(key, done, before);
    }
    if (done.is_restored || (done.is_created && before == nullptr)) {
      Add(OpKind::kDelete, key, done.realm);
      return;
    }
    if (done.is_deleted) return AddReplaced(key, done, before);
    AddUpdate(key, done, before);
    AddMoveBack(key, done, before);
  }

  void AddMoveBack(const ObjectKey& key, const Done& done, const Row* before) {
    if (!done.is_moved || before == nullptr || before->realm == done.realm) return;
    Add(OpKind::kMove, key, done.realm)->to = before->realm;
  }

  void AddUpdate(const ObjectKey& key, const Done& done, const Row* before) {
    Op update = NewOp(OpKind::kUpdate, key, done.realm);
    for (const auto& [prop, value] : done.set) {
      const auto back = done.back.find(prop);
      if (back == done.back.end() && before == nullptr) continue;
      Put(prop, back == done.back.end() ? before->props[prop] : back->second, value, &update);
    }
    if (!update.set.empty()) ops_.push_back(std::move(update));
    Op inc = NewOp(OpKind::kInc, key, done.realm);
    for (const auto& [prop, by] : done.add) {
      if (by != 0) inc.add.push_back({prop, -by});
    }
    if (!inc.add.empty()) ops_.push_back(std::move(inc));
  }

  // It was deleted, and created again.
  void AddReplaced(const ObjectKey& key, const Done& done, const Row* before) {
    const std::optional<Row> now = view_.Visible(key);
    if (before == nullptr || !now) return;
    AddDifference(key, done.realm, *before, *now);
  }

  void AddDifference(const ObjectKey& key, const std::string& realm, const Row& before,
                     const Row& now) {
    Op update = NewOp(OpKind::kUpdate, key, realm);
    for (PropIndex prop = 0; prop < before.props.size(); ++prop)
      Put(prop, before.props[prop], now.props[prop], &update);
    if (!update.set.empty()) ops_.push_back(std::move(update));
  }

  static void Put(PropIndex prop, const Value& before, const Value& now, Op* update) {
    if (before == now) return;
    update->set.push_back({prop, before});
    update->was.push_back({prop, now});
  }

  void AddRestore(const ObjectKey& key, const std::string& realm, const Row* before) {
    Op* restore = Add(OpKind::kRestore, key, realm);
    if (before == nullptr) return;
    restore->created_at = before->created_at;
    restore->set = SetOf(*before);
    // What was pending on it may be in the same entry of the log as the deletion, which knows the row
    // as it was before the entry.
    const std::optional<Row> confirmed = view_.Confirmed(key);
    if (confirmed) AddDifference(key, realm, *before, *confirmed);
  }

  // An object that no op names: it was deleted with its parent, or a ref of it was set to null.
  void AddCascaded(const ObjectKey& key, const Row& before) {
    if (ops_.size() >= kMaxOpsPerUpdate) return;  // the server brings back the rest
    const std::optional<Row> now = view_.Visible(key);
    if (!now) return AddRestore(key, before.realm, &before);
    Op update = NewOp(OpKind::kUpdate, key, before.realm);
    for (PropIndex prop = 0; prop < before.props.size(); ++prop) {
      if (now->props[prop].is_null()) Put(prop, before.props[prop], now->props[prop], &update);
    }
    if (!update.set.empty()) ops_.push_back(std::move(update));
  }

  const View& view_;
  const ChangedRows& changed_;
  Map<ObjectKey, const Row*> before_;
  Map<ObjectKey, Done> done_;
  Vector<ObjectKey> order_;
  Vector<Op> ops_;
};

}  // namespace

std::optional<Vector<Op>> InverseOf(const View& view, const Mutation& mutation,
                                    const ChangedRows& changed, size_t most, bool from_log) {
  Inverse inverse(view, changed);
  if (!inverse.Read(mutation)) return std::nullopt;
  Vector<Op> ops = inverse.Ops();
  size_t bytes = 0;
  for (const Op& op : ops) bytes += op.content_bytes();
  if (!ops.empty() && bytes <= most && ops.size() <= kMaxOpsPerUpdate) return ops;
  if (ops.empty() || !from_log) return std::nullopt;
  return inverse.BareRestores();
}

}  // namespace skerry
