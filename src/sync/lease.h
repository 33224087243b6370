// Lease: the state machine that obtains, keeps and releases one of the leases `push`, `listen`,
// `image` (docs/design.md, "The lease"; docs/sync-worker.md, section 5, has the state diagram). The
// Web Lock is a shortcut; the record, fenced by its epoch, is the truth. The machine changes state
// only on events, and acts only by the effects that it emits into the turn.
#ifndef SKERRY_SYNC_LEASE_H_
#define SKERRY_SYNC_LEASE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "sync/event.h"
#include "sync/lease_rules.h"
#include "sync/message.h"
#include "sync/turn.h"

namespace skerry {

enum class LeaseState : uint8_t {
  kIdle,
  kLocking,
  kWaiting,
  kStealing,
  kClaiming,
  kHeld,
  kReleasing
};

// Every change of state is checked against this.
bool ValidTransition(LeaseState from, LeaseState to);

struct LeaseConfig {
  LeaseName name = LeaseName::kPush;  // also the record's key in the store `sync`
  LeaseName lock = LeaseName::kPush;  // the name of the Web Lock
  std::string tab;
  bool persisted = true;  // false: only the lock counts; `epoch` is a counter (Count)
  // True: heartbeats are posted on the channel and not written, so that an idle window writes
  // nothing.
  bool quiet = false;
  double heartbeat_ms = 0;
  double look_ms = 0;
  double timeout_ms = 0;
  bool locks = false;
};

// What happened to the lease in a turn, for the part that uses it. kSeen: only `record` was read or
// written.
enum class LeaseEvent : uint8_t { kNone, kHeld, kLost, kReleased, kFailed, kSeen };

class Lease {
 public:
  explicit Lease(LeaseConfig config) : config_(std::move(config)) {}

  LeaseState state() const { return state_; }
  bool held() const { return state_ == LeaseState::kHeld; }
  bool waiting() const { return state_ == LeaseState::kWaiting || state_ == LeaseState::kStealing; }
  uint64_t epoch() const { return epoch_; }  // REQUIRES: held()
  const char* name() const { return NameOf(config_.name); }
  bool persisted() const { return config_.persisted; }
  const LeaseRecord& record() const { return record_; }  // as last seen in storage
  // Of the transaction that caused kFailed.
  const HostError& error() const { return error_; }

  // Requests the lease; does nothing if it is already requested or held. `job` is written into the
  // record.
  void Want(std::string_view job, Turn* turn);
  // Releases the lease, or stops waiting for it. `outcome` is broadcast with the release. The
  // release comes after every transaction that was begun before it, because the host runs them in
  // order.
  void Unwant(LeaseOutcome outcome, Turn* turn);
  void set_job(std::string_view job) { job_ = job; }  // written with the next heartbeat
  // Only for a lease that is not persisted: takes the epoch after the one in `record`, once while
  // the lease is held. Returns the record to write, if there is one.
  std::optional<LeaseRecord> Count(LeaseRecord record, double now);
  // A fenced write of the job found another owner or epoch in the record, or the Web Lock was
  // stolen.
  LeaseEvent Lose(Turn* turn);

  // Events. Owns(id) is false for a transaction that is not of this lease.
  bool Owns(uint64_t id) const { return id != 0 && id == transaction_; }
  Data::Array Read(const Data& results, Turn* turn);  // returns the writes
  LeaseEvent Done(Turn* turn);
  LeaseEvent Failed(const HostError& error, Turn* turn);
  LeaseEvent Lock(LockState lock_state, Turn* turn);
  bool Timer(WorkerTimer timer, Turn* turn);  // returns whether it was one of this lease's
  // REQUIRES: the message names this lease.
  LeaseEvent Heard(const LeaseMessage& message, Turn* turn);

 private:
  enum class Kind : uint8_t { kNone, kClaim, kHeartbeat, kLook, kRelease };

  void Move(LeaseState to);
  void Begin(Kind kind, Turn* turn);
  void Claim(ClaimGround ground, Turn* turn);
  void Wait(Turn* turn);
  void Look(Turn* turn);
  void Unlock(Turn* turn);
  LeaseEvent DoneClaim(Turn* turn);
  LeaseEvent DoneLook(Turn* turn);
  void Heartbeat(Turn* turn);
  LeaseEvent GiveUp(Turn* turn);
  LeaseEvent DoneHeartbeat(Turn* turn);
  LeaseEvent DoneRelease(Turn* turn);
  void Announce(LeaseOutcome outcome, Turn* turn);
  void Broadcast(LeaseOutcome outcome, Turn* turn);
  WorkerTimer heartbeat_timer() const { return HeartbeatTimer(config_.name); }
  WorkerTimer look_timer() const { return LookTimer(config_.name); }

  LeaseConfig config_;
  LeaseState state_ = LeaseState::kIdle;
  std::string job_;
  LeaseOutcome outcome_ = LeaseOutcome::kNone;
  bool wanted_ = false;      // requested again while releasing
  bool lock_asked_ = false;  // a request for the lock is queued, or the lock is held
  bool lock_held_ = false;
  uint64_t epoch_ = 0;
  bool counted_ = false;
  double last_heartbeat_ms_ = 0;  // monotonic: when the last heartbeat was written or posted
  uint64_t transaction_ = 0;      // in flight; one at a time
  Kind kind_ = Kind::kNone;
  bool wrote_ = false;          // whether the transaction in flight writes
  bool release_after_ = false;  // a release waits for the transaction in flight
  ClaimGround ground_ = ClaimGround::kNoLocks;
  Observation seen_;
  bool timed_out_ = false;
  LeaseRecord record_;
  HostError error_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_LEASE_H_
