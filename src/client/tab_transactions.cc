// The transactions of a window: how they are made and routed to the handlers of their kind
// (tab_tx.h), and those that only read again.
#include <utility>

#include "base/visit.h"
#include "client/effect.h"
#include "client/tab.h"
#include "log/mutation_record.h"

namespace skerry {

TabTx* Tab::Begin(std::initializer_list<Store> stores, Data reads, TransactionMode mode,
                  Data* effects) {
  const uint64_t id = next_tx_++;
  effects->Push(TransactEffect(id, stores, mode, std::move(reads)));
  return &open_[id];
}

void Tab::OnRead(uint64_t id, Data results, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) {
    effects->Push(AbortEffect(id));
    return;
  }
  Tx& tx = *PartOf<Tx>(&it->second);
  TxReply reply;
  if (results.items().size() < tx.least_results) {
    reply.abort = true;
  } else {
    Visit(&it->second, [&](auto& one) { Read(&one, &results, &reply); });
  }
  if (reply.abort) {
    effects->Push(AbortEffect(id));
    return;
  }
  if (tx.holds_messages) unapplied_reading_ = id;
  tx.was_read = reply.more.is_null();
  effects->Push(tx.was_read ? WriteEffect(id, std::move(reply.writes))
                            : MoreEffect(id, std::move(reply.more)));
}

// `keys` null: it has failed.
void Tab::OnEnd(uint64_t id, const Vector<Key>* keys, const HostError& error, Data* effects) {
  auto ended = open_.extract(id);
  if (ended.empty()) return;
  if (unapplied_reading_ == id) unapplied_reading_ = 0;
  if (keys != nullptr && PartOf<Tx>(&ended.mapped())->was_read) {
    Visit(&ended.mapped(), [&](auto& one) { Done(&one, *keys, effects); });
  } else {
    Visit(&ended.mapped(), [&](auto& one) { Failed(one, error, effects); });
  }
}

Data Tab::OneRead(Data read) {
  Data reads = Data::MakeArray();
  reads.Push(std::move(read));
  return reads;
}

Data Tab::SyncRead() { return OneRead(GetRead(Store::kSync, kSyncKey)); }

Data Tab::FullReads(uint64_t above) {
  Data reads = SyncRead();
  reads.Push(RangeAbove(Store::kUpdates, above));
  reads.Push(RangeRead(Store::kMutations));
  reads.Push(RangeRead(Store::kOutbox));
  return reads;
}

Reading FullReadingTx::reading() const {
  const Data::Array& read = results.items();
  SKERRY_CHECK(read.size() >= kReads);
  Reading reading;
  reading.sync = SyncProgress::Read(read[0]);
  for (const Data& row : read[1].items())
    reading.updates.push_back({RowKey(row).number(), UpdateRecord::Read(RowValue(row))});
  for (const Data& row : read[2].items())
    reading.mutations.push_back({RowKey(row), MutationRecord::Read(RowValue(row))});
  for (const Data& row : read[3].items())
    reading.sent.push_back(ReadRecord<SentUpdate>(RowValue(row)));
  return reading;
}

// Reads everything after a pause: something is missing, or could not be read.
void Tab::ReadLater(Data* effects) const {
  if (!freeze_.is_frozen()) effects->Push(TimerEffect(WindowTimer::kReread, kRereadMs));
}

void Tab::RequestReading(Data* effects) {
  if (reading_queued_ || loading_.active()) return;
  reading_queued_ = true;
  Transact<ReadingTx>({Store::kSync, Store::kUpdates, Store::kMutations, Store::kOutbox},
                      FullReads(mirror_.n()), TransactionMode::kRead, effects);
}

void Tab::Read(ReadingTx* tx, Data* results, TxReply*) {
  tx->results = std::move(*results);
  reading_queued_ = false;  // a request from now on needs another reading
}

void Tab::Done(ReadingTx* tx, const Vector<Key>&, Data* effects) {
  const Reading reading = tx->reading();
  TakeSync(reading.sync, effects);
  const ApplyResult result = mirror_.Take(reading, false);
  if (result == ApplyResult::kGap || result == ApplyResult::kDamaged) {
    // A commit that reads may have begun to load meanwhile: two loads would mix.
    if (!loading_.active()) StartLoading(effects);
    return;
  }
  OnApplied(result, effects);
}

void Tab::Failed(const ReadingTx&, const HostError&, Data* effects) {
  reading_queued_ = false;
  ReadLater(effects);
}

void Tab::RequestSync(Data* effects) {
  if (sync_queued_) return;
  sync_queued_ = true;
  Transact<SyncTx>({Store::kSync}, SyncRead(), TransactionMode::kRead, effects);
}

void Tab::Read(SyncTx* tx, Data* results, TxReply*) {
  tx->results = std::move(*results);
  sync_queued_ = false;
}

void Tab::Done(SyncTx* tx, const Vector<Key>&, Data* effects) {
  TakeSync(SyncProgress::Read(tx->results.items()[0]), effects);
}

void Tab::Failed(const SyncTx&, const HostError&, Data*) { sync_queued_ = false; }

}  // namespace skerry
