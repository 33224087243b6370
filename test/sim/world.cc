#include "test/sim/world.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include "base/checksum.h"
#include "base/json.h"
#include "base/limits.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kMomentEvery = 16;  // events between two calls of Checks::Moment
constexpr int kMaxLiveSteps = 400;
constexpr uint64_t kStepMs = 4;  // each step takes less

// The counter that all clients increment: the one object that is never deleted.
constexpr char kTotal[] =
    R"({"id":"01890000-0000-7000-8000-00000000aaaa","after":{"A":null},"base":{},"at":1,
    "actions":[{"id":"01890000-0000-7000-8000-00000000bbbb","name":"begin","arg":null,"at":1}],
    "ops":[{"op":"create","table":"items","id":"total","realm":"A","set":{"x":0,"n":0}}]})";

}  // namespace

World::World(const Script& script, bool prints) : script_(script), prints_(prints) {
  Random random("setup " + std::to_string(script.setup));
  random_ = std::make_unique<Random>("start");
  releases_ = has_releases() ? Vector<Release>{Release::kOlder, Release::kNewer}
                             : Vector<Release>{Release::kOnly};
  checks_ = std::make_unique<Checks>(this);
  PullLimits answers{1 + random.Below(4), 0};
  // Large enough for a few changes, and too small for an update of several ops with cascades.
  if (Has(Part::kSmallAnswers)) answers.bytes = script.setup % 2 == 0 ? 600 : 1'200;
  std::optional<uint64_t> large_rows;
  if (Has(Part::kImages))
    large_rows = (script.setup % 3 == 0 ? kMaxWholeRealmRows : kMaxRowsWithoutImage) + 1;
  network_ = std::make_unique<Network>(this, answers, 1 + random.Below(3), large_rows);
  moves_ = static_cast<double>(random.Below(3)) * .1;
  if (has_rights()) moves_ = std::max(moves_, .1);  // without moves, realm A alone is used
  pull_limit_ = random.Below(3) == 0 ? 3 : 10'000;
  locks_ = random.Below(4) != 0;
  keeps_token_ = script.setup % 2 == 0;
  network_->Seed("01890000-0000-7000-8000-00000000cccc", ParseJson(kTotal).value());
  for (uint64_t i = 0, count = 1 + random.Below(3); i < count; ++i) {
    auto profile = std::make_unique<Profile>();
    profile->index = i;
    profile->scopes = test::ScopeChoices()[random.Below(test::ScopeChoices().size())];
    if (has_releases()) profile->scopes.push_back(NewerScope());
    if (has_rights()) {
      profile->user = Users()[i % Users().size()];
      profile->scopes.push_back(MembersScope());
    }
    profile->release = releases_[0];
    profile->registered = Has(Part::kService);
    profiles_.push_back(std::move(profile));
    for (uint64_t tabs = 1 + random.Below(2); tabs > 0; --tabs) OpenTab(profiles_.back().get());
  }
}

World::~World() = default;

Data World::DescriptionFor(Release release) const {
  Data description = DescriptionOf(release);
  const uint64_t which = script_.setup / 8 % 3;
  const bool is_meant =
      release == Release::kOnly || which == 0 || (release == Release::kNewer) == (which == 1);
  if (Has(Part::kRules) && is_meant) description.Set("validates", true);
  return description;
}

void World::Run() {
  uint64_t done = 0;
  for (const Event& event : script_.events) {
    if (!problem_.empty()) return;
    random_ = std::make_unique<Random>("event " + std::to_string(uint64_t{event.a}) + " " +
                                       std::to_string(uint64_t{event.b}));
    TraceLine(std::string("-- ") + InfoOf(event.kind).name);
    Apply(event);
    if (++done % kMomentEvery == 0) checks_->Moment();
  }
  if (problem_.empty()) Heal();
}

void World::Fail(const std::string& problem) {
  if (problem_.empty()) problem_ = problem;
  TraceLine("FAILED: " + problem);
}

void World::TraceLine(const std::string& line) {
  hash_ = Xxh64(line, hash_);
  if (prints_) std::printf("%s\n", line.c_str());
}

void World::Trace(const Host& host, std::string_view what, std::string_view more) {
  TraceLine(std::to_string(static_cast<uint64_t>(mono_)) + " " + std::to_string(host.serial()) +
            (host.is_window() ? " window " : " worker ") + host.tab() + " " + std::string(what) +
            " " + std::string(more));
}

void World::TraceServer(std::string_view what, size_t node, std::string_view more) {
  TraceLine(std::to_string(static_cast<uint64_t>(mono_)) + " node " +
            std::to_string(static_cast<uint64_t>(node)) + " " + std::string(what) + " " +
            std::string(more));
}

// ---- who is who ----

Vector<Host*> World::Hosts() {
  Vector<Host*> hosts;
  for (const auto& profile : profiles_) {
    for (const auto& tab : profile->tabs) {
      if (tab->frozen) continue;
      hosts.push_back(tab->window.get());
      if (tab->worker != nullptr) hosts.push_back(tab->worker.get());
    }
    for (const auto& service : profile->services) hosts.push_back(service.get());
  }
  return hosts;
}

Tab& World::TabOf(Host& host) {
  for (const auto& tab : host.profile().tabs) {
    if (tab->window.get() == &host || tab->worker.get() == &host) return *tab;
  }
  SKERRY_CHECK(false);
}

WindowHost* World::FindWindow(uint64_t serial) {
  for (const auto& profile : profiles_) {
    for (const auto& tab : profile->tabs) {
      if (tab->window != nullptr && tab->window->serial() == serial) return tab->window.get();
    }
  }
  return nullptr;
}

WorkerHost* World::FindWorker(uint64_t serial) {
  for (const auto& profile : profiles_) {
    for (const auto& tab : profile->tabs) {
      if (tab->worker != nullptr && tab->worker->serial() == serial) return tab->worker.get();
    }
    for (const auto& service : profile->services) {
      if (service->serial() == serial) return service.get();
    }
  }
  return nullptr;
}

void World::Broadcast(Host& from, const Data& message) {
  for (const auto& tab : from.profile().tabs) {
    if (tab->frozen) continue;  // it loses messages
    if (tab->window.get() != &from) tab->window->Hear(from.serial(), message);
    if (tab->worker != nullptr && tab->worker.get() != &from)
      tab->worker->Hear(from.serial(), message);
  }
  for (const auto& service : from.profile().services) {
    if (service.get() != &from) service->Hear(from.serial(), message);
  }
}

void World::WakeService(Profile* profile, const Data& message) {
  if (!profile->registered) return;
  if (profile->mute) return Count("service: not reached");
  if (profile->services.empty()) StartService(profile);
  profile->services.back()->Notify(message);
}

// ---- Web Locks ----

void World::NotifyLock(uint64_t worker, const std::string& lock, std::string_view state) {
  WorkerHost* host = FindWorker(worker);
  if (host == nullptr) return;
  Data event = Data::MakeObject();
  host->Deliver(std::move(event.Set("type", "lock").Set("name", lock).Set("state", state)));
}

void World::Grant(Profile* profile, const std::string& lock, uint64_t worker) {
  profile->locks[lock].holder = worker;
  NotifyLock(worker, lock, "granted");
}

void World::GrantNext(Profile* profile, const std::string& lock) {
  LockQueue& queue = profile->locks[lock];
  queue.holder = 0;
  if (queue.waiting.empty()) return;
  const uint64_t next = queue.waiting.front();
  queue.waiting.pop_front();
  Grant(profile, lock, next);
}

void World::FreeLocks(Profile* profile, uint64_t worker) {
  for (auto& [name, queue] : profile->locks) {
    std::erase(queue.waiting, worker);
    if (queue.holder == worker) GrantNext(profile, name);
  }
}

// ---- steps and time ----

bool World::StepOnce() {
  for (const auto& profile : profiles_) {
    for (const auto& tab : profile->tabs) {
      if (tab->wants_worker && tab->worker == nullptr && !tab->frozen) tab->StartWorker();
    }
  }
  Vector<Host*> ready;
  for (Host* host : Hosts()) {
    if (host->HasStep()) ready.push_back(host);
  }
  const size_t count = ready.size() + network_->steps();
  if (count == 0) return false;
  mono_ += static_cast<double>(random_->Below(kStepMs));
  const size_t which = random_->Below(count);
  if (which < ready.size()) {
    ready[which]->Step();
  } else {
    network_->Step(which - ready.size());
  }
  return true;
}

double World::NextTime() {
  double next = network_->next_time();
  for (Host* host : Hosts()) next = std::min(next, host->next_timer());
  return next;
}

void World::Steps(uint64_t count) {
  for (uint64_t i = 0; i < count && problem_.empty(); ++i) {
    if (!StepOnce()) return;
  }
}

void World::Live(double ms) {
  const double end = mono_ + ms;
  for (int step = 0; step < kMaxLiveSteps && problem_.empty(); ++step) {
    if (StepOnce()) continue;
    const double next = NextTime();
    if (next > end) break;
    mono_ = std::max(mono_, next);
  }
}

void World::Pass(uint32_t a, uint32_t b) { mono_ += a % 8 == 0 ? 61'000 + b % 10'000 : b % 6'000; }

}  // namespace skerry::sim
