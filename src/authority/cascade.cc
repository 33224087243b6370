#include "authority/cascade.h"

#include "base/map.h"

namespace skerry {

Rejection IdIsTaken(std::optional<uint32_t> op) {
  return {op, "exists", "the realm holds another object with this id"};
}

// Applies the cascade rules to the dependants of rows that were deleted or moved.
class Cascade::Visitor final : public DependantVisitor {
 public:
  explicit Visitor(Cascade* cascade) : cascade_(cascade), rows_(cascade->scene_->rows) {}

  Vector<ObjectKey> Children(const BackRef& back, const Departure& parent) override {
    return rows_->Children({parent.realm, back.table, back.prop, parent.key.id});
  }
  bool IsIn(const ObjectKey& key, const std::string& realm) override {
    return rows_->Find({realm, key}) != nullptr;
  }
  bool Visit(const Departure& parent, const ObjectKey& object, PropIndex prop,
             OnDelete rule) override {
    const PlacedKey left{parent.realm, parent.key}, child{parent.realm, object};
    cascade_->InheritCause(child, left);
    const bool moved = !parent.to.empty();
    const DeferredRef ref{child, prop, parent.key.id, cascade_->CauseOf(left)};
    switch (rule) {
      case OnDelete::kNothing:
        return false;
      case OnDelete::kRestrict:
        cascade_->constraints_.push_back(ref);
        return false;
      case OnDelete::kSetNull:
        if (moved) {
          cascade_->nullable_.push_back(ref);
        } else {
          cascade_->SetNull(child, prop);
        }
        return false;
      case OnDelete::kCascade:
        return moved ? cascade_->MoveAlong(child, parent.to)
                     : cascade_->Erase(child, cascade_->orphans_.contains(left));
    }
    return false;
  }

 private:
  Cascade* cascade_;
  WorkingSet* rows_;
};

std::optional<uint32_t> Cascade::CauseOf(const PlacedKey& key) const {
  const auto cause = causes_.find(key);
  return cause == causes_.end() ? std::nullopt : std::optional<uint32_t>(cause->second);
}

void Cascade::Owe(const PlacedKey& key) {
  owed_.insert(key);
  if (scene_->rows->Find(key)) return QueueCheck(key);
  const std::string* to = scene_->rows->MovedTo(key);
  if (!to) {
    dropped_.insert(key);
    deleted_.push_back({key.object, key.realm, ""});
  } else if (scene_->AccessIn(*to) == Access::kWritable) {
    moved_.push_back({key.object, key.realm, *to});
  }
}

void Cascade::Run() {
  CollectOps();
  Visitor visitor(this);
  // Moves first: a row that moves along with its parent must have arrived before its other refs, or
  // those of its siblings, are checked. The loop ends, because each row is deleted at most once and
  // moves along at most once.
  while (!moved_.empty() || !deleted_.empty() || !to_check_.empty()) {
    if (!moved_.empty()) {
      WalkDependants(*scene_->schema, kAllRules, &moved_, &visitor);
    } else if (!deleted_.empty()) {
      WalkDependants(*scene_->schema, kAllRules, &deleted_, &visitor);
    } else {
      CheckNext();
    }
  }
  NullifyRefs();
  CheckConstraints();
  Touch();
}

void Cascade::QueueCheck(const PlacedKey& key) {
  to_check_.push_back(key);
  unchecked_.insert(key);
  queued_.insert_or_assign(key.object, key.realm);
}

// Checks a parent before its children: the parent may itself follow its own parent into the realm
// where the children are, or where they have to go.
void Cascade::CheckNext() {
  const PlacedKey key = to_check_.front();
  if (const std::optional<PlacedKey> parent = UncheckedParent(key)) {
    to_check_.push_front(*parent);
    return;
  }
  to_check_.pop_front();
  if (unchecked_.erase(key) != 0) CheckRefs(key);
}

// A parent is put ahead at most once, so that a cycle of refs ends.
std::optional<PlacedKey> Cascade::UncheckedParent(const PlacedKey& key) {
  const Row* row = scene_->rows->Find(key);
  if (!row || !unchecked_.contains(key)) return std::nullopt;
  const TableDef& table = scene_->schema->table(key.object.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const PropDef& def = table.props[i];
    if (def.ref_table == kNone || def.on_delete != OnDelete::kCascade) continue;
    if (row->props[i].is_null()) continue;
    const ObjectKey target{def.ref_table, row->props[i].text()};
    std::optional<PlacedKey> parent = ParentOf(key, target);
    // Or this step has written it in another realm, from where it follows its own parent.
    if (!parent) parent = QueuedElsewhere(target);
    if (!parent || parent->realm == key.realm || !unchecked_.contains(*parent)) continue;
    if (put_ahead_.insert(*parent).second) return parent;
  }
  return std::nullopt;
}

std::optional<PlacedKey> Cascade::QueuedElsewhere(const ObjectKey& target) const {
  const auto queued = queued_.find(target);
  if (queued == queued_.end()) return std::nullopt;
  return PlacedKey{queued->second, target};
}

// Where the parent is that a ref of the row leads to: in the row's realm; in the realm that the row
// has left in this step; or where the tombstone there leads. Empty: there is none.
std::optional<PlacedKey> Cascade::ParentOf(const PlacedKey& key, const ObjectKey& target) {
  PlacedKey parent{key.realm, target};
  if (scene_->Locate(&parent)) return parent;
  parent.realm = scene_->rows->PlaceBeforeMoves(key).realm;
  if (parent.realm != key.realm && scene_->Locate(&parent)) return parent;
  return std::nullopt;
}

void Cascade::CollectOps() {
  for (const auto& [key, before] : scene_->rows->journal()) {
    const Row* after = scene_->rows->Find(key);
    if (before && !after) {
      PlacedKey now = scene_->rows->PlaceAfterMoves(key);
      if (scene_->rows->Find(now)) {
        moved_.push_back({key.object, key.realm, now.realm});
        moved_by_op_.insert(std::move(now));
      } else {
        dropped_.insert(key);
        deleted_.push_back({key.object, key.realm, ""});
      }
    }
    if (after) QueueCheck(key);
  }
}

bool Cascade::IsChangedRef(const PlacedKey& key, PropIndex prop, const Row& row) const {
  if (owed_.contains(key)) return true;
  const auto before = scene_->rows->journal().find(key);
  if (before == scene_->rows->journal().end()) return false;
  return !before->second || before->second->props[prop] != row.props[prop];
}

void Cascade::CheckRefs(const PlacedKey& key) {
  const TableDef& table = scene_->schema->table(key.object.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const PropDef& def = table.props[i];
    const auto prop = static_cast<PropIndex>(i);
    const Row* row = scene_->rows->Find(key);
    if (!row) return;
    if (def.ref_table == kNone || def.on_delete == OnDelete::kNothing) continue;
    if (row->props[i].is_null() || !IsChangedRef(key, prop, *row)) continue;
    CheckRef(key, prop, {def.ref_table, row->props[i].text()});
  }
}

void Cascade::CheckRef(const PlacedKey& key, PropIndex prop, const ObjectKey& target) {
  if (scene_->rows->Find({key.realm, target})) return;
  const std::optional<PlacedKey> parent = ParentOf(key, target);
  const OnDelete rule = scene_->schema->table(key.object.table).props[prop].on_delete;
  if (rule == OnDelete::kRestrict) {
    constraints_.push_back({key, prop, target.id, CauseOf(key)});
  } else if (rule == OnDelete::kSetNull) {
    nullable_.push_back({key, prop, target.id, {}});
  } else if (parent && moved_by_op_.contains(key)) {
    // Another op may move the parent to the same realm; CheckConstraints sees the outcome.
    constraints_.push_back({key, prop, target.id, CauseOf(key)});
  } else if (parent && !moved_along_.contains(key)) {
    if (!Follow(key, parent->realm)) DropOrphan(key, target);
  } else {
    DropOrphan(key, target);
  }
}

// Deletes the row, because its parent is not in its realm, and queues it so that its dependants are
// visited. The row is no orphan if this step's own ops deleted the parent.
void Cascade::DropOrphan(const PlacedKey& key, const ObjectKey& target) {
  const PlacedKey parent{key.realm, target};
  Erase(key, !dropped_.contains(parent) || orphans_.contains(parent));
  deleted_.push_back({key.object, key.realm, {}});
}

// Moves a created or updated child to the realm where its parent lives, as if the child had been
// there before the parent moved. Returns false if the author may not write there.
bool Cascade::Follow(const PlacedKey& key, const std::string& realm) {
  const Access access = scene_->AccessIn(realm);
  if (access == Access::kNotLocked) return true;  // nothing is decided in this round
  if (access != Access::kWritable) return false;
  if (MoveAlong(key, realm)) moved_.push_back({key.object, key.realm, realm});
  return true;
}

// Returns whether there was such a row.
bool Cascade::Erase(const PlacedKey& key, bool is_orphan) {
  const Row* row = scene_->rows->Find(key);
  if (!row) return false;
  const uint64_t revision = scene_->NextRevision(row->realm);
  scene_->rows->Erase(key, scene_->at, revision);
  dropped_.insert(key);
  if (is_orphan) orphans_.insert(key);
  return true;
}

// Returns false if the row has moved along already, which it does only once, or may not move there.
bool Cascade::MoveAlong(const PlacedKey& key, const std::string& realm) {
  if (moved_along_.contains(key)) return false;
  const PlacedKey to{realm, key.object};
  if (scene_->rows->Find(to)) {
    violations_.push_back(IdIsTaken(CauseOf(key)));
    return false;
  }
  Row row = *scene_->rows->Find(key);
  row.realm = realm;
  row.modified_at = scene_->at;
  row.revision = scene_->NextRevision(realm);
  scene_->rows->Move(key, scene_->NextRevision(key.realm), std::move(row));
  moved_along_.insert(to);
  InheritCause(to, key);
  QueueCheck(to);
  return true;
}

void Cascade::SetNull(const PlacedKey& key, PropIndex prop) {
  Row row = *scene_->rows->Find(key);
  row.props[prop] = Value::Null();
  row.modified_at = scene_->at;
  row.revision = scene_->NextRevision(row.realm);
  scene_->rows->Put(key.object, std::move(row));
}

bool Cascade::Holds(const DeferredRef& ref) const {
  const PlacedKey place = scene_->rows->PlaceAfterMoves(ref.child);
  const Row* child = scene_->rows->Find(place);
  if (!child || child->props[ref.prop].is_null()) return true;
  if (child->props[ref.prop].text() != ref.target) return true;
  const PropDef& def = scene_->schema->table(place.object.table).props[ref.prop];
  return scene_->rows->Find({place.realm, {def.ref_table, ref.target}}) != nullptr;
}

// Runs after all moves, because a child may have followed its parent into the realm of the target.
void Cascade::NullifyRefs() {
  for (const DeferredRef& ref : nullable_) {
    if (!Holds(ref)) SetNull(scene_->rows->PlaceAfterMoves(ref.child), ref.prop);
  }
}

void Cascade::InheritCause(const PlacedKey& child, const PlacedKey& parent) {
  if (const std::optional<uint32_t> cause = CauseOf(parent)) causes_.try_emplace(child, *cause);
}

void Cascade::CheckConstraints() {
  for (const DeferredRef& ref : constraints_) {
    if (Holds(ref)) continue;
    const PropDef& def = scene_->schema->table(ref.child.object.table).props[ref.prop];
    const std::string& table = scene_->schema->table(ref.child.object.table).name;
    violations_.push_back(
        {ref.cause, "restrict",
         table + "." + def.name + ": would refer to an object that does not exist"});
  }
}

void Cascade::Touch() {
  std::deque<PlacedKey> queue(owed_.begin(), owed_.end());
  for (const PlacedKey& key : owed_) {
    if (const Row* row = scene_->rows->Remains(key)) TouchMasters(key, Row(*row), &queue);
  }
  for (const auto& [key, before] : scene_->rows->journal()) queue.push_back(key);
  const auto journal = scene_->rows->journal();  // as it was: touching adds to it
  while (!queue.empty()) {
    const PlacedKey key = std::move(queue.front());
    queue.pop_front();
    const auto changed = journal.find(key);
    if (changed != journal.end() && changed->second) TouchMasters(key, *changed->second, &queue);
    const Row* row = scene_->rows->Find(key);
    if (row) TouchMasters(key, Row(*row), &queue);
  }
}

void Cascade::TouchMasters(const PlacedKey& key, const Row& row, std::deque<PlacedKey>* queue) {
  const TableDef& table = scene_->schema->table(key.object.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const PropDef& def = table.props[i];
    if (def.ref_table == kNone || !def.touch || row.props[i].is_null()) continue;
    const PlacedKey target{key.realm, {def.ref_table, row.props[i].text()}};
    const Row* master = scene_->rows->Find(target);
    if (!master) continue;
    if (scene_->rows->journal().contains(target)) continue;  // has the time already
    Row stamped = *master;
    stamped.modified_at = scene_->at;
    stamped.revision = scene_->NextRevision(stamped.realm);
    scene_->rows->Put(target.object, std::move(stamped));
    touched_.insert(target);
    queue->push_back(target);
  }
}

}  // namespace skerry
