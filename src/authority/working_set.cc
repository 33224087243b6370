#include "authority/working_set.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "model/members.h"

namespace skerry {

RowsMatching::RowsMatching(std::string of, TableIndex in, const Data& filter)
    : realm(std::move(of)), table(in), where(WriteJson(filter)) {}

void WorkingSet::Load(StoredRow stored) {
  auto [entry, is_new] = entries_.try_emplace({stored.row.realm, stored.key});
  if (!is_new) return;
  entry->second.in_database = true;
  if (stored.deleted_at) {
    entry->second.remains = std::move(stored);
    return;
  }
  SetDefaults(schema_->table(stored.key.table), &stored.row);
  AddToIndexes(stored.key, stored.row);
  entry->second.row = std::move(stored.row);
}

void WorkingSet::LoadOthers(const LastChangeByOthers& which, uint64_t revision) {
  others_.try_emplace(which, revision);
}

void WorkingSet::LoadChanges(const ChangesAbove& which, RowHistory history) {
  histories_.try_emplace(which, std::move(history));
}

const RowHistory* WorkingSet::ChangesOf(const ChangesAbove& which) {
  const auto found = histories_.find(which);
  if (found != histories_.end()) return &found->second;
  needs_.changes.insert(which);
  return nullptr;
}

const Row* WorkingSet::Find(const PlacedKey& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) {
    needs_.rows.insert(key);
    return nullptr;
  }
  return entry->second.row ? &*entry->second.row : nullptr;
}

const Row* WorkingSet::FindBefore(const PlacedKey& key) {
  const auto changed = step_.journal.find(key);
  if (changed == step_.journal.end()) return Find(key);
  return changed->second ? &*changed->second : nullptr;
}

const std::string* WorkingSet::MovedTo(const PlacedKey& key) const {
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.row || !entry->second.remains) return nullptr;
  const std::string& realm = entry->second.remains->moved_to;
  return realm.empty() ? nullptr : &realm;
}

bool WorkingSet::WasThere(const PlacedKey& key) const {
  const auto entry = entries_.find(key);
  return entry != entries_.end() && !entry->second.row && entry->second.remains;
}

std::optional<uint64_t> WorkingSet::DeletedAt(const PlacedKey& key) const {
  if (!WasThere(key)) return std::nullopt;
  const StoredRow& remains = *entries_.at(key).remains;
  return remains.moved_to.empty() ? std::optional<uint64_t>(remains.row.revision) : std::nullopt;
}

const Row* WorkingSet::Remains(const PlacedKey& key) const {
  return WasThere(key) ? &entries_.at(key).remains->row : nullptr;
}

// A row that comes back replaces the tombstone there, so the loop ends.
PlacedKey WorkingSet::PlaceAfterMoves(PlacedKey key) const {
  while (step_.journal.contains(key)) {
    const std::string* realm = MovedTo(key);
    if (!realm) break;
    key.realm = *realm;
  }
  return key;
}

const PlacedKey& WorkingSet::PlaceBeforeMoves(const PlacedKey& key) const {
  const auto from = step_.came_from.find(key);
  return from == step_.came_from.end() ? key : from->second;
}

Vector<ObjectKey> WorkingSet::Children(const ChildrenOf& which) {
  if (!known_children_.contains(which)) needs_.children.insert(which);
  Vector<ObjectKey> found;
  const auto candidates = by_ref_.find(which);
  if (candidates == by_ref_.end()) return found;
  for (const std::string& id : candidates->second) {
    ObjectKey key{which.table, id};
    const Row* row = Find({which.realm, key});
    if (row && !row->props[which.prop].is_null() && row->props[which.prop].text() == which.id) {
      found.push_back(std::move(key));
    }
  }
  return found;
}

Vector<ObjectKey> WorkingSet::Holders(const UniqueValue& which) {
  if (!known_holders_.contains(which)) needs_.holders.insert(which);
  Vector<ObjectKey> found;
  const auto candidates = by_value_.find(which);
  if (candidates == by_value_.end()) return found;
  for (const std::string& id : candidates->second) {
    ObjectKey key{which.table, id};
    const Row* row = Find({which.realm, key});
    if (row && HoldersKey(which.table, which.prop, row->realm, row->props[which.prop]) == which) {
      found.push_back(std::move(key));
    }
  }
  return found;
}

std::optional<uint64_t> WorkingSet::LastRevisionByOthers(const LastChangeByOthers& which) {
  const auto before = others_.find(which);
  if (before == others_.end()) {
    needs_.others.insert(which);
    return std::nullopt;
  }
  uint64_t last = before->second;
  for (const auto& [client, revision] : changed_by_[which.key]) {
    if (client != which.client) last = std::max(last, revision);
  }
  return last;
}

void WorkingSet::NoteChange(const PlacedKey& key, const std::string& client, uint64_t revision) {
  changed_by_[key][client] = revision;
}

const DoneEntry* WorkingSet::EntryOf(const ActionInLog& which, bool with_rows) {
  const auto found = done_.find(which);
  if (found == done_.end() ||
      (with_rows && found->second.revision > 0 && !found->second.has_rows)) {
    bool& needs_rows = needs_.entries[which];
    needs_rows = needs_rows || with_rows;
    return nullptr;
  }
  return &found->second;
}

void WorkingSet::LoadEntry(const ActionInLog& which, DoneEntry entry) {
  done_[which] = std::move(entry);
}

void WorkingSet::Begin() {
  step_ = {};
  kept_ = {};
}

WorkingSet::Entry& WorkingSet::Change(const PlacedKey& key) {
  Entry& entry = entries_[key];
  if (step_.journal.try_emplace(key, entry.row).second) {
    step_.saved[key] = {entry.remains, entry.changed};
  }
  entry.changed = true;
  return entry;
}

void WorkingSet::Put(const ObjectKey& key, Row row) {
  Entry& entry = Change({row.realm, key});
  AddToIndexes(key, row);
  entry.row = std::move(row);
  entry.remains.reset();
}

void WorkingSet::Erase(const PlacedKey& key, double at, uint64_t revision) {
  Entry& entry = Change(key);
  if (!entry.row) return;
  StoredRow remains{key.object, std::move(*entry.row), at};
  remains.row.modified_at = at;
  remains.row.revision = revision;
  entry.remains = std::move(remains);
  entry.row.reset();
}

void WorkingSet::Move(const PlacedKey& from, uint64_t revision, Row row) {
  Erase(from, row.modified_at, revision);
  entries_[from].remains->moved_to = row.realm;
  const PlacedKey to{row.realm, from.object};
  const PlacedKey origin = PlaceBeforeMoves(from);
  step_.came_from.erase(from);
  step_.came_from.erase(to);
  if (origin != to) step_.came_from.emplace(to, origin);
  Put(from.object, std::move(row));
}

void WorkingSet::KeepStep() {
  if (kept_.journal.empty()) {
    kept_ = std::move(step_);
    step_ = {};
    return;
  }
  for (auto& [key, before] : step_.journal) {
    // What an earlier step has changed was different before the update.
    if (!kept_.journal.try_emplace(key, std::move(before)).second) continue;
    kept_.saved.emplace(key, std::move(step_.saved[key]));
  }
  Map<PlacedKey, PlacedKey> moved;
  for (const auto& [to, from] : step_.came_from) {
    const auto earlier = kept_.came_from.find(from);
    moved.emplace(to, earlier == kept_.came_from.end() ? from : earlier->second);
  }
  for (const auto& [to, from] : step_.came_from) kept_.came_from.erase(from);
  for (auto& [to, from] : moved) {
    kept_.came_from.erase(to);
    if (from != to) kept_.came_from.emplace(to, std::move(from));
  }
  step_ = {};
}

void WorkingSet::Undo(Changes* changes) {
  for (auto& [key, before] : changes->journal) {
    Entry& entry = entries_[key];
    const Saved& saved = changes->saved[key];
    entry.row = std::move(before);
    entry.remains = saved.remains;
    entry.changed = saved.changed;
  }
  *changes = {};
}

void WorkingSet::DropStep() { Undo(&step_); }

void WorkingSet::Commit() { Begin(); }

void WorkingSet::Rollback() {
  Undo(&step_);
  Undo(&kept_);
  // A row that was changed before it was loaded must stay unknown, or it would count as missing for
  // ever.
  for (const PlacedKey& key : needs_.rows) entries_.erase(key);
}

Needs WorkingSet::TakeNeeds() {
  asked_ = std::move(needs_);
  needs_ = {};
  return asked_;
}

void WorkingSet::SettleRow(const PlacedKey& key) { entries_.try_emplace(key); }

void WorkingSet::Settle() {
  for (const PlacedKey& key : asked_.rows) SettleRow(key);
  for (const ChildrenOf& which : asked_.children) known_children_.insert(which);
  for (const UniqueValue& which : asked_.holders) known_holders_.insert(which);
  for (const RowsMatching& which : asked_.matching) known_matching_.insert(which);
  for (const LastChangeByOthers& which : asked_.others) others_.try_emplace(which, 0);
  for (const auto& [which, with_rows] : asked_.entries) done_.try_emplace(which);
  asked_ = {};
}

Vector<WorkingSet::Final> WorkingSet::Finals() const {
  Vector<Final> finals;
  for (const auto& [key, entry] : entries_) {
    if (!entry.changed) continue;
    if (entry.row) {
      finals.push_back({{key.object, *entry.row, std::nullopt}, !entry.in_database});
    } else if (entry.remains) {
      finals.push_back({*entry.remains, !entry.in_database});
    }
  }
  return finals;
}

UniqueValue WorkingSet::HoldersKey(TableIndex table, PropIndex prop, const std::string& realm,
                                   const Value& value) const {
  const PropDef& def = schema_->table(table).props[prop];
  return {table, prop, realm, WriteJson(ValueToData(def, value, true))};
}

void WorkingSet::AddToIndexes(const ObjectKey& key, const Row& row) {
  const Vector<PropDef>& props = schema_->table(key.table).props;
  for (size_t i = 0; i < props.size(); ++i) {
    const auto prop = static_cast<PropIndex>(i);
    const Value& value = row.props[i];
    if (value.is_null()) continue;
    if (props[i].ref_table != kNone)
      by_ref_[{row.realm, key.table, prop, value.text()}].insert(key.id);
    const bool is_role = key.table == schema_->members() && prop == kMemberRole;
    if (props[i].unique || is_role)
      by_value_[HoldersKey(key.table, prop, row.realm, value)].insert(key.id);
  }
}

}  // namespace skerry
