// Group commits: which of this window's mutations are stored, and when (docs/window.md, section 3).
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "base/visit.h"
#include "client/effect.h"
#include "client/tab.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/mutation_record.h"
#include "log/steps_writer.h"

namespace skerry {
namespace {

// The interval of messages `logged`: frequent enough for a worker that makes images.
constexpr double kLoggedMs = 200;

// A large body is not sent to every window: a window that needs it reads the record.
RecordMessage MessageOf(UpdateRecord record) {
  if (record.body->size() > kMaxBroadcastBytes) record.body.reset();
  return {std::move(record)};
}

}  // namespace

// It is made over what this window has of its realms now.
void Tab::SetBase(Mutation* mutation) const {
  mutation->base.clear();
  for (std::string& realm : RealmsOf(mutation->ops)) {
    const uint64_t revision = mirror_.CursorRevision(realm);
    mutation->base.emplace_back(std::move(realm), revision);
  }
}

void Tab::Commit(std::unique_ptr<Pending> pending, Data* effects) {
  SetBase(&pending->mutation);
  pending->held = options_.remote && schema_->validates();
  promises_.Track(pending->mutation.action.id);
  mirror_.AddOwn(std::move(pending));
  if (freeze_.is_frozen()) return Keep(effects);
  TryCommit(effects);
}

void Tab::TryCommit(Data* effects) {
  if (!ready_ || freeze_.is_frozen() || !committing_.is_idle()) return;
  if (mirror_.pending().unkeyed_count() == 0) return;
  committing_.Begin();
  if (page_may_end_) AnnounceLeaving(effects);
  const bool reads_first = committing_.reads_first();
  if (!options_.remote) {
    LocalCommitTx& tx = Transact<LocalCommitTx>(
        {Store::kSync, Store::kUpdates, Store::kMutations, Store::kOutbox, Store::kActions},
        SyncRead(), TransactionMode::kWriteStrict, effects);
    tx.reads_first = reads_first;
    return;
  }
  CommitTx& tx =
      reads_first
          ? Transact<CommitTx>({Store::kSync, Store::kUpdates, Store::kMutations, Store::kOutbox},
                               FullReads(mirror_.n()), TransactionMode::kWriteStrict, effects)
          : Transact<CommitTx>({Store::kMutations}, Data::MakeArray(),
                               TransactionMode::kWriteStrict, effects);
  tx.reads_first = tx.holds_messages = reads_first;
}

// Whether it began before a freeze, during which the mutations that it would write may have been
// kept.
bool Tab::IsStale(const GroupTx& tx) const {
  return !tx.reads_first && (freeze_.is_frozen() || committing_.reads_first());
}

void Tab::Read(CommitTx* tx, Data* results, TxReply* reply) {
  const bool lacks = tx->reads_first && results->items().size() < FullReadingTx::kReads;
  reply->abort = lacks || IsStale(*tx);
  if (reply->abort) return;
  tx->results = std::move(*results);
  Set<std::string> stored;
  if (tx->reads_first) {
    const Reading reading = tx->reading();
    for (const StoredMutation& item : reading.mutations) stored.insert(item.record.id);
    for (const StoredUpdate& item : reading.updates) {
      for (const NamedMutation& named : item.record.confirmed) stored.insert(named.id);
      for (const RefusedMutation& named : item.record.refused) stored.insert(named.id);
    }
  }
  const size_t most = committing_.group_limit();
  size_t seen = 0;
  size_t bytes = 0;
  for (const Pending* pending : mirror_.pending().Unkeyed()) {
    if (seen++ == most || bytes > kMaxGroupBytes) break;
    const std::string& id = pending->mutation.action.id;
    if (stored.contains(id)) continue;
    MutationRecord record = RecordOf(*pending);
    if (pending->may_be_logged) record.again = true;
    bytes += record.body.size();
    tx->ids.push_back(id);
    reply->writes.Push(AddWrite(Store::kMutations, record.Write()));
    tx->added.push_back({id, std::move(record), {}});
  }
}

void Tab::CommitDone(const GroupTx& tx, Data* effects) {
  if (committing_.Done(tx.reads_first)) effects->Push(StorageRecoveredEffect());
}

void Tab::Done(CommitTx* tx, const Vector<Key>& keys, Data* effects) {
  CommitDone(*tx, effects);
  if (tx->reads_first) {
    const Reading reading = tx->reading();
    TakeSync(reading.sync, effects);
    mirror_.FindStored(reading.mutations);
    mirror_.FindNamed(reading.updates);
    if (!loading_.active()) {
      const ApplyResult result = mirror_.Take(reading, false);
      if (result == ApplyResult::kGap || result == ApplyResult::kDamaged) {
        StartLoading(effects);
      } else {
        OnApplied(result, effects);
      }
    }
  }
  Vector<AddedItem> added;
  for (size_t i = 0; i < tx->ids.size() && i < keys.size(); ++i) {
    if (!mirror_.Completed(tx->ids[i], keys[i].number())) continue;
    AddedItem& item = tx->added[i];
    CheckHeld(item);
    item.key = keys[i];
    added.push_back(std::move(item));
  }
  BroadcastAdded(std::move(added), effects);
  TryCommit(effects);
}

void Tab::BroadcastAdded(Vector<AddedItem> items, Data* effects) {
  if (items.empty()) return;
  for (AddedItem& item : items) item.record.before.reset();  // other windows have no use for it
  Broadcast(AddedMessage{options_.tab, std::move(items)}, effects);
  Post(MutatedMessage(), effects);
}

// This window may not be able to announce what is being stored now: the other windows must look for
// it.
void Tab::AnnounceLeaving(Data* effects) {
  if (!freeze_.is_frozen() && MayBeStoring()) BroadcastLeft(effects);
}

bool Tab::MayBeStoring() const {
  return committing_.is_under_way() ||
         (committing_.reads_first() && mirror_.pending().unkeyed_count() > 0);
}

void Tab::BroadcastLeft(Data* effects) {
  Broadcast(LeftMessage(), effects);
  if (options_.remote) Post(MutatedMessage(), effects);
}

// Mutations that were written before the freeze will be stored, whether or not the outcome is
// heard. After a failure it is not known what is stored; as the order of mutations matters, all of
// them wait then.
void Tab::Freeze(bool ends, Data* effects) {
  freeze_.set_page_ends(ends);
  if (freeze_.is_frozen()) return;
  freeze_.Begin(ready_ && !committing_.reads_first(), MayBeStoring());
  for (auto& [id, tx] : open_) {
    const GroupTx* group = PartOf<GroupTx>(&tx);
    if (group != nullptr && group->was_read) freeze_.Note(group->ids);
  }
  Keep(effects);
}

void Tab::Keep(Data* effects) {
  if (!freeze_.is_keeping()) return;
  Data records = Data::MakeArray();
  for (const Pending* pending : mirror_.pending().Unkeyed()) {
    if (!freeze_.Keep(pending->mutation.action.id)) continue;
    records.Push(RecordOf(*pending).Write());
  }
  if (records.items().empty()) return;
  freeze_.NoteKept();
  effects->Push(KeepEffect(std::move(records)));
}

void Tab::StandStill(Data* effects) {
  switch (freeze_.StandStill()) {
    case PageFreeze::Notice::kLater:
      Broadcast(KeptMessage(), effects);
      return;
    case PageFreeze::Notice::kNow:
      return BroadcastLeft(effects);
    case PageFreeze::Notice::kNone:
      return;
  }
}

// Whether storage has no record that this window has not seen.
bool Tab::FollowsOwn(const SyncProgress& sync) const {
  return sync.n == mirror_.n() && !loading_.active();
}

// Returns `{id, key}` of all pending mutations. Those that a frozen page has kept, here or in
// another window, are deleted from the store, because they are logged now.
Vector<NamedMutation> Tab::ConfirmAll(LocalCommitTx* tx, SyncProgress* sync, Data* writes) {
  Map<std::string, Key> stored;
  if (tx->reads_first) {
    const Reading reading = tx->reading();
    for (const StoredMutation& item : reading.mutations) stored[item.record.id] = item.key;
  }
  Vector<NamedMutation> confirmed;
  for (const Pending* pending : mirror_.pending().InOrder()) {
    const std::string& id = pending->mutation.action.id;
    const auto found = stored.find(id);
    const Key key = found == stored.end() ? Key(pending->key) : found->second;
    tx->ids.push_back(id);
    confirmed.push_back({id, key, {}});
    if (key.number() == 0) continue;
    writes->Push(DeleteWrite(Store::kMutations, key));
    sync->removed_up_to = std::max(sync->removed_up_to, key.number());
  }
  return confirmed;
}

// Without a remote, the window is the authority: it logs the changes that its mutations make to
// base, including the changes by cascade rules.
void Tab::Read(LocalCommitTx* tx, Data* results, TxReply* reply) {
  reply->abort = IsStale(*tx);
  if (reply->abort) return;
  tx->results = std::move(*results);
  SyncProgress sync = SyncProgress::Read(tx->results.items()[0]);
  const bool follows = FollowsOwn(sync);
  if (tx->results.items().size() == 1 && (tx->reads_first || !follows)) {
    reply->more = FullReads(mirror_.n());
    return;
  }
  if (!follows) return;
  const uint64_t n = mirror_.n() + 1;
  UpdateRecord& record = tx->record.emplace();
  record.confirmed = ConfirmAll(tx, &sync, &reply->writes);
  // If the record `sync` is new, the sync worker completes it later.
  sync.n = n;
  sync.cursors = mirror_.cursors();
  sync.cursors["local"] = MakeCursor(n, now_);
  StepsWriter steps(*schema_);
  view_->WriteDiff(n, &steps);
  AppendSteps(n, tx, &steps, &reply->writes);
  record.n = n;
  record.kind = UpdateKind::kLocal;
  record.cursors = sync.cursors;
  record.body = steps.Finish();
  sync.record_bytes += record.body->size();
  tx->logged = {n, sync.cursors, sync.record_bytes};
  reply->writes.Push(PutWrite(Store::kUpdates, n, record.Write()));
  reply->writes.Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

void Tab::Done(LocalCommitTx* tx, const Vector<Key>&, Data* effects) {
  CommitDone(*tx, effects);
  if (tx->record.has_value()) {
    // Only this window's own writes can have come since, because messages wait meanwhile.
    if (mirror_.pending().size() == tx->ids.size() &&
        FollowsOwn(SyncProgress::Read(tx->results.items()[0]))) {
      mirror_.OwnRecord(*tx->record, tx->appended);
    } else {
      OnApplied(mirror_.Record(*tx->record), effects);
    }
    Broadcast(MessageOf(std::move(*tx->record)), effects);
    // Workers are notified of several records at once.
    if (!logged_.has_value()) effects->Push(TimerEffect(WindowTimer::kLogged, kLoggedMs));
    logged_ = std::move(tx->logged);
  } else if (!loading_.active()) {
    // Another window was first: apply what it wrote, then try again.
    const ApplyResult result = mirror_.Take(tx->reading(), true);
    if (result == ApplyResult::kGap) return StartLoading(effects);
    OnApplied(result, effects);
  } else {
    return;  // loading continues, and commits when it ends
  }
  TryCommit(effects);
}

void Tab::Failed(const CommitTx& tx, const HostError& error, Data* effects) {
  FailCommit(tx, error, effects);
}

void Tab::Failed(const LocalCommitTx& tx, const HostError& error, Data* effects) {
  FailCommit(tx, error, effects);
}

void Tab::FailCommit(const GroupTx& tx, const HostError& error, Data* effects) {
  committing_.Failed(tx.was_read ? std::max<size_t>(tx.ids.size(), 1) : 0);
  if (freeze_.is_frozen()) return;
  effects->Push(StorageFailedEffect(error));
  const bool quota = error.name.find("Quota") != std::string::npos;
  if (committing_.CountQuotaFailure(quota, tx.was_read))
    Withdraw(tx.ids, "quota", error.message, effects);
  effects->Push(TimerEffect(WindowTimer::kCommit, committing_.Wait()));
}

// Later mutations that depend on a withdrawn one are withdrawn with it: those that name the same
// objects, or refer to an object that it created.
void Tab::Withdraw(const Vector<std::string>& ids, std::string_view code, std::string_view detail,
                   Data* effects) {
  const Set<std::string> failed(ids.begin(), ids.end());
  Set<ObjectKey> objects;
  for (const Pending* pending : mirror_.pending().Unkeyed()) {
    if (pending->may_be_logged) continue;
    const Mutation& mutation = pending->mutation;
    bool depends = failed.contains(mutation.action.id);
    for (const Op& op : RowOps(mutation.ops)) {
      depends = depends || objects.contains(KeyOf(*schema_, op));
      depends = depends || AnyRef(*schema_, op, [&](const ObjectKey& target) {
                  return objects.contains(target);
                });
    }
    if (!depends) continue;
    for (const Op& op : RowOps(mutation.ops)) objects.insert(KeyOf(*schema_, op));
    const std::string id = mutation.action.id;
    mirror_.Remove(id);
    undo_.Refused(id);
    promises_.Withdrawn(id, code, detail, effects);
  }
  view_->Derive();
}

}  // namespace skerry
