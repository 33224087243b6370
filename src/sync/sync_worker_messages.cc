// SyncWorker: the messages of its window, of the other workers, of the application and of the
// socket.
#include <algorithm>
#include <utility>

#include "sync/scopes.h"
#include "sync/streams.h"
#include "sync/sync_worker.h"

namespace skerry {
void SyncWorker::Wake(WakeReason reason, Turn* turn) {
  if (state_->connection.mode() == Mode::kHelper) {
    helper_.Wake(reason, turn);
  } else {
    job_.Wake(reason, turn);
  }
}

// One of the conditions for work has changed. If work is no longer allowed, all of it is given up.
void SyncWorker::Switch(Condition condition, bool value, WakeReason reason, Turn* turn) {
  const bool could = state_->connection.CanRun();
  if (!state_->connection.Set(condition, value)) return;
  const bool can = state_->connection.CanRun();
  if (could && !can) {
    job_.Leave(turn);
    keeper_.Leave(turn);
  } else if (!could && can) {
    Wake(reason, turn);
  }
  if (!state_->connection.online() || state_->connection.paused()) helper_.Rest(turn);
}

void SyncWorker::OnEvent(PostEvent event, Turn* turn) {
  const bool is_service = state_->connection.mode() == Mode::kService;
  status_reply_due_ = is_service;
  if (is_service) {
    const HelperNote note = ReadRecord<HelperNote>(event.message);
    if (note.listening.has_value()) state_->connection.SetListening(*note.listening);
    // A service worker learns from its windows whether it is online.
    if (note.online.has_value())
      Switch(Condition::kOnline, *note.online, WakeReason::kOnline, turn);
  }
  PostMessages::Visit(&event.message, [&](const auto& message) { OnPost(message, turn); });
}

void SyncWorker::OnPost(const MutatedMessage&, Turn* turn) { NoteMutations(turn); }

void SyncWorker::OnPost(const WakeMessage& message, Turn* turn) {
  // A service worker that works reports what it does anyway; it must not answer each keystroke as
  // well.
  if (message.reason == WakeFor::kMutation && job_.lease().held()) status_reply_due_ = false;
  OnWake(message, turn);
}

void SyncWorker::OnPost(const VisibleMessage& message, Turn* turn) {
  Switch(Condition::kVisible, message.visible, WakeReason::kVisible, turn);
}

void SyncWorker::OnPost(const OnlineMessage& message, Turn* turn) {
  Switch(Condition::kOnline, message.online, WakeReason::kOnline, turn);
}

void SyncWorker::OnPost(const PauseMessage&, Turn* turn) {
  Switch(Condition::kPaused, true, WakeReason::kApplication, turn);
}

void SyncWorker::OnPost(const ResumeMessage&, Turn* turn) {
  Switch(Condition::kPaused, false, WakeReason::kApplication, turn);
}

void SyncWorker::OnPost(const SyncMessage& message, Turn* turn) {
  const bool helps = state_->connection.mode() == Mode::kHelper;
  helps && state_->connection.CanRun() ? helper_.Ask(message.id, turn) : job_.Ask(message.id, turn);
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
  const bool helps = state_->connection.mode() == Mode::kHelper;
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
    if (Understands(state_->setup.schema, scope)) wanted.push_back(scope);
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
  state_->connection.SetModeReason(std::move(reason));
  helper_.Rest(turn);
  if (state_->connection.mode() == mode) return;
  if (mode == Mode::kHelper) {
    const Data::Array asked = job_.TakeAsked();
    job_.BeginHelping(turn);
    state_->connection.SetMode(mode);
    state_->sign_in.Forget();
    Wake(WakeReason::kStart, turn);
    for (const Data& id : asked) helper_.Ask(id, turn);
    if (state_->sign_in.token().has_value()) helper_.HandToken(state_->sign_in.token(), turn);
  } else {
    state_->connection.SetMode(mode);
    // These were the service worker's: with them, no token would be requested and nothing retried
    // here.
    state_->sign_in.Forget();
    state_->reported.SetNextTry({});
    for (const Data& id : helper_.TakeAsked()) job_.Ask(id, turn);
    job_.Wake(WakeReason::kVisible, turn);
  }
}

void SyncWorker::Stop(Turn* turn) {
  state_->connection.Stop();
  job_.Leave(turn);
  keeper_.Leave(turn);
}

void SyncWorker::OnEvent(MessageEvent event, Turn* turn) {
  ChannelMessages::Visit(&event.message, [&](const auto& message) { OnChannel(message, turn); });
}

// A service worker is woken by the window with the change, unless that window is paused.
void SyncWorker::OnChannel(const AddedNotice&, Turn* turn) {
  if (state_->connection.mode() != Mode::kService) NoteMutations(turn);
}

void SyncWorker::OnChannel(const LeftMessage&, Turn* turn) {
  if (state_->connection.mode() != Mode::kService) NoteMutations(turn);
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
  if (state_->connection.mode() == Mode::kHelper) helper_.Heard(&message.shared, turn);
}

void SyncWorker::OnChannel(const PushedNotice&, Turn* turn) {
  if (state_->connection.mode() == Mode::kHelper) helper_.Heard(nullptr, turn);
}

void SyncWorker::OnChannel(const ServiceFailedMessage& message, Turn* turn) {
  if (state_->connection.mode() == Mode::kHelper) SetMode(Mode::kLease, message.reason, turn);
}

void SyncWorker::OnChannel(const FillMessage&, Turn* turn) {
  if (state_->connection.mode() == Mode::kHelper) job_.Wake(WakeReason::kFill, turn);
}

// The service worker has no token, or the server no longer accepts it. A visible window answers.
void SyncWorker::OnChannel(const NeedTokenMessage& message, Turn* turn) {
  if (state_->connection.mode() != Mode::kHelper || !state_->connection.visible()) return;
  if (message.why == TokenNeed::kStart && state_->sign_in.token().has_value())
    return helper_.HandToken(state_->sign_in.token(), turn);
  if (state_->sign_in.uses_tokens()) state_->sign_in.Drop();
  state_->sign_in.Ensure(message.why, turn);
}

void SyncWorker::OnChannel(const HelperSyncedMessage& message, Turn* turn) {
  if (message.id.tab != state_->setup.tab) return;
  helper_.Answered(message.id.id);
  turn->Post(SyncedMessage{message.id.id, message.error});
}

void SyncWorker::OnChannel(const LoggedMessage& message, Turn*) {
  if (message.cursors.has_value() && state_->connection.started())
    state_->seen.SeeLogged(message.n, *message.cursors, message.record_bytes);
}

// Another worker's transaction: the next request of this worker begins at its cursors, and its
// bytes count towards the next compaction. A service worker makes no images: its helpers remove the
// rows of revoked realms from them.
void SyncWorker::OnChannel(const RecordMessage& message, Turn* turn) {
  if (state_->connection.mode() == Mode::kHelper) helper_.Heard(nullptr, turn);
  state_->seen.SeeRecord(message.record, state_->connection.started());
}

void SyncWorker::OnChannel(const ReachMessage& message, Turn* turn) {
  state_->reach.Take(message);
  if (!message.reached) socket_.Probe(turn);
}

void SyncWorker::OnChannel(const CheckSocketMessage& message, Turn* turn) {
  socket_.Check(message.brought, turn);
}

void SyncWorker::OnChannel(const ValidatedMessage& message, Turn* turn) {
  job_.Heard(message, turn);
}

// The holder of the lease reports its status; the other windows show it as theirs.
void SyncWorker::TakeStatus(const StatusRecord& status, Turn* turn) {
  if (!state_->connection.started() || state_->connection.mode() == Mode::kService) return;
  state_->reach.Take(status);
  // The service worker's status counts even while this worker holds the lease for an image, because
  // the end of its work is reported only once.
  if (state_->connection.mode() == Mode::kHelper && status.instance.has_value()) {
    shared_phase_ = status.phase;
    state_->reported.SetNextTry(status.next_try_at);
    state_->reported.SetServiceLease(status.lease);
  }
  if (job_.lease().held()) return;
  shared_phase_ = status.phase;
  state_->reported.EndRound();
  // A live holder sends heartbeats more often than that. One that ended during its work does not
  // report it.
  if (state_->connection.mode() == Mode::kLease && IsWork(shared_phase_))
    turn->Timer(WorkerTimer::kShared, state_->setup.times.timeout_ms);
  state_->reported.SetCounts(status.pending, status.conflicts);
  state_->reported.SetProgress(status.progress);
  const bool synced = state_->seen.SeeStatus(status);
  if (job_.active()) return;
  if (state_->connection.mode() == Mode::kHelper) {
    state_->reported.SetNextTry(status.next_try_at);
    state_->sign_in.SetNeeded(status.needs_auth);
    state_->reported.SetServiceLease(status.lease);
  }
  // A log-in in another window counts for this window, too.
  if (state_->connection.mode() == Mode::kLease && state_->sign_in.is_needed()) {
    if (synced) job_.OtherWindowAccepted(turn);
    return;
  }
  state_->reported.SetError(status.error);
}

// No report about the other worker's work has come for too long: this worker takes it over.
void SyncWorker::OnHolderTimeout(Turn* turn) {
  if (state_->connection.mode() != Mode::kLease || job_.active() || !IsWork(shared_phase_)) return;
  shared_phase_ = Phase::kNone;
  job_.Wake(WakeReason::kTimer, turn);
}

void SyncWorker::OnEvent(const TokenMessage& event, Turn* turn) { OnToken(event.token, turn); }

void SyncWorker::OnToken(const Token& token, Turn* turn) {
  const bool asked = state_->sign_in.TakeAsked();
  turn->Cancel(WorkerTimer::kToken);
  const bool helps = state_->connection.mode() == Mode::kHelper;
  if (helps && (asked || token.has_value())) helper_.HandToken(token, turn);
  if (!token.has_value()) {
    if (asked && !helps) job_.TokenMissing(turn);
    return;
  }
  if (state_->setup.keeps_token && !(state_->sign_in.token() == token)) {
    Begin<TokenTx>(turn).token = token;
  }
  state_->sign_in.Give(token);
  // A token that was not requested is a new log-in: earlier refusals say nothing about it.
  if (!asked) state_->sign_in.ForgetRefusals();
  if (state_->sign_in.is_needed()) {
    // Even while nothing may run: the work that begins later uses it.
    state_->sign_in.SetNeeded(false);
    Wake(WakeReason::kToken, turn);
  } else {
    job_.Advance(turn);
  }
}

// No answer does not mean that there is no token. A service worker's windows wake it ever more
// rarely (helper.h), and each start asks again; a helper's window asks the application again itself.
void SyncWorker::OnTokenTimeout(Turn* turn) {
  if (state_->connection.mode() == Mode::kService) return OnToken({}, turn);
  (void)state_->sign_in.TakeAsked();
  if (state_->connection.mode() == Mode::kLease) job_.TokenLate(turn);
}

void SyncWorker::OnEvent(const SocketEvent& event, Turn* turn) {
  const Poke poke = socket_.Event(event, turn);
  if (poke.anything) return Wake(WakeReason::kTimer, turn);
  if (!poke.realm.empty()) OnPoke(poke.realm, poke.revision, turn);
}

void SyncWorker::OnPoke(const std::string& realm, uint64_t revision, Turn* turn) {
  if (CursorRevision(state_->seen.record().cursors, realm) >= revision) return;
  if (state_->connection.mode() == Mode::kHelper) return helper_.Poked(realm, revision, turn);
  state_->connection.Poked(realm, revision);
  job_.Wake(WakeReason::kPoke, turn);
}

}  // namespace skerry
