// Loading: the progress of a window in reading its image and the records after it.
//
//  none --open--> pointer --> image --> catch-up --> none
//    kImage, kCatchUp    to the next candidate if this one cannot be used: kImage, or kCatchUp
//                        if it has no parts; kReset if there is no other.
//    kCatchUp, kReset    to kPointer: another image was published, or made.
//    any                 to kNone if storage could not be read.
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

// Every change of step is checked against this.
bool ValidTransition(LoadStep from, LoadStep to);

class Loading {
 public:
  LoadStep step() const { return step_; }
  bool active() const { return step_ != LoadStep::kNone; }

  void Begin() { Move(LoadStep::kPointer); }
  // The images that `sync` names, the best first. If there is only one, an empty image is the last
  // candidate: until a second image is made, all records from n = 1 on are kept.
  void TakePointers(const SyncProgress& sync);
  // Goes on to the candidate's image, or to the records if it has no parts.
  void BeginCandidate();
  // Returns whether there is another one.
  bool NextCandidate() { return ++candidate_ < candidates_.size(); }
  void BeginCatchUp() { Move(LoadStep::kCatchUp); }
  void BeginReset() { Move(LoadStep::kReset); }
  void End() { Move(LoadStep::kNone); }

  const ImagePointer& candidate() const { return candidates_[candidate_]; }
  // Whether `sync` still names the image with which loading began.
  bool IsCurrent(const SyncProgress& sync) const { return GenerationOf(sync) == generation_; }

  // The next part; null if there is no other.
  const ImagePart* TakePart();
  bool is_first_part() const { return parts_taken_ == 1; }
  void PartFailed(const Status& status);
  bool has_bad_part() const { return has_bad_part_; }
  // A part was written by a newer version of the package.
  bool has_newer_part() const { return has_newer_part_; }
  bool is_whole() const { return parts_taken_ == candidate().parts.size() && !has_bad_part_; }

  // The image that is being loaded, for a window that shows its old view until it is complete.
  std::unique_ptr<Base> staged;

 private:
  static std::string GenerationOf(const SyncProgress& sync) {
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
