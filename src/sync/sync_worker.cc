#include "sync/sync_worker.h"

#include <algorithm>

#include "sync/scopes.h"
#include "sync/status.h"

namespace skerry {
namespace {

LeaseConfig Config(const WorkerState& state, std::string_view name) {
  LeaseConfig config;
  config.name = name;
  config.tab = state.tab;
  config.locks = state.locks;
  const bool listen = name == "listen";
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
  state->visible = config["visible"].as_bool(true);
  state->online = config["online"].as_bool(true);
  state->locks = config["locks"].as_bool();
  state->auth = config["auth"].as_bool();
  state->socket = config["socket"].as_bool();
  state->images = config["images"].as_bool();
  return std::unique_ptr<SyncWorker>(new SyncWorker(std::move(state)));
}

SyncWorker::SyncWorker(std::unique_ptr<WorkerState> state)
    : state_(std::move(state)),
      job_(state_.get(), Config(*state_, "push")),
      keeper_(state_.get(), Config(*state_, "image")),
      listen_(Config(*state_, "listen")),
      socket_(state_.get()) {}

Data SyncWorker::Handle(const Data& event) {
  Turn turn(event["now"].as_number(), event["mono"].as_number(), &last_id_);
  const String& type = event["type"].as_string();
  if (type == "read") {
    OnRead(event, &turn);  // inside a transaction: its answer and nothing else
  } else if (!state_->stopped || type == "done" || type == "failed") {
    Route(event, &turn);
    Upkeep(&turn);
  }
  return turn.TakeEffects();
}

void SyncWorker::Route(const Data& event, Turn* turn) {
  const String& type = event["type"].as_string();
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
}

void SyncWorker::Start(Turn* turn) {
  if (state_->started || FindOwn(0) != nullptr) return;
  Data::Array reads{GetRead("sync", "sync"), CountRead("mutations"), CountRead("conflicts")};
  Own own;
  own.id = turn->Transact("sync mutations conflicts updates", true, true, std::move(reads));
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
    reply.abort = true;  // nobody waits for it any more
  }
  turn->Emit(WriteEffect(id, std::move(reply)));
}

ReadReply SyncWorker::ReadOwn(Own* own, const Data& results, Turn* turn) {
  ReadReply reply;
  const Data::Array& read = results.items();
  if (IsNewer(read[0])) {
    state_->error = {"newer_tab", "Another window runs a newer version of this application.",
                     false};
    reply.abort = true;
    return reply;
  }
  Data sync = CompleteSyncRecord(read[0], state_->ids.Next(turn->now), state_->schema.version());
  if (!own->message.is_null()) {
    own->changed = ChangeScopes(state_->schema, own->message["add"], own->message["drop"], &sync,
                                &own->record);
    if (!own->record.is_null())
      reply.writes.push_back(PutWrite("updates", own->record["n"], own->record));
  }
  state_->pending = read[1].as_number();
  state_->conflicts = read[2].as_number();
  state_->sync = sync;
  if (!(sync == read[0])) reply.writes.push_back(PutWrite("sync", "sync", std::move(sync)));
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
  } else if (listen_.Owns(id)) {
    ListenHappened(listen_.Done(turn), turn);
  }
}

void SyncWorker::DoneOwn(const Own& own, Turn* turn) {
  if (!own.record.is_null()) turn->Broadcast(Message("record").Set("record", own.record));
  const bool first = !state_->started;
  state_->started = true;
  if (first) {
    job_.Wake(WakeReason::kStart, turn);
  } else if (own.changed) {
    socket_.Renew(turn);
    job_.Wake(WakeReason::kTimer, turn);
  }
}

void SyncWorker::OnFailed(uint64_t id, const Data& error, Turn* turn) {
  if (Own* found = FindOwn(id); found != nullptr) {
    // A newer version's data is left alone for good; anything else is tried again.
    const Data message = found->message;
    own_.erase(own_.begin() + (found - own_.data()));
    if (state_->error.code == "newer_tab") return;
    state_->error = StorageError(error);
    if (message.is_null()) {
      turn->Timer("start", state_->times.retry_ms);
    } else {
      turn->Post(Message("scopesFailed").Set("error", state_->error.ToData()));
    }
  } else if (job_.Owns(id)) {
    job_.Failed(id, error, turn);
  } else if (keeper_.Owns(id)) {
    keeper_.Failed(id, error, turn);
  } else if (listen_.Owns(id)) {
    ListenHappened(listen_.Failed(error, turn), turn);
  }
}

void SyncWorker::ListenHappened(LeaseEvent, Turn*) {
  // Nothing to do at once: Upkeep opens and closes the socket by who holds the lease now.
}

void SyncWorker::OnLock(const Data& event, Turn* turn) {
  const String& name = event["name"].as_string();
  const String& lock_state = event["state"].as_string();
  if (name == "push") job_.Lock(lock_state, turn);
  if (name == "image") keeper_.Lock(lock_state, turn);
  if (name == "listen") ListenHappened(listen_.Lock(lock_state, turn), turn);
}

// One of the conditions for working changed. Losing one lets go of everything.
void SyncWorker::Switch(bool* flag, bool value, WakeReason reason, Turn* turn) {
  if (*flag == value) return;
  const bool could = state_->CanRun();
  *flag = value;
  const bool can = state_->CanRun();
  if (could && !can) {
    job_.Leave(turn);
    keeper_.Leave(turn);
  } else if (!could && can) {
    job_.Wake(reason, turn);
  }
}

void SyncWorker::OnPost(const Data& message, Turn* turn) {
  const String& type = message["type"].as_string();
  if (type == "mutated") {
    job_.Wake(WakeReason::kMutation, turn);
  } else if (type == "wake") {
    const bool mutation = message["reason"].Is("mutation");
    job_.Wake(mutation ? WakeReason::kMutation : WakeReason::kVisible, turn);
  } else if (type == "visible") {
    Switch(&state_->visible, message["visible"].as_bool(), WakeReason::kVisible, turn);
  } else if (type == "online") {
    Switch(&state_->online, message["online"].as_bool(), WakeReason::kOnline, turn);
  } else if (type == "pause" || type == "resume") {
    Switch(&state_->paused, type == "pause", WakeReason::kApplication, turn);
  } else if (type == "sync") {
    job_.Ask(message["id"], turn);
  } else if (type == "scopes") {
    Data::Array reads{GetRead("sync", "sync"), CountRead("mutations"), CountRead("conflicts")};
    Own own;
    own.message = message;
    own.id = turn->Transact("sync mutations conflicts updates", true, true, std::move(reads));
    own_.push_back(std::move(own));
  } else if (type == "token") {
    OnToken(message["token"], turn);
  } else if (type == "stop") {
    Stop(turn);
  }
}

void SyncWorker::Stop(Turn* turn) {
  state_->stopped = true;
  job_.Leave(turn);
  keeper_.Leave(turn);
}

void SyncWorker::OnChannel(const Data& message, Turn* turn) {
  const String& type = message["type"].as_string();
  if (type == "added") {
    job_.Wake(WakeReason::kMutation, turn);
  } else if (type == "wake") {
    const bool mutation = message["reason"].Is("mutation");
    job_.Wake(mutation ? WakeReason::kMutation : WakeReason::kVisible, turn);
  } else if (type == "lease") {
    const String& name = message["name"].as_string();
    if (name == "push") job_.Heard(message, turn);
    if (name == "image") keeper_.Heard(message, turn);
    if (name == "listen") listen_.Heard(message, turn);
  } else if (type == "status") {
    OnStatus(message);
  } else if (type == "record") {
    // Another worker's transaction (or, without a remote, a window's): what it told of is what the
    // next request of this one begins from, and what a roll-up is considered by.
    const Data& record = message["record"];
    if (state_->started && record["n"].as_u64() > state_->sync["n"].as_u64()) {
      const uint64_t bytes =
          state_->sync["recordBytes"].as_u64() + record["body"].as_bytes().size();
      state_->sync.Set("n", record["n"]).Set("cursors", record["cursors"]);
      state_->sync.Set("recordBytes", bytes);
    }
  }
}

// The holder of the lease tells; the others show it as theirs.
void SyncWorker::OnStatus(const Data& message) {
  if (job_.lease().held() || !state_->started) return;
  const Data& status = message["shared"];
  shared_phase_ = status["phase"].as_string();
  state_->pending = status["pending"].as_number();
  state_->conflicts = status["conflicts"].as_number();
  state_->progress = status["progress"];
  state_->sync.Set("lastSyncedAt", status["lastSyncedAt"])
      .Set("clockOffset", status["clockOffsetMs"]);
  if (status["scopes"].is_array()) state_->sync.Set("scopes", status["scopes"]);
  if (job_.active()) return;
  const Data& error = status["error"];
  state_->error = {error["code"].as_string(), error["message"].as_string(),
                   error["retryable"].as_bool(true)};
}

void SyncWorker::OnTimer(const String& name, Turn* turn) {
  if (name == "start") return Start(turn);
  if (name == "token") {
    if (state_->token_asked) OnToken(nullptr, turn);
    return;
  }
  if (job_.Timer(name, turn) || keeper_.Timer(name, turn) || listen_.Timer(name, turn)) return;
  socket_.Timer(name, turn);
}

void SyncWorker::OnToken(const Data& token, Turn* turn) {
  const bool asked = state_->token_asked;
  state_->token_asked = false;
  turn->Cancel("token");
  if (!token.is_string()) {
    if (asked) job_.TokenMissing(turn);
    return;
  }
  state_->token = token;
  // A token that nobody asked for is a new log-in: what was refused before says nothing about it.
  if (!asked) state_->token_refusals = 0;
  if (state_->needs_auth) {
    // Also while nothing may run: who may later goes on with it.
    state_->needs_auth = false;
    job_.Wake(WakeReason::kToken, turn);
  } else {
    job_.Advance(turn);
  }
}

void SyncWorker::OnSocket(const Data& event, Turn* turn) {
  const Poke poke = socket_.Event(event, turn);
  if (poke.membership) return job_.Wake(WakeReason::kTimer, turn);
  if (poke.realm.empty()) return;
  if (CursorRevision(state_->sync["cursors"][poke.realm]) >= poke.revision) return;
  uint64_t& known = state_->poked[poke.realm];
  known = std::max(known, poke.revision);
  job_.Wake(WakeReason::kPoke, turn);
}

void SyncWorker::Upkeep(Turn* turn) {
  const bool listens =
      state_->socket && state_->CanRun() && state_->has_token() && !state_->needs_auth;
  if (listens) {
    listen_.Want("listen", turn);
  } else {
    socket_.Want(false, turn);
    listen_.Unwant("left", turn);
  }
  socket_.Want(listens && listen_.held(), turn);
  keeper_.Consider(!job_.active(), turn);
  TellStatus(turn);
}

void SyncWorker::TellStatus(Turn* turn) {
  const bool active = job_.active();
  if (active || job_.resting_after_failure()) shared_phase_.clear();
  Data status = MakeStatus(*state_, job_, shared_phase_);
  if (!(status == told_)) {
    // Who works tells the others, and once more when it rests.
    if (job_.lease().held() || was_active_)
      turn->Broadcast(Message("status").Set("shared", status).Set("n", state_->sync["n"].as_u64()));
    turn->Emit(Message("status").Set("status", status));
    told_ = std::move(status);
  }
  was_active_ = job_.lease().held();
}

}  // namespace skerry
