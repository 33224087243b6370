// Reach: whether the server can be reached now, as the latest evidence of all workers of this
// client shows, and when it was last heard from (docs/sync-worker.md, section 7). Each worker
// notes its own evidence and broadcasts it, so all windows show the same. Nothing is stored.
#ifndef SKERRY_SYNC_REACH_H_
#define SKERRY_SYNC_REACH_H_

#include <cstdint>
#include <optional>

#include "sync/message.h"

namespace skerry {

// The poke socket of this client, as its holder knows it.
struct SocketReach {
  bool open = false;
  std::optional<double> retry_at;  // when it is opened again, after it was lost
  friend bool operator==(const SocketReach&, const SocketReach&) = default;
};

class Reach {
 public:
  // Evidence of this worker, at `now` (wall clock, ms): the server has answered or sent a message;
  // or a request or an open socket failed.
  void Heard(double now);
  void Failed();
  void Answered(bool by_server, double now) { by_server ? Heard(now) : Failed(); }
  // `holds`: this worker has the lease `listen`, so it knows the socket.
  void SetSocket(bool holds, const SocketReach& socket);

  // Evidence of another worker.
  void Take(const ReachMessage& message);
  void Take(const StatusRecord& status);
  // What the other workers have to know; none if they know it.
  std::optional<ReachMessage> TakeNews();

  // An open socket shows that the server is reachable; without one the last answer does, for
  // `proof_ms`, because the next poll would have failed within that time.
  bool IsConnected(double now, double proof_ms) const;
  bool holds_by_answer() const { return !socket_.open && evidence_ == Evidence::kReached; }
  // The latest evidence is that the server cannot be reached.
  bool lost() const { return !socket_.open && evidence_ == Evidence::kLost; }
  bool socket_open() const { return socket_.open; }
  const std::optional<double>& heard_at() const { return heard_at_; }
  const std::optional<double>& retry_at() const { return socket_.retry_at; }

 private:
  enum class Evidence : uint8_t { kNone, kReached, kLost };
  void Conclude(Evidence evidence);

  Evidence evidence_ = Evidence::kNone;
  std::optional<double> heard_at_;
  SocketReach socket_;
  bool holds_socket_ = false;
  bool has_news_ = false;
  bool has_socket_news_ = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_REACH_H_
