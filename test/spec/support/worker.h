// Worker: a production sync worker (src/sync) with its requests, Web Locks and image jobs. It
// belongs to a window, or is the device's service worker.
#ifndef SKERRY_TEST_SPEC_SUPPORT_WORKER_H_
#define SKERRY_TEST_SPEC_SUPPORT_WORKER_H_

#include <deque>
#include <memory>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "sync/sync_worker.h"
#include "test/spec/support/actor.h"

namespace skerry::spec {

class Window;

class Worker final : public Actor {
 public:
  // `window`: null for a service worker.
  Worker(Window* window, Device* device, const std::string& name);

  // ---- for stories
  void Wake(std::string_view reason = "mutation");  // a service worker
  void Sync();                                      // the application calls sync()
  bool WaitsForServer() const { return !requests_.empty() || !answers_.empty(); }
  bool HoldsLease() const { return worker_->job().lease().held(); }

  // ---- for the window
  void Notify(Data message);
  void NotifyLock(const std::string& name, std::string_view state);

 protected:
  Data Handle(Data event) override { return worker_->Handle(event); }
  void Special(const Data& effect) override;
  void Post(const Data& message) override;
  bool TakeOwnStep() override;

 private:
  struct Answer {
    Data id;
    bool is_push = false;
    Data body;
  };

  void Lock(const Data& effect);
  void Respond(const Answer& answer);
  Data ImagePart(const std::string& generation, const std::string& file, std::string bytes);
  Data Fill(const Data& job);
  Data Compact(const Data& job);

  Window* window_;
  std::unique_ptr<SyncWorker> worker_;
  std::deque<Data> requests_;
  std::deque<Answer> answers_;
  std::deque<Data> image_jobs_;
  std::deque<Data> lock_events_;
};

}  // namespace skerry::spec

#endif  // SKERRY_TEST_SPEC_SUPPORT_WORKER_H_
