// PokeSocket: keeps one socket for pokes open while it is wanted (docs/design.md, "Pokes"): greets
// the server (hello), and reconnects with backoff. A poke is a hint: it is only used as a revision
// worth pulling for.
#ifndef SKERRY_SYNC_POKE_SOCKET_H_
#define SKERRY_SYNC_POKE_SOCKET_H_

#include <string>

#include "base/data.h"
#include "sync/backoff.h"
#include "sync/event.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

enum class SocketState : uint8_t {
  kClosed,
  kOpening,
  kGreeting,  // the hello was sent, and the server does not listen yet
  kReady,
  kPausing,
};

struct Poke {
  std::string realm;  // empty: none
  uint64_t revision = 0;
  bool anything = false;  // something may be new, whatever the cursors are
};

class PokeSocket {
 public:
  explicit PokeSocket(WorkerState* state) : state_(state) {}

  // Opens or closes the socket. Call this after every event. `wanted`: the lease is held, and
  // everything that a socket needs is there.
  void Want(bool wanted, Turn* turn);
  // Reconnects, because the scopes or the token have changed.
  void Renew(Turn* turn);
  bool ready() const { return socket_state_ == SocketState::kReady; }
  Poke Event(const SocketEvent& event, Turn* turn);
  bool Timer(WorkerTimer timer, Turn* turn);

 private:
  Vector<WantedScope> WantedTables() const;
  Vector<std::string> WantedStreams() const;
  void Open(Turn* turn);
  void Close(Turn* turn);
  void Pause(Turn* turn);
  Poke Heard(Data message, Turn* turn);

  WorkerState* state_;
  SocketState socket_state_ = SocketState::kClosed;
  bool wanted_ = false;
  Token token_;  // the token that was sent with the last hello
  Backoff backoff_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_POKE_SOCKET_H_
