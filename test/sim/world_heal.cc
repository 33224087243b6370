// The end of a run: everything heals, and all must come to rest within a bounded number of requests
// and a bounded time (invariant 8).
#include <cmath>
#include <limits>

#include "sync/records.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kRequestsAWorker = 60;
constexpr double kRestMs = 30 * 60'000;
constexpr int kMaxSteps = 60'000;

}  // namespace

void World::Heal() {
  TraceLine("-- heal");
  random_ = std::make_unique<Random>("heal");
  network_->Heal();
  for (const auto& profile : profiles_) {
    profile->online = true;
    if (profile->tabs.empty()) OpenTab(profile.get());
    for (const auto& tab : profile->tabs) {
      Thaw(tab.get());
      tab->visible = true;
      for (Host* host :
           {static_cast<Host*>(tab->window.get()), static_cast<Host*>(tab->worker.get())}) {
        if (host == nullptr) continue;
        host->fault = StorageFault::kNone;
        host->faults_left = 0;
        host->throttled = false;
        host->deaf_until = 0;
      }
      tab->AskForScopes();
      Data online = Data::MakeObject();
      tab->ToWorker(online.Set("type", "online").Set("online", true));
      Data visible = Data::MakeObject();
      tab->ToWorker(visible.Set("type", "visible").Set("visible", true));
    }
  }
  size_t workers = 0;
  for (const auto& profile : profiles_) workers += profile->tabs.size();
  const uint64_t most = network_->requests() + kRequestsAWorker * workers;
  const double end = mono_ + kRestMs;
  bool cold = false;
  for (int step = 0; problem_.empty(); ++step) {
    if (StepOnce()) {
      if (step > kMaxSteps) return Fail("8 liveness: steps without end");
      if (network_->requests() > most) return Fail("8 liveness: too many requests: " + Unquiet());
      continue;
    }
    if (network_->quiet() && IsQuiet()) {
      if (cold) break;
      // One window more a profile: it has nothing but what is in storage.
      cold = true;
      for (const auto& profile : profiles_) AddTab(profile.get());
      continue;
    }
    const double next = NextTime();
    if (std::isinf(next)) return Fail("8 liveness: nothing more happens: " + Unquiet());
    if (next > end) return Fail("8 liveness: not at rest in time: " + Unquiet());
    mono_ = std::max(mono_, next);
  }
  if (problem_.empty()) checks_->Moment();
  if (problem_.empty()) checks_->End();
}

bool World::IsQuiet() { return Unquiet().empty(); }

// What is not at rest yet, in words.
String World::Unquiet() {
  for (const auto& profile : profiles_) {
    const String who = "profile " + ToText(static_cast<uint64_t>(profile->index)) + " ";
    const Data sync = profile->storage.Get("sync", "sync");
    if (profile->storage.Count("mutations") > 0) return who + "has mutations";
    if (profile->storage.Count("outbox") > 0) return who + "has an outbox";
    for (const auto& [realm, head] : network_->database().heads()) {
      if (head.head != CursorRevision(sync["cursors"][realm])) return who + "is behind in " + realm;
    }
    if (sync["scopes"].items().size() != profile->scopes.size()) return who + "lacks scopes";
    for (const Data& scope : sync["scopes"].items()) {
      if (!scope["filled"].as_bool()) return who + "is not filled";
    }
    for (const auto& tab : profile->tabs) {
      if (!tab->window->ready()) return who + "has a window that is not ready";
      if (tab->window->client().tab().mirror().n() != sync["n"].as_u64())
        return who + "has a window that is behind";
      if (tab->window->client().tab().mirror().pending().size() != 0)
        return who + "has a window with pending mutations";
    }
  }
  return {};
}

}  // namespace skerry::sim
