// Story: a small world for tests that say, step by step, who does what, and what is seen then.
// Windows, sync workers and the server's rules are the production's; storage, locks, channel,
// network and clock are in memory.
//
// Everything that a story does not hold back happens in Settle, in a fixed order, without time
// passing; timers fire in Pass. So a story says only what is out of the ordinary: what waits
// (Actor::Hold), what is lost, what stands still or ends.
#ifndef SKERRY_TEST_SPEC_SUPPORT_STORY_H_
#define SKERRY_TEST_SPEC_SUPPORT_STORY_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/sync/fake_storage.h"
#include "test/spec/support/page.h"
#include "test/spec/support/server.h"
#include "test/spec/support/worker.h"

namespace skerry::spec {

class Story;

// A window: a page, and its sync worker from the moment that the page is ready.
class Window {
 public:
  Window(Device* device, const std::string& name) : page(this, device, name) {}

  void Crash();       // both end without a word; the worker's locks become free
  void Leave();       // the page gets `pagehide`, and ends
  void StandStill();  // nothing runs, without an event; the worker's locks stay with it
  void GoOn();
  void Sync() { worker->Sync(); }
  void Subscribe(const std::string& table) { ChangeScope("add", table); }
  void Unsubscribe(const std::string& table) { ChangeScope("drop", table); }

  void ToWorker(const Data& message);
  void StartWorker();

  Page page;
  std::unique_ptr<Worker> worker;

 private:
  void ChangeScope(const std::string& how, const std::string& table);
  void EndWorker();
  Vector<std::unique_ptr<Worker>> ended_;  // locks and channels may still name them
};

struct WebLock {
  Worker* holder = nullptr;
  std::deque<Worker*> waiting;
};

// A browser profile: IndexedDB, image files, Web Locks, and its windows.
class Device {
 public:
  explicit Device(Story* story) : story(story) {}

  Window& OpenWindow(const std::string& name);   // it opens, and its first pull is done
  Window& BeginWindow(const std::string& name);  // nothing has happened yet
  Worker& StartServiceWorker();
  size_t Count(const std::string& store) const { return storage.Count(store); }
  std::string Stored();  // all that is stored, as a text

  void Broadcast(const Actor& from, const Data& message);
  void Grant(const std::string& lock, Worker* worker);
  void Free(const std::string& lock, Worker* worker);
  void FreeAll(Worker* worker);
  Vector<Actor*> Actors();

  Story* story;
  sync_test::FakeStorage storage;
  std::map<std::string, std::map<std::string, std::string>> images;  // by generation and file
  std::map<std::string, WebLock> locks;
  Vector<std::unique_ptr<Window>> windows;
  Vector<std::unique_ptr<Worker>> services;
};

class Story {
 public:
  Story();

  Window& OpenWindow(const std::string& name) { return device().OpenWindow(name); }
  Device& device() { return *devices_[0]; }  // the first one
  Device& AddDevice();
  Device& CopyDevice(const Device& from);  // its storage, as a backup has it

  void Settle();          // takes all steps that may be taken
  void Pass(double ms);   // lets time pass
  void Sleep(double ms);  // all machines sleep: time passes, and nothing runs
  // Ends all that the story holds back, lets time pass, and checks that nothing is pending and that
  // every window shows exactly the server's rows.
  void Converge();

  double mono() const { return mono_; }
  double wall() const { return 1'000'000 + mono_; }
  std::string NextSeed();

  Server server;
  // For windows that open later:
  Vector<std::string> tables;  // to which they subscribe
  bool has_sockets = false;
  bool has_images = false;
  uint64_t mutations_per_update = 1000;

 private:
  bool TakeStep();

  Vector<std::unique_ptr<Device>> devices_;
  double mono_ = 0;
  uint64_t seeds_ = 0;
};

}  // namespace skerry::spec

#endif  // SKERRY_TEST_SPEC_SUPPORT_STORY_H_
