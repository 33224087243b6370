// ImageKeeper: the job under the lease `image`. It compacts records into a new image of the client,
// publishes it, and removes what is left of images that were given up (docs/design.md, "Images"). It
// runs while the sync loop rests.
#ifndef SKERRY_SYNC_IMAGE_KEEPER_H_
#define SKERRY_SYNC_IMAGE_KEEPER_H_

#include <string>
#include <utility>

#include "base/data.h"
#include "sync/event.h"
#include "sync/fenced_transaction.h"
#include "sync/image_draft.h"
#include "sync/image_job.h"
#include "sync/lease.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

class ImageKeeper {
 public:
  ImageKeeper(WorkerState* state, LeaseConfig lease) : state_(state), lease_(std::move(lease)) {}

  // Begins if there is work and it has not begun yet. `quiet`: no other job of this worker runs.
  void Consider(bool quiet, Turn* turn);
  void Leave(Turn* turn);

  bool Owns(uint64_t id) const { return lease_.Owns(id) || (id != 0 && id == transaction_.id()); }
  ReadReply Read(uint64_t id, const Data& results, Turn* turn);
  void Done(uint64_t id, Turn* turn);
  void Failed(uint64_t id, const HostError& error, Turn* turn);
  bool Image(const ImageEvent& event, Turn* turn);
  bool Timer(WorkerTimer timer, Turn* turn);
  void Lock(LockState lock_state, Turn* turn) {
    LeaseEventHappened(lease_.Lock(lock_state, turn), turn);
  }
  void Heard(const LeaseMessage& message, Turn* turn) { lease_.Heard(message, turn); }

  const Lease& lease() const { return lease_; }

 private:
  enum class Step : uint8_t { kNone, kBegin, kCompacting, kPublish, kEmptying, kEmptied };

  void LeaseEventHappened(LeaseEvent event, Turn* turn);
  void Transact(Step step, Turn* turn);
  void ReadBegin(SyncRecord sync, Data::Array* writes, Turn* turn);
  void ReadPublish(SyncRecord sync, Data::Array* writes);
  void Empty(Turn* turn);
  void Stop(Turn* turn);
  void GiveUp(Turn* turn);
  bool IsWorthCompacting(const SyncRecord& sync, const SyncLimits& limits) const;
  bool HasWork() const;
  bool IsBusy(Turn* turn);

  WorkerState* state_;
  Lease lease_;
  bool active_ = false;
  bool pausing_ = false;          // pausing after a failure, until the timer kImageRetry
  uint64_t last_n_ = UINT64_MAX;  // the n of the last record that was seen
  bool is_calm_ = false;          // no record has come for imageCalm
  Step step_ = Step::kNone;
  FencedTransaction transaction_;
  uint64_t job_ = 0;
  bool compacting_ = false;  // the first transaction found compaction worth its cost
  bool published_ = false;
  ImageDraft draft_;
  EmptyingJob emptying_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_KEEPER_H_
