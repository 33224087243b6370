// ImageDraft: an image of the client while it is made, and how it is published. Two jobs make one:
// compaction (ImageKeeper), and the fill by a server's image (SyncJob). Each draft has a higher
// number than those before it. Only the last one may be published, and what an earlier one writes
// later than it into the same mount is refused there: so two workers, of which one may have lost its
// lease while it was writing, cannot spoil an image that is published.
#ifndef SKERRY_SYNC_IMAGE_DRAFT_H_
#define SKERRY_SYNC_IMAGE_DRAFT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "log/sync_record.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

struct ImageDraft {
  std::string generation;
  std::string mount;
  uint64_t number = 0;
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

  // Takes the next number, and a free mount. The image will contain everything up to sync's n, unless
  // the caller lowers `upto` and the fields after it.
  void Begin(WorkerState* state, double now, SyncRecord* sync);
  // Whether it may be published: no other one was begun, and `base` is still the current image.
  bool IsNext(const SyncRecord& sync) const;
  // Makes it the current image, and deletes the records that no image needs any more.
  void Publish(SyncRecord* sync, Data::Array* writes) const;
  void Broadcast(Turn* turn) const;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_DRAFT_H_
