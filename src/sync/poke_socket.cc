#include "sync/poke_socket.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "sync/scopes.h"

namespace skerry {
namespace {

constexpr double kUnauthenticatedClose = 4401;

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

void PokeSocket::Want(bool wanted, Turn* turn) {
  wanted_ = wanted;
  if (wanted && socket_state_ == SocketState::kClosed) Open(turn);
  if (!wanted && socket_state_ != SocketState::kClosed) {
    Close(turn);
    backoff_.Reset();
  }
}

void PokeSocket::Renew(Turn* turn) {
  if (socket_state_ != SocketState::kOpen && socket_state_ != SocketState::kOpening) return;
  Close(turn);
  if (wanted_) Open(turn);
}

void PokeSocket::Open(Turn* turn) {
  socket_state_ = SocketState::kOpening;
  turn->Emit(Message("socket").Set("action", "open"));
  turn->Timer("socket", state_->times.hello_ms);
}

void PokeSocket::Close(Turn* turn) {
  if (socket_state_ != SocketState::kPausing) turn->Emit(Message("socket").Set("action", "close"));
  turn->Cancel("socket");
  socket_state_ = SocketState::kClosed;
}

void PokeSocket::Pause(Turn* turn) {
  socket_state_ = SocketState::kPausing;
  const SyncTimes& times = state_->times;
  turn->Timer("socket",
              backoff_.Next(times.socket_retry_ms, times.socket_retry_max_ms, &state_->random));
}

Poke PokeSocket::Event(const Data& event, Turn* turn) {
  const std::string& what = event["state"].as_string();
  if (socket_state_ == SocketState::kClosed || socket_state_ == SocketState::kPausing) return {};
  if (what == "open") {
    Data hello = Message("hello");
    token_ = state_->token;
    hello.Set("token", token_)
        .Set("client", state_->sync.client)
        .Set("schema", state_->schema.version());
    hello.Set("scopes", ToData(WantedTables()));
    turn->Emit(Message("socket").Set("action", "send").Set("text", WriteJson(hello)));
    turn->Cancel("socket");
    socket_state_ = SocketState::kOpen;
    // Pokes were missed while there was no socket: pull once.
    Poke missed;
    missed.membership = true;
    return missed;
  }
  if (what == "message") {
    Result<Data> message = ParseJson(event["text"].as_string());
    if (message.ok()) return Heard(message.value(), turn);
  } else if (what == "closed") {
    if (event["code"].as_number() == kUnauthenticatedClose) {
      if (!state_->TokenRefused(token_)) state_->EnsureToken("expired", turn);
    }
    Pause(turn);
  }
  return {};
}

Poke PokeSocket::Heard(const Data& message, Turn*) {
  backoff_.Reset();
  Poke poke;
  if (!message["type"].Is("poke")) return poke;
  poke.realm = message["realm"].as_string();
  poke.revision = message["revision"].as_u64();
  poke.membership = poke.revision == 0;
  return poke;
}

bool PokeSocket::Timer(std::string_view name, Turn* turn) {
  if (name != "socket") return false;
  if (socket_state_ == SocketState::kOpening) {
    turn->Emit(Message("socket").Set("action", "close"));
    Pause(turn);
  } else if (socket_state_ == SocketState::kPausing) {
    socket_state_ = SocketState::kClosed;
    if (wanted_) Open(turn);
  }
  return true;
}

}  // namespace skerry
