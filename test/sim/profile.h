// Profile: one browser profile: its simulated IndexedDB, image files, Web Locks and wall clock, and
// the windows that are open in it.
#ifndef SKERRY_TEST_SIM_PROFILE_H_
#define SKERRY_TEST_SIM_PROFILE_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/model_check/check_schema.h"
#include "test/core/sync/fake_storage.h"
#include "test/sim/releases.h"
#include "test/sim/rights.h"
#include "test/sim/window_host.h"
#include "test/sim/worker_host.h"

namespace skerry::sim {

// A window and its worker, as js/api/lifecycle.ts and js/api/worker-client.ts keep them.
struct Tab {
  Tab(World* world, Profile* profile, std::string id);

  std::string id;
  std::unique_ptr<WindowHost> window;
  std::unique_ptr<WorkerHost> worker;
  bool wants_worker = false;  // the window is ready
  bool visible = true;
  bool frozen = false;
  enum class Answer : uint8_t { kToken, kOldToken, kNoToken };
  Answer next_token = Answer::kToken;
  std::map<std::string, uint64_t> leases;  // name, epoch: as the worker reported them

  void ToWorker(const Data& message);
  void Show(bool is_visible);
  void NotifyMode();  // reports to the worker whether there is a service worker
  void FromWorker(const Data& message);
  void StartWorker();
  void EndWorker();      // at once; its locks become free
  void Leave();          // pagehide
  void ReleaseLeases();  // on pagehide and freeze: puts that read nothing before
  void AskForScopes();
  void NeedToken();  // asks the application for a token
  void GiveToken(const Data& token);

 private:
  World* world_;
  Profile* profile_;
};

struct LockQueue {
  uint64_t holder = 0;  // serial of a worker; 0: free
  std::deque<uint64_t> waiting;
};

// What a mount holds: one image, under the number of its draft.
struct Mount {
  uint64_t number = 0;
  std::string generation;
  std::map<std::string, std::string> files;
};
using Images = std::map<std::string, Mount>;  // by mount
// The image of this pointer; null: its mount holds another one, or none.
Mount* ImageOf(const Data& pointer, Images* images);
inline constexpr char kRowsFile[] = "rows";
inline constexpr char kRealmFile[] = "realm";  // the server's, of one realm

struct Profile {
  size_t index = 0;
  std::string user = Users()[0];
  sync_test::FakeStorage storage;
  Images images;
  std::map<std::string, LockQueue> locks;
  Vector<std::unique_ptr<Tab>> tabs;
  test::CheckScopes scopes;                      // of all releases
  Release release = Release::kOnly;              // of new pages
  test::CheckScopes ScopesOf(Release of) const;  // those that this release can ask for
  // The realms that the server has lost, and the keys of objects that mutations wait with for them.
  struct Waiting {
    std::set<std::string> realms;
    std::set<std::string> actions;
    std::set<std::string> touched;  // realms of these mutations
  };
  Waiting WaitingForRealms() const;
  bool KnowsAsLost(const std::string& realm) const;  // that the server has lost it
  double wall_skew = 0;
  bool online = true;
  // The service worker: its running versions, the newest last; whether it is registered; whether
  // messages do not reach it (`mute`).
  Vector<std::unique_ptr<WorkerHost>> services;
  bool registered = false;
  bool mute = false;
  // A copy for a later restore.
  struct Copy {
    sync_test::FakeStorage storage;
    Images images;
  };
  std::optional<Copy> copy;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_PROFILE_H_
