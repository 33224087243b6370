#include "sync/loop.h"

#include <algorithm>

#include "base/limits.h"

namespace skerry {

LoopStep Loop::Next(bool filling) const {
  if (pulls_ >= kMaxPullsInARow) return LoopStep::kPush;
  if (want_pull_ && !filling) return LoopStep::kPull;
  if (want_push_) return LoopStep::kPush;
  return filling ? LoopStep::kWait : LoopStep::kDone;
}

void Loop::Pulled(bool more) {
  ++pulls_;
  want_pull_ = more || pull_again_;
}

void Loop::Pushed(bool sent, bool left) {
  pulls_ = 0;
  want_push_ = left || push_again_;
  if (sent) want_pull_ = true;
}

double Loop::Rest(bool listening, Random* random) {
  backoff_.Reset();
  return Jitter(listening ? times_.idle_listening_ms : times_.idle_ms, random);
}

double Loop::Retry(double retry_after_ms, Random* random) {
  const double pause = backoff_.Next(times_.retry_ms, times_.retry_max_ms, random);
  // Never earlier than the server asked for; up to a quarter later, so that clients which were sent
  // away together do not come back together.
  return std::max(pause, retry_after_ms * (1 + 0.25 * random->Unit()));
}

}  // namespace skerry
