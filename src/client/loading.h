// Loading: how far a window has come in reading its image and what was recorded since.
//
//   none --open--> pointer --> image --> catch-up --> none
//     kImage, kCatchUp    to the next candidate where this one is of no use: kImage, or kCatchUp
//                         where it has no parts; kReset where there is no other.
//     kCatchUp, kReset    to kPointer: another image was published, or made.
//     any                 to kNone where storage could not be read.
#ifndef SKERRY_CLIENT_LOADING_H_
#define SKERRY_CLIENT_LOADING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/vector.h"
#include "log/base.h"
#include "log/sync_record.h"

namespace skerry {

enum class LoadStep : uint8_t { kNone, kPointer, kImage, kCatchUp, kReset };

// Which step may follow which; every change is checked against it.
bool ValidTransition(LoadStep from, LoadStep to);

class Loading {
 public:
  LoadStep step() const { return step_; }
  bool active() const { return step_ != LoadStep::kNone; }

  void Begin() { Move(LoadStep::kPointer); }
  // The images that `sync` names, the best first, and none at all where it has only one: until a
  // second one is made the records go back to the first.
  void TakePointers(const SyncRecord& sync);
  // Goes on to the candidate's image, or to the records where it has no parts.
  void BeginCandidate();
  bool NextCandidate() { return ++candidate_ < candidates_.size(); }  // whether there is another
  void BeginCatchUp() { Move(LoadStep::kCatchUp); }
  void BeginReset() { Move(LoadStep::kReset); }
  void End() { Move(LoadStep::kNone); }

  const ImagePointer& candidate() const { return candidates_[candidate_]; }
  // Whether the image in `sync` is the one that loading began with.
  bool IsCurrent(const SyncRecord& sync) const { return GenerationOf(sync) == generation_; }

  // The next part; null: there is no more.
  const ImagePart* TakePart();
  bool is_first_part() const { return parts_taken_ == 1; }
  void PartFailed(const Status& status);
  bool has_bad_part() const { return has_bad_part_; }
  bool has_newer_part() const { return has_newer_part_; }  // of a newer version of the package
  bool is_whole() const { return parts_taken_ == candidate().parts.size() && !has_bad_part_; }

  // The image of a window that goes on showing its old view meanwhile.
  std::unique_ptr<Base> staged;

 private:
  static std::string GenerationOf(const SyncRecord& sync) {
    return sync.image.has_value() ? sync.image->generation : std::string();  // empty: there is none
  }
  void Move(LoadStep to);

  LoadStep step_ = LoadStep::kNone;
  Vector<ImagePointer> candidates_;
  size_t candidate_ = 0;
  std::string generation_;  // of the image when loading began
  size_t parts_taken_ = 0;
  bool has_bad_part_ = false;
  bool has_newer_part_ = false;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LOADING_H_
