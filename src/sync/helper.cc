#include "sync/helper.h"

#include <algorithm>
#include <utility>

namespace skerry {
namespace {

const char* NameOf(WakeReason reason) {
  switch (reason) {
    case WakeReason::kMutation:
      return "mutation";
    case WakeReason::kDue:
      return "due";
    default:
      return "visible";  // causes a pull, and ends a pause
  }
}

bool Reaches(const Data& error) {
  const std::string& code = error["code"].as_string();
  return code != "network" && code != "timeout";
}

}  // namespace

// A hidden window does not poll, but what is pending is pushed.
bool Helper::MayWake() const {
  return state_->started && !state_->stopped && state_->online && !state_->paused &&
         (state_->visible || state_->pending > 0);
}

void Helper::Send(Data message, Turn* turn) {
  message.Set("online", state_->online).Set("listening", state_->listening);
  turn->Emit(Message("wakeService").Set("message", std::move(message)));
  Expect(turn);
}

void Helper::Expect(Turn* turn) {
  if (expected_ms_ != kNever) return;
  expected_ms_ = turn->mono;
  asked_again_ = false;
  turn->Timer("service-watch", state_->times.service_ms / 2);
}

void Helper::Wake(WakeReason reason, Turn* turn) {
  if (!MayWake()) return;
  Send(Message("wake").Set("reason", NameOf(reason)), turn);
}

void Helper::Mutated(Turn* turn) {
  if (!state_->started || !state_->online || state_->paused) return;
  mutated_ = true;
  Expect(turn);
}

void Helper::Poked(std::string_view realm, uint64_t revision, Turn* turn) {
  if (!state_->CanRun()) return;
  Data message = Message("wake");
  message.Set("reason", "poke").Set("realm", realm).Set("revision", revision);
  Send(std::move(message), turn);
}

void Helper::Ask(const Data& id, Turn* turn) {
  asked_.Push(id);
  Data name = Data::MakeObject();
  name.Set("tab", state_->tab).Set("id", id);
  Send(Message("sync").Set("id", std::move(name)), turn);
}

void Helper::HandToken(const Data& token, Turn* turn) {
  Send(Message("token").Set("token", token), turn);
}

void Helper::Answered(const Data& id) {
  Data left = Data::MakeArray();
  for (const Data& other : asked_.items()) {
    if (!(other == id)) left.Push(other);
  }
  asked_ = std::move(left);
}

Data::Array Helper::TakeAsked() {
  Data::Array taken = asked_.items();
  asked_ = Data::MakeArray();
  return taken;
}

void Helper::Heard(const Data* status, Turn* turn) {
  if (expected_ms_ != kNever) turn->Cancel("service-watch");
  expected_ms_ = kNever;
  if (status == nullptr) {
    stuck_ms_ = kNever;  // something was pushed or pulled
    return;
  }
  const std::string& instance = (*status)["instance"].as_string();
  if (!instance.empty() && instance != instance_) {
    // Another instance was started: it does not know the requests to the one before.
    instance_ = instance;
    const Data asked = std::exchange(asked_, Data::MakeArray());
    for (const Data& id : asked.items()) Ask(id, turn);
  }
  Stuck(*status, turn);
  Schedule(*status, turn);
}

void Helper::Stuck(const Data& status, Turn* turn) {
  const Data& error = status["error"];
  if (error.is_null() ? status["phase"].Is("idle") : Reaches(error)) stuck_ms_ = kNever;
  if (status["pending"].as_number() == 0) stuck_ms_ = kNever;
  const bool fails = !error.is_null() && !Reaches(error) && status["pending"].as_number() > 0;
  if (!fails || !MayWake()) return;
  if (stuck_ms_ == kNever) stuck_ms_ = turn->mono;
  if (turn->mono - stuck_ms_ >= state_->times.service_stuck_ms)
    given_up_ = "the service worker does not reach the server";
}

// Sets the timer of the next wake. While the service worker works, wakes are frequent enough to
// keep the browser from stopping it.
void Helper::Schedule(const Data& status, Turn* turn) {
  calm_ms_ = kNever;
  if (!MayWake()) return turn->Cancel("service-look");
  const std::string& phase = status["phase"].as_string();
  // (`opening`: it was just started, and has found no work yet.)
  const bool rests = phase == "idle" || phase == "opening";
  const bool works = phase == "pulling" || phase == "pushing" || phase == "filling" ||
                     (rests && status["pending"].as_number() > 0);
  const SyncTimes& times = state_->times;
  // A service worker without a token does nothing but ask for one at each start: wake it ever more
  // rarely. (Not never: it may be an old version, to which no window gives a token.)
  if (!status["needsAuth"].as_bool()) {
    blocked_ms_ = 0;
  } else if (blocked_ms_ == 0) {
    blocked_ms_ = times.idle_ms;
  }
  double delay = times.service_look_ms;
  if (!works) {
    // The pause is limited, because a clock may step.
    const double idle = blocked_ms_ > 0     ? blocked_ms_
                        : state_->listening ? times.idle_listening_ms
                                            : times.idle_ms;
    const double most = 1.25 * std::max(idle, times.retry_max_ms);
    const double pause = status["nextTryAt"].as_number(turn->now + most) - turn->now;
    delay = std::clamp(pause, 0.0, most) + delay * state_->random.Unit() / 8;
    // When it chose this pause, it may not have known that there is a socket, which makes polls
    // unnecessary.
    if (rests && status["pending"].as_number() == 0) calm_ms_ = turn->mono;
    if (calm_ms_ != kNever && state_->listening) delay = std::max(delay, idle);
    // Or the message that should have woken it after a mutation was lost.
    if (mutated_) delay = std::min(delay, times.service_look_ms);
  }
  turn->Timer("service-look", delay);
}

void Helper::OnLook(Turn* turn) {
  blocked_ms_ = std::min(2 * blocked_ms_, state_->times.idle_listening_ms);
  const bool mutated = std::exchange(mutated_, false);
  const double calm = calm_ms_ == kNever ? 0 : turn->mono - calm_ms_;
  // The socket was opened since the pause began, or this window has heard of it only now.
  if (!mutated && calm_ms_ != kNever && state_->listening &&
      calm < state_->times.idle_listening_ms / 2)
    return turn->Timer("service-look", state_->times.idle_listening_ms - calm);
  Wake(mutated ? WakeReason::kMutation : WakeReason::kDue, turn);
}

void Helper::Rest(Turn* turn) {
  expected_ms_ = stuck_ms_ = calm_ms_ = kNever;
  blocked_ms_ = 0;
  mutated_ = false;
  given_up_ = std::string();
  turn->Cancel("service-watch");
  turn->Cancel("service-look");
}

void Helper::OnWatch(Turn* turn) {
  if (expected_ms_ == kNever) return;
  if (!MayWake()) return Rest(turn);
  const double waited = turn->mono - expected_ms_;
  // Far too late: the machine slept, and the service worker with it.
  const bool slept = waited > 2 * state_->times.service_ms;
  if (asked_again_ && !slept) {
    given_up_ = "the service worker does not answer";
    return;
  }
  if (slept) expected_ms_ = turn->mono;
  asked_again_ = !slept;
  turn->Timer("service-watch", state_->times.service_ms / 2);
  Wake(WakeReason::kDue, turn);
}

bool Helper::Timer(std::string_view name, Turn* turn) {
  if (name == "service-watch") {
    OnWatch(turn);
    return true;
  }
  if (name != "service-look") return false;
  OnLook(turn);
  return true;
}

}  // namespace skerry
