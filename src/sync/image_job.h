// Image jobs: the decisions about images, as pure functions over the `sync` record (docs/design.md,
// "Images"; docs/sync-worker.md, section 6). The host does the file work, with the module
// skerry-image. A generation is entered in `generations` before its first file is written, with the
// lease and epoch under which it is written, so that a later job finds and deletes what a crash
// left behind.
#ifndef SKERRY_SYNC_IMAGE_JOB_H_
#define SKERRY_SYNC_IMAGE_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "log/lease_record.h"
#include "log/sync_record.h"
#include "sync/times.h"
#include "sync/turn.h"

namespace skerry {

// Whether the image or the previous one may hold rows of a realm that was revoked. Two compactions
// remove them: the first image becomes the previous one of the second, and the records up to it are
// deleted.
bool HoldsRevoked(const SyncRecord& sync);

// Whether compaction is worth its cost: so many records, or bytes of records, have come since the
// image; or any at all if the image has another layout (each start then converts it). It is in any
// case if HoldsRevoked.
bool IsCompactionDue(const SyncRecord& sync, const SyncLimits& limits, std::string_view layout);

// Enters a generation that is about to be written.
void EnterGeneration(const std::string& generation, const std::string& lease, uint64_t epoch,
                     SyncRecord* sync);

// Makes `pointer` the current image, and the current image the previous one. The generation that
// was previous until then becomes garbage. Only the records that the previous image already
// contains may be deleted: returns the highest n of them, or 0 if there are none.
uint64_t PublishImage(ImagePointer pointer, SyncRecord* sync);

// Whether the image holds the server's own file of a realm, whose rows are in no record.
bool HasRealmFile(const ImagePointer& pointer);
// For a current image that cannot be read: it becomes garbage, and the previous image, if there is
// one, becomes the current one.
void DropImage(SyncRecord* sync);

// What the host fetches for a fill.
struct ImageFetch {
  std::string url;
  uint64_t bytes = 0;
  std::string checksum;
  std::string realm;
  Token token;
  double timeout_ms = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("url", self.url);
    member("bytes", self.bytes);
    member("checksum", self.checksum);
    member("realm", self.realm);
    member("token", self.token);
    member("timeoutMs", self.timeout_ms);
  }
};

enum class ImageJobKind : uint8_t { kFill, kCompaction };

// A job that makes a generation (docs/sync-worker.md, section 6).
struct ImageJob {
  ImageJobKind kind = ImageJobKind::kFill;
  std::string generation;
  bool compacts = false;             // compacts image and records
  std::optional<ImagePointer> from;  // the image below
  uint64_t upto = 0;
  std::optional<ImageFetch> fetch;
  Vector<std::string> drop_realms;
  Cursors cursors;
  Data schema;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kKinds[] = {"fill", "compact"};
    member.Text("kind", self.kind, kKinds);
    member("generation", self.generation);
    member("compacts", self.compacts);
    member("from", self.from);
    member("upto", self.upto);
    member("fetch", self.fetch);
    member("dropRealms", self.drop_realms);
    member("cursors", self.cursors);
    member("schema", self.schema);
  }
};

// Emit the effect that starts an image job, or one that deletes generations. Both return the job's
// id.
uint64_t EmitImageJob(const ImageJob& job, Turn* turn);
uint64_t EmitDelete(const Vector<std::string>& generations, Turn* turn);

// The generations that are no longer needed: garbage, and those that were begun under a lease or
// epoch which is over. `push_lease`, `image_lease`: those records, as they are now.
Vector<std::string> Garbage(const SyncRecord& sync, const LeaseRecord& push_lease,
                            const LeaseRecord& image_lease);
void ForgetGenerations(const Vector<std::string>& generations, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_JOB_H_
