#include "client/page_freeze.h"

#include "base/status.h"

namespace skerry {

bool ValidTransition(FreezeStep from, FreezeStep to) {
  switch (to) {
    case FreezeStep::kAwake:
      return from != FreezeStep::kAwake;
    case FreezeStep::kKeeping:
      return from == FreezeStep::kAwake;
    case FreezeStep::kFrozen:
      return from == FreezeStep::kAwake || from == FreezeStep::kKeeping;
  }
  return false;
}

void PageFreeze::Move(FreezeStep to) {
  SKERRY_CHECK(ValidTransition(step_, to));
  step_ = to;
}

void PageFreeze::Begin(bool keeps, bool is_storing) {
  Move(keeps ? FreezeStep::kKeeping : FreezeStep::kFrozen);
  was_storing_ = is_storing;
}

bool PageFreeze::Keep(const std::string& id) { return taken_.insert(id).second; }

PageFreeze::Notice PageFreeze::StandStill() {
  if (is_keeping()) Move(FreezeStep::kFrozen);
  const Notice notice = has_kept_ && !page_ends_    ? Notice::kLater
                        : has_kept_ || was_storing_ ? Notice::kNow
                                                    : Notice::kNone;
  has_kept_ = was_storing_ = false;
  return notice;
}

void PageFreeze::End() {
  if (is_frozen()) Move(FreezeStep::kAwake);
  taken_.clear();
  has_kept_ = was_storing_ = false;
}

}  // namespace skerry
