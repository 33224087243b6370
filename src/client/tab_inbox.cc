// The inbox of a window: what it shows, and how an entry is resolved.
#include <utility>

#include "client/effect.h"
#include "client/member_rights.h"
#include "client/tab.h"
#include "client/unique_rule.h"
#include "log/codec.h"
#include "log/mutation_record.h"

namespace skerry {
namespace {

struct StoredConflict {
  Key key;
  ConflictRecord record;
};

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

namespace {

// An entry with any other key was not made by this program, and the application could not name it.
bool IsEntry(const Data& item) { return RowKey(item).number() > 0; }

}  // namespace

void Tab::TakeInbox(const Data& items, Data* effects) {
  Data entries = Data::MakeArray();
  for (const Data& item : items.items()) {
    if (IsEntry(item)) entries.Push(item);
  }
  ShowInbox(std::move(entries), effects);
}

void Tab::ShowInbox(Data entries, Data* effects) {
  if (entries == inbox_) return;
  inbox_ = entries;
  effects->Push(ConflictsEffect(std::move(entries)));
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
    for (auto& [realm, revision] : mutation.base) revision = mirror_.CursorRevision(realm);
  }
  MutationRecord record = MakeMutationRecord(*schema_, mutation);
  // With what this release has no place for, which the worker puts into the inbox again.
  if (!NeedsNewId(entry) && !IsBasedOnNow(entry)) record.body = entry.mutation.body;
  writes->Push(AddWrite(Store::kMutations, record.Write()));
  tx->added.push_back({record.id, std::move(record), {}});
}

// A retry never destroys: what this release cannot read, or has no place for, stays as it is.
std::optional<Refusal> Tab::WhyNotRetried(const ConflictRecord& entry, Mutation* mutation) {
  const std::string& id = entry.mutation.id;
  Status left_out;
  Result<Mutation> decoded = DecodeMutation(*schema_, entry.mutation.body, &left_out);
  if (!decoded.ok())
    return Refusal{id, "unreadable", "It cannot be read: " + decoded.status().detail() + '.'};
  const bool is_remade = NeedsNewId(entry) || IsBasedOnNow(entry);
  if (!left_out.ok() && (is_remade || decoded.value().ops.empty())) {
    const std::string why = "This release's schema cannot hold it: " + left_out.detail() + '.';
    return Refusal{id, "no_place", why};
  }
  const Status allowed = MemberRights(view_, options_.user).CheckReadOnly(decoded.value().ops);
  if (!allowed.ok()) return Refusal{id, "read_only", allowed.detail()};
  const Status free = CheckUniqueBefore(view_, decoded.value().ops);
  if (!free.ok()) return Refusal{id, "unique", free.detail()};
  *mutation = std::move(decoded.value());
  return std::nullopt;
}

namespace {

// What was left out, or lost, of one object is made again together, in order: a later change of an
// object that is not there would be lost.
bool IsOfOneObject(const ConflictRecord& a, const ConflictRecord& b) {
  const bool are_parts = a.part.value_or(false) && b.part.value_or(false);
  return a.reason == b.reason && (are_parts || a.reason == "dropped") && a.table == b.table &&
         a.id == b.id;
}

}  // namespace

// What is in the inbox because of a mutation that is retried comes with it, and what depends on
// that in turn. It was refused after it, so it is found after it.
void Tab::WriteRetry(const ConflictRecord& entry, ResolveTx* tx, Data* writes) {
  const Vector<StoredConflict> entries = EntriesOf(tx->results.items()[0]);
  Set<std::string> retried;
  Set<std::pair<std::string, std::string>> wholes;  // mutation and code
  const auto retry = [&](const StoredConflict& one) {
    Mutation mutation;
    std::optional<Refusal> refusal = WhyNotRetried(one.record, &mutation);
    if (refusal.has_value()) return refusal;
    retried.insert(one.record.mutation.id);
    if (!one.record.part.value_or(false)) wholes.emplace(one.record.mutation.id, one.record.code);
    tx->resolved.insert(one.key.number());
    AddRetried(std::move(mutation), one.record, tx, writes);
    return refusal;
  };
  for (const StoredConflict& stored : entries) {
    const bool is_meant = stored.key.number() == tx->entry || IsOfOneObject(stored.record, entry);
    if (is_meant) tx->refusal = retry(stored);
    if (!tx->refusal.has_value()) continue;
    *writes = Data::MakeArray();
    return;
  }
  for (const StoredConflict& stored : entries) {
    const ConflictRecord& other = stored.record;
    const bool depends = other.depends_on.has_value() && retried.contains(*other.depends_on);
    // One that the user may not write, whose value is taken, or that cannot be read, stays.
    if (depends && !retried.contains(other.mutation.id)) (void)retry(stored).has_value();
  }
  for (const StoredConflict& stored : entries) {
    // Entries of one mutation and code have the same body, but for those of parts.
    const bool is_part = stored.record.part.value_or(false);
    const bool is_same =
        !is_part && wholes.contains({stored.record.mutation.id, stored.record.code});
    if (is_same) tx->resolved.insert(stored.key.number());
    if (tx->resolved.contains(stored.key.number()))
      writes->Push(DeleteWrite(Store::kConflicts, stored.key));
  }
}

void Tab::Read(ResolveTx* tx, Data* results, TxReply* reply) {
  tx->results = std::move(*results);
  for (const StoredConflict& stored : EntriesOf(tx->results.items()[0])) {
    if (stored.key.number() != tx->entry) continue;
    if (tx->retry) {
      WriteRetry(stored.record, tx, &reply->writes);
      break;
    }
    tx->resolved.insert(tx->entry);
    reply->writes.Push(DeleteWrite(Store::kConflicts, tx->entry));
  }
}

void Tab::Failed(const ResolveTx& tx, const HostError& error, Data* effects) {
  effects->Push(ResolvedEffect(tx.entry, "storage", error.message));
}

void Tab::Done(ResolveTx* tx, const Vector<Key>& keys, Data* effects) {
  // The entries must be gone from the inbox before the caller gets the answer.
  Data rest = Data::MakeArray();
  for (const Data& item : tx->results.items()[0].items()) {
    const bool gone = !tx->refusal.has_value() && tx->resolved.contains(RowKey(item).number());
    if (!gone && IsEntry(item)) rest.Push(item);
  }
  ShowInbox(std::move(rest), effects);
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
