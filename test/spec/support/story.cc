#include "test/spec/support/story.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "doctest/doctest.h"

namespace skerry::spec {
namespace {

constexpr int kMostSteps = 10'000;
constexpr double kLongEnoughMs = 200'000;

}  // namespace

// ---- windows ----

void Window::StartWorker() {
  worker = std::make_unique<Worker>(this, &page.device(), page.name());
  for (const std::string& table : page.device().story->tables) Subscribe(table);
}

void Window::ChangeScope(const std::string& how, const std::string& table) {
  Data scope = Data::MakeObject();
  scope.Set("table", table).Set("where", Data::Array{"true"});
  Data event = NamedEvent("scopes");
  event.Set("add", Data::MakeArray()).Set("drop", Data::MakeArray());
  event.Set(how, Data::Array{scope});
  page.Deliver(std::move(event));
}

void Window::ToWorker(const Data& message) {
  if (worker != nullptr) worker->Notify(message);
}

void Window::EndWorker() {
  if (worker == nullptr) return;
  worker->End();
  page.device().FreeAll(worker.get());
  ended_.push_back(std::move(worker));
}

void Window::Crash() {
  page.End();
  EndWorker();
}

void Window::Leave() {
  page.Notify("leave");
  Crash();
}

void Window::StandStill() {
  page.StandStill();
  if (worker != nullptr) worker->StandStill();
}

void Window::GoOn() {
  page.GoOn();
  if (worker != nullptr) worker->GoOn();
}

// ---- devices ----

Window& Device::BeginWindow(const std::string& name) {
  windows.push_back(std::make_unique<Window>(this, name));
  return *windows.back();
}

Window& Device::OpenWindow(const std::string& name) {
  Window& window = BeginWindow(name);
  story->Settle();
  return window;
}

Worker& Device::StartServiceWorker() {
  services.push_back(std::make_unique<Worker>(nullptr, this, "service"));
  return *services.back();
}

std::string Device::Stored() {
  std::string text;
  for (const char* name : {"sync", "updates", "mutations", "outbox", "conflicts"}) {
    for (const auto& [key, record] : storage.store(name))
      text += std::string(name) + " " + WriteJson(key.ToData()) + EncodeData(record);
  }
  return text;
}

void Device::Broadcast(const Actor& from, const Data& message) {
  for (const auto& window : windows) {
    if (&window->page != &from) window->page.Hear(&from, message);
    if (window->worker != nullptr && window->worker.get() != &from)
      window->worker->Hear(&from, message);
  }
  for (const auto& service : services) {
    if (service.get() != &from) service->Hear(&from, message);
  }
}

void Device::Grant(const std::string& lock, Worker* worker) {
  locks[lock].holder = worker;
  worker->NotifyLock(lock, "granted");
}

void Device::Free(const std::string& lock, Worker* worker) {
  WebLock& queue = locks[lock];
  std::erase(queue.waiting, worker);
  if (queue.holder != worker) return;
  queue.holder = nullptr;
  if (queue.waiting.empty()) return;
  Worker* const next = queue.waiting.front();
  queue.waiting.pop_front();
  Grant(lock, next);
}

void Device::FreeAll(Worker* worker) {
  for (auto& [name, lock] : locks) Free(name, worker);
}

Vector<Actor*> Device::Actors() {
  Vector<Actor*> actors;
  for (const auto& window : windows) {
    actors.push_back(&window->page);
    if (window->worker != nullptr) actors.push_back(window->worker.get());
  }
  for (const auto& service : services) actors.push_back(service.get());
  return actors;
}

// ---- the story ----

Story::Story() {
  for (const TableDef& table : authority_test::WorldSchema().tables()) tables.push_back(table.name);
  AddDevice();
}

Device& Story::AddDevice() {
  devices_.push_back(std::make_unique<Device>(this));
  return *devices_.back();
}

Device& Story::CopyDevice(const Device& from) {
  Device& copy = AddDevice();
  copy.storage = from.storage;
  copy.images = from.images;
  return copy;
}

std::string Story::NextSeed() {
  std::string seed = "seed " + std::to_string(++seeds_);
  seed.resize(32, '.');
  return seed;
}

bool Story::TakeStep() {
  for (const auto& device : devices_) {
    for (const auto& window : device->windows) {
      const Page& page = window->page;
      if (page.wants_worker() && !page.has_ended() && window->worker == nullptr)
        window->StartWorker();
    }
    for (Actor* actor : device->Actors()) {
      if (actor->TakeStep()) return true;
    }
  }
  return false;
}

void Story::Settle() {
  for (int step = 0; step < kMostSteps; ++step) {
    mono_ += 1;
    server.ClockIsAtLeast(wall());
    if (!TakeStep()) return;
  }
  FAIL("the story does not come to rest");
}

void Story::Pass(double ms) {
  const double end = mono_ + ms;
  for (int step = 0; step < kMostSteps; ++step) {
    Settle();
    double next = end;
    for (const auto& device : devices_) {
      for (Actor* actor : device->Actors()) next = std::min(next, actor->next_timer());
    }
    mono_ = std::max(mono_, next);
    bool fired = false;
    for (const auto& device : devices_) {
      for (Actor* actor : device->Actors()) fired = actor->FireTimer() || fired;
    }
    if (!fired && mono_ >= end) return;
  }
  FAIL("time does not pass");
}

void Story::Sleep(double ms) { mono_ += ms; }

void Story::Converge() {
  for (const auto& device : devices_) {
    for (Actor* actor : device->Actors()) {
      actor->Release();
      actor->GoOn();
    }
  }
  Pass(kLongEnoughMs);
  const ShownRows rows = server.Rows();
  for (const auto& device : devices_) {
    CHECK_EQ(device->Count("mutations"), 0);
    CHECK_EQ(device->Count("outbox"), 0);
    for (const auto& window : device->windows) {
      if (window->page.has_ended()) continue;
      INFO("window ", window->page.name());
      CHECK_EQ(window->page.Pending(), 0);
      CHECK(window->page.Shown() == rows);
    }
  }
}

}  // namespace skerry::spec
