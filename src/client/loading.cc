#include "client/loading.h"

namespace skerry {

bool ValidTransition(LoadStep from, LoadStep to) {
  switch (to) {
    case LoadStep::kNone:
      return from != LoadStep::kNone;
    case LoadStep::kPointer:
      return from == LoadStep::kNone || from == LoadStep::kCatchUp || from == LoadStep::kReset;
    case LoadStep::kImage:
    case LoadStep::kCatchUp:
      return from == LoadStep::kPointer || from == LoadStep::kImage || from == LoadStep::kCatchUp;
    case LoadStep::kReset:
      return from == LoadStep::kImage || from == LoadStep::kCatchUp;
  }
  return false;
}

// The staged image is only of use from kImage to kCatchUp.
void Loading::Move(LoadStep to) {
  SKERRY_CHECK(ValidTransition(step_, to));
  step_ = to;
  if (to != LoadStep::kImage && to != LoadStep::kCatchUp) staged.reset();
}

void Loading::TakePointers(const SyncProgress& sync) {
  candidates_.clear();
  if (sync.image.has_value()) candidates_.push_back(*sync.image);
  if (sync.previous.has_value()) candidates_.push_back(*sync.previous);
  if (!sync.previous.has_value()) candidates_.emplace_back();
  candidate_ = 0;
  generation_ = GenerationOf(sync);
}

void Loading::BeginCandidate() {
  parts_taken_ = 0;
  has_bad_part_ = has_newer_part_ = false;
  Move(candidate().parts.empty() ? LoadStep::kCatchUp : LoadStep::kImage);
}

const ImagePart* Loading::TakePart() {
  const Vector<ImagePart>& parts = candidate().parts;
  return parts_taken_ < parts.size() ? &parts[parts_taken_++] : nullptr;
}

void Loading::PartFailed(const Status& status) {
  has_bad_part_ = true;
  has_newer_part_ = has_newer_part_ || status.code() == Code::kVersion;
}

}  // namespace skerry
