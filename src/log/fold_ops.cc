// Reduces a sequence of ops to its final result (log/fold.h).
//
// Ops on different objects commute, so each object is reduced on its own. A merged op has the place
// of the first op that was merged into it. The ops of an object form runs: all ops of a run are in
// one realm, and a move ends the run. Within a run
//   - a stretch holds at most one op that sets (create or update) and one that adds (inc), for
//     different props. A create after an update or inc begins a new stretch: if the row is missing,
//     the update or inc does nothing, but the create makes the row;
//   - a delete replaces everything before it in the run.
// An offer, and an op that undoes an action, is merged with nothing, and ends the run.
//
// Of the ops of different actions, only those are merged on which no verdict of the server can depend
// (IsPlain): the server judges action by action, and must see what each of them did.
#include <algorithm>

#include "base/map.h"
#include "base/vector.h"
#include "log/fold.h"
#include "log/number_add.h"
#include "log/ref_closure.h"

namespace skerry {
namespace {

constexpr uint32_t kNowhere = 0xffffffff;

// The state of one object. The numbers are indexes into Folder::ops_.
struct ObjectState {
  std::string realm;
  Vector<uint32_t> run;        // the live ops of the current run, at most five
  uint32_t set_at = kNowhere;  // of the current stretch
  uint32_t add_at = kNowhere;  // of the current stretch
  uint32_t delete_at = kNowhere;
  bool first_run = true;  // nothing happened to the object before this run
};

void MergeBy(const Vector<uint32_t>& from, Vector<uint32_t>* by) {
  Vector<uint32_t> merged;
  std::set_union(by->begin(), by->end(), from.begin(), from.end(), std::back_inserter(merged));
  *by = std::move(merged);
}

// The merged op names the actions of both. If both have an `if` revision, the lower one stays,
// which is the stricter condition.
void MergeOrigin(const Op& from, Op* into) {
  MergeBy(from.by, &into->by);
  if (!from.if_revision) return;
  into->if_revision =
      into->if_revision ? std::min(*into->if_revision, *from.if_revision) : from.if_revision;
}

// The first entry whose prop is not below `prop`; entries are sorted.
template <typename Entries>
auto FindEntry(Entries* entries, PropIndex prop) {
  return std::lower_bound(entries->begin(), entries->end(), prop,
                          [](const auto& entry, PropIndex wanted) { return entry.prop < wanted; });
}

template <typename Entries>
bool HasEntry(const Entries& entries, PropIndex prop) {
  const auto found = FindEntry(&entries, prop);
  return found != entries.end() && found->prop == prop;
}

void MergeSet(const Op& from, Op* into) {
  for (const PropValue& change : from.set) {
    const auto place = FindEntry(&into->set, change.prop);
    if (place != into->set.end() && place->prop == change.prop) {
      place->value = change.value;
    } else {
      into->set.insert(place, change);
    }
  }
}

void MergeAdd(const PropAdd& change, Op* into) {
  const auto place = FindEntry(&into->add, change.prop);
  if (place != into->add.end() && place->prop == change.prop) {
    place->by = AddNumbers(place->by, change.by);
  } else {
    into->add.insert(place, change);
  }
}

// Whether the op only sets or adds to props that no rule looks at but those of the object's size. So
// it may be carried out earlier, together with an earlier action on the object.
bool IsPlain(const Schema& schema, const Op& op) {
  if (op.Has(kCreates) || op.Has(kDeletes) || op.Has(kMoves) || op.if_revision) return false;
  if (op.table == schema.members()) return false;
  const Vector<PropDef>& props = schema.table(op.table).props;
  const auto has_rule = [&](const auto& change) {
    const PropDef& prop = props[change.prop];
    return prop.unique || (prop.ref_table != kNone && prop.on_delete != OnDelete::kNothing);
  };
  return std::none_of(op.set.begin(), op.set.end(), has_rule) &&
         std::none_of(op.add.begin(), op.add.end(), has_rule);
}

class Folder {
 public:
  explicit Folder(const Schema& schema) : schema_(schema) {}
  void Add(const Op& op);
  Vector<Op> Finish();

 private:
  class OrphanDropper;
  uint32_t Append(const Op& op, ObjectState* tail);
  void Drop(uint32_t place, ObjectState* tail);
  bool IsOfOtherAction(const Op& op, uint32_t place) const;
  void KeepApart(const Op& op, ObjectState* tail);
  void AddSet(const Op& op, ObjectState* tail);
  void AddInc(const Op& op, ObjectState* tail);
  void AddDelete(const Op& op, const ObjectKey& key, ObjectState* tail);
  void AddMove(const Op& op, ObjectState* tail);
  void AddApart(const Op& op, ObjectState* tail);
  bool IsUnknownToOtherClients(const ObjectState& tail) const;
  void DropOrphans();

  const Schema& schema_;
  Vector<Op> ops_;
  Vector<bool> live_;
  Map<ObjectKey, ObjectState> tails_;
  Map<ObjectKey, std::string> created_and_deleted_;  // created and deleted here: their realm
};

uint32_t Folder::Append(const Op& op, ObjectState* tail) {
  const auto place = static_cast<uint32_t>(ops_.size());
  ops_.push_back(op);
  live_.push_back(true);
  if (tail) tail->run.push_back(place);
  return place;
}

void Folder::Drop(uint32_t place, ObjectState* tail) {
  live_[place] = false;
  erase(tail->run, place);
}

bool Folder::IsOfOtherAction(const Op& op, uint32_t place) const {
  return place != kNowhere && ops_[place].by != op.by;
}

// Begins a new stretch if the op must not be merged with the present one.
void Folder::KeepApart(const Op& op, ObjectState* tail) {
  if (!IsOfOtherAction(op, tail->set_at) && !IsOfOtherAction(op, tail->add_at)) return;
  if (IsPlain(schema_, op)) return;
  tail->set_at = tail->add_at = kNowhere;
}

void Folder::AddSet(const Op& op, ObjectState* tail) {
  KeepApart(op, tail);
  const bool has_set = tail->set_at != kNowhere;
  const bool has_any = has_set || tail->add_at != kNowhere;
  const bool after_create = has_set && ops_[tail->set_at].Has(kCreates);
  if (op.Has(kCreates) && has_any && !after_create) {
    tail->add_at = kNowhere;
    tail->set_at = Append(op, tail);
    return;
  }
  if (has_set) {
    MergeSet(op, &ops_[tail->set_at]);
    MergeOrigin(op, &ops_[tail->set_at]);
  } else {
    tail->set_at = Append(op, tail);
  }
  if (tail->add_at == kNowhere) return;
  // A set of a prop discards what was added to it before.
  Op& add = ops_[tail->add_at];
  erase_if(add.add, [&](const PropAdd& change) { return HasEntry(op.set, change.prop); });
  if (!add.add.empty()) return;
  MergeOrigin(add, &ops_[tail->set_at]);
  Drop(tail->add_at, tail);
  tail->add_at = kNowhere;
}

void Folder::AddInc(const Op& op, ObjectState* tail) {
  KeepApart(op, tail);
  Op rest = op;
  rest.add.clear();
  bool set_any = false;
  for (const PropAdd& change : op.add) {
    if (tail->set_at != kNowhere && HasEntry(ops_[tail->set_at].set, change.prop)) {
      Value& value = FindEntry(&ops_[tail->set_at].set, change.prop)->value;
      value = AddToValue(value, change.by);
      set_any = true;
    } else {
      rest.add.push_back(change);
    }
  }
  if (set_any) MergeOrigin(op, &ops_[tail->set_at]);
  if (set_any && rest.add.empty()) return;
  if (tail->add_at == kNowhere) {
    tail->add_at = Append(rest, tail);
    return;
  }
  for (const PropAdd& change : rest.add) MergeAdd(change, &ops_[tail->add_at]);
  MergeOrigin(rest, &ops_[tail->add_at]);
}

// Whether no other client can know the object: its id is a UUID, and its first op creates it.
bool Folder::IsUnknownToOtherClients(const ObjectState& tail) const {
  if (!tail.first_run || tail.run.empty()) return false;
  const Op& first = ops_[tail.run.front()];
  return first.Has(kCreates) && !schema_.table(first.table).custom_ids;
}

void Folder::AddDelete(const Op& op, const ObjectKey& key, ObjectState* tail) {
  const Vector<uint32_t> run = tail->run;
  const bool is_of_others = std::any_of(run.begin(), run.end(),
                                        [&](uint32_t place) { return IsOfOtherAction(op, place); });
  if (is_of_others) {
    tail->set_at = tail->add_at = kNowhere;
    tail->delete_at = Append(op, tail);
    return;
  }
  if (IsUnknownToOtherClients(*tail)) {
    for (const uint32_t place : run) live_[place] = false;
    created_and_deleted_[key] = op.realm;
    tails_.erase(key);
    return;
  }
  Op merged = op;
  for (const uint32_t place : run) {
    MergeOrigin(ops_[place], &merged);
    live_[place] = false;
  }
  tail->run.clear();
  tail->set_at = tail->add_at = kNowhere;
  const uint32_t place = tail->delete_at != kNowhere ? tail->delete_at
                         : run.empty()               ? kNowhere
                                                     : run.front();
  if (place == kNowhere) {
    tail->delete_at = Append(merged, tail);
    return;
  }
  ops_[place] = std::move(merged);
  live_[place] = true;
  tail->run.push_back(place);
  tail->delete_at = place;
}

void Folder::AddMove(const Op& op, ObjectState* tail) {
  Append(op, nullptr);
  *tail = ObjectState{};
  tail->first_run = false;
  tail->realm = op.to;
}

// What it does depends on whether the server has the row, or the action that it undoes, which is not
// known here.
void Folder::AddApart(const Op& op, ObjectState* tail) {
  Append(op, nullptr);
  *tail = ObjectState{};
  tail->first_run = false;
  tail->realm = op.Has(kMoves) ? op.to : op.realm;
}

void Folder::Add(const Op& op) {
  if (!op.Has(kOnRow)) {
    Append(op, nullptr);
    return;
  }
  const ObjectKey key = op.key();
  const auto [found, is_new] = tails_.try_emplace(key);
  ObjectState* tail = &found->second;
  if (is_new) tail->realm = op.realm;
  if (tail->realm != op.realm) {
    *tail = ObjectState{};
    tail->first_run = false;
    tail->realm = op.realm;
  }
  if (!op.of.empty()) return AddApart(op, tail);
  switch (op.kind) {
    case OpKind::kCreate:
    case OpKind::kUpdate:
      return AddSet(op, tail);
    case OpKind::kInc:
      return AddInc(op, tail);
    case OpKind::kDelete:
      return AddDelete(op, key, tail);
    case OpKind::kMove:
      return AddMove(op, tail);
    case OpKind::kOffer:
    case OpKind::kRestore:
      return AddApart(op, tail);
    case OpKind::kAppend:
      return;
  }
}

// Walks the created objects that no other client can know, by the final values of their refs.
class Folder::OrphanDropper final : public DependantVisitor {
 public:
  explicit OrphanDropper(Folder* folder) : folder_(folder) {
    for (const auto& [key, tail] : folder->tails_) {
      if (!folder->IsUnknownToOtherClients(tail) || tail.set_at != tail.run.front()) continue;
      for (const PropValue& change : folder->ops_[tail.set_at].set) {
        const PropDef& prop = folder->schema_.table(key.table).props[change.prop];
        if (prop.on_delete != OnDelete::kCascade || change.value.is_null()) continue;
        refs_.insert({ObjectKey{prop.ref_table, change.value.text()}, key, change.prop});
      }
    }
  }
  Vector<ObjectKey> Children(const BackRef& back, const Departure& parent) override {
    Vector<ObjectKey> children;
    AppendChildren(refs_, back, parent.key, &children);
    return children;
  }
  bool IsIn(const ObjectKey& key, const std::string& realm) override {
    return folder_->tails_.at(key).realm == realm;
  }
  bool Visit(const Departure&, const ObjectKey& child, PropIndex, OnDelete) override {
    if (!dropped_.insert(child).second) return false;
    for (const uint32_t place : folder_->tails_.at(child).run) folder_->live_[place] = false;
    return true;
  }

 private:
  Folder* folder_;
  Refs refs_;
  Set<ObjectKey> dropped_;
};

// Drops a created object if a cascading ref of it names an object that was created and deleted
// here: the authority would delete it at once.
void Folder::DropOrphans() {
  Vector<Departure> left;
  for (const auto& [key, realm] : created_and_deleted_) {
    // If later ops act on the object, it may exist again. Then its children are left to the
    // authority.
    if (!tails_.contains(key)) left.push_back({key, realm, {}});
  }
  OrphanDropper dropper(this);
  WalkDependants(schema_, kCascadeOnly, &left, &dropper);
}

Vector<Op> Folder::Finish() {
  if (!created_and_deleted_.empty()) DropOrphans();
  Vector<Op> result;
  for (size_t i = 0; i < ops_.size(); ++i) {
    if (live_[i]) result.push_back(std::move(ops_[i]));
  }
  return result;
}

}  // namespace

Vector<Op> FoldOps(const Schema& schema, const Vector<Op>& ops) {
  Folder folder(schema);
  for (const Op& op : ops) folder.Add(op);
  return folder.Finish();
}

Vector<std::string> RealmsOf(const Vector<Op>& ops) {
  Set<std::string> realms;
  for (const Op& op : ops) {
    realms.insert(op.realm);
    if (op.Has(kMoves)) realms.insert(op.to);
  }
  return {realms.begin(), realms.end()};
}

}  // namespace skerry
