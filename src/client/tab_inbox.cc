// The inbox of a window: what it shows, and how an entry is resolved.
#include <algorithm>
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

// The inbox was read after these mutations were gone: it has the reasons; a mutation that it does
// not have was confirmed.
void Tab::SettleGone(const Tx& tx, Data* effects) {
  const Vector<StoredConflict> entries = EntriesOf(tx.results.items()[0]);
  const auto entry_of = [&](const std::string& id) -> const ConflictRecord* {
    for (const StoredConflict& entry : entries) {
      if (entry.record.mutation.id == id) return &entry.record;
    }
    return nullptr;
  };
  const auto refuse = [&](const std::string& id, const ConflictRecord* entry) {
    std::string code = entry == nullptr ? "" : entry->code;
    if (code.empty()) code = "rejected";
    promises_.Refused(id, code, entry == nullptr ? "" : entry->detail, effects);
  };
  for (const std::string& id : tx.ids) refuse(id, entry_of(id));
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

// Why a retry is refused here, without asking the server. Null: it is not.
const char* RefusedRetry(Code code) {
  if (code == Code::kReadOnly) return "read_only";
  return code == Code::kUnique ? "unique" : nullptr;
}

bool IsIn(const Vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

void Tab::TakeInbox(const Data& items, Data* effects) {
  Data entries = Data::MakeArray();
  for (const Data& item : items.items()) {
    if (IsEntry(item)) entries.Push(item);
  }
  if (entries == inbox_) return;
  inbox_ = entries;
  effects->Push(ConflictsEffect(std::move(entries)));
}

// REQUIRES: the user may retry it, as far as is known here.
void Tab::AddRetried(Mutation mutation, const std::string& code, Tx* tx, Data* writes) {
  tx->ids.push_back(mutation.action.id);
  // The log has each action id at most once: what was applied in vain is made again under a new one.
  if (code == kParentDeleted || code == kRowDeleted) mutation.action.id = options_.ids->Next(now_);
  // The user has decided that what the log may have had is done: as of now.
  if (code == "outcome_unknown") {
    mutation.action.at = now_ + clock_offset_;
    for (auto& [realm, revision] : mutation.base) revision = mirror_.CursorRevision(realm);
  }
  MutationRecord record = MakeMutationRecord(*schema_, mutation);
  writes->Push(AddWrite(Store::kMutations, record.Write()));
  tx->added.push_back({record.id, std::move(record), {}});
}

// What is in the inbox because of a mutation that is retried comes with it, and what depends on
// that in turn. It was refused after it, so it is found after it.
void Tab::WriteRetry(const ConflictRecord& entry, Tx* tx, Data* writes) {
  const Vector<StoredConflict> entries = EntriesOf(tx->results.items()[0]);
  MemberRights rights(view_, options_.user);
  Set<std::string> retried;
  const auto retry = [&](const ConflictRecord& one) -> Status {
    Result<Mutation> decoded = DecodeMutation(*schema_, one.mutation.body);
    if (!decoded.ok()) return decoded.status();
    for (const Op& op : decoded.value().ops) {
      const Status allowed = rights.Check(op);
      if (allowed.code() == Code::kReadOnly) return allowed;
    }
    SKERRY_RETURN_IF_ERROR(CheckUniqueBefore(view_, decoded.value().ops));
    retried.insert(one.mutation.id);
    AddRetried(std::move(decoded.value()), one.code, tx, writes);
    return Status::Ok();
  };
  tx->refusal = retry(entry);
  if (!tx->refusal.ok()) return;
  for (const StoredConflict& stored : entries) {
    const ConflictRecord& other = stored.record;
    const bool depends = other.depends_on.has_value() && retried.contains(*other.depends_on);
    // One that the user may not write, whose value is taken, or that cannot be read, stays.
    if (depends && !retried.contains(other.mutation.id)) (void)retry(other).ok();
  }
  for (const StoredConflict& stored : entries) {
    if (retried.contains(stored.record.mutation.id))
      writes->Push(DeleteWrite(Store::kConflicts, stored.key));
  }
}

void Tab::WriteResolve(Tx* tx, Data* writes) {
  tx->ids.clear();
  tx->added.clear();
  tx->refusal = Status::Ok();
  for (const StoredConflict& stored : EntriesOf(tx->results.items()[0])) {
    if (stored.key.number() != tx->entry) continue;
    if (tx->retry) return WriteRetry(stored.record, tx, writes);
    tx->ids.push_back(stored.record.mutation.id);
    writes->Push(DeleteWrite(Store::kConflicts, tx->entry));
  }
}

void Tab::FinishResolve(Tx* tx, const Vector<Key>& keys, Data* effects) {
  // The entries must be gone from the inbox before the caller gets the answer.
  Data rest = Data::MakeArray();
  for (const Data& item : tx->results.items()[0].items()) {
    const bool gone = tx->retry ? IsIn(tx->ids, ConflictRecord::Read(RowValue(item)).mutation.id)
                                : RowKey(item).number() == tx->entry;
    if (!gone && IsEntry(item)) rest.Push(item);
  }
  if (!(rest == inbox_)) {
    inbox_ = rest;
    effects->Push(ConflictsEffect(std::move(rest)));
  }
  if (const char* code = RefusedRetry(tx->refusal.code())) {
    effects->Push(ResolvedEffect(tx->entry, code, tx->refusal.detail()));
    return;
  }
  effects->Push(ResolvedEffect(tx->entry, tx->ids.empty() ? "not-found" : "",
                               "the entry is not in the inbox any more"));
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
