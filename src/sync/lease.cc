#include "sync/lease.h"

#include "base/status.h"

namespace skerry {

bool ValidTransition(LeaseState from, LeaseState to) {
  switch (to) {
    case LeaseState::kIdle:
      return from == LeaseState::kReleasing;
    case LeaseState::kLocking:
      return from == LeaseState::kIdle || from == LeaseState::kClaiming;
    case LeaseState::kWaiting:
      return from == LeaseState::kLocking || from == LeaseState::kClaiming ||
             from == LeaseState::kStealing;
    case LeaseState::kStealing:
      return from == LeaseState::kWaiting;
    case LeaseState::kClaiming:
      return from == LeaseState::kIdle || from == LeaseState::kLocking ||
             from == LeaseState::kWaiting || from == LeaseState::kStealing;
    case LeaseState::kHeld:
      return from == LeaseState::kClaiming;
    case LeaseState::kReleasing:
      return from != LeaseState::kIdle && from != LeaseState::kReleasing;
  }
  return false;
}

void Lease::Move(LeaseState to) {
  SKERRY_CHECK(ValidTransition(state_, to));
  state_ = to;
}

void Lease::Begin(Kind kind, Turn* turn) {
  kind_ = kind;
  wrote_ = false;
  const bool write = kind != Kind::kLook;
  transaction_ =
      turn->Transact({Store::kSync}, write ? TransactionMode::kWrite : TransactionMode::kRead,
                     {GetRead(Store::kSync, name())});
}

void Lease::Want(std::string_view job, Turn* turn) {
  job_ = job;
  if (state_ == LeaseState::kReleasing) wanted_ = true;
  if (state_ != LeaseState::kIdle) return;
  seen_ = {};
  timed_out_ = false;
  if (!config_.locks) {
    Claim(ClaimGround::kNoLocks, turn);
    return;
  }
  Move(LeaseState::kLocking);
  lock_asked_ = true;
  turn->Lock(config_.lock, LockAction::kRequest);
}

void Lease::Unwant(LeaseOutcome outcome, Turn* turn) {
  wanted_ = false;
  if (state_ == LeaseState::kIdle || state_ == LeaseState::kReleasing) return;
  const bool held = state_ == LeaseState::kHeld;
  outcome_ = outcome;
  Move(LeaseState::kReleasing);
  turn->Cancel(heartbeat_timer());
  turn->Cancel(look_timer());
  if (transaction_ != 0 && kind_ != Kind::kLook) {
    // A claim in flight may still be written; when it is done, it is known what to release.
    release_after_ = true;
  } else if (held && config_.persisted) {
    Begin(Kind::kRelease, turn);
  } else {
    transaction_ = 0;  // the result of a look is not needed any more
    Unlock(turn);
    Move(LeaseState::kIdle);
  }
}

LeaseEvent Lease::Lose(Turn* turn) {
  if (state_ != LeaseState::kHeld) return LeaseEvent::kNone;
  Unwant(LeaseOutcome::kLeft, turn);  // fenced: writes nothing if another has the lease
  return LeaseEvent::kLost;
}

void Lease::Claim(ClaimGround ground, Turn* turn) {
  Move(LeaseState::kClaiming);
  ground_ = ground;
  turn->Cancel(look_timer());
  Begin(Kind::kClaim, turn);
}

void Lease::Wait(Turn* turn) {
  Move(LeaseState::kWaiting);
  Look(turn);
}

void Lease::Look(Turn* turn) {
  if (transaction_ == 0) Begin(Kind::kLook, turn);
}

void Lease::Unlock(Turn* turn) {
  if (lock_asked_) turn->Lock(config_.lock, LockAction::kRelease);
  lock_asked_ = lock_held_ = false;
}

Data::Array Lease::Read(const Data& results, Turn* turn) {
  record_ = LeaseRecord::Read(results.items().empty() ? Data() : results.items()[0]);
  std::optional<LeaseRecord> next;
  switch (kind_) {
    case Kind::kClaim:
      // The stored record of a quiet lease does not have its heartbeats.
      if (config_.quiet) seen_.heartbeat = record_.heartbeat;
      if (state_ == LeaseState::kClaiming &&
          MayClaim(record_, config_.tab, ground_, timed_out_ ? &seen_ : nullptr)) {
        next = ClaimedRecord(record_, config_.tab, job_, turn->now);
        epoch_ = next->epoch;
      }
      break;
    case Kind::kHeartbeat:
      if (Holds(record_, config_.tab, epoch_)) next = HeartbeatRecord(record_, job_, turn->now);
      break;
    case Kind::kRelease:
      next = ReleasedRecord(record_, config_.tab, epoch_, turn->now);
      break;
    case Kind::kLook:
    case Kind::kNone:
      break;
  }
  wrote_ = next.has_value();
  if (!wrote_) return {};
  record_ = std::move(*next);
  return {PutWrite(Store::kSync, name(), record_.Write())};
}

LeaseEvent Lease::Done(Turn* turn) {
  transaction_ = 0;
  switch (kind_) {
    case Kind::kClaim:
      return DoneClaim(turn);
    case Kind::kHeartbeat:
      return DoneHeartbeat(turn);
    case Kind::kLook:
      return DoneLook(turn);
    case Kind::kRelease:
      return DoneRelease(turn);
    case Kind::kNone:
      break;
  }
  return LeaseEvent::kNone;
}

LeaseEvent Lease::DoneClaim(Turn* turn) {
  if (release_after_) {
    release_after_ = false;
    if (wrote_) {
      Begin(Kind::kRelease, turn);
      return LeaseEvent::kNone;
    }
    kind_ = Kind::kRelease;  // nothing was written: only the lock must be released
    return DoneRelease(turn);
  }
  timed_out_ = false;
  if (wrote_) {
    Move(LeaseState::kHeld);
    last_heartbeat_ms_ = turn->mono;
    turn->Timer(heartbeat_timer(), config_.heartbeat_ms);
    Announce(LeaseOutcome::kNone, turn);
    return LeaseEvent::kHeld;
  }
  if (IsNewer(record_)) return GiveUp(turn);
  seen_ = {};
  if (config_.locks && lock_held_) {
    // The holder was alive after all while its lock was being stolen: queue behind it again.
    Unlock(turn);
    Move(LeaseState::kLocking);
    lock_asked_ = true;
    turn->Lock(config_.lock, LockAction::kRequest);
    return LeaseEvent::kSeen;
  }
  Wait(turn);
  return LeaseEvent::kSeen;
}

// A newer version uses another format for this lease, so this version can never obtain it.
LeaseEvent Lease::GiveUp(Turn* turn) {
  error_ = {"NewerError", "a newer version holds the lease", {}};
  Unwant(LeaseOutcome::kFailed, turn);
  return LeaseEvent::kFailed;
}

LeaseEvent Lease::DoneHeartbeat(Turn* turn) {
  if (release_after_) {
    release_after_ = false;
    Begin(Kind::kRelease, turn);
    return LeaseEvent::kNone;
  }
  if (!wrote_) return Lose(turn);
  last_heartbeat_ms_ = turn->mono;
  turn->Timer(heartbeat_timer(), config_.heartbeat_ms);
  return LeaseEvent::kSeen;
}

LeaseEvent Lease::DoneLook(Turn* turn) {
  if (state_ != LeaseState::kWaiting) return LeaseEvent::kNone;
  if (IsNewer(record_)) return GiveUp(turn);
  if (!config_.locks && MayClaim(record_, config_.tab, ClaimGround::kNoLocks, nullptr)) {
    Claim(ClaimGround::kNoLocks, turn);
    return LeaseEvent::kSeen;
  }
  timed_out_ = Observe(record_, turn->mono, config_.look_ms, config_.timeout_ms, &seen_);
  if (!timed_out_) {
    turn->Timer(look_timer(), config_.look_ms);
    return LeaseEvent::kSeen;
  }
  if (config_.locks) {
    Move(LeaseState::kStealing);
    turn->Lock(config_.lock, LockAction::kSteal);
  } else {
    Claim(ClaimGround::kNoLocks, turn);
  }
  return LeaseEvent::kSeen;
}

LeaseEvent Lease::DoneRelease(Turn* turn) {
  Unlock(turn);
  Move(LeaseState::kIdle);
  if (wrote_) Announce(outcome_, turn);
  if (wanted_) {
    wanted_ = false;
    Want(job_, turn);
  }
  return LeaseEvent::kReleased;
}

LeaseEvent Lease::Failed(const HostError& error, Turn* turn) {
  transaction_ = 0;
  error_ = error;
  if (kind_ == Kind::kRelease || release_after_) {
    // A lease that could not be released times out, or is found dead by the next owner of the lock.
    release_after_ = false;
    wrote_ = false;
    kind_ = Kind::kRelease;
    return DoneRelease(turn);
  }
  if (kind_ == Kind::kHeartbeat) {
    if (turn->mono - last_heartbeat_ms_ >= config_.timeout_ms) return Lose(turn);
    turn->Timer(heartbeat_timer(), config_.heartbeat_ms);
    return LeaseEvent::kNone;
  }
  if (state_ != LeaseState::kClaiming && state_ != LeaseState::kWaiting) return LeaseEvent::kNone;
  Unwant(LeaseOutcome::kFailed, turn);
  return LeaseEvent::kFailed;
}

LeaseEvent Lease::Lock(LockState lock_state, Turn* turn) {
  if (lock_state == LockState::kGranted) {
    if (!lock_asked_) return LeaseEvent::kNone;
    lock_held_ = true;
    if (state_ == LeaseState::kStealing) {
      Claim(ClaimGround::kLockStolen, turn);
    } else if (!config_.persisted) {
      if (state_ != LeaseState::kLocking) return LeaseEvent::kNone;
      Move(LeaseState::kClaiming);
      Move(LeaseState::kHeld);
      counted_ = false;
      return LeaseEvent::kHeld;
    } else if (state_ == LeaseState::kLocking || state_ == LeaseState::kWaiting) {
      transaction_ = 0;  // a look in flight has nothing that the claim does not have
      Claim(ClaimGround::kLockGranted, turn);
    }
  } else if (lock_state == LockState::kRefused) {
    const bool stealing = state_ == LeaseState::kStealing;
    if (stealing) seen_ = {};  // the engine failed: the holder gets its whole timeout again
    if (stealing || (state_ == LeaseState::kLocking && config_.persisted)) Wait(turn);
  } else if (lock_state == LockState::kLost && lock_held_) {
    lock_held_ = lock_asked_ = false;
    if (state_ == LeaseState::kClaiming) {
      Unwant(LeaseOutcome::kLeft, turn);
      return LeaseEvent::kLost;
    }
    return Lose(turn);
  }
  return LeaseEvent::kNone;
}

bool Lease::Timer(WorkerTimer timer, Turn* turn) {
  if (timer == heartbeat_timer()) {
    if (state_ == LeaseState::kHeld && transaction_ == 0) Heartbeat(turn);
    return true;
  }
  if (timer == look_timer()) {
    if (state_ != LeaseState::kWaiting) return true;
    // For a quiet lease, the channel has brought everything since the record was read once.
    if (config_.quiet && transaction_ == 0) {
      DoneLook(turn);
    } else {
      Look(turn);
    }
    return true;
  }
  return false;
}

std::optional<LeaseRecord> Lease::Count(LeaseRecord record, double now) {
  if (config_.persisted || counted_ || IsNewer(record)) return std::nullopt;
  counted_ = true;
  record_ = std::move(record);
  epoch_ = record_.epoch;
  // If windows push as well, one of them has the lease: it is not taken from them.
  if (record_.owner.has_value()) return std::nullopt;
  record_.epoch = ++epoch_;
  record_.heartbeat = 0;
  record_.claimed_at = record_.heartbeat_at = now;
  record_.job.reset();
  record_.rest.absent = 0;
  return record_;
}

LeaseEvent Lease::Heard(const LeaseMessage& message, Turn* turn) {
  const LeaseRecord& lease = message.lease;
  if (config_.quiet && state_ == LeaseState::kHeld && lease.epoch > epoch_) {
    return Lose(turn);
  }
  if (state_ != LeaseState::kWaiting) return LeaseEvent::kNone;
  if (!lease.owner.has_value()) {
    Look(turn);
  } else if (config_.quiet && transaction_ == 0) {
    record_ = lease;
  }
  return LeaseEvent::kNone;
}

// A heartbeat that comes far too late (sleep, a frozen page) is written, to find out whether
// another has taken over meanwhile.
void Lease::Heartbeat(Turn* turn) {
  if (!config_.quiet || turn->mono - last_heartbeat_ms_ > 2 * config_.heartbeat_ms)
    return Begin(Kind::kHeartbeat, turn);
  record_ = HeartbeatRecord(record_, job_, turn->now);
  last_heartbeat_ms_ = turn->mono;
  turn->Timer(heartbeat_timer(), config_.heartbeat_ms);
  Broadcast(LeaseOutcome::kNone, turn);
}

void Lease::Broadcast(LeaseOutcome outcome, Turn* turn) {
  turn->Broadcast(LeaseMessage{config_.name, record_, outcome});
}

void Lease::Announce(LeaseOutcome outcome, Turn* turn) {
  Broadcast(outcome, turn);
  turn->Post(LeaseCopyMessage{config_.name, record_.owner, record_.epoch});
}

}  // namespace skerry
