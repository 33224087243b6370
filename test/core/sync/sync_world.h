// SyncWorld: several sync workers of one client over one FakeStorage, with Web Locks, a channel,
// timers and a NaiveServer, in virtual time. Each worker's host runs its transactions one after
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
#include "test/core/sync/naive_server.h"

namespace skerry::sync_test {

class SyncWorld;

// One window's worker and its host.
class SyncHost final : public TransactionCaller {
 public:
  SyncHost(SyncWorld* world, size_t index, std::string tab);
  Data Call(Data event) override;  // with the clocks; returns the effects

  void Deliver(Data event) { inbox_.push_back(std::move(event)); }
  void Post(Data message);  // a message of the window
  // One thing that can be done at once (an event, a transaction); false if there is none.
  bool StepOnce();
  bool HasStep() const {
    return alive && !frozen && (!inbox_.empty() || (!running_ && !queue_.empty()));
  }
  // The next timer; fires it if it is due.
  bool FireTimers();
  double next_timer() const;
  void Crash();  // the worker is gone; locks free themselves
  void ForgetMessages() { inbox_.clear(); }

  bool alive = true;
  bool frozen = false;
  double wall_skew = 0;
  std::string tab;
  Data status;
  Vector<std::string> phases;  // as told, each once in a row
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
  void Lock(const Data& effect);

  SyncWorld* world_;
  size_t index_;
  std::unique_ptr<SyncWorker> worker_;
  std::deque<Data> inbox_;
  std::deque<Data> queue_;  // transactions
  bool running_ = false;    // a transaction's outcome has not been handled yet
  std::map<std::string, double> timers_;
};

// A response that the network gives instead of the server's.
Data Scripted(double status, std::string_view body, std::string_view type = "application/json");

// What the network does with the next requests.
struct Network {
  bool down = false;
  int lose_requests = 0;
  int lose_answers = 0;
  int lose_push_requests = 0;
  int lose_push_answers = 0;
  bool hold_answers = false;  // answers wait in SyncWorld::held
  std::deque<Data> scripted;  // responses to give instead of the server's, in order
};

class SyncWorld {
 public:
  explicit SyncWorld(bool locks = true) : locks_(locks) {}

  // Adds a window; its worker starts.
  SyncHost& Open(bool visible = true, Data extra = Data::MakeObject());
  // Adds a service worker, which is the one that helpers wake from then on.
  SyncHost& OpenService(Data extra = Data::MakeObject());
  int service = -1;  // its index; -1: there is none
  SyncHost& host(size_t i) { return *hosts_[i]; }
  size_t size() const { return hosts_.size(); }

  // Logs a mutation, as a window does; returns the action's id.
  std::string Log(const Vector<Op>& ops);
  // And wakes that window's worker, and the others.
  std::string Mutate(const Vector<Op>& ops, size_t window = 0);
  // Does all that can be done at once, without letting time pass.
  void Settle();
  // Lets time pass: timers fire when they are due.
  void Run(double ms);
  void Broadcast(size_t from, const Data& message);
  // Gives the held answers back.
  void Release();

  // Base as the records in storage make it from nothing.
  std::unique_ptr<Base> Fold() const;
  // Whether that equals the server's rows (of readable realms).
  bool Converged();
  Data sync() const { return storage.Get("sync", "sync"); }
  Data lease(const std::string& name = "push") const { return storage.Get("sync", name); }

  FakeStorage storage;
  NaiveServer server;
  Network network;
  std::deque<std::pair<size_t, Data>> held;
  Vector<Data> messages;  // of the channel
  Vector<std::string> push_bodies;
  Vector<std::string> pull_bodies;
  std::map<uint64_t, std::string> claims;  // epoch -> owner, as written by claims
  double mono = 0;
  Data token = "token";  // what needToken is answered with

  struct LockQueue {
    int holder = -1;
    std::deque<size_t> waiting;
  };
  std::map<std::string, LockQueue> lock_queues;
  int refused_steals = 0;  // as by an engine that fails to answer
  bool damaged = false;    // somebody else writes into storage, leases included
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
