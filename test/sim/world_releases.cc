// The releases of nodes and pages.
#include "test/sim/world.h"

namespace skerry::sim {

bool World::ApplyReleases(const Event& event) {
  if (event.kind != Kind::kDeployNode && event.kind != Kind::kDeployPages) return false;
  if (!has_releases()) return true;  // a script that was edited by hand
  if (event.kind == Kind::kDeployNode) {
    network_->Deploy(event.a, releases_[event.b % 2]);
    return true;
  }
  Happened(event.kind);
  Profile& profile = AnyProfile(event.a);
  profile.release = releases_[event.b % 2];
  return true;
}

// If the newer release has opened a profile, starts it, and ends the older one there: the older one
// makes no images of the newer rows, drops no scopes, and does not push unknown mutations.
void World::BringUpToDate(Profile* profile) {
  const Data sync = profile->storage.Get("sync", "sync");
  const Release release = ReleaseOf(has_releases(), sync["schema"].as_u64());
  if (sync.is_object()) profile->release = release;
  for (size_t i = 0; i < profile->services.size();) {
    if (profile->services[i]->release() == profile->release) {
      ++i;
    } else {
      StopServices(profile, i + 1);
      i = 0;
    }
  }
  for (size_t i = profile->tabs.size(); i > 0; --i) {
    if (profile->tabs[i - 1]->window->release() != profile->release)
      CloseTab(profile, i - 1, false);
  }
  if (!network_->IsServed(profile->release)) network_->Deploy(0, profile->release);
}

}  // namespace skerry::sim
