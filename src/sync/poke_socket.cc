#include "sync/poke_socket.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "sync/scopes.h"

namespace skerry {
namespace {

constexpr double kUnauthenticatedClose = 4401;

// The socket's messages (docs/protocol.md).
struct Hello {
  static constexpr const char* kType = "hello";
  Token token;
  std::string client;
  uint64_t schema = 0;
  Vector<WantedScope> scopes;
  Vector<std::string> streams;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("token", self.token);
    member("client", self.client);
    member("schema", self.schema);
    member("scopes", self.scopes);
    member("streams", self.streams);
  }
};

// From here on nothing is missed.
struct ReadyMessage {
  static constexpr const char* kType = "ready";

  template <typename Self, typename Visitor>
  static void Each(Self&, Visitor&) {}
};

struct PokeMessage {
  static constexpr const char* kType = "poke";
  std::string realm;
  uint64_t revision = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("revision", self.revision);
  }
};

}  // namespace

// Pokes are sent by table, and a socket message has a small limit: many scopes with their filters
// would exceed it.
Vector<WantedScope> PokeSocket::WantedTables() const {
  Vector<WantedScope> tables;
  for (const SyncScope& scope : state_->sync.scopes) {
    if (!Understands(state_->schema, scope)) continue;
    WantedScope whole{scope.table, Data(Data::Array{Data("true")}), {}};
    if (!HoldsScope(tables, whole)) tables.push_back(std::move(whole));
  }
  return tables;
}

Vector<std::string> PokeSocket::WantedStreams() const {
  Vector<std::string> names;
  for (const SyncStream& stream : state_->sync.streams.value_or(Vector<SyncStream>()))
    names.push_back(stream.stream);
  return names;
}

void PokeSocket::Want(bool wanted, Turn* turn) {
  wanted_ = wanted;
  if (wanted && socket_state_ == SocketState::kClosed) Open(turn);
  if (!wanted && socket_state_ != SocketState::kClosed) {
    Close(turn);
    backoff_.Reset();
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
  turn->Timer(WorkerTimer::kSocket, state_->times.hello_ms);
}

void PokeSocket::Close(Turn* turn) {
  if (socket_state_ != SocketState::kPausing) turn->CloseSocket();
  turn->Cancel(WorkerTimer::kSocket);
  socket_state_ = SocketState::kClosed;
}

void PokeSocket::Pause(Turn* turn) {
  socket_state_ = SocketState::kPausing;
  const SyncTimes& times = state_->times;
  turn->Timer(WorkerTimer::kSocket,
              backoff_.Next(times.socket_retry_ms, times.socket_retry_max_ms, &state_->random));
}

Poke PokeSocket::Event(const SocketEvent& event, Turn* turn) {
  if (socket_state_ == SocketState::kClosed || socket_state_ == SocketState::kPausing) return {};
  if (event.state == SocketNews::kOpen) {
    token_ = state_->token;
    const Hello hello{token_, state_->sync.client, state_->schema.version(), WantedTables(),
                      WantedStreams()};
    turn->SendToSocket(WriteJson(WriteKind(hello)));
    turn->Timer(WorkerTimer::kSocket, state_->times.hello_ms);
    socket_state_ = SocketState::kGreeting;
    return {};
  }
  if (event.state == SocketNews::kMessage) {
    Result<Data> message = ParseJson(event.text);
    if (message.ok()) return Heard(std::move(message.value()), turn);
  } else if (event.state == SocketNews::kClosed) {
    if (event.code == kUnauthenticatedClose) {
      if (!state_->TokenRefused(token_)) state_->EnsureToken(TokenNeed::kExpired, turn);
    }
    Pause(turn);
  }
  return {};
}

Poke PokeSocket::Heard(Data message, Turn* turn) {
  backoff_.Reset();
  Poke poke;
  OneOf<PokeMessage>::Visit(&message, [&poke](const PokeMessage& heard) {
    poke = {heard.realm, heard.revision, heard.revision == 0};
  });
  OneOf<ReadyMessage>::Visit(&message, [&](const ReadyMessage&) {
    if (socket_state_ != SocketState::kGreeting) return;
    socket_state_ = SocketState::kReady;
    turn->Cancel(WorkerTimer::kSocket);
    // Pokes were missed until now: pull once. A pull that began when the socket opened may not have
    // what was committed before the server listened.
    poke.anything = true;
  });
  return poke;
}

bool PokeSocket::Timer(WorkerTimer timer, Turn* turn) {
  if (timer != WorkerTimer::kSocket) return false;
  if (socket_state_ == SocketState::kOpening || socket_state_ == SocketState::kGreeting) {
    turn->CloseSocket();
    Pause(turn);
  } else if (socket_state_ == SocketState::kPausing) {
    socket_state_ = SocketState::kClosed;
    if (wanted_) Open(turn);
  }
  return true;
}

}  // namespace skerry
