#include "test/sim/host.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr double kThrottleMs = 60'000;

Data Named(std::string_view type, const Data& id) {
  Data event = Data::MakeObject();
  return event.Set("type", type).Set("id", id);
}

Kind KindOf(StorageFault fault) {
  return fault == StorageFault::kQuota   ? Kind::kQuota
         : fault == StorageFault::kError ? Kind::kStorageError
                                         : Kind::kLostCompletion;
}

Data FailedEvent(const Data& id, std::string_view name) {
  Data error = Data::MakeObject();
  error.Set("name", name).Set("message", "as the simulator wishes");
  return Named("failed", id).Set("error", std::move(error));
}

}  // namespace

Host::Host(World* world, Profile* profile, std::string tab, uint64_t serial, Release release)
    : world_(world), profile_(profile), tab_(std::move(tab)), serial_(serial), release_(release) {}

Data Host::Timed(Data event) const {
  return event.Set("now", world_->Wall(*profile_)).Set("mono", world_->mono());
}

Data Host::Call(Data event) {
  Data effects = Handle(Timed(std::move(event)));
  if (effects.items().size() == 1) {
    writes_ = effects.items()[0]["writes"];
    world_->checks().Writing(*this, writes_);
  }
  return effects;
}

void Host::Hear(uint64_t sender, const Data& message) { channel_.emplace_back(sender, message); }

// The messages of one sender keep their order, as in a BroadcastChannel. Those of different senders
// may come in any order.
bool Host::ReorderChannel() {
  for (size_t i = 1; i < channel_.size(); ++i) {
    if (channel_[i].first == channel_[i - 1].first) continue;
    std::swap(channel_[i], channel_[i - 1]);
    return true;
  }
  return false;
}

double Host::Due(double at) const {
  return throttled ? std::ceil(at / kThrottleMs) * kThrottleMs : at;
}

double Host::next_timer() const {
  double next = std::numeric_limits<double>::infinity();
  if (stalled) return next;
  for (const auto& [name, at] : timers_) next = std::min(next, Due(at));
  if (!channel_.empty() && deaf_until > world_->mono()) next = std::min(next, deaf_until);
  return next;
}

bool Host::HasStep() const {
  if (stalled) return false;
  const bool hears = !channel_.empty() && deaf_until <= world_->mono();
  if (!inbox_.empty() || hears || outcome_ || !queue_.empty() || HasWork()) return true;
  for (const auto& [name, at] : timers_) {
    if (Due(at) <= world_->mono()) return true;
  }
  return false;
}

bool Host::FireTimer() {
  for (const auto& [name, at] : timers_) {
    if (Due(at) > world_->mono()) continue;
    Data event = Data::MakeObject();
    event.Set("type", "timer").Set("name", name);
    timers_.erase(name);
    Execute(Handle(Timed(std::move(event))));
    return true;
  }
  return false;
}

void Host::Step() {
  if (FireTimer()) return;
  const bool hears = !channel_.empty() && deaf_until <= world_->mono();
  // An engine may serve its event sources in any order.
  const uint64_t start = world_->random().Below(5);
  for (uint64_t i = 0; i < 5; ++i) {
    const uint64_t source = (start + i) % 5;
    if (source == 0 && !inbox_.empty()) {
      Data event = std::move(inbox_.front());
      inbox_.pop_front();
      world_->Trace(*this, event["type"].as_string(), event["message"]["type"].as_string());
      return Execute(Handle(Timed(std::move(event))));
    }
    if (source == 1 && hears) {
      Data event = Data::MakeObject();
      event.Set("type", "message").Set("message", std::move(channel_.front().second));
      channel_.pop_front();
      world_->Trace(*this, "message", event["message"]["type"].as_string());
      return Execute(Handle(Timed(std::move(event))));
    }
    if (source == 2 && outcome_) {
      Data event = std::move(*outcome_);
      outcome_.reset();
      queue_.pop_front();
      world_->Trace(*this, event["type"].as_string(), event["error"]["name"].as_string());
      return Execute(Handle(Timed(std::move(event))));
    }
    if (source == 3 && !outcome_ && !queue_.empty()) return RunTransaction();
    if (source == 4 && HasWork()) return Work();
  }
}

void Host::RunTransaction() {
  const Data transact = queue_.front();
  sync_test::FakeStorage& storage = profile_->storage;
  const bool writes = transact["mode"].as_string() == "readwrite";
  const StorageFault now = writes && faults_left > 0 ? fault : StorageFault::kNone;
  if (now == StorageFault::kQuota) storage.FailNextWrite("QuotaExceededError");
  if (now == StorageFault::kError) storage.FailNextWrite("UnknownError");
  if (now != StorageFault::kNone) --faults_left;
  writes_ = Data();
  Data outcome = storage.Run(transact, this);
  storage.FailNextWrite("");
  const bool done = outcome["type"].as_string() == "done";
  world_->Trace(*this, "stored", outcome["type"].as_string());
  if (done && !writes_.items().empty()) world_->checks().Stored(*this, writes_, outcome["keys"]);
  if (done && now == StorageFault::kLostCompletion)
    outcome = FailedEvent(transact["id"], "UnknownError");
  if (now != StorageFault::kNone && outcome["type"].as_string() == "failed")
    world_->Happened(KindOf(now));
  outcome_ = std::move(outcome);
}

void Host::FailOutstanding() {
  outcome_.reset();
  channel_.clear();
  std::deque<Data> queue = std::move(queue_);
  queue_.clear();
  for (const Data& transact : queue)
    Execute(Handle(Timed(FailedEvent(transact["id"], "AbortError"))));
}

void Host::Execute(const Data& effects) {
  for (const Data& effect : effects.items()) {
    const std::string& type = effect["type"].as_string();
    if (type == "transact") {
      queue_.push_back(effect);
    } else if (type == "timer") {
      timers_[effect["name"].as_string()] = world_->mono() + effect["delayMs"].as_number();
    } else if (type == "cancel") {
      timers_.erase(effect["name"].as_string());
    } else if (type == "broadcast") {
      world_->Broadcast(*this, effect["message"]);
    } else if (type == "post") {
      Post(effect["message"]);
    } else {
      ExecuteSpecial(effect);
    }
  }
  AfterEffects();
}

}  // namespace skerry::sim
