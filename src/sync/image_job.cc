#include "sync/image_job.h"

#include <algorithm>
#include <utility>

#include "sync/records.h"

namespace skerry {
namespace {

bool IsIn(const std::optional<ImagePointer>& pointer, std::string_view mount) {
  return pointer.has_value() && pointer->mount.has_value() && *pointer->mount == mount;
}

void GiveUp(const std::optional<ImagePointer>& pointer, SyncRecord* sync) {
  if (!pointer.has_value()) return;
  sync->leftover = true;
  if (pointer->mount.has_value() || !sync->generations.has_value()) return;
  sync->generations->push_back({pointer->generation, {}});
}

}  // namespace

bool HoldsRevoked(const SyncRecord& sync) {
  const auto is_older = [&](const std::optional<ImagePointer>& image) {
    return !image.has_value() || image->n < *sync.revoked_at;
  };
  return sync.revoked_at.has_value() && (is_older(sync.image) || is_older(sync.previous));
}

bool IsCompactionDue(const SyncRecord& sync, const SyncLimits& limits, std::string_view layout) {
  if (HoldsRevoked(sync)) return true;
  const ImagePointer none;
  const ImagePointer& image = sync.image.has_value() ? *sync.image : none;
  const uint64_t records = sync.n - image.n;
  const double bytes =
      static_cast<double>(sync.record_bytes) - static_cast<double>(image.record_bytes.value_or(0));
  // At this many bytes of records, loading them at each start costs more than rewriting the image
  // now and then.
  double image_bytes = 0;
  for (const ImagePart& part : image.parts) image_bytes += static_cast<double>(part.bytes);
  const auto most = static_cast<double>(limits.image_bytes);
  const double worth = std::min(most, std::max(image_bytes / 4, most / 16));
  const bool is_other = image.layout.has_value() && *image.layout != layout;
  return records > 0 && (records >= limits.image_records || bytes >= worth || is_other);
}

std::string FreeMount(const SyncRecord& sync) {
  const char* free = kMounts[0];
  for (const char* mount : kMounts) {
    free = mount;
    if (!IsIn(sync.image, mount) && !IsIn(sync.previous, mount)) break;
  }
  return free;
}

bool HasRealmFile(const ImagePointer& pointer) {
  return std::any_of(pointer.parts.begin(), pointer.parts.end(),
                     [](const ImagePart& part) { return part.file == "realm"; });
}

void DropImage(SyncRecord* sync) {
  GiveUp(sync->image, sync);
  sync->image = std::exchange(sync->previous, std::nullopt);
}

uint64_t PublishImage(ImagePointer pointer, SyncRecord* sync) {
  GiveUp(sync->previous, sync);
  sync->previous = std::move(sync->image);
  sync->image = std::move(pointer);
  return sync->previous.has_value() ? sync->previous->n : 0;
}

uint64_t EmitImageJob(const ImageJob& job, Turn* turn) { return turn->StartImageJob(ToData(job)); }

uint64_t EmitImageJob(const EmptyingJob& job, Turn* turn) {
  return turn->StartImageJob(ToData(job));
}

EmptyingJob EmptyingOf(const SyncRecord& sync) {
  EmptyingJob job;
  job.number = sync.drafts.value_or(0);
  for (const char* mount : kMounts) {
    if (!IsIn(sync.image, mount) && !IsIn(sync.previous, mount)) job.mounts.emplace_back(mount);
  }
  if (!sync.generations.has_value()) return job;
  job.generations.emplace();
  for (const FormerImage& image : *sync.generations) job.generations->push_back(image.generation);
  for (const auto& pointer : {sync.image, sync.previous}) {
    if (pointer.has_value() && !pointer->mount.has_value()) job.keep.push_back(pointer->generation);
  }
  return job;
}

void NoteEmptied(const EmptyingJob& job, SyncRecord* sync) {
  if (!(EmptyingOf(*sync) == job)) return;
  sync->leftover.reset();
  if (!sync->generations.has_value()) return;
  sync->generations->clear();
  if (job.keep.empty()) sync->generations.reset();
}

}  // namespace skerry
