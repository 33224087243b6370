// SyncWorker: the messages of its window, of the other workers, of the application and of the
// socket.
#include <algorithm>
#include <utility>

#include "sync/scopes.h"
#include "sync/streams.h"
#include "sync/sync_worker.h"

namespace skerry {
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

void SyncWorker::OnEvent(PostEvent event, Turn* turn) {
  const bool is_service = state_->mode == Mode::kService;
  owes_status_ = is_service;
  if (is_service) {
    const HelperNote note = ReadRecord<HelperNote>(event.message);
    if (note.listening.has_value()) state_->listening = *note.listening;
    // A service worker learns from its windows whether it is online.
    if (note.online.has_value()) Switch(&state_->online, *note.online, WakeReason::kOnline, turn);
  }
  PostMessages::Visit(&event.message, [&](const auto& message) { OnPost(message, turn); });
}

void SyncWorker::OnPost(const MutatedMessage&, Turn* turn) { NoteMutations(turn); }

void SyncWorker::OnPost(const WakeMessage& message, Turn* turn) {
  // A service worker that works reports what it does anyway; it must not answer each keystroke as
  // well.
  if (message.reason == WakeFor::kMutation && job_.lease().held()) owes_status_ = false;
  OnWake(message, turn);
}

void SyncWorker::OnPost(const VisibleMessage& message, Turn* turn) {
  Switch(&state_->visible, message.visible, WakeReason::kVisible, turn);
}

void SyncWorker::OnPost(const OnlineMessage& message, Turn* turn) {
  Switch(&state_->online, message.online, WakeReason::kOnline, turn);
}

void SyncWorker::OnPost(const PauseMessage&, Turn* turn) {
  Switch(&state_->paused, true, WakeReason::kApplication, turn);
}

void SyncWorker::OnPost(const ResumeMessage&, Turn* turn) {
  Switch(&state_->paused, false, WakeReason::kApplication, turn);
}

void SyncWorker::OnPost(const SyncMessage& message, Turn* turn) {
  const bool helps = state_->mode == Mode::kHelper;
  helps && state_->CanRun() ? helper_.Ask(message.id, turn) : job_.Ask(message.id, turn);
  CheckSocket({}, turn);
}

void SyncWorker::OnPost(const ScopesMessage& message, Turn* turn) {
  WantScopes(message.add, message.drop, turn);
}

void SyncWorker::OnPost(const StreamsMessage& message, Turn* turn) {
  Vector<WantedStream> again;
  for (WantedStream wanted : message.add) {
    if (wanted.again.has_value()) again.push_back(wanted);
    wanted.again.reset();
    const auto is_it = [&](const WantedStream& one) { return one.stream == wanted.stream; };
    const auto held = std::find_if(wanted_streams_.begin(), wanted_streams_.end(), is_it);
    if (held == wanted_streams_.end()) {
      wanted_streams_.push_back(wanted);
    } else {
      if (IsMore(wanted.last, held->last)) held->last = wanted.last;
      SetReducer(wanted, false, &*held);
    }
  }
  WantScopes({}, {}, turn, std::move(again));
}

void SyncWorker::OnPost(const HistoryMessage& message, Turn* turn) { history_.Ask(message, turn); }

void SyncWorker::OnPost(const TokenMessage& message, Turn* turn) { OnToken(message.token, turn); }

void SyncWorker::OnPost(const ServiceMessage& message, Turn* turn) {
  SetMode(message.active ? Mode::kHelper : Mode::kLease, message.reason, turn);
}

void SyncWorker::OnPost(const StopMessage&, Turn* turn) { Stop(turn); }

void SyncWorker::NoteMutations(Turn* turn) {
  const bool helps = state_->mode == Mode::kHelper;
  helps ? helper_.Mutated(turn) : job_.Wake(WakeReason::kMutation, turn);
}

// The scopes of this worker's window are requested again each day that it is open (sync/scopes.h),
// and at once if another window has dropped them (Upkeep).
void SyncWorker::WantScopes(const Vector<WantedScope>& add, const Vector<WantedScope>& drop,
                            Turn* turn, Vector<WantedStream> again) {
  Vector<WantedScope> wanted;
  for (const WantedScope& scope : wanted_) {
    if (!HoldsScope(drop, scope) && !HoldsScope(add, scope)) wanted.push_back(scope);
  }
  for (const WantedScope& scope : add) {
    if (Understands(state_->schema, scope)) wanted.push_back(scope);
  }
  wanted_ = std::move(wanted);
  if (!wanted_.empty() || !wanted_streams_.empty()) turn->Timer(WorkerTimer::kScopes, kDayMs);
  WantedChange& change = Begin<ScopesTx>(turn).change;
  change = {wanted_, drop, wanted_streams_};
  for (WantedStream& stream : again) change.streams.push_back(std::move(stream));
}

// From this worker's window, from a window that emptied its image, or from a helper.
void SyncWorker::OnWake(const WakeMessage& message, Turn* turn) {
  switch (message.reason) {
    case WakeFor::kPoke:
      return OnPoke(message.realm.value_or(std::string()), message.revision.value_or(0), turn);
    case WakeFor::kMutation:
      return Wake(WakeReason::kMutation, turn);
    case WakeFor::kDue:
      return Wake(WakeReason::kDue, turn);
    case WakeFor::kVisible:
    case WakeFor::kRefill:
      return Wake(WakeReason::kVisible, turn);
  }
}

void SyncWorker::SetMode(Mode mode, std::string reason, Turn* turn) {
  state_->mode_reason = std::move(reason);
  helper_.Rest(turn);
  if (state_->mode == mode) return;
  if (mode == Mode::kHelper) {
    const Data::Array asked = job_.TakeAsked();
    job_.BeginHelping(turn);
    state_->mode = mode;
    state_->ForgetAuth();
    Wake(WakeReason::kStart, turn);
    for (const Data& id : asked) helper_.Ask(id, turn);
    if (state_->token.has_value()) helper_.HandToken(state_->token, turn);
  } else {
    state_->mode = mode;
    // These were the service worker's: with them, no token would be requested and nothing retried
    // here.
    state_->ForgetAuth();
    state_->next_try_at.reset();
    for (const Data& id : helper_.TakeAsked()) job_.Ask(id, turn);
    job_.Wake(WakeReason::kVisible, turn);
  }
}

void SyncWorker::Stop(Turn* turn) {
  state_->stopped = true;
  job_.Leave(turn);
  keeper_.Leave(turn);
}

void SyncWorker::OnEvent(MessageEvent event, Turn* turn) {
  ChannelMessages::Visit(&event.message, [&](const auto& message) { OnChannel(message, turn); });
}

// A service worker is woken by the window with the change, unless that window is paused.
void SyncWorker::OnChannel(const AddedNotice&, Turn* turn) {
  if (state_->mode != Mode::kService) NoteMutations(turn);
}

void SyncWorker::OnChannel(const LeftMessage&, Turn* turn) {
  if (state_->mode != Mode::kService) NoteMutations(turn);
}

void SyncWorker::OnChannel(const WakeMessage& message, Turn* turn) { OnWake(message, turn); }

void SyncWorker::OnChannel(const LeaseMessage& message, Turn* turn) {
  switch (message.name) {
    case LeaseName::kPush:
      return job_.Heard(message, turn);
    case LeaseName::kImage:
      return keeper_.Heard(message, turn);
    case LeaseName::kListen:
      return ListenHappened(listen_.Heard(message, turn), turn);
    case LeaseName::kNone:
    case LeaseName::kService:
      return;
  }
}

void SyncWorker::OnChannel(const StatusMessage& message, Turn* turn) {
  TakeStatus(message.shared, turn);
  if (state_->mode == Mode::kHelper) helper_.Heard(&message.shared, turn);
}

void SyncWorker::OnChannel(const PushedNotice&, Turn* turn) {
  if (state_->mode == Mode::kHelper) helper_.Heard(nullptr, turn);
}

void SyncWorker::OnChannel(const ServiceFailedMessage& message, Turn* turn) {
  if (state_->mode == Mode::kHelper) SetMode(Mode::kLease, message.reason, turn);
}

void SyncWorker::OnChannel(const FillMessage&, Turn* turn) {
  if (state_->mode == Mode::kHelper) job_.Wake(WakeReason::kFill, turn);
}

// The service worker has no token, or the server no longer accepts it. A visible window answers.
void SyncWorker::OnChannel(const NeedTokenMessage& message, Turn* turn) {
  if (state_->mode != Mode::kHelper || !state_->visible) return;
  if (message.why == TokenNeed::kStart && state_->token.has_value())
    return helper_.HandToken(state_->token, turn);
  if (state_->auth) state_->token.reset();
  state_->EnsureToken(message.why, turn);
}

void SyncWorker::OnChannel(const HelperSyncedMessage& message, Turn* turn) {
  if (message.id.tab != state_->tab) return;
  helper_.Answered(message.id.id);
  turn->Post(SyncedMessage{message.id.id, message.error});
}

void SyncWorker::OnChannel(const LoggedMessage& message, Turn*) {
  if (message.cursors.has_value()) OnLogged(message.n, *message.cursors, message.record_bytes);
}

// Another worker's transaction: the next request of this worker begins at its cursors, and its
// bytes count towards the next compaction. A service worker makes no images: its helpers remove the
// rows of revoked realms from them.
void SyncWorker::OnChannel(const RecordMessage& message, Turn* turn) {
  if (state_->mode == Mode::kHelper) helper_.Heard(nullptr, turn);
  const UpdateRecord& record = message.record;
  const size_t bytes = record.body.has_value() ? record.body->size() : 0;
  const bool is_new = record.n > state_->sync.n;
  if (is_new && record.revokes.value_or(false)) state_->sync.revoked_at = record.n;
  OnLogged(record.n, record.cursors, state_->sync.record_bytes + bytes);
}

void SyncWorker::OnLogged(uint64_t n, Cursors cursors, uint64_t record_bytes) {
  if (!state_->started || n <= state_->sync.n) return;
  state_->sync.n = n;
  state_->sync.cursors = std::move(cursors);
  state_->sync.record_bytes = record_bytes;
}

void SyncWorker::OnChannel(const ReachMessage& message, Turn* turn) {
  state_->reach.Take(message);
  if (!message.reached) socket_.Probe(turn);
}

void SyncWorker::OnChannel(const CheckSocketMessage& message, Turn* turn) {
  socket_.Check(message.brought, turn);
}

// The holder of the lease reports its status; the other windows show it as theirs.
void SyncWorker::TakeStatus(const StatusRecord& status, Turn* turn) {
  if (!state_->started || state_->mode == Mode::kService) return;
  state_->reach.Take(status);
  // The service worker's status counts even while this worker holds the lease for an image, because
  // the end of its work is reported only once.
  if (state_->mode == Mode::kHelper && status.instance.has_value()) {
    shared_phase_ = status.phase;
    state_->next_try_at = status.next_try_at;
    state_->service_lease = status.lease;
  }
  if (job_.lease().held()) return;
  shared_phase_ = status.phase;
  state_->first_round_ended = true;
  // A live holder sends heartbeats more often than that. One that ended during its work does not
  // report it.
  if (state_->mode == Mode::kLease && IsWork(shared_phase_))
    turn->Timer(WorkerTimer::kShared, state_->times.timeout_ms);
  state_->pending = status.pending;
  state_->conflicts = status.conflicts;
  state_->progress = status.progress;
  SyncRecord& sync = state_->sync;
  const bool synced = status.last_synced_at.value_or(0) > sync.last_synced_at.value_or(0);
  if (synced) sync.last_synced_at = status.last_synced_at;
  sync.clock_offset = status.clock_offset_ms;
  if (status.scopes.has_value()) sync.scopes = *status.scopes;
  if (job_.active()) return;
  if (state_->mode == Mode::kHelper) {
    state_->next_try_at = status.next_try_at;
    state_->needs_auth = status.needs_auth;
    state_->service_lease = status.lease;
  }
  // A log-in in another window counts for this window, too.
  if (state_->mode == Mode::kLease && state_->needs_auth) {
    if (synced) job_.OtherWindowAccepted(turn);
    return;
  }
  state_->error = status.error;
}

// No report about the other worker's work has come for too long: this worker takes it over.
void SyncWorker::OnHolderTimeout(Turn* turn) {
  if (state_->mode != Mode::kLease || job_.active() || !IsWork(shared_phase_)) return;
  shared_phase_ = Phase::kNone;
  job_.Wake(WakeReason::kTimer, turn);
}

void SyncWorker::OnEvent(const TokenMessage& event, Turn* turn) { OnToken(event.token, turn); }

void SyncWorker::OnToken(const Token& token, Turn* turn) {
  const bool asked = state_->token_asked;
  state_->token_asked = false;
  turn->Cancel(WorkerTimer::kToken);
  const bool helps = state_->mode == Mode::kHelper;
  if (helps && (asked || token.has_value())) helper_.HandToken(token, turn);
  if (!token.has_value()) {
    if (asked && !helps) job_.TokenMissing(turn);
    return;
  }
  if (state_->keeps_token && !(state_->token == token)) {
    Begin<TokenTx>(turn).token = token;
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

// No answer does not mean that there is no token. A service worker's windows wake it ever more
// rarely (helper.h), and each start asks again; a helper's window asks the application again itself.
void SyncWorker::OnTokenTimeout(Turn* turn) {
  if (state_->mode == Mode::kService) return OnToken({}, turn);
  state_->token_asked = false;
  if (state_->mode == Mode::kLease) job_.TokenLate(turn);
}

void SyncWorker::OnEvent(const SocketEvent& event, Turn* turn) {
  const Poke poke = socket_.Event(event, turn);
  if (poke.anything) return Wake(WakeReason::kTimer, turn);
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
