#include "sync/sync_worker.h"

#include <algorithm>
#include <utility>

#include "sync/scopes.h"
#include "sync/status.h"

namespace skerry {
namespace {

LeaseConfig Config(const WorkerState& state, std::string_view name) {
  LeaseConfig config;
  config.name = name;
  config.tab = state.tab;
  // Two versions of a service worker never run at the same time, and windows that push beside it do
  // no harm. So the service worker needs no persisted lease.
  config.persisted = state.mode != Mode::kService;
  if (!config.persisted) config.lock = "service";
  config.locks = state.locks;
  const bool listen = name == "listen";
  config.quiet = listen;
  config.beat_ms = listen ? state.times.listen_beat_ms : state.times.beat_ms;
  config.look_ms = listen ? state.times.listen_look_ms : state.times.look_ms;
  config.timeout_ms = listen ? state.times.listen_timeout_ms : state.times.timeout_ms;
  return config;
}

Data WriteEffect(uint64_t id, ReadReply reply) {
  if (reply.abort) return Message("abort").Set("id", id);
  if (!reply.more.empty())
    return Message("more").Set("id", id).Set("reads", Data(std::move(reply.more)));
  return Message("write").Set("id", id).Set("writes", Data(std::move(reply.writes)));
}

Data ScopesFailed(const SyncError& error, const Vector<WantedScope>& dropped) {
  return Message("scopesFailed").Set("error", error.ToData()).Set("drop", ToData(dropped));
}

}  // namespace

Result<std::unique_ptr<SyncWorker>> SyncWorker::Create(const Data& config) {
  Result<Schema> schema = Schema::Parse(config["schema"]);
  if (!schema.ok()) return schema.status();
  if (config["tab"].as_string().empty())
    return Status(Code::kInvalidArgument, "The sync worker needs a tab id.");
  if (config["seed"].as_bytes().size() != 32)
    return Status(Code::kInvalidArgument, "The seed has 32 bytes.");
  auto state = std::make_unique<WorkerState>(std::move(schema.value()), config["schema"],
                                             config["seed"].as_bytes());
  state->times = ParseSyncTimes(config["times"]);
  state->limits = ParseSyncLimits(config["limits"]);
  state->tab = config["tab"].as_string();
  state->user = config["user"].as_string();
  const std::string& mode = config["mode"].as_string();
  state->mode = mode == "service"  ? Mode::kService
                : mode == "helper" ? Mode::kHelper
                                   : Mode::kLease;
  state->mode_reason = config["reason"].as_string();
  state->service = config["service"];
  state->keeps_token = config["keepToken"].as_bool();
  state->visible = config["visible"].as_bool(true);
  state->online = config["online"].as_bool(true);
  state->locks = config["locks"].as_bool();
  state->auth = config["auth"].as_bool();
  const bool in_window = state->mode != Mode::kService;
  state->socket = in_window && config["socket"].as_bool();
  state->images = in_window && config["images"].as_bool();
  return std::unique_ptr<SyncWorker>(new SyncWorker(std::move(state)));
}

SyncWorker::SyncWorker(std::unique_ptr<WorkerState> state)
    : state_(std::move(state)),
      job_(state_.get(), Config(*state_, "push")),
      helper_(state_.get()),
      keeper_(state_.get(), Config(*state_, "image")),
      listen_(Config(*state_, "listen")),
      socket_(state_.get()) {}

Data SyncWorker::Handle(const Data& event) {
  Turn turn(event["now"].as_number(), event["mono"].as_number(), &last_id_);
  const std::string& type = event["type"].as_string();
  if (type == "read") {
    OnRead(event, &turn);  // inside a transaction: emits its reply and nothing else
  } else if (!state_->stopped || type == "done" || type == "failed") {
    Route(event, &turn);
    Upkeep(&turn);
  }
  return turn.TakeEffects();
}

void SyncWorker::Route(const Data& event, Turn* turn) {
  const std::string& type = event["type"].as_string();
  if (type == "start") {
    Start(turn);
  } else if (type == "done") {
    OnDone(event["id"].as_u64(), turn);
  } else if (type == "failed") {
    OnFailed(event["id"].as_u64(), event["error"], turn);
  } else if (type == "post") {
    OnPost(event["message"], turn);
  } else if (type == "message") {
    OnChannel(event["message"], turn);
  } else if (type == "timer") {
    OnTimer(event["name"].as_string(), turn);
  } else if (type == "lock") {
    OnLock(event, turn);
  } else if (type == "response") {
    if (job_.Response(event, turn)) job_.Advance(turn);
  } else if (type == "token") {
    OnToken(event["token"], turn);
  } else if (type == "socket") {
    OnSocket(event, turn);
  } else if (type == "image") {
    if (!job_.Image(event, turn)) keeper_.Image(event, turn);
  }
  if (!helper_.given_up().empty()) SetMode(Mode::kLease, helper_.given_up(), turn);
}

void SyncWorker::Start(Turn* turn) {
  const auto starts = [](const Own& own) { return own.kind == OwnKind::kStart; };
  if (state_->started || std::any_of(own_.begin(), own_.end(), starts)) return;
  BeginOwn(Own(), turn);
}

void SyncWorker::BeginOwn(Own own, Turn* turn) {
  Data::Array reads{GetRead(Store::kSync, kSyncKey), CountRead(Store::kMutations),
                    CountRead(Store::kConflicts), GetRead(Store::kSync, "service"),
                    GetRead(Store::kSync, "token")};
  own.id = turn->Transact({Store::kSync, Store::kMutations, Store::kConflicts, Store::kUpdates},
                          TransactionMode::kWriteStrict, std::move(reads));
  own_.push_back(std::move(own));
}

// A window that ended between storing a mutation and announcing it leaves it to the other windows,
// and nothing wakes them. If a socket replaces polling, the worker that has the socket counts
// pending mutations.
void SyncWorker::Look(Turn* turn) {
  turn->Timer("look", state_->times.idle_ms);
  if (job_.active()) return;
  Own own;
  own.kind = OwnKind::kLook;
  own.id =
      turn->Transact({Store::kMutations}, TransactionMode::kRead, {CountRead(Store::kMutations)});
  own_.push_back(std::move(own));
}

SyncWorker::Own* SyncWorker::FindOwn(uint64_t id) {
  for (Own& own : own_) {
    if (own.id == id) return &own;
  }
  return nullptr;
}

void SyncWorker::OnRead(const Data& event, Turn* turn) {
  const uint64_t id = event["id"].as_u64();
  const Data& results = event["results"];
  ReadReply reply;
  if (Own* own = FindOwn(id); own != nullptr) {
    reply = ReadOwn(own, results, turn);
  } else if (job_.Owns(id)) {
    reply = job_.Read(id, results, turn);
  } else if (keeper_.Owns(id)) {
    reply = keeper_.Read(id, results, turn);
  } else if (listen_.Owns(id)) {
    reply.writes = listen_.Read(results, turn);
  } else {
    reply.abort = true;  // the transaction is not needed any more
  }
  turn->Emit(WriteEffect(id, std::move(reply)));
}

ReadReply SyncWorker::ReadOwn(Own* own, const Data& results, Turn* turn) {
  ReadReply reply;
  const Data::Array& read = results.items();
  if (own->kind == OwnKind::kLook) {
    own->pending = read[0].as_number();
    return reply;
  }
  if (IsNewer(read[0])) {
    state_->error = NewerTabError();
    reply.abort = true;
    return reply;
  }
  if (own->kind == OwnKind::kToken) {
    const Data kept = Message("token").Set("v", kRecordVersion).Set("token", own->token);
    // The same token again: keep its mark as refused.
    if (!IsNewer(read[4]) && !(kept["token"] == read[4]["token"]))
      reply.writes.push_back(PutWrite(Store::kSync, "token", kept));
    return reply;
  }
  if (own->kind == OwnKind::kRefusal) {
    WriteRefusal(own->token, read[4], turn->now, &reply.writes);
    return reply;
  }
  if (own->kind == OwnKind::kStart) {
    TakeKeptToken(read[4], turn);
    KeepService(read, &reply.writes);
  }
  state_->loss_to_report = read[0].is_object() && !KeepsPlace(read[0]);
  SyncRecord sync =
      CompleteSyncRecord(read[0], state_->ids.Next(turn->now), state_->schema.version());
  // At the start, too: scopes that the schema no longer understands are dropped.
  own->changed = ChangeScopes(state_->schema, own->add, own->drop, turn->now, &sync, &own->record,
                              &own->left_out);
  if (own->record.has_value())
    reply.writes.push_back(PutWrite(Store::kUpdates, own->record->n, own->record->Write()));
  state_->pending = read[1].as_number();
  state_->conflicts = read[2].as_number();
  Data stored = sync.Write();
  state_->sync = std::move(sync);
  if (!(stored == read[0]))
    reply.writes.push_back(PutWrite(Store::kSync, kSyncKey, std::move(stored)));
  return reply;
}

void SyncWorker::OnDone(uint64_t id, Turn* turn) {
  if (Own* found = FindOwn(id); found != nullptr) {
    const Own own = std::move(*found);
    own_.erase(own_.begin() + (found - own_.data()));
    DoneOwn(own, turn);
  } else if (job_.Owns(id)) {
    job_.Done(id, turn);
  } else if (keeper_.Owns(id)) {
    keeper_.Done(id, turn);
    // Helpers take the lease `push` for images alone. If such a holder died, its lease would stay
    // as it is, and the image that it was writing would never be deleted: so take the lease once.
    if (keeper_.TakeWaiting() && state_->mode == Mode::kHelper) job_.Wake(WakeReason::kFill, turn);
  } else if (listen_.Owns(id)) {
    ListenHappened(listen_.Done(turn), turn);
  }
  if (!std::exchange(state_->loss_to_report, false)) return;
  const Data damaged = Message("unreadable").Set("damaged", true);
  turn->Broadcast(damaged);
  turn->Post(damaged);
}

void SyncWorker::DoneOwn(const Own& own, Turn* turn) {
  if (own.kind == OwnKind::kLook) {
    if (job_.active()) return;
    // Windows do not know of mutations that were not announced either.
    if (own.pending > state_->pending) {
      turn->Broadcast(Message("left"));
      turn->Post(Message("left"));
    }
    state_->pending = own.pending;
    if (own.pending > 0) Wake(WakeReason::kMutation, turn);
    return;
  }
  state_->own_error = {};
  if (own.kind == OwnKind::kToken || own.kind == OwnKind::kRefusal) return;
  if (own.kind == OwnKind::kScopes) {
    scopes_failed_ = !own.left_out.empty();
    // The window repeats its request after a pause; other windows may have dropped scopes until
    // then.
    if (scopes_failed_) {
      const SyncError error = {"scope_left_out",
                               "All windows together want more than a server takes.", true};
      turn->Post(ScopesFailed(error, {}).Set("leftOut", ToData(own.left_out)));
    }
  }
  if (own.record.has_value()) turn->Broadcast(Message("record").Set("record", own.record->Write()));
  const bool first = !state_->started;
  state_->started = true;
  if (first && state_->mode == Mode::kService) {
    if (refused_rest_ms_ > 0) job_.RefusedBefore(refused_rest_ms_, turn);
    job_.BeginWanted(turn);  // it was woken for some work
  } else if (first) {
    if (state_->mode == Mode::kHelper) {
      state_->EnsureToken("start", turn);
      job_.BeginWanted(turn);  // for an image that was named meanwhile
    }
    Wake(WakeReason::kStart, turn);
  } else if (own.changed) {
    socket_.Renew(turn);
    Wake(WakeReason::kTimer, turn);
  }
}

void SyncWorker::OnFailed(uint64_t id, const Data& error, Turn* turn) {
  if (Own* found = FindOwn(id); found != nullptr) {
    // A newer version's data is left alone for good; any other failure is retried.
    const OwnKind kind = found->kind;
    const Vector<WantedScope> dropped = found->drop;
    own_.erase(own_.begin() + (found - own_.data()));
    scopes_failed_ = kind == OwnKind::kScopes || scopes_failed_;
    if (state_->error.code == "newer_tab") return;
    if (kind == OwnKind::kLook) return;  // the timer starts another one
    state_->own_error = StorageError(error);
    if (kind == OwnKind::kStart) turn->Timer("start", state_->times.retry_ms);
    if (kind == OwnKind::kScopes) turn->Post(ScopesFailed(state_->own_error, dropped));
  } else if (job_.Owns(id)) {
    job_.Failed(id, error, turn);
  } else if (keeper_.Owns(id)) {
    keeper_.Failed(id, error, turn);
  } else if (listen_.Owns(id)) {
    ListenHappened(listen_.Failed(error, turn), turn);
  }
}

// Other events need no action here: Upkeep opens or closes the socket, depending on whether the
// lease is held.
void SyncWorker::ListenHappened(LeaseEvent event, Turn* turn) {
  if (event != LeaseEvent::kFailed) return;
  listen_pausing_ = true;
  turn->Timer("listen-retry", state_->times.retry_ms);
}

void SyncWorker::OnLock(const Data& event, Turn* turn) {
  const std::string& name = event["name"].as_string();
  const std::string& lock_state = event["state"].as_string();
  if (name == "push" || name == "service") job_.Lock(lock_state, turn);
  if (name == "image") keeper_.Lock(lock_state, turn);
  if (name == "listen") ListenHappened(listen_.Lock(lock_state, turn), turn);
}

void SyncWorker::OnTimer(const std::string& name, Turn* turn) {
  if (name == "start") return Start(turn);
  if (name == "scopes") return WantScopes({}, {}, turn);
  if (name == "look") return Look(turn);
  if (name == "shared") return OnSilence(turn);
  if (name == "listen-retry") {
    listen_pausing_ = false;
    return;
  }
  if (name == "token") {
    if (state_->token_asked) OnToken(nullptr, turn);
    return;
  }
  if (job_.Timer(name, turn) || keeper_.Timer(name, turn) || listen_.Timer(name, turn)) return;
  if (!helper_.Timer(name, turn)) socket_.Timer(name, turn);
}

void SyncWorker::Upkeep(Turn* turn) {
  const bool listens =
      state_->socket && state_->CanRun() && state_->has_token() && !state_->needs_auth;
  if (listens && !listen_pausing_) {
    listen_.Want("listen", turn);
  } else if (!listens) {
    socket_.Want(false, turn);
    listen_.Unwant("left", turn);
  }
  socket_.Want(listens && listen_.held(), turn);
  listen_.set_job(socket_.open() ? "open" : "closed");
  const bool counted = std::exchange(counts_pending_, socket_.open());
  if (counts_pending_ && !counted) turn->Timer("look", state_->times.idle_ms);
  if (!counts_pending_ && counted) turn->Cancel("look");
  if (state_->mode != Mode::kService) {
    state_->listening =
        listen_.held() ? socket_.open() : listen_.waiting() && listen_.record().job == "open";
  }
  keeper_.Consider(!job_.active(), turn);
  if (LacksScope()) WantScopes({}, {}, turn);
  KeepRefusal(turn);
  TellStatus(turn);
}

// Whether another window has dropped a scope that this worker's window wants. (If scopes could not
// be stored, the window repeats its request itself.)
bool SyncWorker::LacksScope() const {
  if (!state_->started || state_->stopped || scopes_failed_) return false;
  for (const Own& own : own_) {
    if (own.kind == OwnKind::kScopes) return false;
  }
  for (const WantedScope& scope : wanted_) {
    if (!HoldsScope(state_->sync.scopes, scope)) return true;
  }
  return false;
}

void SyncWorker::TellStatus(Turn* turn) {
  const bool active = job_.active();
  const bool helps = state_->mode == Mode::kHelper;
  if ((active || job_.resting_after_failure()) && !helps) shared_phase_.clear();
  // A service worker answers wakes once it has started.
  if (state_->mode == Mode::kService && !state_->started) return;
  Data status = MakeStatus(*state_, job_, shared_phase_);
  const bool changed = !(status == shown_status_);
  const bool is_service = state_->mode == Mode::kService;
  if (changed || owes_status_) {
    // The worker that works reports to the others, and once more when it rests. A service worker
    // always reports, even failures that only it has.
    if (job_.lease().held() || was_holder_ || is_service) {
      Data shared = status;
      if (!is_service) shared.Set("error", state_->error.ToData());
      turn->Broadcast(Message("status").Set("shared", std::move(shared)).Set("n", state_->sync.n));
    }
    turn->Emit(Message("status").Set("status", status));
    shown_status_ = std::move(status);
  }
  owes_status_ = false;
  was_holder_ = job_.lease().held();
}

}  // namespace skerry
