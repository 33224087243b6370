// Checks: one object for each of the invariants (docs/design.md, "Invariants") that the simulator
// checks, in check/, told of everything that happens. Each keeps what it needs outside of the
// production's storage.
#ifndef SKERRY_TEST_SIM_CHECKS_H_
#define SKERRY_TEST_SIM_CHECKS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/model_check/naive_model.h"
#include "test/sim/database.h"

namespace skerry::sim {

class Folds;
class Host;
class WindowHost;
class WorkerHost;
class World;
struct Profile;

// When a window was drained.
enum class Drain : uint8_t {
  kAfter,       // of an event, or of a commit: all may be another
  kRolledBack,  // what is shown is what it was, though rows may have other slots
  kWithin,      // a transaction is open, or storage was only read: nothing is told
};

// What one invariant may want to hear. A check that finds it broken calls Fail.
class Check {
 public:
  explicit Check(World* world) : world_(world) {}
  virtual ~Check() = default;

  // A window exists, and nothing has happened in it yet; it was drained (docs/window.md, rule 1).
  virtual void Began(WindowHost& /*window*/) {}
  virtual void Drained(WindowHost& /*window*/, const Data& /*drained*/, Drain /*when*/) {}
  // A window has taken a mutation, which adds `total` to the common counter; a promise of it was
  // settled (`code` empty: well).
  virtual void Made(WindowHost& /*window*/, const std::string& /*action*/, double /*total*/) {}
  virtual void Settled(WindowHost& /*window*/, const std::string& /*action*/,
                       const std::string& /*stage*/, const std::string& /*code*/) {}
  // Inside of a transaction, before it is stored; and after.
  virtual void Writing(Host& /*host*/, const Data& /*writes*/) {}
  virtual void Stored(Host& /*host*/, const Data& /*writes*/, const Data& /*keys*/) {}
  // A worker sends a push; a worker opens its socket.
  virtual void Sending(WorkerHost& /*worker*/, const Data& /*push*/) {}
  virtual void Listening(WorkerHost& /*worker*/) {}
  // One request has been committed: `results` are the authority's; `heads`: what was answered to
  // anybody before it was sent; `served`: the node's schema.
  virtual void Committed(const Data& /*body*/, const Vector<Data>& /*results*/, double /*at*/,
                         const std::map<std::string, uint64_t>& /*heads*/,
                         const Schema& /*served*/) {}
  virtual void CommittedAll(const Database& /*database*/) {}
  // A profile was replaced by an older copy, or began as one.
  virtual void Restored(const Profile& /*profile*/, const Profile& /*before*/) {}
  virtual void Copied(const Profile& /*profile*/, const Profile& /*of*/) {}
  // A pull arrives at the server, which answers it now.
  virtual void Pulling(const Profile& /*profile*/, const Data& /*request*/) {}
  // The server was restored from a backup; `before`: what it was.
  virtual void ServerRestored(const Database& /*before*/) {}
  virtual void Resolved(const std::string& /*action*/, bool /*retry*/) {}
  // Now and then; and when all is healed and quiet.
  virtual void Moment() {}
  virtual void End() {}

 protected:
  void Fail(const std::string& problem);
  World* world_;
};

class Checks {
 public:
  explicit Checks(World* world);
  ~Checks();

  void Began(WindowHost& window);
  void Drained(WindowHost& window, const Data& drained, Drain when);
  void Made(WindowHost& window, const std::string& action, double total);
  void Settled(WindowHost& window, const std::string& action, const std::string& stage,
               const std::string& code);
  void Writing(Host& host, const Data& writes);
  void Stored(Host& host, const Data& writes, const Data& keys);
  void Sending(WorkerHost& worker, const Data& push);
  void Listening(WorkerHost& worker);
  void Committed(const Data& body, const Vector<Data>& results, double at,
                 const std::map<std::string, uint64_t>& heads, const Schema& served);
  // A newer schema rules; rows were logged as changed.
  void Deployed(const Database& database, const Vector<Database::Corrected>& corrected);
  void CommittedAll(const Database& database);
  void Answered(const std::string& body);
  void Restored(const Profile& profile, const Profile& before);
  void Copied(const Profile& profile, const Profile& of);
  void Pulling(const Profile& profile, const Data& request);
  void ServerRestored(const Database& before, test::naive::Server naive);
  void Resolved(const std::string& action, bool retry);
  void Moment();
  void End();

  // The naive server, which is told of every push in the order of the commits.
  test::naive::Server& naive() { return naive_; }
  Folds& folds() { return *folds_; }
  // Do these cursors belong to the history that the server has now?
  bool IsInHistory(const Data& cursors) const;
  // What the server logged as changed when a newer schema came is known only after that entry: of
  // the states before it says no more what the rows held. Are these cursors past it?
  bool IsCorrected(const Data& cursors) const;
  // Of every realm the highest revision that a push was answered with.
  const std::map<std::string, uint64_t>& AnsweredHeads() const { return answered_; }

 private:
  Vector<std::unique_ptr<Check>> all_;
  Folds* folds_ = nullptr;
  test::naive::Server naive_;
  std::map<std::string, uint64_t> answered_;
  std::map<std::string, uint64_t> corrected_;  // by realm: the revision of the last such entry
};

// In check/, by their numbers in docs/design.md, "Invariants".
std::unique_ptr<Check> MakeDurableCheck(World* world);      // 1
std::unique_ptr<Check> MakeOnceCheck(World* world);         // 2
std::unique_ptr<Check> MakeOrderCheck(World* world);        // 3
std::unique_ptr<Check> MakeConvergenceCheck(World* world);  // 4
std::unique_ptr<Check> MakeRebaseCheck(World* world);       // 5
std::unique_ptr<Check> MakeFlickerCheck(World* world);      // 6
std::unique_ptr<Check> MakeFenceCheck(World* world);        // 7
std::unique_ptr<Check> MakeReductionCheck(World* world);    // 10
std::unique_ptr<Check> MakeSerialCheck(World* world);       // 13
std::unique_ptr<Check> MakeBoundedCheck(World* world);      // 14
// And what docs/schema-changes.md says of several releases.
std::unique_ptr<Check> MakeDefaultsCheck(World* world);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_CHECKS_H_
