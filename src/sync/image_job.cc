#include "sync/image_job.h"

#include <algorithm>
#include <utility>

#include "base/fields.h"
#include "sync/records.h"

namespace skerry {
namespace {

// Whether it is still being written: the lease under which it was entered has an owner and the same
// epoch.
bool InWork(const Generation& entry, const LeaseRecord& push_lease,
            const LeaseRecord& image_lease) {
  if (entry.lease.empty()) return false;
  const LeaseRecord& lease = entry.lease == NameOf(LeaseName::kPush) ? push_lease : image_lease;
  return lease.owner.has_value() && lease.epoch == entry.epoch;
}

bool IsOf(const std::optional<ImagePointer>& pointer, const std::string& generation) {
  return pointer.has_value() && pointer->generation == generation;
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

void EnterGeneration(const std::string& generation, const std::string& lease, uint64_t epoch,
                     SyncRecord* sync) {
  sync->generations.push_back({generation, lease, epoch, {}});
}

bool HasRealmFile(const ImagePointer& pointer) {
  return std::any_of(pointer.parts.begin(), pointer.parts.end(),
                     [](const ImagePart& part) { return part.file == "realm"; });
}

void DropImage(SyncRecord* sync) {
  EnterGeneration(sync->image.has_value() ? sync->image->generation : std::string(), "", 0, sync);
  sync->image = std::exchange(sync->previous, std::nullopt);
}

uint64_t PublishImage(ImagePointer pointer, SyncRecord* sync) {
  erase_if(sync->generations,
           [&](const Generation& entry) { return entry.generation == pointer.generation; });
  if (sync->previous.has_value()) EnterGeneration(sync->previous->generation, "", 0, sync);
  sync->previous = std::move(sync->image);
  sync->image = std::move(pointer);
  return sync->previous.has_value() ? sync->previous->n : 0;
}

uint64_t EmitImageJob(const ImageJob& job, Turn* turn) { return turn->StartImageJob(ToData(job)); }

uint64_t EmitDelete(const Vector<std::string>& generations, Turn* turn) {
  return turn->StartImageJob(Fields{{"kind", "delete"}, {"generations", ToData(generations)}});
}

Vector<std::string> Garbage(const SyncRecord& sync, const LeaseRecord& push_lease,
                            const LeaseRecord& image_lease) {
  Vector<std::string> garbage;
  for (const Generation& entry : sync.generations) {
    if (IsOf(sync.image, entry.generation) || IsOf(sync.previous, entry.generation)) continue;
    if (!InWork(entry, push_lease, image_lease)) garbage.push_back(entry.generation);
  }
  return garbage;
}

void ForgetGenerations(const Vector<std::string>& generations, SyncRecord* sync) {
  erase_if(sync->generations,
           [&](const Generation& entry) { return Contains(generations, entry.generation); });
}

}  // namespace skerry
