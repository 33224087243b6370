#include "sync/poke_socket.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "sync/records.h"
#include "sync/scopes.h"

namespace skerry {
namespace {

constexpr double kUnauthenticatedClose = 4401;
// From here on a close code is the server's word about this client; codes below it say that the
// connection was lost, or that the server stops.
constexpr double kFirstRefusal = 4400;
constexpr const char* kPingFeature = "ping";

}  // namespace

// Pokes are sent by table, and a socket message has a small limit: many scopes with their filters
// would exceed it.
Vector<wire::Scope> PokeSocket::WantedTables() const {
  Vector<wire::Scope> tables;
  for (const SyncScope& scope : state_->seen.record().scopes) {
    if (!Understands(state_->setup.schema, scope)) continue;
    wire::Scope whole{scope.table, Data(Data::Array{Data("true")})};
    if (!HoldsScope(tables, whole)) tables.push_back(std::move(whole));
  }
  return tables;
}

Vector<std::string> PokeSocket::WantedStreams() const {
  Vector<std::string> names;
  for (const SyncStream& stream : state_->seen.record().streams.value_or(Vector<SyncStream>()))
    names.push_back(stream.stream);
  return names;
}

void PokeSocket::Want(bool wanted, Turn* turn) {
  wanted_ = wanted;
  if (wanted && socket_state_ == SocketState::kClosed) Open(turn);
  if (!wanted && socket_state_ != SocketState::kClosed) {
    Close(turn);
    backoff_.Reset();
    lost_ = look_due_ = look_ = false;
    retry_at_.reset();
  }
}

void PokeSocket::Renew(Turn* turn) {
  if (socket_state_ == SocketState::kClosed || socket_state_ == SocketState::kPausing) return;
  Close(turn);
  if (wanted_) Open(turn);
}

void PokeSocket::Open(Turn* turn) {
  socket_state_ = SocketState::kOpening;
  turn->OpenSocket();
  turn->Timer(WorkerTimer::kSocket, state_->setup.times.hello_ms);
  if (lost_) retry_at_ = turn->now + state_->setup.times.hello_ms;
}

void PokeSocket::Close(Turn* turn) {
  if (socket_state_ != SocketState::kPausing) turn->CloseSocket();
  turn->Cancel(WorkerTimer::kSocket);
  if (ready()) StopWatching(turn);
  socket_state_ = SocketState::kClosed;
}

void PokeSocket::StopWatching(Turn* turn) {
  turn->Cancel(WorkerTimer::kPing);
  turn->Cancel(WorkerTimer::kAnnounced);
  awaited_.clear();
}

void PokeSocket::Pause(Turn* turn) {
  if (ready()) StopWatching(turn);
  socket_state_ = SocketState::kPausing;
  const SyncTimes& times = state_->setup.times;
  const double delay_ms =
      backoff_.Next(times.socket_retry_ms, times.socket_retry_max_ms, &state_->random);
  turn->Timer(WorkerTimer::kSocket, delay_ms);
  if (lost_) retry_at_ = turn->now + delay_ms;
}

// The socket has ended, or never came to be, and the server has not said why.
void PokeSocket::Lost(Turn* turn) {
  if (ready()) {
    lost_ = look_due_ = true;
    state_->reach.Failed();
  } else if (std::exchange(look_due_, false)) {
    look_ = true;
  }
  Pause(turn);
}

Poke PokeSocket::Event(const SocketEvent& event, Turn* turn) {
  if (socket_state_ == SocketState::kClosed || socket_state_ == SocketState::kPausing) return {};
  if (event.state == SocketNews::kOpen) {
    token_ = state_->sign_in.token();
    const wire::Hello hello{token_, state_->seen.record().client, state_->setup.schema.version(),
                            WantedTables(), WantedStreams()};
    turn->SendToSocket(WriteJson(WriteKind(hello)));
    turn->Timer(WorkerTimer::kSocket, state_->setup.times.hello_ms);
    socket_state_ = SocketState::kGreeting;
    return {};
  }
  if (event.state == SocketNews::kMessage) {
    Result<Data> message = ParseJson(event.text);
    if (message.ok()) return Heard(std::move(message.value()), turn);
  } else if (event.state == SocketNews::kClosed) {
    if (event.code < kFirstRefusal) {
      Lost(turn);
      return {};
    }
    state_->reach.Heard(turn->now);
    if (event.code == kUnauthenticatedClose) {
      if (!state_->sign_in.Refused(token_)) state_->sign_in.Ensure(TokenNeed::kExpired, turn);
    }
    Pause(turn);
  }
  return {};
}

Poke PokeSocket::Heard(Data message, Turn* turn) {
  backoff_.Reset();
  heard_ms_ = turn->mono;
  pinged_ms_ = kNever;
  state_->reach.Heard(turn->now);
  Poke poke;
  poke.anything = message["type"].Is(wire::Invitations::kType);
  OneOf<wire::Poke>::Visit(&message, [&](const wire::Poke& heard) {
    poke = {heard.realm, heard.revision, heard.revision == 0};
    if (poke.anything) {
      awaited_.clear();
    } else {
      uint64_t& announced = announced_[heard.realm];
      announced = std::max(announced, heard.revision);
    }
  });
  OneOf<wire::Ready>::Visit(&message, [&](const wire::Ready& heard) {
    if (socket_state_ != SocketState::kGreeting) return;
    Ready(heard.features, turn);
    // Pokes were missed until now: pull once. A pull that began when the socket opened may not have
    // what was committed before the server listened.
    poke.anything = true;
  });
  return poke;
}

void PokeSocket::Ready(const Vector<std::string>& features, Turn* turn) {
  socket_state_ = SocketState::kReady;
  turn->Cancel(WorkerTimer::kSocket);
  lost_ = look_due_ = look_ = false;
  retry_at_.reset();
  announced_.clear();
  awaited_.clear();
  ready_ms_ = turn->mono;
  answers_pings_ = Contains(features, kPingFeature);
  // With jitter, so that clients which were poked together do not ask together.
  silence_ms_ = Jitter(state_->setup.times.ping_ms, &state_->random);
  turn->Timer(WorkerTimer::kPing, silence_ms_);
}

void PokeSocket::Ping(Turn* turn) {
  pinged_ms_ = turn->mono;
  turn->SendToSocket(WriteJson(WriteKind(wire::Ping())));
  turn->Timer(WorkerTimer::kPing, state_->setup.times.pong_ms);
}

void PokeSocket::OnPing(Turn* turn) {
  if (!ready() || !answers_pings_) return;
  if (pinged_ms_ == kNever) {
    const double left_ms = heard_ms_ + silence_ms_ - turn->mono;
    return left_ms < 1 ? Ping(turn) : turn->Timer(WorkerTimer::kPing, left_ms);
  }
  // Far too late: the machine slept, and the answer may wait to be handled.
  if (turn->mono - pinged_ms_ > 2 * state_->setup.times.pong_ms) return Ping(turn);
  turn->CloseSocket();
  Lost(turn);
}

void PokeSocket::Probe(Turn* turn) {
  if (ready() && answers_pings_ && pinged_ms_ == kNever) Ping(turn);
}

void PokeSocket::Check(const Revisions& brought, Turn* turn) {
  if (!ready()) return;
  const SyncTimes& times = state_->setup.times;
  if (brought.empty()) {
    if (turn->mono - heard_ms_ < times.pong_ms) return;
    const double silent_ms = answers_pings_ ? turn->mono - pinged_ms_ : turn->mono - heard_ms_;
    const double most_ms = answers_pings_ ? times.socket_retry_ms : times.ping_ms;
    const bool is_asked = !answers_pings_ || pinged_ms_ != kNever;
    return is_asked && silent_ms >= most_ms ? Renew(turn) : Probe(turn);
  }
  // The first pull after the hello brings what was committed before it.
  if (turn->mono - ready_ms_ < times.pong_ms) return;
  // A server that never announces is not asked for another socket without end.
  if (distrusted_ms_ != kNever && turn->mono - distrusted_ms_ < times.idle_ms) return;
  if (awaited_.empty()) turn->Timer(WorkerTimer::kAnnounced, times.pong_ms);
  for (const auto& [realm, revision] : brought) {
    uint64_t& awaited = awaited_[realm];
    awaited = std::max(awaited, revision);
  }
}

void PokeSocket::OnAnnounced(Turn* turn) {
  const Revisions awaited = std::exchange(awaited_, {});
  if (!ready()) return;
  for (const auto& [realm, revision] : awaited) {
    const auto announced = announced_.find(realm);
    if (announced != announced_.end() && announced->second >= revision) continue;
    distrusted_ms_ = turn->mono;
    return Renew(turn);
  }
}

bool PokeSocket::Timer(WorkerTimer timer, Turn* turn) {
  if (timer == WorkerTimer::kPing) {
    OnPing(turn);
    return true;
  }
  if (timer == WorkerTimer::kAnnounced) {
    OnAnnounced(turn);
    return true;
  }
  if (timer != WorkerTimer::kSocket) return false;
  if (socket_state_ == SocketState::kOpening || socket_state_ == SocketState::kGreeting) {
    turn->CloseSocket();
    Lost(turn);
  } else if (socket_state_ == SocketState::kPausing) {
    socket_state_ = SocketState::kClosed;
    if (wanted_) Open(turn);
  }
  return true;
}

}  // namespace skerry
