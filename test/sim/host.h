// Host does for a core what js/host/effect-runner.ts does, in steps that the world takes one at a
// time. Events and messages are handled one by one. Transactions run one after the other; each is
// stored in one step and reported to the core in a later one, so that a crash, a freeze or a step
// of another core may come between.
#ifndef SKERRY_TEST_SIM_HOST_H_
#define SKERRY_TEST_SIM_HOST_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/data.h"
#include "test/core/sync/fake_storage.h"
#include "test/sim/releases.h"

namespace skerry::sim {

class World;
struct Profile;

// The fault of a host's next transaction.
enum class StorageFault : uint8_t { kNone, kQuota, kError, kLostCompletion };

class Host : public sync_test::TransactionCaller {
 public:
  Host(World* world, Profile* profile, std::string tab, uint64_t serial, Release release);
  ~Host() override = default;

  Data Call(Data event) final;  // inside a transaction: `read`

  void Deliver(Data event) { inbox_.push_back(std::move(event)); }
  // Events of this type that were delivered, and not yet handled, are never handled.
  void Withdraw(const char* type) {
    std::erase_if(inbox_, [type](const Data& event) { return event["type"].Is(type); });
  }
  void Hear(uint64_t sender, const Data& message);  // from the channel
  bool ReorderChannel();                            // false: there is nothing to reorder
  bool HasStep() const;
  void Step();
  double next_timer() const;
  // Reports all outstanding transactions as failed, and forgets messages: the page is frozen.
  void FailOutstanding();

  Profile& profile() { return *profile_; }
  const std::string& tab() const { return tab_; }
  uint64_t serial() const { return serial_; }
  Release release() const { return release_; }  // of its application
  const Schema& schema() const { return SchemaOf(release_); }
  virtual bool is_window() const = 0;

  StorageFault fault = StorageFault::kNone;
  int faults_left = 0;
  bool stalled = false;
  bool throttled = false;
  double deaf_until = 0;  // until then, messages of the channel wait

 protected:
  virtual Data Handle(Data event) = 0;
  virtual void ExecuteSpecial(const Data& effect) = 0;
  virtual void AfterEffects() {}  // of one event
  virtual void Post(const Data& message) = 0;
  virtual bool HasWork() const { return false; }  // a step beside the common ones
  virtual void Work() {}

  Data Timed(Data event) const;
  void Execute(const Data& effects);

  World* world_;

 private:
  double Due(double at) const;
  bool FireTimer();
  void RunTransaction();

  Profile* profile_;
  std::string tab_;
  uint64_t serial_;
  Release release_;
  std::deque<Data> inbox_;
  std::deque<std::pair<uint64_t, Data>> channel_;  // sender, message
  std::deque<Data> queue_;                         // transactions
  std::optional<Data> outcome_;                    // the first one's outcome, not handled yet
  Data writes_;
  std::map<std::string, double> timers_;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_HOST_H_
