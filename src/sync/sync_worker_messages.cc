// SyncWorker: the messages of its window, of the other workers, of the application and of the
// socket.
#include <algorithm>
#include <utility>

#include "sync/scopes.h"
#include "sync/sync_worker.h"

namespace skerry {
namespace {

bool IsWork(std::string_view phase) {
  return phase == "filling" || phase == "pulling" || phase == "pushing";
}

// Reads a list of a message; a missing list is empty.
Vector<WantedScope> ReadWanted(const Data& list) {
  Vector<WantedScope> scopes;
  if (list.is_array()) FromData(Data(list), &scopes);
  return scopes;
}

}  // namespace

void SyncWorker::Wake(WakeReason reason, Turn* turn) {
  if (state_->mode == Mode::kHelper) {
    helper_.Wake(reason, turn);
  } else {
    job_.Wake(reason, turn);
  }
}

// One of the conditions for work has changed. If work is no longer allowed, all of it is given up.
void SyncWorker::Switch(bool* flag, bool value, WakeReason reason, Turn* turn) {
  if (*flag == value) return;
  const bool could = state_->CanRun();
  *flag = value;
  const bool can = state_->CanRun();
  if (could && !can) {
    job_.Leave(turn);
    keeper_.Leave(turn);
  } else if (!could && can) {
    Wake(reason, turn);
  }
  if (!state_->online || state_->paused) helper_.Rest(turn);
}

void SyncWorker::OnPost(const Data& message, Turn* turn) {
  const std::string& type = message["type"].as_string();
  // A service worker that works reports what it does anyway; it must not answer each keystroke as
  // well.
  const bool is_service = state_->mode == Mode::kService;
  owes_status_ = is_service && !(message["reason"].Is("mutation") && job_.lease().held());
  if (is_service && message["listening"].is_bool())
    state_->listening = message["listening"].as_bool();
  // A service worker learns from its windows whether it is online.
  if (is_service && type != "online" && message["online"].is_bool())
    Switch(&state_->online, message["online"].as_bool(), WakeReason::kOnline, turn);
  const bool helps = state_->mode == Mode::kHelper;
  if (type == "mutated") {
    helps ? helper_.Mutated(turn) : job_.Wake(WakeReason::kMutation, turn);
  } else if (type == "wake") {
    OnWake(message, turn);
  } else if (type == "visible") {
    Switch(&state_->visible, message["visible"].as_bool(), WakeReason::kVisible, turn);
  } else if (type == "online") {
    Switch(&state_->online, message["online"].as_bool(), WakeReason::kOnline, turn);
  } else if (type == "pause" || type == "resume") {
    Switch(&state_->paused, type == "pause", WakeReason::kApplication, turn);
  } else if (type == "sync") {
    helps && state_->CanRun() ? helper_.Ask(message["id"], turn) : job_.Ask(message["id"], turn);
  } else if (type == "scopes") {
    WantScopes(ReadWanted(message["add"]), ReadWanted(message["drop"]), turn);
  } else if (type == "token") {
    OnToken(message["token"], turn);
  } else if (type == "service") {
    SetMode(message["active"].as_bool() ? Mode::kHelper : Mode::kLease,
            message["reason"].as_string(), turn);
  } else if (type == "stop") {
    Stop(turn);
  }
}

// The scopes of this worker's window are requested again each day that it is open (sync/scopes.h),
// and at once if another window has dropped them (Upkeep).
void SyncWorker::WantScopes(const Vector<WantedScope>& add, const Vector<WantedScope>& drop,
                            Turn* turn) {
  Vector<WantedScope> wanted;
  for (const WantedScope& scope : wanted_) {
    if (!HoldsScope(drop, scope) && !HoldsScope(add, scope)) wanted.push_back(scope);
  }
  for (const WantedScope& scope : add) {
    if (Understands(state_->schema, scope)) wanted.push_back(scope);
  }
  wanted_ = std::move(wanted);
  if (!wanted_.empty()) turn->Timer("scopes", kDayMs);
  Own own;
  own.kind = OwnKind::kScopes;
  own.add = wanted_;
  own.drop = drop;
  BeginOwn(std::move(own), turn);
}

// From this worker's window, from a window that emptied its image, or from a helper.
void SyncWorker::OnWake(const Data& message, Turn* turn) {
  const std::string& reason = message["reason"].as_string();
  if (reason == "poke")
    return OnPoke(message["realm"].as_string(), message["revision"].as_u64(), turn);
  Wake(reason == "mutation" ? WakeReason::kMutation
       : reason == "due"    ? WakeReason::kDue
                            : WakeReason::kVisible,
       turn);
}

void SyncWorker::SetMode(Mode mode, std::string reason, Turn* turn) {
  state_->mode_reason = std::move(reason);
  helper_.Rest(turn);
  if (state_->mode == mode) return;
  if (mode == Mode::kHelper) {
    const Data::Array asked = job_.TakeAsked();
    job_.Leave(turn);
    state_->mode = mode;
    state_->ForgetAuth();
    Wake(WakeReason::kStart, turn);
    for (const Data& id : asked) helper_.Ask(id, turn);
    if (state_->token.is_string()) helper_.HandToken(state_->token, turn);
  } else {
    state_->mode = mode;
    // These were the service worker's: with them, no token would be requested and nothing retried
    // here.
    state_->ForgetAuth();
    state_->next_try_at = nullptr;
    for (const Data& id : helper_.TakeAsked()) job_.Ask(id, turn);
    job_.Wake(WakeReason::kVisible, turn);
  }
}

void SyncWorker::Stop(Turn* turn) {
  state_->stopped = true;
  job_.Leave(turn);
  keeper_.Leave(turn);
}

void SyncWorker::OnChannel(const Data& message, Turn* turn) {
  const std::string& type = message["type"].as_string();
  const bool helps = state_->mode == Mode::kHelper;
  if (type == "added" || type == "left") {
    // A service worker is woken by the window with the change, unless that window is paused.
    if (state_->mode == Mode::kService) return;
    helps ? helper_.Mutated(turn) : job_.Wake(WakeReason::kMutation, turn);
  } else if (type == "wake") {
    OnWake(message, turn);
  } else if (type == "lease") {
    const std::string& name = message["name"].as_string();
    if (name == "push") job_.Heard(message, turn);
    if (name == "image") keeper_.Heard(message, turn);
    if (name == "listen") ListenHappened(listen_.Heard(message, turn), turn);
  } else if (type == "status") {
    OnStatus(message, turn);
    if (helps) helper_.Heard(&message["shared"], turn);
  } else if (type == "pushed" && helps) {
    helper_.Heard(nullptr, turn);
  } else if (type == "serviceFailed" && helps) {
    SetMode(Mode::kLease, message["reason"].as_string(), turn);
  } else if (type == "fill" && helps) {
    job_.Wake(WakeReason::kFill, turn);
  } else if (type == "needToken" && helps) {
    OnNeedToken(message["why"].as_string(), turn);
  } else if (type == "synced" && message["id"]["tab"].as_string() == state_->tab) {
    Data answer = Message("synced");
    answer.Set("id", message["id"]["id"]).Set("error", message["error"]);
    helper_.Answered(message["id"]["id"]);
    turn->Post(std::move(answer));
  } else if (type == "logged") {
    if (message["cursors"].is_object())
      OnLogged(message["n"].as_u64(), ReadCursors(message["cursors"]),
               message["recordBytes"].as_u64());
  } else if (type == "record") {
    if (helps) helper_.Heard(nullptr, turn);
    // Another worker's transaction: the next request of this worker begins at its cursors, and its
    // bytes count towards the next compaction.
    const UpdateRecord record = UpdateRecord::Read(message["record"]);
    const size_t bytes = record.body.has_value() ? record.body->size() : 0;
    OnLogged(record.n, record.cursors, state_->sync.record_bytes + bytes);
  }
}

void SyncWorker::OnLogged(uint64_t n, Cursors cursors, uint64_t record_bytes) {
  if (!state_->started || n <= state_->sync.n) return;
  state_->sync.n = n;
  state_->sync.cursors = std::move(cursors);
  state_->sync.record_bytes = record_bytes;
}

// The service worker has no token, or the server no longer accepts it. A visible window answers.
void SyncWorker::OnNeedToken(const std::string& why, Turn* turn) {
  if (!state_->visible) return;
  if (why == "start" && state_->token.is_string()) return helper_.HandToken(state_->token, turn);
  if (state_->auth) state_->token = nullptr;
  state_->EnsureToken(why, turn);
}

// The holder of the lease reports its status; the other windows show it as theirs.
void SyncWorker::OnStatus(const Data& message, Turn* turn) {
  if (!state_->started || state_->mode == Mode::kService) return;
  const Data& status = message["shared"];
  // The service worker's status counts even while this worker holds the lease for an image, because
  // the end of its work is reported only once.
  if (state_->mode == Mode::kHelper && status["instance"].is_string()) {
    shared_phase_ = status["phase"].as_string();
    state_->next_try_at = status["nextTryAt"];
    state_->service_lease = status["lease"];
  }
  if (job_.lease().held()) return;
  shared_phase_ = status["phase"].as_string();
  state_->first_round_ended = true;
  // A live holder sends heartbeats more often than that. One that ended during its work does not
  // report it.
  if (state_->mode == Mode::kLease && IsWork(shared_phase_))
    turn->Timer("shared", state_->times.timeout_ms);
  state_->pending = status["pending"].as_number();
  state_->conflicts = status["conflicts"].as_number();
  state_->progress = status["progress"];
  SyncRecord& sync = state_->sync;
  const bool synced = status["lastSyncedAt"].as_number() > sync.last_synced_at.value_or(0);
  if (synced) sync.last_synced_at = status["lastSyncedAt"].as_number();
  sync.clock_offset = status["clockOffsetMs"].as_number();
  if (status["scopes"].is_array()) FromData(Data(status["scopes"]), &sync.scopes);
  if (job_.active()) return;
  if (state_->mode == Mode::kHelper) {
    state_->next_try_at = status["nextTryAt"];
    state_->needs_auth = status["needsAuth"].as_bool();
    state_->service_lease = status["lease"];
  }
  // A log-in in another window counts for this window, too.
  if (state_->mode == Mode::kLease && state_->needs_auth) {
    if (synced) job_.OtherLetIn(turn);
    return;
  }
  const Data& error = status["error"];
  state_->error = {error["code"].as_string(), error["message"].as_string(),
                   error["retryable"].as_bool(true)};
}

// No report about the other worker's work has come for too long: this worker takes it over.
void SyncWorker::OnSilence(Turn* turn) {
  if (state_->mode != Mode::kLease || job_.active() || !IsWork(shared_phase_)) return;
  shared_phase_.clear();
  job_.Wake(WakeReason::kTimer, turn);
}

void SyncWorker::OnToken(const Data& token, Turn* turn) {
  const bool asked = state_->token_asked;
  state_->token_asked = false;
  turn->Cancel("token");
  const bool helps = state_->mode == Mode::kHelper;
  if (helps && (asked || token.is_string())) helper_.HandToken(token, turn);
  if (!token.is_string()) {
    if (asked && !helps) job_.TokenMissing(turn);
    return;
  }
  if (state_->keeps_token && !(state_->token == token)) {
    Own own;
    own.kind = OwnKind::kToken;
    own.token = token;
    BeginOwn(std::move(own), turn);
  }
  state_->token = token;
  // A token that was not requested is a new log-in: earlier refusals say nothing about it.
  if (!asked) state_->ForgetRefusals();
  if (state_->needs_auth) {
    // Even while nothing may run: the work that begins later uses it.
    state_->needs_auth = false;
    Wake(WakeReason::kToken, turn);
  } else {
    job_.Advance(turn);
  }
}

void SyncWorker::OnSocket(const Data& event, Turn* turn) {
  const Poke poke = socket_.Event(event, turn);
  if (poke.membership) return Wake(WakeReason::kTimer, turn);
  if (!poke.realm.empty()) OnPoke(poke.realm, poke.revision, turn);
}

void SyncWorker::OnPoke(const std::string& realm, uint64_t revision, Turn* turn) {
  if (CursorRevision(state_->sync.cursors, realm) >= revision) return;
  if (state_->mode == Mode::kHelper) return helper_.Poked(realm, revision, turn);
  uint64_t& known = state_->poked[realm];
  known = std::max(known, revision);
  job_.Wake(WakeReason::kPoke, turn);
}

}  // namespace skerry
