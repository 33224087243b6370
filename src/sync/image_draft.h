// ImageDraft: a generation of the client's image while it is made, and how it is published. Two
// jobs make one: compaction (ImageKeeper), and the fill by a server's image (SyncJob).
#ifndef SKERRY_SYNC_IMAGE_DRAFT_H_
#define SKERRY_SYNC_IMAGE_DRAFT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "log/sync_record.h"
#include "sync/lease.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

struct ImageDraft {
  std::string generation;
  std::optional<ImagePointer> base;  // the current image when this draft began
  // The image that the draft is built on: `base`, or the previous image if `base` cannot be read.
  std::optional<ImagePointer> from;
  bool is_last_resort = false;  // if `from` cannot be read, there is no other image to build on
  // The contents of the pointer that Publish writes.
  uint64_t upto = 0;
  uint64_t record_bytes = 0;
  Cursors cursors;
  Vector<ImagePart> parts;
  std::string layout;

  // Enters a new generation in `sync`. The image will contain everything up to sync's n, unless the
  // caller lowers `upto` and the fields after it.
  void Begin(WorkerState* state, const Lease& lease, double now, SyncRecord* sync);
  // Whether `base` is still the current image: no other one was published meanwhile.
  bool IsNext(const SyncRecord& sync) const;
  // Makes it the current image, and deletes the records that no image needs any more.
  void Publish(SyncRecord* sync, Data::Array* writes) const;
  void Broadcast(Turn* turn) const;
  // Deletes the files of a draft that will not be published. Its maker must do so itself: the
  // present holder of the lease may have deleted this generation before these files were written.
  void Discard(Turn* turn) const;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_DRAFT_H_
