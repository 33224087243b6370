// WorkerHost: a production sync worker (src/sync), with a host like that of js/worker: requests,
// Web Locks, image jobs. It belongs to a window, or is the service worker.
#ifndef SKERRY_TEST_SIM_WORKER_HOST_H_
#define SKERRY_TEST_SIM_WORKER_HOST_H_

#include <deque>
#include <map>
#include <memory>

#include "base/data.h"
#include "sync/sync_worker.h"
#include "test/sim/host.h"

namespace skerry::sim {

inline constexpr uint64_t kRecordsToCompact = 6;  // so many records are compacted into an image

class WorkerHost final : public Host {
 public:
  WorkerHost(World* world, Profile* profile, std::string tab, uint64_t serial, Release release,
             bool visible, Mode mode);

  bool is_window() const override { return false; }
  const SyncJob& job() const { return worker_->job(); }
  Mode mode() const { return worker_->mode(); }
  bool is_service() const { return mode() == Mode::kService; }
  void Notify(Data message);  // delivers a message from the window

  // The leases that this worker has claimed, with their epochs, as storage shows; for checks.
  std::map<std::string, uint64_t> claims;

 protected:
  Data Handle(Data event) override;
  void ExecuteSpecial(const Data& effect) override;
  void Post(const Data& message) override;
  bool HasWork() const override { return !jobs_.empty(); }
  void Work() override;  // a step of an image job

 private:
  void Lock(const Data& effect);
  Data Compact(const Data& job, std::map<std::string, std::string>* files);
  Data Fill(const Data& job, std::map<std::string, std::string>* files);
  void Empty(const Data& job);
  Data Write(const Data& effect);
  void End(const Data& outcome);
  void AbortJob(const Data& id);

  std::unique_ptr<SyncWorker> worker_;
  std::deque<Data> jobs_;
  std::map<std::string, std::string> files_;  // made by the first job, and not written yet
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_WORKER_HOST_H_
