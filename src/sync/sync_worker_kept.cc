// The records in storage for a service worker: those that windows write for one that is started
// without them, and those that it writes for its next start.
#include <utility>

#include "sync/records.h"
#include "sync/sync_worker.h"
#include "sync/token_record.h"

namespace skerry {

// A browser stops a service worker that rests, and starts it for each change. Without this, it
// would retry a refused token at each start. After a while it does so, because the server may have
// changed its keys.
void SyncWorker::TakeKeptToken(const Data& stored, Turn* turn) {
  const TokenRecord kept = ReadKind<TokenRecord>(stored);
  if (state_->connection.mode() != Mode::kService || state_->sign_in.token().has_value() ||
      !kept.token.has_value())
    return;
  const double most = state_->setup.times.idle_listening_ms;
  const double rest_ms = kept.refused_at.value_or(0) + most - turn->now;
  if (!kept.refused_at.has_value() || rest_ms <= 0 || rest_ms > most) {
    state_->sign_in.Give(kept.token);
    return;
  }
  kept_refusal_ = kept.token;
  state_->sign_in.NoteRefused(kept.token);
  refused_rest_ms_ = rest_ms;
}

void SyncWorker::KeepRefusal(Turn* turn) {
  const Token& refused = state_->sign_in.refused_token();
  if (state_->connection.mode() != Mode::kService || !state_->connection.started() ||
      refused == kept_refusal_)
    return;
  kept_refusal_ = refused;
  Begin<RefusalTx>(turn).refused = refused;
}

// `refused` none: the server has accepted the present token. If another token was stored meanwhile,
// nothing is known about it, and it is not changed.
void SyncWorker::Read(RefusalTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply) {
  const Token& refused = tx->refused;
  const TokenRecord kept = ReadKind<TokenRecord>(read[4]);
  const Token& token = refused.has_value() ? refused : state_->sign_in.token();
  if (IsNewer(kept) || !token.has_value() || !(kept.token == token)) return;
  if (!refused.has_value() && !kept.refused_at.has_value()) return;
  TokenRecord record;
  record.token = token;
  if (refused.has_value()) record.refused_at = turn->now;
  reply->writes.push_back(PutWrite(Store::kSync, kTokenKey, WriteKind(record)));
}

void SyncWorker::Done(const RefusalTx&, Turn*) {}

void SyncWorker::Failed(const RefusalTx&, const HostError& error, Turn*) { (void)MayRetry(error); }

void SyncWorker::Read(TokenTx* tx, const Data::Array& read, Turn*, ReadReply* reply) {
  // The same token again: keep its mark as refused.
  if (IsNewer(read[4]) || ReadKind<TokenRecord>(read[4]).token == tx->token) return;
  TokenRecord kept;
  kept.token = tx->token;
  reply->writes.push_back(PutWrite(Store::kSync, kTokenKey, WriteKind(kept)));
}

void SyncWorker::Done(const TokenTx&, Turn*) {}

void SyncWorker::Failed(const TokenTx&, const HostError& error, Turn*) { (void)MayRetry(error); }

// Stores what a service worker needs that is started without a window. Windows write it.
void SyncWorker::KeepService(const Data::Array& read, Data::Array* writes) {
  const ServiceRecord stored = ReadRecord<ServiceRecord>(read[3]);
  if (IsNewer(stored)) return;
  if (state_->setup.service.is_object()) {
    Data kept = state_->setup.service;
    kept.Set("v", kRecordVersion).Set("schema", state_->setup.description);
    if (!(kept == read[3])) writes->push_back(PutWrite(Store::kSync, kServiceKey, std::move(kept)));
  } else if (state_->connection.mode() != Mode::kService && stored.logged_out) {
    // The user has logged in again, without a service worker this time.
    writes->push_back(DeleteWrite(Store::kSync, kServiceKey));
  }
}

}  // namespace skerry
