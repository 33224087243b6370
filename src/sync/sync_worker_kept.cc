// The records in storage for a service worker: those that windows write for one that is started
// without them, and those that it writes for its next start.
#include <utility>

#include "sync/records.h"
#include "sync/sync_worker.h"

namespace skerry {

// A browser stops a service worker that rests, and starts it for each change. Without this, it
// would retry a refused token at each start. After a while it does so, because the server may have
// changed its keys.
void SyncWorker::TakeKeptToken(const Data& kept, Turn* turn) {
  if (state_->mode != Mode::kService || !state_->token.is_null() || !kept["token"].is_string())
    return;
  const double most = state_->times.idle_listening_ms;
  const double rest_ms = kept["refusedAt"].as_number() + most - turn->now;
  if (!kept["refusedAt"].is_number() || rest_ms <= 0 || rest_ms > most) {
    state_->token = kept["token"];
    return;
  }
  kept_refusal_ = state_->refused_token = kept["token"];
  refused_rest_ms_ = rest_ms;
}

void SyncWorker::KeepRefusal(Turn* turn) {
  const Data& refused = state_->refused_token;
  if (state_->mode != Mode::kService || !state_->started || refused == kept_refusal_) return;
  kept_refusal_ = refused;
  Own own;
  own.kind = OwnKind::kRefusal;
  own.token = refused;
  BeginOwn(std::move(own), turn);
}

// `refused` null: the server has accepted the present token. If another token was stored meanwhile,
// nothing is known about it, and it is not changed.
void SyncWorker::WriteRefusal(const Data& refused, const Data& kept, double now,
                              Data::Array* writes) const {
  const Data& token = refused.is_null() ? state_->token : refused;
  if (IsNewer(kept) || !token.is_string() || !(kept["token"] == token)) return;
  if (refused.is_null() && kept["refusedAt"].is_null()) return;
  Data record = Message("token").Set("v", kRecordVersion).Set("token", token);
  if (!refused.is_null()) record.Set("refusedAt", now);
  writes->push_back(PutWrite(Store::kSync, "token", std::move(record)));
}

// Stores what a service worker needs that is started without a window. Windows write it.
void SyncWorker::KeepService(const Data::Array& read, Data::Array* writes) {
  if (IsNewer(read[3])) return;
  if (state_->service.is_object()) {
    Data kept = state_->service;
    kept.Set("v", kRecordVersion).Set("schema", state_->description);
    if (!(kept == read[3])) writes->push_back(PutWrite(Store::kSync, "service", std::move(kept)));
  } else if (state_->mode != Mode::kService && read[3]["loggedOut"].as_bool()) {
    // The user has logged in again, without a service worker this time.
    writes->push_back(DeleteWrite(Store::kSync, "service"));
  }
}

}  // namespace skerry
