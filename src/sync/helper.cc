#include "sync/helper.h"

#include <algorithm>
#include <utility>

namespace skerry {
namespace {

WakeFor MessageOf(WakeReason reason) {
  switch (reason) {
    case WakeReason::kMutation:
      return WakeFor::kMutation;
    case WakeReason::kDue:
      return WakeFor::kDue;
    default:
      return WakeFor::kVisible;  // causes a pull, and ends a pause
  }
}

bool IsServerReached(const SyncError& error) {
  return error.code != "network" && error.code != "timeout";
}

}  // namespace

// A hidden window does not poll, but what is pending is pushed.
bool Helper::MayWake() const {
  return state_->connection.started() && !state_->connection.stopped() &&
         state_->connection.online() && !state_->connection.paused() &&
         (state_->connection.visible() || state_->reported.pending() > 0);
}

void Helper::SendData(Data message, Turn* turn) {
  Data note = ToData(HelperNote{state_->connection.online(), state_->connection.listening()});
  for (Data::Member& member : note.mutable_members())
    message.mutable_members().push_back(std::move(member));
  turn->WakeService(std::move(message));
  Expect(turn);
}

void Helper::Expect(Turn* turn) {
  if (expected_ms_ != kNever) return;
  expected_ms_ = turn->mono;
  asked_again_ = false;
  turn->Timer(WorkerTimer::kServiceWatch, state_->setup.times.service_ms / 2);
}

void Helper::Wake(WakeReason reason, Turn* turn) {
  if (!MayWake()) return;
  Send(WakeMessage{MessageOf(reason), {}, {}}, turn);
}

void Helper::Mutated(Turn* turn) {
  if (!state_->connection.started() || !state_->connection.online() || state_->connection.paused())
    return;
  mutated_ = true;
  Expect(turn);
}

void Helper::Poked(const std::string& realm, uint64_t revision, Turn* turn) {
  if (!state_->connection.CanRun()) return;
  Send(WakeMessage{WakeFor::kPoke, realm, revision}, turn);
}

void Helper::Ask(const Data& id, Turn* turn) {
  asked_.push_back(id);
  Send(SyncMessage{ToData(AskedId{state_->setup.tab, id})}, turn);
}

void Helper::HandToken(const Token& token, Turn* turn) { Send(TokenMessage{token}, turn); }

void Helper::Answered(const Data& id) {
  erase_if(asked_, [&id](const Data& other) { return other == id; });
}

void Helper::Heard(const StatusRecord* status, Turn* turn) {
  if (expected_ms_ != kNever) turn->Cancel(WorkerTimer::kServiceWatch);
  expected_ms_ = kNever;
  if (status == nullptr) {
    unreachable_since_ms_ = kNever;  // something was pushed or pulled
    return;
  }
  const std::string instance = status->instance.value_or(std::string());
  if (!instance.empty() && instance != instance_) {
    // Another instance was started: it does not know the requests to the one before.
    instance_ = instance;
    const Data::Array asked = TakeAsked();
    for (const Data& id : asked) Ask(id, turn);
  }
  Stuck(*status, turn);
  Schedule(*status, turn);
}

void Helper::Stuck(const StatusRecord& status, Turn* turn) {
  const SyncError& error = status.error;
  if (error.code.empty() ? status.phase == Phase::kIdle : IsServerReached(error))
    unreachable_since_ms_ = kNever;
  if (status.pending == 0) unreachable_since_ms_ = kNever;
  const bool fails = !error.code.empty() && !IsServerReached(error) && status.pending > 0;
  if (!fails || !MayWake()) return;
  // Far too late after the failure before: the machine slept, and that time does not count.
  const bool slept = turn->mono - failed_ms_ > 2 * state_->setup.times.service_stuck_ms;
  failed_ms_ = turn->mono;
  if (unreachable_since_ms_ == kNever || slept) unreachable_since_ms_ = turn->mono;
  if (turn->mono - unreachable_since_ms_ >= state_->setup.times.service_stuck_ms)
    given_up_ = "the service worker does not reach the server";
}

// Sets the timer of the next wake. While the service worker works, wakes are frequent enough to
// keep the browser from stopping it. A status that repeats the same pause does not restart it:
// statuses come more often than polls, for instance whenever a socket hears of the server.
void Helper::Schedule(const StatusRecord& status, Turn* turn) {
  if (!MayWake()) {
    pause_since_ms_ = kNever;
    return turn->Cancel(WorkerTimer::kServiceLook);
  }
  const bool rests = IsRest(status.phase);
  const bool works = IsWork(status.phase) || (rests && status.pending > 0);
  const SyncTimes& times = state_->setup.times;
  // A service worker without a token does nothing but ask for one at each start: wake it ever more
  // rarely. (Not never: it may be an old version, to which no window gives a token.)
  if (!status.needs_auth) {
    token_pause_ms_ = 0;
  } else if (token_pause_ms_ == 0) {
    token_pause_ms_ = times.idle_ms;
  }
  if (works) {
    pause_since_ms_ = kNever;
    return turn->Timer(WorkerTimer::kServiceLook, times.service_look_ms);
  }
  if (pause_since_ms_ == kNever || pause_until_ != status.next_try_at) pause_since_ms_ = turn->mono;
  pause_until_ = status.next_try_at;
  is_idle_ = rests;
  const double passed = turn->mono - pause_since_ms_;
  const double idle = token_pause_ms_ > 0              ? token_pause_ms_
                      : state_->connection.listening() ? times.idle_listening_ms
                                                       : times.idle_ms;
  // The pause is limited, because a clock may step.
  const double most = 1.25 * std::max(idle, times.retry_max_ms) - passed;
  const double pause = pause_until_.has_value() ? *pause_until_ - turn->now : most;
  double delay = std::max(std::min(pause, most), 0.0);
  delay += times.service_look_ms * state_->random.Unit() / 8;
  // When it chose this pause, it may not have known that there is a socket, which makes polls
  // unnecessary.
  if (is_idle_ && state_->connection.listening()) delay = std::max(delay, idle - passed);
  // Or the message that should have woken it after a mutation was lost.
  if (mutated_) delay = std::min(delay, times.service_look_ms);
  turn->Timer(WorkerTimer::kServiceLook, delay);
}

void Helper::OnLook(Turn* turn) {
  token_pause_ms_ = std::min(2 * token_pause_ms_, state_->setup.times.idle_listening_ms);
  const bool mutated = std::exchange(mutated_, false);
  const bool pauses = pause_since_ms_ != kNever && is_idle_;
  const double calm = pauses ? turn->mono - pause_since_ms_ : 0;
  // The socket was opened since the pause began, or this window has heard of it only now.
  if (!mutated && pauses && state_->connection.listening() &&
      calm < state_->setup.times.idle_listening_ms / 2)
    return turn->Timer(WorkerTimer::kServiceLook, state_->setup.times.idle_listening_ms - calm);
  // What it reports next is another pause, though it may end at the same time.
  pause_since_ms_ = kNever;
  Wake(mutated ? WakeReason::kMutation : WakeReason::kDue, turn);
}

void Helper::Rest(Turn* turn) {
  expected_ms_ = unreachable_since_ms_ = pause_since_ms_ = kNever;
  token_pause_ms_ = 0;
  mutated_ = false;
  given_up_ = std::string();
  turn->Cancel(WorkerTimer::kServiceWatch);
  turn->Cancel(WorkerTimer::kServiceLook);
}

void Helper::OnWatch(Turn* turn) {
  if (expected_ms_ == kNever) return;
  if (!MayWake()) return Rest(turn);
  const double waited = turn->mono - expected_ms_;
  // Far too late: the machine slept, and the service worker with it.
  const bool slept = waited > 2 * state_->setup.times.service_ms;
  if (asked_again_ && !slept) {
    given_up_ = "the service worker does not answer";
    return;
  }
  if (slept) expected_ms_ = turn->mono;
  asked_again_ = !slept;
  turn->Timer(WorkerTimer::kServiceWatch, state_->setup.times.service_ms / 2);
  Wake(WakeReason::kDue, turn);
}

bool Helper::Timer(WorkerTimer timer, Turn* turn) {
  if (timer == WorkerTimer::kServiceWatch) {
    OnWatch(turn);
    return true;
  }
  if (timer != WorkerTimer::kServiceLook) return false;
  OnLook(turn);
  return true;
}

}  // namespace skerry
