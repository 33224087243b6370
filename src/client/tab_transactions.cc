// The transactions of a window: how they are made, and what follows when they were read, are done,
// or failed.
#include <utility>

#include "client/effect.h"
#include "client/tab.h"
#include "log/mutation_record.h"

namespace skerry {

void Tab::Transact(Tx tx, std::initializer_list<Store> stores, Data reads, TransactionMode mode,
                   Data* effects) {
  const uint64_t id = next_tx_++;
  open_.emplace(id, std::move(tx));
  effects->Push(TransactEffect(id, stores, mode, std::move(reads)));
}

void Tab::Transact(Kind kind, std::initializer_list<Store> stores, Data reads, TransactionMode mode,
                   Data* effects) {
  Tx tx;
  tx.kind = kind;
  Transact(std::move(tx), stores, std::move(reads), mode, effects);
}

Data Tab::OneRead(Data read) {
  Data reads = Data::MakeArray();
  reads.Push(std::move(read));
  return reads;
}

Data Tab::SyncRead() { return OneRead(GetRead(Store::kSync, kSyncKey)); }

Data Tab::FullReads(uint64_t above) const {
  Data reads = SyncRead();
  reads.Push(RangeAbove(Store::kUpdates, above));
  reads.Push(RangeRead(Store::kMutations));
  reads.Push(RangeRead(Store::kOutbox));
  return reads;
}

Reading Tab::ReadingOf(const Tx& tx) const {
  const Data::Array& results = tx.results.items();
  SKERRY_CHECK(results.size() >= 4);
  Reading reading;
  reading.sync = SyncProgress::Read(results[0]);
  for (const Data& row : results[1].items())
    reading.updates.push_back({RowKey(row).number(), UpdateRecord::Read(RowValue(row))});
  for (const Data& row : results[2].items())
    reading.mutations.push_back({RowKey(row), MutationRecord::Read(RowValue(row))});
  for (const Data& row : results[3].items())
    reading.sent.push_back(ReadRecord<SentUpdate>(RowValue(row)));
  return reading;
}

bool Tab::IsFullReading(const Tx& tx) {
  return tx.kind == Kind::kCatchUp || tx.kind == Kind::kReading || tx.kind == Kind::kLocalCommit ||
         (tx.kind == Kind::kCommit && tx.reads_first);
}

void Tab::RequestReading(Data* effects) {
  if (reading_queued_ || loading_.active()) return;
  reading_queued_ = true;
  Transact(Kind::kReading, {Store::kSync, Store::kUpdates, Store::kMutations, Store::kOutbox},
           FullReads(mirror_.n()), TransactionMode::kRead, effects);
}

void Tab::RequestConflicts(Data* effects) {
  if (conflicts_queued_) return;
  conflicts_queued_ = true;
  Transact(Kind::kConflicts, {Store::kConflicts}, OneRead(RangeRead(Store::kConflicts)),
           TransactionMode::kRead, effects);
}

void Tab::RequestSync(Data* effects) {
  if (sync_queued_) return;
  sync_queued_ = true;
  Transact(Kind::kSync, {Store::kSync}, SyncRead(), TransactionMode::kRead, effects);
}

size_t Tab::ReadCount(const Tx& tx) {
  if (tx.kind == Kind::kCatchUp) return 5;
  if (tx.kind == Kind::kStream || tx.kind == Kind::kStreamPage) return 1;
  if (tx.kind == Kind::kLocalCommit) return 1;  // a second round may read the rest
  if (IsFullReading(tx)) return 4;
  return tx.kind == Kind::kCommit ? 0 : 1;
}

void Tab::OnRead(uint64_t id, Data results, Data* effects) {
  const auto it = open_.find(id);
  Data writes = Data::MakeArray();
  if (it == open_.end() || results.items().size() < ReadCount(it->second)) {
    effects->Push(AbortEffect(id));
    return;
  }
  Tx& tx = it->second;
  const bool commits = tx.kind == Kind::kCommit || tx.kind == Kind::kLocalCommit;
  if (commits && !tx.reads_first && (freeze_.is_frozen() || committing_.reads_first())) {
    // It began before a freeze, during which the mutations that it would write may have been kept.
    effects->Push(AbortEffect(id));
    return;
  }
  tx.results = std::move(results);
  if (IsFullReading(tx)) unapplied_reading_ = id;
  if (tx.kind == Kind::kLocalCommit && tx.results.items().size() == 1 &&
      (tx.reads_first || !FollowsOwn(SyncProgress::Read(tx.results.items()[0])))) {
    effects->Push(MoreEffect(id, FullReads(mirror_.n())));
    return;
  }
  tx.was_read = true;
  switch (tx.kind) {
    case Kind::kCommit:
      WriteGroup(&tx, &writes);
      break;
    case Kind::kLocalCommit:
      WriteLocal(&tx, &writes);
      break;
    case Kind::kReset:
      WriteReset(&tx, &writes);
      break;
    case Kind::kResolve:
      WriteResolve(&tx, &writes);
      break;
    case Kind::kOffers:
      WriteOffers(&tx, &writes);
      break;
    case Kind::kStream:
      if (ReadStream(&tx, effects, id)) return;
      break;
    case Kind::kStreamState:
      WriteState(tx, &writes);
      break;
    case Kind::kStreamPage:
      if (ReadPage(&tx, effects, id)) return;
      break;
    // A request from now on needs another reading.
    case Kind::kReading:
      reading_queued_ = false;
      break;
    case Kind::kSync:
      sync_queued_ = false;
      break;
    case Kind::kConflicts:
      conflicts_queued_ = false;
      tx.ids = std::move(refused_);
      tx.unknown = std::move(unknown_);
      refused_.clear();
      unknown_.clear();
      break;
    case Kind::kPointer:
    case Kind::kCatchUp:
      break;
  }
  effects->Push(WriteEffect(id, std::move(writes)));
}

void Tab::OnDone(uint64_t id, const Vector<Key>& keys, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  if (!it->second.was_read) {
    return OnFailed(id, {"Error", "done without read", {}}, effects);
  }
  Tx tx = std::move(it->second);
  open_.erase(it);
  if (unapplied_reading_ == id) unapplied_reading_ = 0;
  switch (tx.kind) {
    case Kind::kPointer:
      return FinishPointer(SyncProgress::Read(tx.results.items()[0]), effects);
    case Kind::kCatchUp:
      return FinishCatchUp(tx, effects);
    case Kind::kReset:
      if (tx.record.has_value()) {
        Broadcast(RecordMessage{std::move(*tx.record)}, effects);
        effects->Push(DataLostEffect("no image could be read; all rows are fetched again"));
        Broadcast(WakeMessage{WakeFor::kRefill, {}, {}}, effects);
      }
      return StartLoading(effects);
    case Kind::kReading: {
      const Reading reading = ReadingOf(tx);
      TakeSync(reading.sync, effects);
      const ApplyResult result = mirror_.Take(reading, false);
      if (result == ApplyResult::kGap || result == ApplyResult::kDamaged) {
        // A commit that reads may have begun to load meanwhile: two loads would mix.
        if (!loading_.active()) StartLoading(effects);
        return;
      }
      return OnApplied(result, effects);
    }
    case Kind::kCommit:
      return FinishCommit(&tx, keys, effects);
    case Kind::kLocalCommit:
      return FinishLocal(&tx, effects);
    case Kind::kConflicts:
      SettleGone(tx, effects);
      return TakeInbox(tx.results.items()[0], effects);
    case Kind::kSync:
      return TakeSync(SyncProgress::Read(tx.results.items()[0]), effects);
    case Kind::kResolve:
      return FinishResolve(&tx, keys, effects);
    case Kind::kOffers:
      return FinishOffers(tx, effects);
    case Kind::kStream:
      return FinishStream(tx, effects);
    case Kind::kStreamPage:
      return FinishPage(tx, effects);
    case Kind::kStreamState:
      return;
  }
}

void Tab::OnFailed(uint64_t id, const HostError& error, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  const Tx tx = std::move(it->second);
  open_.erase(it);
  if (unapplied_reading_ == id) unapplied_reading_ = 0;
  switch (tx.kind) {
    case Kind::kPointer:
    case Kind::kCatchUp:
    case Kind::kReset:
      return StopLoading(error, effects);
    case Kind::kReading:
      reading_queued_ = false;
      if (!freeze_.is_frozen()) effects->Push(TimerEffect(WindowTimer::kReread, kRereadMs));
      return;
    case Kind::kCommit:
    case Kind::kLocalCommit:
      return FailCommit(tx, error, effects);
    case Kind::kConflicts:
      conflicts_queued_ = false;
      refused_.insert(refused_.end(), tx.ids.begin(), tx.ids.end());
      unknown_.insert(unknown_.end(), tx.unknown.begin(), tx.unknown.end());
      if (!freeze_.is_frozen()) effects->Push(TimerEffect(WindowTimer::kReread, kRereadMs));
      return;
    case Kind::kSync:
      sync_queued_ = false;
      return;
    case Kind::kOffers:
      // The reading finds that they are still due.
      if (!freeze_.is_frozen()) effects->Push(TimerEffect(WindowTimer::kReread, kRereadMs));
      return;
    case Kind::kResolve:
      effects->Push(ResolvedEffect(tx.entry, "storage", error.message));
      return;
    case Kind::kStream:
      // It stays queued until the timer, or the resume.
      if (!freeze_.is_frozen()) effects->Push(TimerEffect(WindowTimer::kReread, kRereadMs));
      return;
    case Kind::kStreamPage:
      effects->Push(StreamPageEffect(tx.page->id, Data::MakeArray(), 0, "storage"));
      return;
    case Kind::kStreamState:
      return;  // a later one will be stored
  }
}

}  // namespace skerry
