#include "sync/sync_worker.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/visit.h"
#include "sync/scopes.h"
#include "sync/streams.h"
#include "sync/worker_config.h"

namespace skerry {
namespace {

LeaseConfig Config(const WorkerState& state, LeaseName name) {
  LeaseConfig config;
  config.name = config.lock = name;
  config.tab = state.setup.tab;
  // Two versions of a service worker never run at the same time, and windows that push beside it do
  // no harm. So the service worker needs no persisted lease.
  config.persisted = state.connection.mode() != Mode::kService;
  if (!config.persisted) config.lock = LeaseName::kService;
  config.locks = state.setup.locks;
  const bool listen = name == LeaseName::kListen;
  config.quiet = listen;
  config.heartbeat_ms =
      listen ? state.setup.times.listen_heartbeat_ms : state.setup.times.heartbeat_ms;
  config.look_ms = listen ? state.setup.times.listen_look_ms : state.setup.times.look_ms;
  config.timeout_ms = listen ? state.setup.times.listen_timeout_ms : state.setup.times.timeout_ms;
  return config;
}

// After a stop, only transactions that are under way are finished.
template <typename Event>
constexpr bool kEndsTransaction =
    std::is_same_v<Event, DoneEvent> || std::is_same_v<Event, FailedEvent>;

}  // namespace

Result<std::unique_ptr<SyncWorker>> SyncWorker::Create(Data data) {
  WorkerConfig config = ReadRecord<WorkerConfig>(std::move(data));
  Result<Schema> schema = Schema::Parse(config.schema);
  if (!schema.ok()) return schema.status();
  if (config.tab.empty()) return Status(Code::kInvalidArgument, "The sync worker needs a tab id.");
  if (config.seed.size() != 32) return Status(Code::kInvalidArgument, "The seed has 32 bytes.");
  auto state = std::make_unique<WorkerState>(&schema.value(), &config);
  return std::unique_ptr<SyncWorker>(new SyncWorker(std::move(state)));
}

SyncWorker::SyncWorker(std::unique_ptr<WorkerState> state)
    : state_(std::move(state)),
      job_(state_.get(), Config(*state_, LeaseName::kPush)),
      helper_(state_.get()),
      keeper_(state_.get(), Config(*state_, LeaseName::kImage)),
      listen_(Config(*state_, LeaseName::kListen)),
      socket_(state_.get()),
      history_(state_.get()) {}

Data SyncWorker::Handle(Data event) {
  Turn turn(NowOf(event), MonoOf(event), &last_id_);
  // Inside a transaction: emits its reply and nothing else.
  const auto read = [&](const ReadEvent& one) { OnRead(one, &turn); };
  if (OneOf<ReadEvent>::Visit(&event, read)) return turn.TakeEffects();
  bool handles = !state_->connection.stopped();
  WorkerEvents::Visit(&event, [&]<typename Event>(Event one) {
    handles = handles || kEndsTransaction<Event>;
    if (handles) OnEvent(std::move(one), &turn);
  });
  if (!handles) return turn.TakeEffects();
  if (!helper_.given_up().empty()) SetMode(Mode::kLease, helper_.given_up(), &turn);
  Upkeep(&turn);
  return turn.TakeEffects();
}

void SyncWorker::OnEvent(const StartEvent&, Turn* turn) { Start(turn); }

void SyncWorker::OnRead(const ReadEvent& event, Turn* turn) {
  const uint64_t id = event.id;
  const Data& results = event.results;
  ReadReply reply;
  if (const auto* own = FindTx(id); own != nullptr) {
    reply = ReadTx(&(*own)->tx, results.items(), turn);
  } else if (job_.Owns(id)) {
    reply = job_.Read(id, results, turn);
  } else if (keeper_.Owns(id)) {
    reply = keeper_.Read(id, results, turn);
  } else if (listen_.Owns(id)) {
    reply.writes = listen_.Read(results, turn);
  } else {
    reply.abort = true;  // the transaction is not needed any more
  }
  if (reply.abort) return turn->Abort(id);
  if (!reply.more.empty()) return turn->More(id, std::move(reply.more));
  turn->Write(id, std::move(reply.writes));
}

void SyncWorker::OnEvent(const DoneEvent& event, Turn* turn) {
  const uint64_t id = event.id;
  if (const auto own = TakeTx(id); own != nullptr) {
    DoneTx(&own->tx, turn);
  } else if (job_.Owns(id)) {
    job_.Done(id, turn);
  } else if (keeper_.Owns(id)) {
    keeper_.Done(id, turn);
  } else if (listen_.Owns(id)) {
    ListenHappened(listen_.Done(turn), turn);
  }
  if (!state_->seen.TakeDamage()) return;
  const UnreadableMessage damaged{true};
  turn->Broadcast(damaged);
  turn->Post(damaged);
}

void SyncWorker::OnEvent(const FailedEvent& event, Turn* turn) {
  const auto& [id, error] = event;
  if (const auto own = TakeTx(id); own != nullptr) {
    Visit(&own->tx, [&](const auto& one) { Failed(one, error, turn); });
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
  turn->Timer(WorkerTimer::kListenRetry, state_->setup.times.retry_ms);
}

void SyncWorker::OnEvent(const LockEvent& event, Turn* turn) {
  switch (event.name) {
    case LeaseName::kPush:
    case LeaseName::kService:
      return job_.Lock(event.state, turn);
    case LeaseName::kImage:
      return keeper_.Lock(event.state, turn);
    case LeaseName::kListen:
      return ListenHappened(listen_.Lock(event.state, turn), turn);
    case LeaseName::kNone:
      return;
  }
}

void SyncWorker::OnEvent(const WorkerTimerEvent& event, Turn* turn) {
  const WorkerTimer timer = event.name;
  switch (timer) {
    case WorkerTimer::kStart:
      return Start(turn);
    case WorkerTimer::kScopes:
      return WantScopes({}, {}, turn);
    case WorkerTimer::kLook:
      return CountPending(turn);
    case WorkerTimer::kShared:
      return OnHolderTimeout(turn);
    case WorkerTimer::kListenRetry:
      listen_pausing_ = false;
      return;
    case WorkerTimer::kToken:
      if (state_->sign_in.asked()) OnTokenTimeout(turn);
      return;
    case WorkerTimer::kProof:
      awaits_proof_ = false;
      return;
    default:
      break;
  }
  if (job_.Timer(timer, turn) || keeper_.Timer(timer, turn) || listen_.Timer(timer, turn)) return;
  if (!helper_.Timer(timer, turn)) socket_.Timer(timer, turn);
}

void SyncWorker::OnEvent(const ResponseEvent& event, Turn* turn) {
  if (history_.Response(event, turn)) return;
  if (job_.Response(event, turn)) job_.Advance(turn);
}

void SyncWorker::OnEvent(const ImageEvent& event, Turn* turn) {
  if (!job_.Image(event, turn)) keeper_.Image(event, turn);
}

void SyncWorker::Upkeep(Turn* turn) {
  const bool listens = state_->setup.socket && state_->connection.CanRun() &&
                       state_->sign_in.has_token() && !state_->sign_in.is_needed();
  if (listens && !listen_pausing_) {
    listen_.Want(NameOf(LeaseName::kListen), turn);
  } else if (!listens) {
    socket_.Want(false, turn);
    listen_.Unwant(LeaseOutcome::kLeft, turn);
  }
  socket_.Want(listens && listen_.held(), turn);
  listen_.set_job(socket_.ready() ? "open" : "closed");
  const bool counted = std::exchange(counts_pending_, socket_.ready());
  if (counts_pending_ && !counted) turn->Timer(WorkerTimer::kLook, state_->setup.times.idle_ms);
  if (!counts_pending_ && counted) turn->Cancel(WorkerTimer::kLook);
  if (state_->connection.mode() != Mode::kService) {
    state_->connection.SetListening(
        listen_.held() ? socket_.ready() : listen_.waiting() && listen_.record().job == "open");
  }
  NoteReach(turn);
  keeper_.Consider(!job_.active(), turn);
  if (LacksScope()) WantScopes({}, {}, turn);
  KeepRefusal(turn);
  EmitStatus(turn);
}

// Whether another window has dropped a scope that this worker's window wants. (If scopes could not
// be stored, the window repeats its request itself.)
bool SyncWorker::LacksScope() const {
  if (!state_->connection.started() || state_->connection.stopped() || scopes_failed_ ||
      IsUnderWay<ScopesTx>())
    return false;
  for (const WantedScope& scope : wanted_) {
    if (!HoldsScope(state_->seen.record().scopes, scope)) return true;
  }
  // Those that found no room are asked for again with others, and each day.
  return std::any_of(wanted_streams_.begin(), wanted_streams_.end(), [&](const WantedStream& one) {
    const auto is_it = [&](const WantedStream& other) { return other.stream == one.stream; };
    return !IsWanted(state_->seen.record(), one.stream) &&
           std::none_of(left_out_streams_.begin(), left_out_streams_.end(), is_it);
  });
}

}  // namespace skerry
