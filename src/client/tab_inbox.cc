// The inbox of a window: what it shows, and how an entry is resolved.
#include <algorithm>
#include <utility>

#include "client/changed_rows.h"
#include "client/effect.h"
#include "client/member_rights.h"
#include "client/tab.h"
#include "client/unique_rule.h"
#include "log/codec.h"
#include "log/mutation_record.h"

namespace skerry {
namespace {

Vector<StoredConflict> EntriesOf(const Data& conflicts) {
  Vector<StoredConflict> entries;
  for (const Data& row : conflicts.items())
    entries.push_back({RowKey(row), ConflictRecord::Read(RowValue(row))});
  return entries;
}

}  // namespace

void Tab::RequestConflicts(Data* effects) {
  if (conflicts_queued_) return;
  conflicts_queued_ = true;
  Transact<ConflictsTx>({Store::kConflicts}, OneRead(RangeRead(Store::kConflicts)),
                        TransactionMode::kRead, effects);
}

void Tab::Read(ConflictsTx* tx, Data* results, TxReply*) {
  tx->results = std::move(*results);
  conflicts_queued_ = false;  // a request from now on needs another reading
  tx->refused = std::move(refused_);
  tx->unknown = std::move(unknown_);
  refused_.clear();
  unknown_.clear();
}

void Tab::Done(ConflictsTx* tx, const Vector<Key>&, Data* effects) {
  SettleGone(*tx, effects);
  TakeInbox(tx->results.items()[0], effects);
}

void Tab::Failed(const ConflictsTx& tx, const HostError&, Data* effects) {
  conflicts_queued_ = false;
  refused_.insert(refused_.end(), tx.refused.begin(), tx.refused.end());
  unknown_.insert(unknown_.end(), tx.unknown.begin(), tx.unknown.end());
  ReadLater(effects);
}

// The inbox was read after these mutations were gone: it has the reasons; a mutation that it does
// not have was confirmed.
void Tab::SettleGone(const ConflictsTx& tx, Data* effects) {
  const Vector<StoredConflict> entries = EntriesOf(tx.results.items()[0]);
  const auto entry_of = [&](const std::string& id) -> const ConflictRecord* {
    for (const StoredConflict& entry : entries) {
      // A part was left out of a mutation that was made.
      const bool is_part = entry.record.part.value_or(false);
      if (!is_part && entry.record.mutation.id == id) return &entry.record;
    }
    return nullptr;
  };
  const auto refuse = [&](const std::string& id, const ConflictRecord* entry) {
    std::string code = entry == nullptr ? "" : entry->code;
    if (code.empty()) code = "rejected";
    promises_.Refused(id, code, entry == nullptr ? "" : entry->detail, effects);
  };
  for (const std::string& id : tx.refused) refuse(id, entry_of(id));
  for (const std::string& id : tx.unknown) {
    if (const ConflictRecord* entry = entry_of(id)) {
      refuse(id, entry);
    } else {
      promises_.Confirmed(id, effects);
    }
  }
}

void Tab::TakeInbox(const Data& rows, Data* effects) {
  if (inbox_.Take(rows)) effects->Push(ConflictsEffect(inbox_.entries()));
  for (const StoredConflict& entry : EntriesOf(rows)) {
    if (!entry.record.part.value_or(false)) undo_.Refused(entry.record.mutation.id);
    // What a rule failed over is made again by a release that may have mended it.
    const bool is_of_earlier = entry.record.schema.value_or(UINT64_MAX) < schema_->version();
    if (is_of_earlier && tried_again_.insert(entry.key.number()).second)
      Resolve(entry.key.number(), effects).how = Resolution::kRetry;
  }
}

namespace {

// The log has each action id at most once: what was applied in vain, or left out, is made again
// under a new one.
bool NeedsNewId(const ConflictRecord& entry) {
  return entry.code == kParentDeleted || entry.code == kRowDeleted || entry.part.value_or(false);
}

// The user has decided that what the log may have had, or what was left out, is done: it is based on
// what is there now.
bool IsBasedOnNow(const ConflictRecord& entry) {
  return entry.code == "outcome_unknown" || entry.part.value_or(false);
}

}  // namespace

// REQUIRES: the user may retry it, as far as is known here.
void Tab::AddRetried(Mutation mutation, const ConflictRecord& entry, ResolveTx* tx, Data* writes) {
  if (NeedsNewId(entry)) mutation.action.id = options_.ids->Next(now_);
  if (entry.part.value_or(false)) mutation.action.at = now_ + clock_offset_;
  if (IsBasedOnNow(entry)) {
    // The action stays as it was made, so that a log that still has its id knows it.
    mutation.action.is_replayed = mutation.action.is_again = false;
    SetBase(&mutation);
  }
  MutationRecord record = NewRecord(mutation, EncodeShown(*view_, mutation.ops));
  // With what this release has no place for, which the worker puts into the inbox again.
  if (!NeedsNewId(entry) && !IsBasedOnNow(entry)) record.body = entry.mutation.body;
  writes->Push(AddWrite(Store::kMutations, record.Write()));
  tx->added.push_back({record.id, std::move(record), {}});
}

// What is made again never destroys: what this release cannot read, or has no place for, stays as it
// is. `is_remade`: the body of the entry is not kept.
std::optional<Refusal> Tab::WhyUnreadable(const ConflictRecord& entry, bool is_remade,
                                          Mutation* mutation) const {
  const std::string& id = entry.mutation.id;
  Status left_out;
  Result<Mutation> decoded = DecodeMutation(*schema_, entry.mutation.body, &left_out);
  if (!decoded.ok())
    return Refusal{id, "unreadable", "It cannot be read: " + decoded.status().detail() + '.'};
  if (!left_out.ok() && (is_remade || decoded.value().ops.empty())) {
    const std::string why = "This release's schema cannot hold it: " + left_out.detail() + '.';
    return Refusal{id, "no_place", why};
  }
  *mutation = std::move(decoded.value());
  return std::nullopt;
}

std::optional<Refusal> Tab::WhyNotMade(const ConflictRecord& entry, const Vector<Op>& ops) const {
  const Status allowed = MemberRights(view_, options_.user).CheckReadOnly(ops);
  if (!allowed.ok()) return Refusal{entry.mutation.id, "read_only", allowed.detail()};
  const Status free = CheckUniqueBefore(view_, ops);
  if (!free.ok()) return Refusal{entry.mutation.id, "unique", free.detail()};
  return std::nullopt;
}

std::optional<Refusal> Tab::WhyNotRetried(const ConflictRecord& entry, Mutation* mutation) const {
  const bool is_remade = NeedsNewId(entry) || IsBasedOnNow(entry);
  std::optional<Refusal> refusal = WhyUnreadable(entry, is_remade, mutation);
  return refusal.has_value() ? refusal : WhyNotMade(entry, mutation->ops);
}

std::optional<Refusal> Tab::Retry(const StoredConflict& stored, ResolveTx* tx, Data* writes) {
  Mutation mutation;
  std::optional<Refusal> refusal = WhyNotRetried(stored.record, &mutation);
  if (refusal.has_value()) return refusal;
  tx->Settle(stored);
  AddRetried(std::move(mutation), stored.record, tx, writes);
  return refusal;
}

namespace {

// What was left out, or lost, of one object is made again together, in order: a later change of an
// object that is not there would be lost.
bool IsOfOneObject(const ConflictRecord& a, const ConflictRecord& b) {
  const bool are_parts = a.part.value_or(false) && b.part.value_or(false);
  return a.reason == b.reason && (are_parts || a.reason == kDropped) && a.table.has_value() &&
         a.table == b.table && a.id == b.id;
}

}  // namespace

void Tab::WriteRetry(const StoredConflict& entry, ResolveTx* tx, Data* writes) {
  for (const StoredConflict& stored : EntriesOf(tx->results.items()[0])) {
    const bool is_meant =
        stored.key.number() == tx->entry || IsOfOneObject(stored.record, entry.record);
    if (is_meant) tx->refusal = Retry(stored, tx, writes);
    if (tx->refusal.has_value()) return;
  }
  WriteDependants(tx, writes);
}

// Makes the mutation again but for the props of its object that `theirs` names.
void Tab::WriteTake(const StoredConflict& entry, ResolveTx* tx, Data* writes) {
  const ConflictRecord& record = entry.record;
  Amendment taken;
  tx->refusal = WhyUnreadable(record, true, &taken.mutation);
  if (tx->refusal.has_value()) return;
  Set<std::string> unknown(tx->theirs.begin(), tx->theirs.end());
  Vector<Op> ops;
  for (Op& op : taken.mutation.ops) {
    const bool is_meant =
        op.Has(kOnRow) && op.id == record.id && schema_->table(op.table).name == record.table;
    if (!is_meant) {
      ops.push_back(std::move(op));
      continue;
    }
    const Vector<PropDef>& props = schema_->table(op.table).props;
    const bool had_content = !op.set.empty() || !op.add.empty();
    const auto is_theirs = [&](const auto& one) {
      const std::string& name = props[one.prop].name;
      unknown.erase(name);
      return std::find(tx->theirs.begin(), tx->theirs.end(), name) != tx->theirs.end();
    };
    erase_if(op.set, is_theirs);
    erase_if(op.add, is_theirs);
    const bool is_emptied = had_content && op.set.empty() && op.add.empty();
    if (!is_emptied) ops.push_back(std::move(op));
  }
  if (!unknown.empty()) {
    const std::string name = record.table.value_or("") + ' ' + record.id.value_or("");
    tx->refusal = Refusal{record.mutation.id, "not_changed",
                          name + ": the change has no prop " + *unknown.begin() + '.'};
    return;
  }
  tx->refusal = WhyNotMade(record, ops);
  if (tx->refusal.has_value()) return;
  if (ops.empty()) {
    tx->Settle(entry);
    return WriteDependants(tx, writes);
  }
  taken.mutation.ops = std::move(ops);
  taken.mutation.action.id = options_.ids->Next(now_);
  taken.mutation.action.at = now_ + clock_offset_;
  taken.mutation.action.is_replayed = taken.mutation.action.is_again = false;
  taken.before = EncodeShown(*view_, taken.mutation.ops);
  WriteAmendment(entry, std::move(taken), tx, writes);
}

void Tab::WriteAmendment(const StoredConflict& entry, Amendment amendment, ResolveTx* tx,
                         Data* writes) {
  tx->Settle(entry);
  SetBase(&amendment.mutation);
  MutationRecord record = NewRecord(amendment.mutation, amendment.before);
  record.replaces = entry.record.mutation.id;
  writes->Push(AddWrite(Store::kMutations, record.Write()));
  tx->added.push_back({record.id, std::move(record), {}});
  WriteDependants(tx, writes);
}

// What is in the inbox because of a mutation that is settled comes with it, and what depends on
// that in turn. It was refused after it, so it is found after it. Entries that are settled are
// removed.
void Tab::WriteDependants(ResolveTx* tx, Data* writes) {
  const Vector<StoredConflict> entries = EntriesOf(tx->results.items()[0]);
  for (const StoredConflict& stored : entries) {
    const ConflictRecord& other = stored.record;
    const bool depends = other.depends_on.has_value() && tx->settled.contains(*other.depends_on);
    // One that the user may not write, whose value is taken, or that cannot be read, stays.
    if (depends && !tx->settled.contains(other.mutation.id))
      (void)Retry(stored, tx, writes).has_value();
  }
  for (const StoredConflict& stored : entries) {
    // Entries of one mutation and code have the same body, but for those of parts.
    const bool is_part = stored.record.part.value_or(false);
    const bool is_same =
        !is_part && tx->wholes.contains({stored.record.mutation.id, stored.record.code});
    if (is_same) tx->resolved.insert(stored.key.number());
    if (tx->resolved.contains(stored.key.number()))
      writes->Push(DeleteWrite(Store::kConflicts, stored.key));
  }
}

ResolveTx& Tab::Resolve(uint64_t entry, Data* effects) {
  ResolveTx& tx = Transact<ResolveTx>({Store::kConflicts, Store::kMutations},
                                      OneRead(RangeRead(Store::kConflicts)),
                                      TransactionMode::kWriteStrict, effects);
  tx.entry = entry;
  return tx;
}

void Tab::Amend(uint64_t entry, std::unique_ptr<Pending> pending, Data* effects) {
  Resolve(entry, effects).amendment =
      Amendment{std::move(pending->mutation), std::move(pending->before)};
}

void Tab::Read(ResolveTx* tx, Data* results, TxReply* reply) {
  tx->results = std::move(*results);
  for (const StoredConflict& stored : EntriesOf(tx->results.items()[0])) {
    if (stored.key.number() != tx->entry) continue;
    if (tx->amendment.has_value()) {
      WriteAmendment(stored, *tx->amendment, tx, &reply->writes);
    } else if (tx->how == Resolution::kRetry) {
      WriteRetry(stored, tx, &reply->writes);
    } else if (tx->how == Resolution::kTake) {
      WriteTake(stored, tx, &reply->writes);
    } else {
      tx->resolved.insert(tx->entry);
      reply->writes.Push(DeleteWrite(Store::kConflicts, tx->entry));
    }
    break;
  }
  if (tx->refusal.has_value()) reply->writes = Data::MakeArray();
}

void Tab::Failed(const ResolveTx& tx, const HostError& error, Data* effects) {
  effects->Push(ResolvedEffect(tx.entry, "storage", error.message));
}

void Tab::Done(ResolveTx* tx, const Vector<Key>& keys, Data* effects) {
  // The entries must be gone from the inbox before the caller gets the answer.
  Data rest = Data::MakeArray();
  for (const Data& item : tx->results.items()[0].items()) {
    const bool gone = !tx->refusal.has_value() && tx->resolved.contains(RowKey(item).number());
    if (!gone) rest.Push(item);
  }
  TakeInbox(rest, effects);
  if (tx->refusal.has_value()) {
    effects->Push(ResolvedEffect(tx->entry, tx->refusal->code.c_str(), tx->refusal->detail));
    return;
  }
  effects->Push(ResolvedEffect(tx->entry, tx->resolved.empty() ? "not_found" : "",
                               "The entry is no longer in the inbox."));
  for (size_t i = 0; i < tx->added.size() && i < keys.size(); ++i) {
    tx->added[i].key = keys[i];
    OnApplied(mirror_.Added(tx->added[i]), effects);
  }
  if (!tx->added.empty() && keys.size() == tx->added.size())
    BroadcastAdded(std::move(tx->added), effects);
  Broadcast(ConflictsMessage(), effects);
  RequestConflicts(effects);
}

}  // namespace skerry
