// World: the whole state of one run: profiles with their windows and workers, the network, the
// server's nodes and database, and time. It executes one event after the other. Then it ends all
// faults, waits until all is quiet, and runs the checks on the result. It depends only on its
// script.
#ifndef SKERRY_TEST_SIM_WORLD_H_
#define SKERRY_TEST_SIM_WORLD_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/vector.h"
#include "test/sim/checks.h"
#include "test/sim/event.h"
#include "test/sim/network.h"
#include "test/sim/profile.h"
#include "test/sim/releases.h"
#include "test/sim/rights.h"

namespace skerry::sim {

using Counts = std::map<std::string, uint64_t>;

class World {
 public:
  World(const Script& script, bool prints);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  void Run();
  const std::string& problem() const { return problem_; }  // empty: none
  uint64_t hash() const { return hash_; }                  // of the trace
  const Counts& counts() const { return counts_; }

  // ---- for hosts and checks
  double mono() const { return mono_; }
  double Wall(const Profile& profile) const { return mono_ + profile.wall_skew; }
  Random& random() { return *random_; }
  Checks& checks() { return *checks_; }
  Network& network() { return *network_; }
  const Vector<std::unique_ptr<Profile>>& profiles() const { return profiles_; }
  double moves() const { return moves_; }
  uint64_t pull_limit() const { return pull_limit_; }
  // 0: the production's own limit
  uint64_t mutations_per_update() const { return script_.setup % 4 == 1 ? 1 : 0; }
  // Whether the server asks the rule of the application (app_rule.h).
  bool has_app_rule() const { return script_.setup / 4 % 2 == 0; }
  // The schema of a release, as its application describes it. The windows of one of two releases, or of
  // both, may have rules (window_rules.h).
  Data DescriptionFor(Release release) const;
  bool is_healing() const { return is_healing_; }
  bool locks() const { return locks_; }
  bool keeps_token() const { return keeps_token_; }
  bool Has(Part part) const { return (script_.parts & static_cast<uint64_t>(part)) != 0; }
  bool has_rights() const { return Has(Part::kRights); }
  const test::naive::Names& realms() const { return RealmsOf(has_rights()); }
  bool has_releases() const { return Has(Part::kReleases); }
  const Vector<Release>& releases() const { return releases_; }  // the oldest first
  uint64_t NextSerial() { return ++serial_; }

  void Fail(const std::string& problem);
  void Count(const std::string& what) { ++counts_[what]; }
  void Happened(Kind kind) { Count(std::string("fault: ") + InfoOf(kind).name); }
  void Trace(const Host& host, std::string_view what, std::string_view more);
  void TraceServer(std::string_view what, size_t node, std::string_view more);

  Tab& TabOf(Host& host);
  WorkerHost* FindWorker(uint64_t serial);  // null: it has ended
  WindowHost* FindWindow(uint64_t serial);  // the same of a window
  void Broadcast(Host& from, const Data& message);
  // Sends a window's message to the service worker, which is started if none runs.
  void WakeService(Profile* profile, const Data& message);
  void Grant(Profile* profile, const std::string& lock, uint64_t worker);
  void GrantNext(Profile* profile, const std::string& lock);
  void FreeLocks(Profile* profile, uint64_t worker);
  void NotifyLock(uint64_t worker, const std::string& lock, std::string_view state);

 private:
  void TraceLine(const std::string& line);
  Vector<Host*> Hosts();
  bool StepOnce();
  double NextTime();
  void Steps(uint64_t count);
  void Pass(uint32_t a, uint32_t b);
  void Live(double ms);

  // world_events.cc: executes an event.
  void Apply(const Event& event);
  bool ApplyPage(const Event& event);
  bool ApplyCrash(const Event& event);
  bool ApplyServer(const Event& event);
  bool ApplyStorage(const Event& event);
  bool ApplyProfile(const Event& event);
  bool ApplyReleases(const Event& event);
  bool ApplyService(const Event& event);
  Profile& AnyProfile(uint32_t which) { return *profiles_[which % profiles_.size()]; }
  Tab* AnyTab(uint32_t which);
  void OpenTab(Profile* profile);  // does nothing if many are open
  void AddTab(Profile* profile);
  void CloseTab(Profile* profile, size_t which, bool crash);
  void Freeze(Tab* tab, const Event& event);
  void Thaw(Tab* tab);
  void Resolve(Tab* tab, uint32_t which);
  void Scopes(Tab* tab, uint32_t which);
  void StartService(Profile* profile);
  void StopServices(Profile* profile, size_t most);
  void Register(Profile* profile, bool registered);
  void Restore(Profile* profile);
  void Clone(Profile* profile);

  // world_heal.cc
  void Heal();
  void BringUpToDate(Profile* profile);
  void EndFaults(Tab* tab);
  void OpenCold();
  void Rest();
  void MutateOnceMore();
  bool IsPushed();
  bool IsQuiet();
  std::string Unquiet();

  const Script& script_;
  Vector<Release> releases_;
  bool prints_;
  double mono_ = 1'000'000;
  uint64_t serial_ = 0;
  uint64_t hash_ = 0;
  std::string problem_;
  Counts counts_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<Checks> checks_;
  std::unique_ptr<Network> network_;
  Vector<std::unique_ptr<Profile>> profiles_;
  bool has_cold_windows_ = false;  // OpenCold has opened the last windows
  double pushed_by_ = std::numeric_limits<double>::infinity();
  double moves_ = 0;
  uint64_t pull_limit_ = 10'000;
  bool locks_ = true;
  bool keeps_token_ = true;
  bool is_healing_ = false;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_WORLD_H_
