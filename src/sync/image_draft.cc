#include "sync/image_draft.h"

#include <utility>

#include "sync/image_job.h"

namespace skerry {

void ImageDraft::Begin(WorkerState* state, const Lease& lease, double now, Data* sync) {
  base = (*sync)["image"];
  const bool can_fail = !base["parts"].items().empty();
  // Without an image before it, the records alone.
  const bool has_other = can_fail && !HasRealmFile(base);
  from = state->passes_over && has_other ? (*sync)["previous"] : base;
  is_last_resort = can_fail && (state->passes_over || !has_other);
  upto = (*sync)["n"].as_u64();
  record_bytes = (*sync)["recordBytes"].as_u64();
  cursors = (*sync)["cursors"];
  layout = Layout(state->schema);
  generation = state->ids.Next(now);
  EnterGeneration(generation, lease.name(), lease.epoch(), sync);
}

bool ImageDraft::IsNext(const Data& sync) const {
  return base.is_object() ? SameGeneration(base, sync["image"]) : sync["image"].is_null();
}

void ImageDraft::Swing(Data* sync, Data::Array* writes) const {
  if (!(from == base)) DropImage(sync);
  Data pointer = MakePointer(generation, parts, upto, cursors, record_bytes);
  const uint64_t spare = SwingPointer(std::move(pointer.Set("layout", layout)), sync);
  for (const Data& part : parts.items()) {
    if (part["leftOut"].as_bool()) NoteLack(layout, sync);
  }
  if (spare != 0) writes->push_back(DeleteUpToWrite(Store::kUpdates, spare));
}

void ImageDraft::Broadcast(Turn* turn) const {
  turn->Broadcast(Message("image").Set("n", upto).Set("generation", generation));
}

void ImageDraft::Discard(Turn* turn) const {
  EmitDelete(Data(Data::Array{Data(generation)}), turn);
}

}  // namespace skerry
