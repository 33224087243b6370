#include "authority/effects.h"

#include "base/map.h"

namespace skerry {

std::optional<uint32_t> Effects::CauseOf(const ObjectKey& key) const {
  const auto cause = causes_.find(key);
  return cause == causes_.end() ? std::nullopt : std::optional<uint32_t>(cause->second);
}

void Effects::Run() {
  CollectOps();
  // Moves first: a row that goes along with its parent must have arrived before its other refs, or
  // those of its siblings, are looked at. Every loop ends: a row is dropped once and goes along
  // once.
  while (!moved_.empty() || !deleted_.empty() || !to_check_.empty()) {
    if (!moved_.empty()) {
      const Left left = std::move(moved_.front());
      moved_.pop_front();
      MoveChildren(left);
    } else if (!deleted_.empty()) {
      const Left left = std::move(deleted_.front());
      deleted_.pop_front();
      DeleteChildren(left);
    } else {
      CheckNext();
    }
  }
  LetGo();
  CheckDuties();
  Touch();
}

void Effects::AskToCheck(const ObjectKey& key) {
  to_check_.push_back(key);
  unchecked_.insert(key);
}

// A parent before its children: it may itself follow its parent, to where they are or should go.
void Effects::CheckNext() {
  const ObjectKey key = to_check_.front();
  if (const std::optional<ObjectKey> parent = UncheckedParent(key)) {
    to_check_.push_front(*parent);
    return;
  }
  to_check_.pop_front();
  if (unchecked_.erase(key) != 0) CheckRefs(key);
}

// Each is put ahead once, so that a ring of refs has an end.
std::optional<ObjectKey> Effects::UncheckedParent(const ObjectKey& key) {
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

void Effects::CollectOps() {
  for (const auto& [key, before] : scene_->rows->journal()) {
    const Row* after = scene_->rows->Find(key);
    if (before && !after) {
      dropped_.insert(key);
      deleted_.push_back({key, before->realm, ""});
    } else if (before && after && before->realm != after->realm) {
      moved_by_op_.insert(key);
      moved_.push_back({key, before->realm, after->realm});
    }
    if (after) AskToCheck(key);
  }
}

void Effects::MoveChildren(const Left& left) {
  for (const BackRef& back : scene_->schema->back_refs(left.key.table)) {
    const OnDelete rule = scene_->schema->table(back.table).props[back.prop].on_delete;
    if (rule == OnDelete::kNothing) continue;
    for (const ObjectKey& child : scene_->rows->Children({back.table, back.prop, left.key.id})) {
      const Row* row = scene_->rows->Find(child);
      if (row->realm != left.from) continue;
      Inherit(child, left.key);
      if (rule == OnDelete::kRestrict)
        duties_.push_back({child, back.prop, left.key.id, CauseOf(left.key)});
      if (rule == OnDelete::kSetNull) loose_.push_back({child, back.prop, left.key.id, {}});
      if (rule == OnDelete::kCascade && moved_along_.insert(child).second) {
        Relocate(child, left.to);
      }
    }
  }
}

void Effects::DeleteChildren(const Left& left) {
  const bool is_orphan = orphans_.contains(left.key);
  for (const BackRef& back : scene_->schema->back_refs(left.key.table)) {
    const OnDelete rule = scene_->schema->table(back.table).props[back.prop].on_delete;
    if (rule == OnDelete::kNothing) continue;
    for (const ObjectKey& child : scene_->rows->Children({back.table, back.prop, left.key.id})) {
      const Row* row = scene_->rows->Find(child);
      if (row->realm != left.from) continue;
      Inherit(child, left.key);
      if (rule == OnDelete::kRestrict)
        duties_.push_back({child, back.prop, left.key.id, CauseOf(left.key)});
      if (rule == OnDelete::kSetNull) SetNull(child, back.prop);
      if (rule == OnDelete::kCascade) Drop(child, is_orphan);
    }
  }
}

bool Effects::IsChangedRef(const ObjectKey& key, PropIndex prop, const Row& row) const {
  const auto before = scene_->rows->journal().find(key);
  if (before == scene_->rows->journal().end()) return false;
  return !before->second || before->second->realm != row.realm ||
         before->second->props[prop] != row.props[prop];
}

void Effects::CheckRefs(const ObjectKey& key) {
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

void Effects::CheckRef(const ObjectKey& key, PropIndex prop, const ObjectKey& target) {
  const String realm = scene_->rows->Find(key)->realm;
  const Row* parent = scene_->rows->Find(target);
  if (parent && parent->realm == realm) return;
  const OnDelete rule = scene_->schema->table(key.table).props[prop].on_delete;
  if (rule == OnDelete::kRestrict) {
    duties_.push_back({key, prop, target.id, CauseOf(key)});
  } else if (rule == OnDelete::kSetNull) {
    loose_.push_back({key, prop, target.id, {}});
  } else if (parent && moved_by_op_.contains(key)) {
    // Its parent may still come along; whether it did is looked at in the end.
    duties_.push_back({key, prop, target.id, CauseOf(key)});
  } else if (parent && !moved_along_.contains(key)) {
    if (!Follow(key, parent->realm)) LoseParent(key, target);
  } else {
    LoseParent(key, target);
  }
}

void Effects::LoseParent(const ObjectKey& key, const ObjectKey& target) {
  Drop(key, !dropped_.contains(target) || orphans_.contains(target));
}

// The parent lives in another realm: a child that is created or updated there goes where the parent
// went, as if it had been there before the move. False where the author may not write there.
bool Effects::Follow(const ObjectKey& key, const String& realm) {
  const Access access = scene_->AccessIn(realm);
  if (access == Access::kNotLocked) return true;  // nothing is decided in this round
  if (access != Access::kWritable) return false;
  moved_along_.insert(key);
  Relocate(key, realm);
  return true;
}

void Effects::Drop(const ObjectKey& key, bool is_orphan) {
  const Row* row = scene_->rows->Find(key);
  if (!row) return;
  const String realm = row->realm;
  scene_->rows->Erase(key, scene_->at, scene_->NextRevision(realm));
  dropped_.insert(key);
  if (is_orphan) orphans_.insert(key);
  // Children stand where the row stood before this update too, if it was moved in it; these then
  // are missing a parent.
  deleted_.push_back({key, realm, ""});
}

void Effects::Relocate(const ObjectKey& key, const String& realm) {
  Row row = *scene_->rows->Find(key);
  const String from = row.realm;
  row.realm = realm;
  row.modified_at = scene_->at;
  row.revision = scene_->NextRevision(realm);
  scene_->rows->Put(key, std::move(row));
  moved_.push_back({key, from, realm});
  AskToCheck(key);
}

void Effects::SetNull(const ObjectKey& key, PropIndex prop) {
  Row row = *scene_->rows->Find(key);
  row.props[prop] = Value::Null();
  row.modified_at = scene_->at;
  row.revision = scene_->NextRevision(row.realm);
  scene_->rows->Put(key, std::move(row));
}

bool Effects::IsKept(const Duty& duty) const {
  const Row* child = scene_->rows->Find(duty.child);
  if (!child || child->props[duty.prop].is_null()) return true;
  if (child->props[duty.prop].text() != duty.target) return true;
  const PropDef& def = scene_->schema->table(duty.child.table).props[duty.prop];
  const String realm = child->realm;
  const Row* parent = scene_->rows->Find({def.ref_table, duty.target});
  return parent && parent->realm == realm;
}

// Only now is it known who went where: a child may have followed its parent to the realm of what it
// refers to.
void Effects::LetGo() {
  for (const Duty& ref : loose_) {
    if (!IsKept(ref)) SetNull(ref.child, ref.prop);
  }
}

void Effects::Inherit(const ObjectKey& child, const ObjectKey& parent) {
  if (const std::optional<uint32_t> cause = CauseOf(parent)) causes_.try_emplace(child, *cause);
}

void Effects::CheckDuties() {
  for (const Duty& duty : duties_) {
    if (IsKept(duty)) continue;
    const PropDef& def = scene_->schema->table(duty.child.table).props[duty.prop];
    const String& table = scene_->schema->table(duty.child.table).name;
    violations_.push_back(
        {duty.cause, "restrict",
         table + "." + def.name + ": would refer to an object that is not there"});
  }
}

void Effects::Touch() {
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

void Effects::TouchMasters(const ObjectKey& key, const Row& row, std::deque<ObjectKey>* queue) {
  const TableDef& table = scene_->schema->table(key.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const PropDef& def = table.props[i];
    if (def.ref_table == kNone || !def.touch || row.props[i].is_null()) continue;
    const ObjectKey target{def.ref_table, row.props[i].text()};
    const Row* master = scene_->rows->Find(target);
    if (!master || master->realm != row.realm) continue;
    if (scene_->rows->journal().contains(target)) continue;  // stamped already
    Row stamped = *master;
    stamped.modified_at = scene_->at;
    stamped.revision = scene_->NextRevision(stamped.realm);
    scene_->rows->Put(target, std::move(stamped));
    touched_.insert(target);
    queue->push_back(target);
  }
}

}  // namespace skerry
