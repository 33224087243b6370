#include "client/committing.h"

#include <algorithm>

namespace skerry {

bool ValidTransition(CommitStep from, CommitStep to) {
  switch (to) {
    case CommitStep::kIdle:
      return from != CommitStep::kIdle;
    case CommitStep::kUnderWay:
      return from == CommitStep::kIdle;
    case CommitStep::kWaiting:
      return from == CommitStep::kIdle;
  }
  return false;
}

void Committing::Move(CommitStep to) {
  SKERRY_CHECK(ValidTransition(step_, to));
  step_ = to;
}

bool Committing::Done(bool had_read) {
  Move(CommitStep::kIdle);
  const bool recovered = failures_ > 0;
  failures_ = quota_failures_ = 0;
  failed_size_ = 0;
  // A commit that began before a freeze does not know what was kept during it.
  if (had_read) reads_first_ = false;
  return recovered;
}

void Committing::Failed(size_t size) {
  Move(CommitStep::kIdle);
  reads_first_ = true;
  ++failures_;
  if (size > 0) failed_size_ = size;
}

double Committing::Wait() {
  Move(CommitStep::kWaiting);
  double delay_ms = kFirstRetryMs;
  for (int i = 1; i < failures_ && delay_ms < kLastRetryMs; ++i) delay_ms *= 2;
  return std::min(delay_ms, kLastRetryMs);
}

bool Committing::CountQuotaFailure(bool no_room, bool has_group) {
  quota_failures_ = no_room ? quota_failures_ + 1 : 0;
  if (quota_failures_ < kMaxQuotaFailures || !has_group) return false;
  quota_failures_ = 0;
  failed_size_ = 0;
  return true;
}

}  // namespace skerry
