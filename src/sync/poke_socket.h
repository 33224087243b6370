// PokeSocket: keeps one socket for pokes open while it is wanted (docs/design.md, "Pokes"): greets
// the server (hello), and reconnects with backoff. A poke is a hint: it is only used as a revision
// worth pulling for.
//
// A socket may be open and dead: a proxy or the network has forgotten it, and nothing passes. So a
// socket that was silent for `ping` is sent a ping, if the server has said that it answers these,
// and is replaced if nothing comes within `pong`. It is also replaced if a pull has brought changes
// of others that it does not announce within `pong`; servers that answer no pings have only this.
#ifndef SKERRY_SYNC_POKE_SOCKET_H_
#define SKERRY_SYNC_POKE_SOCKET_H_

#include <optional>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "log/wire/poke.h"
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
  // The socket may be dead (CheckSocketMessage).
  void Check(const Revisions& brought, Turn* turn);
  // The same, because a request has failed: a ping at once, if it answers any.
  void Probe(Turn* turn);
  SocketReach reach() const { return {ready(), retry_at_}; }
  // An open socket was lost, and could not be opened again: whether the server is still there can
  // be found out by a pull. True once after each loss.
  bool TakeLook() { return std::exchange(look_, false); }

 private:
  static constexpr double kNever = -1;

  Vector<wire::Scope> WantedTables() const;
  Vector<std::string> WantedStreams() const;
  void Open(Turn* turn);
  void Close(Turn* turn);
  void Pause(Turn* turn);
  Poke Heard(Data message, Turn* turn);
  void Ready(const Vector<std::string>& features, Turn* turn);
  void Ping(Turn* turn);
  void OnPing(Turn* turn);
  void OnAnnounced(Turn* turn);
  void Lost(Turn* turn);
  void StopWatching(Turn* turn);

  WorkerState* state_;
  SocketState socket_state_ = SocketState::kClosed;
  bool wanted_ = false;
  Token token_;  // the token that was sent with the last hello
  Backoff backoff_;

  // Of the open socket; times are monotonic.
  bool answers_pings_ = false;
  double ready_ms_ = 0;
  double heard_ms_ = 0;
  double silence_ms_ = 0;  // for how long it may be silent, with jitter
  double pinged_ms_ = kNever;
  Map<std::string, uint64_t> announced_;  // by realm: the highest revision in a poke
  Revisions awaited_;                     // what it should announce

  double distrusted_ms_ = kNever;  // when a socket was last replaced for what it did not announce
  bool lost_ = false;              // it was lost, and has not been opened again
  bool look_due_ = false;          // the next failure to open it asks for a look
  bool look_ = false;
  std::optional<double> retry_at_;  // wall clock: when it is opened again, if it was lost
};

}  // namespace skerry

#endif  // SKERRY_SYNC_POKE_SOCKET_H_
