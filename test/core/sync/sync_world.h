// SyncWorld: several sync workers of one client over one FakeStorage, with Web Locks, a channel,
// timers and a SyncServer, in virtual time. Each worker's host runs its transactions one after
// the other, as js/host does. Everything is deterministic. Tests crash, freeze and delay any part.
#ifndef SKERRY_TEST_CORE_SYNC_SYNC_WORLD_H_
#define SKERRY_TEST_CORE_SYNC_SYNC_WORLD_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/base.h"
#include "sync/sync_worker.h"
#include "test/core/sync/fake_storage.h"
#include "test/core/sync/sync_server.h"

namespace skerry::sync_test {

class SyncWorld;

// One window's worker and its host.
class SyncHost final : public TransactionCaller {
 public:
  SyncHost(SyncWorld* world, size_t index, std::string tab);
  Data Call(Data event) override;  // adds the clocks; returns the effects

  void Deliver(Data event) { inbox_.push_back(std::move(event)); }
  void Post(Data message);       // a message of the window
  void PostFirst(Data message);  // one that comes before the events that wait
  // Handles one event or runs one transaction; false if there is none.
  bool StepOnce();
  bool HasStep() const {
    return alive && !frozen && (!inbox_.empty() || (!running_ && !queue_.empty()));
  }
  // Fires the next timer if it is due.
  bool FireTimers();
  double next_timer() const;
  void Crash();  // ends the worker; its locks are released
  void ForgetMessages() { inbox_.clear(); }
  void Listens();  // the server listens to the hello on the socket

  bool alive = true;
  bool frozen = false;
  double wall_skew = 0;
  std::string tab;
  Data status;
  Vector<std::string> phases;  // of `status`, without repetitions
  Vector<Data> posts;          // messages to the window
  Vector<Data> image_jobs;     // {id, job}
  Vector<std::string> socket;  // actions
  Vector<std::string> sent_texts;
  Vector<double> pull_times;  // monotonic
  Vector<double> push_times;
  Vector<std::string> token_whys;
  Vector<Data> wakes;  // messages for the service worker

 private:
  friend class SyncWorld;
  void Execute(const Data& effects);
  void Fetch(const Data& effect);
  void Get(const Data& effect);
  void Lock(const Data& effect);

  SyncWorld* world_;
  size_t index_;
  std::unique_ptr<SyncWorker> worker_;
  std::deque<Data> inbox_;
  std::deque<Data> queue_;  // transactions
  bool running_ = false;    // a transaction's outcome has not been handled yet
  std::map<std::string, double> timers_;
};

// A response of the network in place of the server's.
Data Scripted(double status, std::string_view body, std::string_view type = "application/json");

// What happens to the next requests.
struct Network {
  bool down = false;
  int lose_requests = 0;
  int lose_answers = 0;
  int lose_push_requests = 0;
  int lose_push_answers = 0;
  bool hold_answers = false;  // answers wait in SyncWorld::held
  std::deque<Data> scripted;  // responses in place of the server's, in order
};

class SyncWorld {
 public:
  explicit SyncWorld(bool locks = true) : locks_(locks) {}

  // Adds a window; its worker starts.
  SyncHost& Open(bool visible = true, Data extra = Data::MakeObject());
  // Adds a service worker, which helpers wake from then on.
  SyncHost& OpenService(Data extra = Data::MakeObject());
  int service = -1;  // its index; -1: there is none
  SyncHost& host(size_t i) { return *hosts_[i]; }
  size_t size() const { return hosts_.size(); }

  // Logs a mutation, as a window does; returns the action's id.
  std::string Log(const Vector<Op>& ops);
  // Logs a mutation, and wakes that window's worker and the other workers.
  std::string Mutate(const Vector<Op>& ops, size_t window = 0);
  // Runs all steps that can run before time passes.
  void Settle();
  // Lets time pass: timers fire when they are due.
  void Run(double ms);
  void Broadcast(size_t from, const Data& message);
  // Delivers the held answers.
  void Release();

  // An empty base with all records of storage folded into it.
  std::unique_ptr<Base> Fold() const;
  // Whether Fold() equals the server's rows (of readable realms).
  bool Converged();
  Data sync() const { return storage.Get("sync", "sync"); }
  Data lease(const std::string& name = "push") const { return storage.Get("sync", name); }

  FakeStorage storage;
  SyncServer server;
  Network network;
  std::deque<std::pair<size_t, Data>> held;
  Vector<Data> messages;  // of the channel
  Vector<std::string> push_bodies;
  Vector<std::string> paths;  // of GET requests
  Vector<std::string> pull_bodies;
  std::map<uint64_t, std::string> claims;  // epoch -> owner, as written by claims
  double mono = 0;
  Data token = "token";  // the answer to needToken
  bool answers_token = true;

  struct LockQueue {
    int holder = -1;
    std::deque<size_t> waiting;
  };
  std::map<std::string, LockQueue> lock_queues;
  int refused_steals = 0;  // so many steals are not answered, as by a faulty engine
  bool damaged = false;    // another script writes into storage, into leases, too
  void GrantNext(const std::string& name);
  void FreeLocks(size_t index);

 private:
  SyncHost& Add(bool visible, const Data& extra);

  bool locks_;
  uint64_t serial_ = 0;
  Vector<std::unique_ptr<SyncHost>> hosts_;
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_SYNC_WORLD_H_
