#include "sync/image_draft.h"

#include <algorithm>
#include <utility>

#include "sync/image_job.h"

namespace skerry {

void ImageDraft::Begin(WorkerState* state, double now, SyncRecord* sync) {
  base = sync->image;
  const bool can_fail = base.has_value() && !base->parts.empty();
  // If there is no previous image, the draft is built on the records alone.
  const bool has_other = can_fail && !HasRealmFile(*base);
  from = state->seen.builds_on_previous_image() && has_other ? sync->previous : base;
  is_last_resort = can_fail && (state->seen.builds_on_previous_image() || !has_other);
  upto = sync->n;
  record_bytes = sync->record_bytes;
  cursors = sync->cursors;
  layout = Layout(state->setup.schema);
  generation = state->ids.Next(now);
  mount = FreeMount(*sync);
  // At least the time: so the numbers go on where a damaged record has lost the last one.
  number = std::max(sync->drafts.value_or(0) + 1, static_cast<uint64_t>(std::max(now, 0.0)));
  sync->drafts = number;
}

bool ImageDraft::IsNext(const SyncRecord& sync) const {
  if (sync.drafts != number) return false;
  if (!base.has_value() || !sync.image.has_value()) return !base.has_value() && !sync.image;
  return base->generation == sync.image->generation;
}

void ImageDraft::Publish(SyncRecord* sync, Data::Array* writes) const {
  if (!(from == base)) DropImage(sync);
  ImagePointer pointer;
  pointer.generation = generation;
  pointer.mount = mount;
  pointer.parts = parts;
  pointer.n = upto;
  pointer.cursors = cursors;
  pointer.record_bytes = record_bytes;
  pointer.layout = layout;
  const uint64_t spare = PublishImage(std::move(pointer), sync);
  for (const ImagePart& part : parts) {
    if (part.left_out.value_or(false)) NoteLeftOut(layout, sync);
  }
  if (spare != 0) writes->push_back(DeleteUpToWrite(Store::kUpdates, spare));
}

void ImageDraft::Broadcast(Turn* turn) const { turn->Broadcast(ImageMessage{upto, generation}); }

}  // namespace skerry
