#include "authority/cascade.h"

#include "base/map.h"

namespace skerry {

// Applies the cascade rules to the dependants of rows that were deleted or moved.
class Cascade::Visitor final : public DependantVisitor {
 public:
  explicit Visitor(Cascade* cascade) : cascade_(cascade), rows_(cascade->scene_->rows) {}

  Vector<ObjectKey> Children(const BackRef& back, const ObjectKey& target) override {
    return rows_->Children({back.table, back.prop, target.id});
  }
  bool IsIn(const ObjectKey& key, const std::string& realm) override {
    const Row* row = rows_->Find(key);
    return row != nullptr && row->realm == realm;
  }
  bool Visit(const Departure& parent, const ObjectKey& child, PropIndex prop,
             OnDelete rule) override {
    cascade_->InheritCause(child, parent.key);
    const bool moved = !parent.to.empty();
    const DeferredRef ref{child, prop, parent.key.id, cascade_->CauseOf(parent.key)};
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
                     : cascade_->Erase(child, cascade_->orphans_.contains(parent.key));
    }
    return false;
  }

 private:
  Cascade* cascade_;
  WorkingSet* rows_;
};

std::optional<uint32_t> Cascade::CauseOf(const ObjectKey& key) const {
  const auto cause = causes_.find(key);
  return cause == causes_.end() ? std::nullopt : std::optional<uint32_t>(cause->second);
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

void Cascade::QueueCheck(const ObjectKey& key) {
  to_check_.push_back(key);
  unchecked_.insert(key);
}

// Checks a parent before its children: the parent may itself follow its own parent into the realm
// where the children are, or where they have to go.
void Cascade::CheckNext() {
  const ObjectKey key = to_check_.front();
  if (const std::optional<ObjectKey> parent = UncheckedParent(key)) {
    to_check_.push_front(*parent);
    return;
  }
  to_check_.pop_front();
  if (unchecked_.erase(key) != 0) CheckRefs(key);
}

// A parent is put ahead at most once, so that a cycle of refs ends.
std::optional<ObjectKey> Cascade::UncheckedParent(const ObjectKey& key) {
  const Row* row = scene_->rows->Find(key);
  if (!row || !unchecked_.contains(key)) return std::nullopt;
  const TableDef& table = scene_->schema->table(key.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const PropDef& def = table.props[i];
    if (def.ref_table == kNone || def.on_delete != OnDelete::kCascade) continue;
    if (row->props[i].is_null()) continue;
    ObjectKey target{def.ref_table, row->props[i].text()};
    const Row* parent = scene_->rows->Find(target);
    if (!parent || parent->realm == row->realm || !unchecked_.contains(target)) continue;
    if (put_ahead_.insert(target).second) return target;
  }
  return std::nullopt;
}

void Cascade::CollectOps() {
  for (const auto& [key, before] : scene_->rows->journal()) {
    const Row* after = scene_->rows->Find(key);
    if (before && !after) {
      dropped_.insert(key);
      deleted_.push_back({key, before->realm, ""});
    } else if (before && after && before->realm != after->realm) {
      moved_by_op_.insert(key);
      moved_.push_back({key, before->realm, after->realm});
    }
    if (after) QueueCheck(key);
  }
}

bool Cascade::IsChangedRef(const ObjectKey& key, PropIndex prop, const Row& row) const {
  const auto before = scene_->rows->journal().find(key);
  if (before == scene_->rows->journal().end()) return false;
  return !before->second || before->second->realm != row.realm ||
         before->second->props[prop] != row.props[prop];
}

void Cascade::CheckRefs(const ObjectKey& key) {
  const TableDef& table = scene_->schema->table(key.table);
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

void Cascade::CheckRef(const ObjectKey& key, PropIndex prop, const ObjectKey& target) {
  const std::string realm = scene_->rows->Find(key)->realm;
  const Row* parent = scene_->rows->Find(target);
  if (parent && parent->realm == realm) return;
  const OnDelete rule = scene_->schema->table(key.table).props[prop].on_delete;
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
// visited. The row is no orphan if this update's own ops deleted the parent.
void Cascade::DropOrphan(const ObjectKey& key, const ObjectKey& target) {
  const std::string realm = scene_->rows->Find(key)->realm;
  Erase(key, !dropped_.contains(target) || orphans_.contains(target));
  deleted_.push_back({key, realm, {}});
}

// Moves a created or updated child to the realm where its parent lives, as if the child had been
// there before the parent moved. Returns false if the author may not write there.
bool Cascade::Follow(const ObjectKey& key, const std::string& realm) {
  const Access access = scene_->AccessIn(realm);
  if (access == Access::kNotLocked) return true;  // nothing is decided in this round
  if (access != Access::kWritable) return false;
  const std::string from = scene_->rows->Find(key)->realm;
  MoveAlong(key, realm);
  moved_.push_back({key, from, realm});
  return true;
}

// Returns whether there was such a row.
bool Cascade::Erase(const ObjectKey& key, bool is_orphan) {
  const Row* row = scene_->rows->Find(key);
  if (!row) return false;
  const uint64_t revision = scene_->NextRevision(row->realm);
  scene_->rows->Erase(key, scene_->at, revision);
  dropped_.insert(key);
  if (is_orphan) orphans_.insert(key);
  return true;
}

// Returns false if the row has moved along already: it does so only once.
bool Cascade::MoveAlong(const ObjectKey& key, const std::string& realm) {
  if (!moved_along_.insert(key).second) return false;
  Row row = *scene_->rows->Find(key);
  row.realm = realm;
  row.modified_at = scene_->at;
  row.revision = scene_->NextRevision(realm);
  scene_->rows->Put(key, std::move(row));
  QueueCheck(key);
  return true;
}

void Cascade::SetNull(const ObjectKey& key, PropIndex prop) {
  Row row = *scene_->rows->Find(key);
  row.props[prop] = Value::Null();
  row.modified_at = scene_->at;
  row.revision = scene_->NextRevision(row.realm);
  scene_->rows->Put(key, std::move(row));
}

bool Cascade::Holds(const DeferredRef& ref) const {
  const Row* child = scene_->rows->Find(ref.child);
  if (!child || child->props[ref.prop].is_null()) return true;
  if (child->props[ref.prop].text() != ref.target) return true;
  const PropDef& def = scene_->schema->table(ref.child.table).props[ref.prop];
  const std::string realm = child->realm;
  const Row* parent = scene_->rows->Find({def.ref_table, ref.target});
  return parent && parent->realm == realm;
}

// Runs after all moves, because a child may have followed its parent into the realm of the target.
void Cascade::NullifyRefs() {
  for (const DeferredRef& ref : nullable_) {
    if (!Holds(ref)) SetNull(ref.child, ref.prop);
  }
}

void Cascade::InheritCause(const ObjectKey& child, const ObjectKey& parent) {
  if (const std::optional<uint32_t> cause = CauseOf(parent)) causes_.try_emplace(child, *cause);
}

void Cascade::CheckConstraints() {
  for (const DeferredRef& ref : constraints_) {
    if (Holds(ref)) continue;
    const PropDef& def = scene_->schema->table(ref.child.table).props[ref.prop];
    const std::string& table = scene_->schema->table(ref.child.table).name;
    violations_.push_back(
        {ref.cause, "restrict",
         table + "." + def.name + ": would refer to an object that is not there"});
  }
}

void Cascade::Touch() {
  std::deque<ObjectKey> queue;
  for (const auto& [key, before] : scene_->rows->journal()) queue.push_back(key);
  Set<ObjectKey> seen(queue.begin(), queue.end());
  const auto journal = scene_->rows->journal();  // as it was: touching adds to it
  while (!queue.empty()) {
    const ObjectKey key = std::move(queue.front());
    queue.pop_front();
    const auto changed = journal.find(key);
    if (changed != journal.end() && changed->second) TouchMasters(key, *changed->second, &queue);
    const Row* row = scene_->rows->Find(key);
    if (row) TouchMasters(key, Row(*row), &queue);
  }
}

void Cascade::TouchMasters(const ObjectKey& key, const Row& row, std::deque<ObjectKey>* queue) {
  const TableDef& table = scene_->schema->table(key.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const PropDef& def = table.props[i];
    if (def.ref_table == kNone || !def.touch || row.props[i].is_null()) continue;
    const ObjectKey target{def.ref_table, row.props[i].text()};
    const Row* master = scene_->rows->Find(target);
    if (!master || master->realm != row.realm) continue;
    if (scene_->rows->journal().contains(target)) continue;  // has the time already
    Row stamped = *master;
    stamped.modified_at = scene_->at;
    stamped.revision = scene_->NextRevision(stamped.realm);
    scene_->rows->Put(target, std::move(stamped));
    touched_.insert(target);
    queue->push_back(target);
  }
}

}  // namespace skerry
