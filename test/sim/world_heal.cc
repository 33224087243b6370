// The end of a run: all faults end. Then all must come to rest within a bounded time and a bounded
// number of requests. After that, a change by a user must be pushed within the lease's timeout and
// one round trip (invariant 8).
#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/limits.h"
#include "log/image.h"
#include "sync/image_job.h"
#include "sync/records.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kRequestsAWorker = 60;
constexpr double kRestMs = 30 * 60'000;
constexpr double kHealMs = 150'000;  // less than the pause of an idle worker with a socket
constexpr double kPushMs = 5'000 + 1'000;
constexpr double kServiceMs = 20'000;  // until windows give up a service worker without answers
constexpr int kMaxSteps = 60'000;

// The ids of mutations, with their keys.
std::string NamesOf(const PendingList& pending) {
  std::string names;
  for (const Pending* each : pending.InOrder())
    names += ' ' + each->mutation.action.id + " (" + std::to_string(each->key) + ')';
  return names;
}

}  // namespace

void World::EndFaults(Tab* tab) {
  Thaw(tab);
  for (Host* host :
       {static_cast<Host*>(tab->window.get()), static_cast<Host*>(tab->worker.get())}) {
    if (host == nullptr) continue;
    host->fault = StorageFault::kNone;
    host->faults_left = 0;
    host->throttled = false;
    host->deaf_until = 0;
  }
  tab->next_token = Tab::Answer::kToken;
  if (Has(Part::kTokens)) tab->GiveToken(network_->token());
  tab->AskForScopes();
  Data online = Data::MakeObject();
  tab->ToWorker(online.Set("type", "online").Set("online", true));
  tab->Show(true);
}

void World::Heal() {
  TraceLine("-- heal");
  random_ = std::make_unique<Random>("heal");
  is_healing_ = true;
  network_->Heal();
  for (const auto& profile : profiles_) {
    profile->online = true;
    // Half of the service workers stay mute and never answer: their windows must work without them.
    if (profile->mute && profile->index % 2 == 0) profile->mute = false;
    for (const auto& service : profile->services) service->stalled = profile->mute;
    if (has_releases()) BringUpToDate(profile.get());
    if (profile->tabs.empty()) OpenTab(profile.get());
    for (const auto& tab : profile->tabs) EndFaults(tab.get());
    for (const auto& tab : profile->tabs) tab->window->MendAll();
  }
  // The restarts of a deployment are faults as well: each costs a client a pause.
  network_->EndDeployment();
  pushed_by_ = mono_ + kHealMs;
  Rest();
  // Opens one more window in each profile: it has only what is in storage.
  if (problem_.empty()) OpenCold();
  if (problem_.empty()) Rest();
  if (problem_.empty()) MutateOnceMore();
  if (problem_.empty()) Rest();
  if (problem_.empty()) checks_->Moment();
  if (problem_.empty()) checks_->End();
}

void World::OpenCold() {
  has_cold_windows_ = true;
  for (const auto& profile : profiles_) AddTab(profile.get());
}

void World::Rest() {
  size_t workers = 0;
  for (const auto& profile : profiles_) workers += profile->tabs.size();
  const uint64_t most = network_->requests() + kRequestsAWorker * workers;
  const double end = mono_ + kRestMs;
  for (int step = 0; problem_.empty(); ++step) {
    if (StepOnce()) {
      if (step > kMaxSteps) return Fail("8 liveness: steps without end");
      if (network_->requests() > most) return Fail("8 liveness: too many requests: " + Unquiet());
      continue;
    }
    if (network_->quiet() && IsQuiet()) return;
    const double next = NextTime();
    if (std::isinf(next)) return Fail("8 liveness: nothing more happens: " + Unquiet());
    if (next > end) return Fail("8 liveness: not at rest in time: " + Unquiet());
    if (next > pushed_by_ && !IsPushed()) return Fail("8 liveness: not pushed in time");
    if (next > pushed_by_ && network_->pokes().has_silent())
      return Fail("8 liveness: a silent socket is not replaced in time");
    mono_ = std::max(mono_, next);
  }
}

// Makes one change, or more, in all profiles at once.
void World::MutateOnceMore() {
  TraceLine("-- once more");
  // If an update holds only one mutation: more mutations than the outbox takes at once.
  const bool many = mutations_per_update() == 1;
  const int count = many ? 2 * kMaxOutboxUpdates + 1 : 1;
  for (const auto& profile : profiles_) {
    for (int i = 0; i < count; ++i)
      profile->tabs[0]->window->Mutate(static_cast<uint32_t>(NextSerial()), 0);
  }
  pushed_by_ = mono_ + kPushMs;
  for (const auto& profile : profiles_) {
    if (profile->mute) pushed_by_ = mono_ + kPushMs + kServiceMs;
  }
}

// Whether every pending mutation is in the log. A rejected one is not pending: it is in the inbox.
bool World::IsPushed() {
  for (const auto& profile : profiles_) {
    const Profile::Waiting waiting = profile->WaitingForRealms();
    for (const auto& [key, record] : profile->storage.store("mutations")) {
      const std::string& action = record["id"].as_string();
      if (!network_->database().HasAction(action) && !waiting.actions.contains(action)) {
        TraceLine("-- not pushed: " + WriteJson(record));
        return false;
      }
    }
  }
  return true;
}

bool World::IsQuiet() { return Unquiet().empty(); }

// Describes something that is not at rest yet; empty: all is quiet. A damaged image may block
// compaction until the next window starts, so compaction must be done only after OpenCold
// (`has_cold_windows_`).
std::string World::Unquiet() {
  // Only its worker can find out. (MutateOnceMore allows no time for it, and comes later.)
  if (network_->pokes().has_silent()) return "a socket is silent";
  for (const auto& profile : profiles_) {
    const std::string who =
        "profile " + std::to_string(static_cast<uint64_t>(profile->index)) + " ";
    const Data sync = profile->storage.Get("sync", "sync");
    const Profile::Waiting waiting = profile->WaitingForRealms();
    if (profile->storage.Count("mutations") > waiting.actions.size()) return who + "has mutations";
    if (profile->storage.Count("outbox") > 0) return who + "has an outbox";
    const auto readable = network_->database().ReadableBy(network_->CallerOf(*profile));
    for (const auto& [realm, head] : network_->database().heads()) {
      const bool is_wanted = readable.contains(realm) && !waiting.realms.contains(realm);
      const Data* cursor = sync["cursors"].Find(realm);
      if (is_wanted != (cursor != nullptr))
        return who + "has not the realms of its rights: " + realm;
      if (is_wanted && cursor->as_string() != MakeCursor(head.head, head.at))
        return who + "is behind in " + realm + ": at " + cursor->as_string() + ", which is at " +
               MakeCursor(head.head, head.at);
    }
    for (const Data& realm : sync["refill"].items()) {
      if (!waiting.realms.contains(realm.as_string())) return who + "has a realm to read again";
    }
    if (sync["scopes"].items().size() != profile->ScopesOf(profile->release).size())
      return who + "has missing scopes";
    for (const Data& scope : sync["scopes"].items()) {
      if (!scope["filled"].as_bool()) return who + "is not filled";
    }
    for (const Data& stream : sync["streams"].items()) {
      for (const auto& [realm, filled] : stream["behind"].members()) {
        if (!waiting.realms.contains(realm))
          return who + "is behind in the stream " + stream["stream"].as_string() + " of " + realm;
      }
    }
    if (Has(Part::kStreams) && sync["streams"].items().empty()) return who + "has no streams";
    if (has_cold_windows_ && sync["n"].as_u64() - sync["image"]["n"].as_u64() >= kRecordsToCompact)
      return who + "has records to compact";
    if (has_cold_windows_ && HoldsRevoked(SyncRecord::Read(sync)))
      return who + "has rows of a revoked realm";
    if (has_cold_windows_ && sync["leftover"].as_bool())
      return who + "has an image that was given up";
    for (const auto& tab : profile->tabs) {
      if (!tab->window->ready()) return who + "has a window that is not ready";
      if (tab->window->client().tab().mirror().n() != sync["n"].as_u64())
        return who + "has a window that is behind";
      if (tab->window->client().tab().mirror().pending().size() != waiting.actions.size())
        return who + "has the window " + tab->id +
               " with pending mutations:" + NamesOf(tab->window->client().tab().mirror().pending());
    }
  }
  return {};
}

}  // namespace skerry::sim
