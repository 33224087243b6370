// ImageDraft: a generation of the client's image in the making, and how it becomes the image. Two
// jobs make one: the roll-up (ImageKeeper), and the fill by a server's image (SyncJob).
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
  std::optional<ImagePointer> base;  // the image when it began
  // What it is built on: that, or, where that cannot be read, the one before.
  std::optional<ImagePointer> from;
  bool is_last_resort = false;  // where `from` cannot be read there is nothing to build on
  // Of the pointer to be.
  uint64_t upto = 0;
  uint64_t record_bytes = 0;
  Cursors cursors;
  Vector<ImagePart> parts;
  std::string layout;

  // Enters a new generation in `sync`. It holds as much as `sync` says, until the caller says else.
  void Begin(WorkerState* state, const Lease& lease, double now, SyncRecord* sync);
  // Whether nobody has made another image meanwhile.
  bool IsNext(const SyncRecord& sync) const;
  // Makes it the image, and has the records deleted that no image needs any more.
  void Publish(SyncRecord* sync, Data::Array* writes) const;
  void Broadcast(Turn* turn) const;
  // What comes to nothing is deleted by its maker too: whoever holds the lease now may have deleted
  // it before it was written.
  void Discard(Turn* turn) const;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_DRAFT_H_
