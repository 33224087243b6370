// SyncWorker: its own transactions (worker_tx.h): the start, changes of what is wanted, and the
// count of pending mutations.
#include <utility>

#include "base/visit.h"
#include "sync/scopes.h"
#include "sync/streams.h"
#include "sync/sync_worker.h"
#include "sync/token_record.h"

namespace skerry {

uint64_t SyncWorker::BeginStoring(Turn* turn) {
  Data::Array reads{GetRead(Store::kSync, kSyncKey), CountRead(Store::kMutations),
                    CountRead(Store::kConflicts), GetRead(Store::kSync, kServiceKey),
                    GetRead(Store::kSync, kTokenKey)};
  return turn->Transact({Store::kSync, Store::kMutations, Store::kConflicts, Store::kUpdates,
                         Store::kActions, Store::kStreams},
                        TransactionMode::kWriteStrict, std::move(reads));
}

WorkerTx* SyncWorker::Open(uint64_t id) {
  auto open = std::make_unique<OpenTx>();
  open->id = id;
  txs_.push_back(std::move(open));
  return &txs_.back()->tx;
}

std::unique_ptr<OpenTx>* SyncWorker::FindTx(uint64_t id) {
  for (std::unique_ptr<OpenTx>& open : txs_) {
    if (open->id == id) return &open;
  }
  return nullptr;
}

std::unique_ptr<OpenTx> SyncWorker::TakeTx(uint64_t id) {
  std::unique_ptr<OpenTx>* found = FindTx(id);
  if (found == nullptr) return nullptr;
  std::unique_ptr<OpenTx> taken = std::move(*found);
  txs_.erase(txs_.begin() + (found - txs_.data()));
  return taken;
}

ReadReply SyncWorker::ReadTx(WorkerTx* tx, const Data::Array& read, Turn* turn) {
  ReadReply reply;
  if (PartOf<StoringTx>(tx) != nullptr && IsNewer(read[0])) {
    state_->reported.SetError(NewerTabError());
    reply.abort = true;
    return reply;
  }
  Visit(tx, [&](auto& one) { Read(&one, read, turn, &reply); });
  return reply;
}

void SyncWorker::DoneTx(WorkerTx* tx, Turn* turn) {
  if (PartOf<StoringTx>(tx) != nullptr) state_->reported.SetOwnError({});
  Visit(tx, [&](const auto& one) { Done(one, turn); });
}

// A newer version's data is left alone for good; any other failure is shown, and retried.
bool SyncWorker::MayRetry(const HostError& error) {
  if (state_->reported.error().code == "newer_tab") return false;
  state_->reported.SetOwnError(StorageError(error));
  return true;
}

// A window that ended between storing a mutation and announcing it leaves it to the other windows,
// and nothing wakes them. If a socket replaces polling, the worker that has the socket counts
// pending mutations.
void SyncWorker::CountPending(Turn* turn) {
  turn->Timer(WorkerTimer::kLook, state_->setup.times.idle_ms);
  if (job_.active()) return;
  const uint64_t id =
      turn->Transact({Store::kMutations}, TransactionMode::kRead, {CountRead(Store::kMutations)});
  Open(id)->emplace<CountTx>();
}

void SyncWorker::Read(CountTx* tx, const Data::Array& read, Turn*, ReadReply*) {
  tx->pending = read[0].as_number();
}

void SyncWorker::Done(const CountTx& tx, Turn* turn) {
  if (job_.active()) return;
  // Windows do not know of mutations that were not announced either.
  if (tx.pending > state_->reported.pending()) {
    turn->Broadcast(LeftMessage());
    turn->Post(LeftMessage());
  }
  state_->reported.SetPending(tx.pending);
  if (tx.pending > 0) Wake(WakeReason::kMutation, turn);
}

void SyncWorker::Failed(const CountTx&, const HostError&, Turn*) {}  // the timer starts another one

void SyncWorker::Start(Turn* turn) {
  if (state_->connection.started() || IsUnderWay<StartTx>()) return;
  Begin<StartTx>(turn);
}

// Scopes that the schema no longer understands are dropped at the start, too.
void SyncWorker::Read(StartTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply) {
  TakeKeptToken(read[4], turn);
  KeepService(read, &reply->writes);
  LeftOut none;
  ReadWanted({}, read, turn->now, tx, &none, reply);
}

void SyncWorker::Done(const StartTx& tx, Turn* turn) { DoneWanted(tx, turn); }

void SyncWorker::Failed(const StartTx&, const HostError& error, Turn* turn) {
  if (MayRetry(error)) turn->Timer(WorkerTimer::kStart, state_->setup.times.retry_ms);
}

void SyncWorker::Read(ScopesTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply) {
  ReadWanted(tx->change, read, turn->now, tx, &tx->left_out, reply);
}

void SyncWorker::Done(const ScopesTx& tx, Turn* turn) {
  const LeftOut& left_out = tx.left_out;
  scopes_failed_ = !left_out.scopes.empty();
  // The window repeats its request after a pause; other windows may have dropped scopes until then.
  if (scopes_failed_) {
    const SyncError error = {"scope_left_out",
                             "All windows together subscribe to more than a server accepts.", true};
    turn->Post(ScopesFailedMessage{error, {}, left_out.scopes});
  }
  // Also when all of them have found room.
  if (!left_out.streams.empty() || !left_out_streams_.empty())
    turn->Post(StreamsFailedMessage{left_out.streams});
  left_out_streams_ = left_out.streams;
  DoneWanted(tx, turn);
}

void SyncWorker::Failed(const ScopesTx& tx, const HostError& error, Turn* turn) {
  scopes_failed_ = true;
  if (!MayRetry(error)) return;
  turn->Post(ScopesFailedMessage{state_->reported.own_error(), tx.change.drop, {}});
  if (std::exchange(owes_start_, false)) Wake(WakeReason::kStart, turn);
}

void SyncWorker::ReadWanted(const WantedChange& change, const Data::Array& read, double now,
                            WantedTx* tx, LeftOut* left_out, ReadReply* reply) {
  SyncRecord sync = state_->seen.Complete(read[0], now);
  tx->changed = ChangeScopes(state_->setup.schema, change.add, change.drop, now, &sync, &tx->record,
                             &left_out->scopes);
  if (ChangeStreams(change.streams, now, &sync, &reply->writes, &left_out->streams)) {
    tx->changed = true;
    NoteStreams(state_->setup.schema, &sync, &tx->record);
  }
  if (tx->record.has_value())
    reply->writes.push_back(PutWrite(Store::kUpdates, tx->record->n, tx->record->Write()));
  state_->reported.SetCounts(read[1].as_number(), read[2].as_number());
  Data stored = sync.Write();
  state_->seen.See(std::move(sync));
  if (!(stored == read[0]))
    reply->writes.push_back(PutWrite(Store::kSync, kSyncKey, std::move(stored)));
}

void SyncWorker::DoneWanted(const WantedTx& tx, Turn* turn) {
  if (tx.record.has_value()) turn->Broadcast(RecordMessage{*tx.record});
  const bool first = !state_->connection.started();
  state_->connection.Start();
  if (first && state_->connection.mode() == Mode::kService) {
    // A window may have given another token since the refusal was read.
    const bool has_other = state_->sign_in.token().has_value() &&
                           state_->sign_in.token() != state_->sign_in.refused_token();
    if (refused_rest_ms_ > 0 && !has_other) job_.RefusedBefore(refused_rest_ms_, turn);
    job_.BeginWanted(turn);  // it was woken for some work
  } else if (first) {
    if (state_->connection.mode() == Mode::kHelper) {
      state_->sign_in.Ensure(TokenNeed::kStart, turn);
      job_.BeginWanted(turn);  // for an image that was named meanwhile
    }
    owes_start_ = IsUnderWay<ScopesTx>();
    if (!owes_start_) Wake(WakeReason::kStart, turn);
  } else {
    if (tx.changed) socket_.Renew(turn);
    if (std::exchange(owes_start_, false) || tx.changed) Wake(WakeReason::kTimer, turn);
  }
}

}  // namespace skerry
