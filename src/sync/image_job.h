// Image jobs: the decisions about images, as pure functions over the `sync` record (docs/design.md,
// "Images"; docs/sync-worker.md, section 6). The file work is the host's, with the module
// skerry-image. A generation is entered in `generations` before its first file is written, with the
// lease and epoch that write it, so that what a crash leaves behind is found and deleted.
#ifndef SKERRY_SYNC_IMAGE_JOB_H_
#define SKERRY_SYNC_IMAGE_JOB_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "log/lease_record.h"
#include "log/sync_record.h"
#include "sync/times.h"
#include "sync/turn.h"

namespace skerry {

// Whether so many records, or bytes of them, have come since the image that a new one is worth
// making; or any, where the image is of another layout, so that each start converts it.
bool WorthRolling(const SyncRecord& sync, const SyncLimits& limits, std::string_view layout);

// Enters a generation that is about to be written.
void EnterGeneration(const std::string& generation, const std::string& lease, uint64_t epoch,
                     SyncRecord* sync);

// Makes `pointer` the image and the image the previous one; what was previous before becomes
// garbage. The records that the previous image does not need, and only those, may go: returns the
// highest n of them, 0 for none.
uint64_t PublishImage(ImagePointer pointer, SyncRecord* sync);

// Is a realm's rows, as the server sent them, in this image and in no record?
bool HasRealmFile(const ImagePointer& pointer);
// Makes the previous image, or none, the image, and the image garbage: it cannot be read.
void DropImage(SyncRecord* sync);

// Has the host do an image job, or delete generations. Give the job's id.
uint64_t EmitImageJob(Data job, Turn* turn);
uint64_t EmitDelete(const Vector<std::string>& generations, Turn* turn);

// The generations that nobody needs: garbage, and what was begun under a lease that has moved on.
// `leases`: the records "push" and "image" as they are.
Vector<std::string> Garbage(const SyncRecord& sync, const LeaseRecord& push_lease,
                            const LeaseRecord& image_lease);
void ForgetGenerations(const Vector<std::string>& generations, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_JOB_H_
