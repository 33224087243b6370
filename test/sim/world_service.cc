// Starts, stops and updates of a profile's service worker.
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr size_t kMaxVersions = 2;

}  // namespace

void World::StartService(Profile* profile) {
  Count("service: started");
  const uint64_t serial = NextSerial();
  profile->services.push_back(
      std::make_unique<WorkerHost>(this, profile, "service-" + std::to_string(serial), serial,
                                   profile->release, true, Mode::kService));
}

// Stops the oldest versions first.
void World::StopServices(Profile* profile, size_t most) {
  for (; most > 0 && !profile->services.empty(); --most) {
    const uint64_t serial = profile->services.front()->serial();
    profile->services.erase(profile->services.begin());
    network_->Forget(serial);
    FreeLocks(profile, serial);
  }
}

void World::Register(Profile* profile, bool registered) {
  if (profile->registered == registered) return;
  profile->registered = registered;
  for (const auto& tab : profile->tabs) {
    if (!tab->frozen) tab->NotifyMode();
  }
}

bool World::ApplyService(const Event& event) {
  Profile& profile = AnyProfile(event.a);
  switch (event.kind) {
    case Kind::kStopService:
      if (profile.services.empty()) return true;
      Happened(event.kind);
      StopServices(&profile, 1);
      return true;
    case Kind::kMuteService:
      if (profile.mute) return true;
      Happened(event.kind);
      profile.mute = true;
      for (const auto& service : profile.services) service->stalled = event.b % 2 == 0;
      return true;
    case Kind::kUnmuteService:
      profile.mute = false;
      for (const auto& service : profile.services) service->stalled = false;
      return true;
    case Kind::kUpdateService:
      if (profile.services.empty() || profile.services.size() >= kMaxVersions) return true;
      Happened(event.kind);
      StartService(&profile);
      return true;
    case Kind::kUnregister:
      if (!profile.registered) return true;
      Happened(event.kind);
      StopServices(&profile, profile.services.size());
      Register(&profile, false);
      return true;
    case Kind::kRegister:
      Register(&profile, true);
      return true;
    case Kind::kSyncEvent: {
      Data wake = Data::MakeObject();
      WakeService(&profile, wake.Set("type", "wake").Set("reason", "sync"));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace skerry::sim
