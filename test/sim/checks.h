// Checks: one object in check/ for each invariant (docs/design.md, "Invariants") that the simulator
// checks. All are notified of everything that happens. Each keeps its own records, outside of the
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
  kAfter,       // after an event or a commit: everything may have changed
  kRolledBack,  // after a rollback: queries show the same rows, possibly in other slots
  kWithin,      // a transaction is open, or storage was only read: nothing is reported
};

struct MadeMutation {
  std::string action;
  double total = 0;          // what it adds to the common counter
  bool only_leaves = false;  // all that it does is that the user leaves a realm
};

// One request to push that was committed.
struct CommittedPush {
  const Data& body;
  const Caller& author;
  const Vector<Data>& results;  // the authority's
  double at = 0;
  const std::map<std::string, uint64_t>& heads;  // in any answer before the request was sent
  const Schema& served;                          // the node's
  const Data& refused;  // before the rules were asked (Database::RefusedOf)
};

// What a client has given back to a restored server, and what became of it.
struct TakenBack {
  const Data& body;  // of the request
  const Caller& author;
  uint64_t common = 0;
  const Data& done;  // of the authority
  const Schema& served;
};

// The ids of an update's actions that undo what is not in the log, and so do nothing, by the update's
// result. Such an action is not in the log either.
std::set<std::string> VainActions(const Data& update, const Data& result);

// Whether these writes have the record by which a window gives up all images.
bool GivesUpImages(const Data& writes);

// The callbacks of a check. A check that finds its invariant broken calls Fail.
class Check {
 public:
  explicit Check(World* world) : world_(world) {}
  virtual ~Check() = default;

  // Began: a window was made, and nothing has happened in it yet. Drained: it was drained
  // (docs/window.md, rule 1).
  virtual void Began(WindowHost& /*window*/) {}
  virtual void Drained(WindowHost& /*window*/, const Data& /*drained*/, Drain /*when*/) {}
  // Made: a window has accepted a mutation. Settled: a promise of it was settled; `code` is empty
  // if it was resolved.
  virtual void Made(const MadeMutation& /*made*/) {}
  virtual void Settled(WindowHost& /*window*/, const std::string& /*action*/,
                       const std::string& /*stage*/, const std::string& /*code*/) {}
  // Writing: inside a transaction, before it is stored. Stored: after it was stored.
  virtual void Writing(Host& /*host*/, const Data& /*writes*/) {}
  virtual void Stored(Host& /*host*/, const Data& /*writes*/, const Data& /*keys*/) {}
  // A worker sends a push; a worker opens its socket.
  virtual void Sending(WorkerHost& /*worker*/, const Data& /*push*/) {}
  virtual void Listening(WorkerHost& /*worker*/) {}
  virtual void Committed(const CommittedPush& /*push*/) {}
  virtual void TakenBack(const sim::TakenBack& /*taken*/) {}
  virtual void CommittedAll(const Database& /*database*/) {}
  // Restored: a profile was replaced by an older copy. Copied: it was made from a copy.
  virtual void Restored(const Profile& /*profile*/, const Profile& /*before*/) {}
  virtual void Copied(const Profile& /*profile*/, const Profile& /*of*/) {}
  // A pull has arrived at the server, which answers it now. Answering: with this answer.
  virtual void Pulling(const Profile& /*profile*/, const Data& /*request*/) {}
  virtual void Answering(const Caller& /*caller*/, const Data& /*request*/,
                         const std::string& /*answer*/) {}
  // The server was restored from a backup. `before`: its state before that.
  virtual void ServerRestored(const Database& /*before*/) {}
  // `code`: of the entry.
  virtual void Resolved(const std::string& /*action*/, bool /*retry*/,
                        const std::string& /*code*/) {}
  // Moment: now and then. End: when all faults are over and all is quiet.
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
  void Made(const MadeMutation& made);
  void Settled(WindowHost& window, const std::string& action, const std::string& stage,
               const std::string& code);
  void Writing(Host& host, const Data& writes);
  void Stored(Host& host, const Data& writes, const Data& keys);
  void Sending(WorkerHost& worker, const Data& push);
  void Listening(WorkerHost& worker);
  void Committed(const CommittedPush& push);
  void TakenBack(const sim::TakenBack& taken);
  // A newer schema was deployed, and these rows were logged as changed.
  void Deployed(const Database& database, const Vector<Database::Corrected>& corrected);
  void CommittedAll(const Database& database);
  void Answered(const std::string& body);
  void Restored(const Profile& profile, const Profile& before);
  void Copied(const Profile& profile, const Profile& of);
  void Pulling(const Profile& profile, const Data& request);
  void Answering(const Caller& caller, const Data& request, const std::string& answer);
  void ServerRestored(const Database& before, test::naive::Server naive);
  void Resolved(const std::string& action, bool retry, const std::string& code);
  void Moment();
  void End();

  // The naive server, which gets every push in the order of the commits.
  test::naive::Server& naive() { return naive_; }
  Folds& folds() { return *folds_; }
  // What the naive server lets the profile's user do now, by realm.
  test::naive::Rights RightsOf(const Profile& profile) const;
  // Whether these cursors belong to the present history of the server.
  bool IsInHistory(const Data& cursors) const;
  // When a newer schema is deployed, the server logs rows as changed, with a `before` that leaves
  // props out. So the rows before that entry are not known exactly. Whether these cursors are at or
  // after it.
  bool IsCorrected(const Data& cursors) const;
  // The highest revision of every realm in any answer to a push.
  const std::map<std::string, uint64_t>& AnsweredHeads() const { return answered_; }

 private:
  World* world_;
  Vector<std::unique_ptr<Check>> all_;
  Folds* folds_ = nullptr;
  test::naive::Server naive_;
  std::map<std::string, uint64_t> answered_;
  std::map<std::string, uint64_t> corrected_;  // by realm: the revision of the last such entry
};

// The checks of check/, with their numbers in docs/design.md, "Invariants".
std::unique_ptr<Check> MakeDurableCheck(World* world);      // 1
std::unique_ptr<Check> MakeOnceCheck(World* world);         // 2
std::unique_ptr<Check> MakeOrderCheck(World* world);        // 3
std::unique_ptr<Check> MakeConvergenceCheck(World* world);  // 4
std::unique_ptr<Check> MakeRebaseCheck(World* world);       // 5
std::unique_ptr<Check> MakeFlickerCheck(World* world);      // 6
std::unique_ptr<Check> MakeFenceCheck(World* world);        // 7
std::unique_ptr<Check> MakeIsolationCheck(World* world);    // 9
std::unique_ptr<Check> MakeReductionCheck(World* world);    // 10
std::unique_ptr<Check> MakeSerialCheck(World* world);       // 13
std::unique_ptr<Check> MakeBoundedCheck(World* world);      // 14
std::unique_ptr<Check> MakeToldCheck(World* world);         // 16
std::unique_ptr<Check> MakeOverwrittenCheck(World* world);  // 16
std::unique_ptr<Check> MakeHeldCheck(World* world);         // 17
std::unique_ptr<Check> MakeLostCheck(World* world);
std::unique_ptr<Check> MakeAppendedCheck(World* world);
std::unique_ptr<Check> MakeGivenBackCheck(World* world);
std::unique_ptr<Check> MakeStreamsCheck(World* world);
// The rules of docs/schema-changes.md for several releases.
std::unique_ptr<Check> MakeDefaultsCheck(World* world);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_CHECKS_H_
