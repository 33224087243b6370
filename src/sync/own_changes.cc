#include "sync/own_changes.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "log/codec.h"
#include "log/conflict_record.h"
#include "log/left_out.h"
#include "log/transaction_builder.h"
#include "sync/scopes.h"

namespace skerry {
namespace {

// Whether the op changes a row by the will of its author: not a membership, not what only an undo
// expects; or appends to a stream.
bool IsKept(const Schema& schema, const Op& op) {
  if (op.Has(kOnStream)) return true;
  return op.Has(kOnRow) && !op.Has(kOnlyNew) && op.of.empty() && op.table != schema.members();
}

// Whether others may overwrite it.
bool IsWatched(const Schema& schema, const Op& op) { return IsKept(schema, op) && !op.set.empty(); }

const Value* FindSet(const Vector<PropValue>& list, PropIndex prop) {
  for (const PropValue& set : list) {
    if (set.prop == prop) return &set.value;
  }
  return nullptr;
}

bool HasAllOf(const Data& props, const Data& other) {
  return std::all_of(other.members().begin(), other.members().end(),
                     [&](const auto& member) { return props.Find(member.first) != nullptr; });
}

// What is worth keeping of a confirmed mutation; none: nothing.
std::optional<OwnRecord> RecordOf(const Schema& schema, const MutationRecord& mutation,
                                  const LostWork& told) {
  const size_t bytes = mutation.body.size() + mutation.before.value_or("").size();
  if (bytes > kMaxOwnBytes) return std::nullopt;
  const Result<Mutation> read = DecodeMutation(schema, mutation.body);
  if (!read.ok()) return std::nullopt;
  Vector<Op> kept;
  for (const Op& op : read.value().ops) {
    if (IsKept(schema, op) && !told.IsTold(mutation, op)) kept.push_back(op);
  }
  if (kept.empty()) return std::nullopt;
  OwnRecord record;
  record.id = mutation.id;
  record.name = mutation.name;
  record.at = mutation.at;
  record.keys = ObjectTexts(schema, kept);
  record.body = mutation.body;
  record.before = mutation.before;
  return record;
}

}  // namespace

void OwnChanges::Confirm(const NamedMutation& mutation, const Revisions& revisions,
                         const Times& times) {
  const uint64_t key = mutation.key.number();
  if (key == 0 || revisions.empty()) return;
  confirmed_.emplace(mutation.id, std::pair(revisions, times));
  lowest_ = std::min(lowest_, key);
  highest_ = std::max(highest_, key);
}

void OwnChanges::Compare(const Vector<Change>& changes) {
  all_ = &changes;
  for (size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    if (!change.over.has_value() || change.kind == ChangeKind::kLeave) continue;
    const ObjectKey& key = change.key;
    changes_[ObjectText(*schema_, key.table, key.id, change.realm)] = i;
  }
}

Data::Array OwnChanges::Reads() const {
  Data::Array reads;
  if (!confirmed_.empty())
    reads.push_back(LastRead(Store::kMutations, lowest_, highest_, kMaxOwnOfPull));
  if (reads_all()) {
    reads.push_back(RangeRead(Store::kOwn));
    reads.push_back(RangeRead(Store::kConflicts));
  } else if (!confirmed_.empty()) {
    reads.push_back(CountRead(Store::kOwn));
    reads.push_back(PageRead(Store::kOwn, Key(), kMaxOwnOfPull));
  }
  return reads;
}

void OwnChanges::Take(const Data& results, const LostWork& told, Data::Array* writes) {
  const Data* next = results.items().data();
  Vector<Kept> added;
  if (!confirmed_.empty()) TakeNew(*next++, told, &added);
  Vector<Kept> list;
  size_t stored = 0;
  if (!reads_all()) stored = static_cast<size_t>((next++)->as_u64());
  for (const Data& row : next->items())
    list.push_back({RowKey(row), OwnRecord::Read(RowValue(row))});
  const size_t count = std::max(stored, list.size()) + added.size();
  LeaveOld(count > kMaxOwnChanges ? count - kMaxOwnChanges : 0, &list);
  for (Kept& kept : added) list.push_back(std::move(kept));
  if (reads_all()) {
    Forget(&list);
    Set<std::string> set_later;
    Vector<ConflictRecord> entries;
    for (size_t i = list.size(); i > 0; --i) Tell(&list[i - 1], &set_later, &entries);
    AddToInbox(next[1], entries, writes);
  }
  Write(list, writes);
}

// `mutations`: descending.
void OwnChanges::TakeNew(const Data& mutations, const LostWork& told, Vector<Kept>* list) const {
  const Data::Array& rows = mutations.items();
  for (size_t i = rows.size(); i > 0; --i) {
    const MutationRecord mutation = MutationRecord::Read(RowValue(rows[i - 1]));
    const auto found = confirmed_.find(mutation.id);
    if (found == confirmed_.end() || IsNewer(mutation)) continue;
    std::optional<OwnRecord> record = RecordOf(*schema_, mutation, told);
    if (!record.has_value()) continue;
    record->confirmed = now_;
    record->revisions = found->second.first;
    if (!found->second.second.empty()) record->times = found->second.second;
    list->push_back({Key(), std::move(*record)});
  }
}

// Of the oldest ones, those that have only appended to streams go first: nobody overwrites an action.
void OwnChanges::LeaveOld(size_t too_many, Vector<Kept>* list) const {
  for (Kept& kept : *list) {
    kept.is_done = kept.record.confirmed < now_ - kOwnDays * kDayMs;
    if (kept.is_done && too_many > 0) --too_many;
  }
  for (const bool only_appends : {true, false}) {
    for (Kept& kept : *list) {
      if (too_many == 0) return;
      if (kept.is_done || kept.record.keys.empty() != only_appends) continue;
      kept.is_done = true;
      --too_many;
    }
  }
}

void OwnChanges::Forget(Vector<Kept>* list) const {
  for (Kept& kept : *list) {
    Revisions& revisions = kept.record.revisions;
    const size_t before = revisions.size();
    const Times times = kept.record.times.value_or(Times());
    for (const auto& [realm, up_to] : dropped_) {
      const auto at = times.find(realm);
      if (at == times.end() || at->second <= up_to) revisions.erase(realm);
    }
    kept.has_changed = kept.has_changed || revisions.size() != before;
    kept.is_done = kept.is_done || revisions.empty();
  }
}

// Whether the row has another value now, by somebody who had not seen the own one.
bool OwnChanges::IsOverwritten(const Change& change, const OwnRecord& own,
                               const PropValue& set) const {
  const auto revision = own.revisions.find(change.realm);
  if (revision == own.revisions.end() || revision->second <= *change.over) return false;
  // Others came before it, and the log's order has decided.
  if (revision->second >= change.revision) return false;
  if (change.kind == ChangeKind::kDelete) return true;
  const Value* now = FindSet(change.set, set.prop);
  if (now != nullptr) return *now != set.value;
  return change.kind == ChangeKind::kCreate && !set.value.is_null();
}

// REQUIRES: later own changes were told before.
void OwnChanges::Tell(Kept* kept, Set<std::string>* set_later,
                      Vector<ConflictRecord>* entries) const {
  OwnRecord& own = kept->record;
  const bool concerns = std::any_of(own.keys.begin(), own.keys.end(),
                                    [&](const std::string& key) { return changes_.contains(key); });
  if (kept->is_done || !concerns) return;
  Result<Mutation> read = DecodeMutation(*schema_, own.body);
  if (!read.ok()) return;
  Vector<std::string> watched;
  Vector<std::string> set_now;
  for (const std::string& object : own.keys) {
    Vector<Op> lost;
    const auto found = changes_.find(object);
    for (const Op& op : read.value().ops) {
      const bool is_meant = found != changes_.end() && IsWatched(*schema_, op) &&
                            ObjectText(*schema_, op.table, op.id, op.realm) == object;
      if (!is_meant) continue;
      Op part = op;
      part.add.clear();
      part.if_revision.reset();
      erase_if(part.set, [&](const PropValue& set) {
        set_now.push_back(object + '\0' + std::to_string(set.prop));
        return set_later->contains(set_now.back()) ||
               !IsOverwritten((*all_)[found->second], own, set);
      });
      if (!part.set.empty()) lost.push_back(std::move(part));
    }
    if (lost.empty()) {
      watched.push_back(object);
    } else {
      entries->push_back(EntryOf(own, std::move(lost), read.value().action));
    }
  }
  for (std::string& set : set_now) set_later->insert(std::move(set));
  kept->has_changed = kept->has_changed || watched.size() < own.keys.size();
  const Vector<Op>& ops = read.value().ops;
  const bool appends =
      std::any_of(ops.begin(), ops.end(), [](const Op& op) { return op.Has(kOnStream); });
  kept->is_done = watched.empty() && !appends;
  own.keys = std::move(watched);
}

ConflictRecord OwnChanges::EntryOf(const OwnRecord& own, Vector<Op> ops,
                                   const Action& action) const {
  ConflictRecord entry;
  entry.reason = entry.code = kOverwritten;
  entry.detail = "Somebody who had not seen this change has made another one.";
  entry.table = schema_->table(ops[0].table).name;
  entry.id = ops[0].id;
  entry.mine = ShownOps(*schema_, ops, schema_);
  entry.at = now_;
  entry.part = true;  // the log has its action
  Mutation mutation;
  mutation.action = action;
  mutation.ops = std::move(ops);
  entry.mutation = {own.id, own.name, own.at, EncodeMutation(*schema_, mutation), own.before, {}};
  return entry;
}

// Entries take the place of earlier ones of the same props, and at most so many stay: two people who
// change one thing all day long do not fill the inbox.
void OwnChanges::AddToInbox(const Data& inbox, const Vector<ConflictRecord>& entries,
                            Data::Array* writes) {
  if (entries.empty()) return;
  Vector<Key> stay;
  for (const Data& row : inbox.items()) {
    const ConflictRecord stored = ConflictRecord::Read(RowValue(row));
    if (stored.reason != kOverwritten || IsNewer(stored)) continue;
    const bool is_replaced =
        std::any_of(entries.begin(), entries.end(), [&](const ConflictRecord& entry) {
          return entry.table == stored.table && entry.id == stored.id &&
                 HasAllOf(entry.mine, stored.mine);
        });
    if (is_replaced) {
      writes->push_back(DeleteWrite(Store::kConflicts, RowKey(row)));
    } else {
      stay.push_back(RowKey(row));
    }
  }
  const size_t count = stay.size() + entries.size();
  for (size_t i = 0; i + kMaxOwnChanges < count && i < stay.size(); ++i)
    writes->push_back(DeleteWrite(Store::kConflicts, stay[i]));
  // The last own change was told first.
  for (size_t i = entries.size(); i > 0; --i)
    writes->push_back(AddWrite(Store::kConflicts, entries[i - 1].Write()));
}

void OwnChanges::Write(const Vector<Kept>& list, Data::Array* writes) {
  for (const Kept& kept : list) {
    const bool is_new = kept.key.data().is_null();
    if (is_new && !kept.is_done) writes->push_back(AddWrite(Store::kOwn, kept.record.Write()));
    if (is_new) continue;
    if (kept.is_done) {
      writes->push_back(DeleteWrite(Store::kOwn, kept.key));
    } else if (kept.has_changed) {
      writes->push_back(PutWrite(Store::kOwn, kept.key, kept.record.Write()));
    }
  }
}

}  // namespace skerry
