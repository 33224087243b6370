#include "test/spec/support/actor.h"

#include <limits>

#include "test/spec/support/story.h"

namespace skerry::spec {

Data NamedEvent(std::string_view type) {
  Data event = Data::MakeObject();
  event.Set("type", type);
  return event;
}

Data Actor::Timed(Data event) const {
  const Story& story = *device_->story;
  return event.Set("now", story.wall()).Set("mono", story.mono());
}

void Actor::Release() {
  held_steps_.clear();
  allowed_.clear();
  held_messages_.clear();
}

bool Actor::May(Step step) {
  if (!held_steps_.contains(step)) return true;
  const auto allowed = allowed_.find(step);
  if (allowed == allowed_.end()) return false;
  allowed_.erase(allowed);
  return true;
}

void Actor::Hear(const Actor* sender, const Data& message) {
  if (ended_) return;
  const auto missed = missed_.find(message["type"].as_string());
  if (missed != missed_.end()) {
    missed_.erase(missed);
  } else {
    channel_.emplace_back(sender, message);
  }
}

// The messages of one sender keep their order, as in a BroadcastChannel. Those of different senders
// may come in any order.
bool Actor::TakeMessage() {
  std::set<const Actor*> blocked;
  for (auto it = channel_.begin(); it != channel_.end(); ++it) {
    const bool is_held = held_messages_.contains(it->second["type"].as_string());
    if (is_held) blocked.insert(it->first);
    if (blocked.contains(it->first)) continue;
    Data event = NamedEvent("message");
    event.Set("message", std::move(it->second));
    channel_.erase(it);
    Dispatch(std::move(event));
    return true;
  }
  return false;
}

bool Actor::TakeStep() {
  if (ended_ || still_) return false;
  if (!inbox_.empty()) {
    Data event = std::move(inbox_.front());
    inbox_.pop_front();
    Dispatch(std::move(event));
    return true;
  }
  if (outcome_.has_value() && May(Step::kOutcome)) {
    Data event = std::move(*outcome_);
    outcome_.reset();
    transactions_.pop_front();
    Dispatch(std::move(event));
    return true;
  }
  if (TakeMessage()) return true;
  if (!outcome_.has_value() && !transactions_.empty() && May(Step::kTransaction)) {
    RunTransaction();
    return true;
  }
  return TakeOwnStep();
}

void Actor::RunTransaction() {
  const Data transact = transactions_.front();
  sync_test::FakeStorage& storage = device_->storage;
  const bool fails = !fail_.empty() && transact["mode"].Is("readwrite");
  if (fails) storage.FailNextWrite(std::exchange(fail_, std::string()));
  outcome_ = storage.Run(transact, this);
  storage.FailNextWrite("");
}

double Actor::next_timer() const {
  double next = std::numeric_limits<double>::infinity();
  if (ended_ || still_) return next;
  for (const auto& [name, at] : timers_) next = std::min(next, at);
  return next;
}

bool Actor::FireTimer() {
  if (next_timer() > device_->story->mono()) return false;
  for (const auto& [name, at] : timers_) {
    if (at > device_->story->mono()) continue;
    Data event = NamedEvent("timer");
    event.Set("name", name);
    timers_.erase(name);
    Dispatch(std::move(event));
    return true;
  }
  return false;
}

void Actor::End() {
  ended_ = true;
  inbox_.clear();
  channel_.clear();
  transactions_.clear();
  outcome_.reset();
  timers_.clear();
}

void Actor::Execute(const Data& effects) {
  for (const Data& effect : effects.items()) {
    const std::string& type = effect["type"].as_string();
    if (type == "transact") {
      transactions_.push_back(effect);
    } else if (type == "timer") {
      timers_[effect["name"].as_string()] = device_->story->mono() + effect["delayMs"].as_number();
    } else if (type == "cancel") {
      timers_.erase(effect["name"].as_string());
    } else if (type == "broadcast") {
      device_->Broadcast(*this, effect["message"]);
    } else if (type == "post") {
      Post(effect["message"]);
    } else {
      Special(effect);
    }
  }
}

}  // namespace skerry::spec
