// Image jobs: the decisions about images, as pure functions over the `sync` record (docs/design.md,
// "Images"; docs/sync-worker.md, section 6). The host does the file work, with the module
// skerry-image.
#ifndef SKERRY_SYNC_IMAGE_JOB_H_
#define SKERRY_SYNC_IMAGE_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/data.h"
#include "base/vector.h"
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

// The mounts of a client's images: for the image, for the previous one, and for one that is being
// made.
inline constexpr const char* kMounts[] = {"1", "2", "3"};

// A mount that neither the image nor the previous image is in.
std::string FreeMount(const SyncRecord& sync);

// Makes `pointer` the current image, and the current image the previous one. The image that was
// previous until then is given up. Only the records that the previous image already contains may be
// deleted: returns the highest n of them, or 0 if there are none.
uint64_t PublishImage(ImagePointer pointer, SyncRecord* sync);

// Whether the image holds the server's own file of a realm, whose rows are in no record.
bool HasRealmFile(const ImagePointer& pointer);
// For a current image that cannot be read: it is given up, and the previous image, if there is one,
// becomes the current one.
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

// A job that makes an image (docs/sync-worker.md, section 6).
struct ImageJob {
  ImageJobKind kind = ImageJobKind::kFill;
  std::string generation;
  std::string mount;
  uint64_t number = 0;
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
    member("mount", self.mount);
    member("number", self.number);
    member("compacts", self.compacts);
    member("from", self.from);
    member("upto", self.upto);
    member("fetch", self.fetch);
    member("dropRealms", self.drop_realms);
    member("cursors", self.cursors);
    member("schema", self.schema);
  }
};

// A job that removes what is left of images that were given up.
enum class EmptyingJobKind : uint8_t { kEmptying };
struct EmptyingJob {
  EmptyingJobKind kind = EmptyingJobKind::kEmptying;
  uint64_t number = 0;  // a mount whose image has this number, or a higher one, stays as it is
  Vector<std::string> mounts;  // those of kMounts that are free
  // Images in mounts of their own: those to delete, and those in use. What is neither is deleted,
  // too, if the engine can list it. None: there is no such image.
  std::optional<Vector<std::string>> generations;
  Vector<std::string> keep;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kKinds[] = {"empty"};
    member.Text("kind", self.kind, kKinds);
    member("number", self.number);
    member("mounts", self.mounts);
    member("generations", self.generations);
    member("keep", self.keep);
  }
  friend bool operator==(const EmptyingJob&, const EmptyingJob&) = default;
};

namespace effect {
struct StartImage {
  static constexpr const char* kType = "image";
  uint64_t id = 0;
  DataOf<std::variant<ImageJob, EmptyingJob>> job;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("job", self.job);
  }
};
}  // namespace effect

// Emit the effect that starts the job, and return the job's id.
uint64_t EmitImageJob(const ImageJob& job, Turn* turn);
uint64_t EmitImageJob(const EmptyingJob& job, Turn* turn);

// The name of the error of a job whose draft was not the last one when it wrote.
inline constexpr const char* kOvertaken = "overtaken";

// The job for what this record gave up.
EmptyingJob EmptyingOf(const SyncRecord& sync);
// Notes that the job is done, unless more was given up since.
void NoteEmptied(const EmptyingJob& job, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_JOB_H_
