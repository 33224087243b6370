#include "sync/loop.h"

#include <algorithm>

#include "base/limits.h"

namespace skerry {
namespace {

// Spreads windows and clients that failed at the same moment.
double Jitter(double delay_ms, Random* random) { return delay_ms * (0.75 + 0.5 * random->Unit()); }

constexpr int kMaxDoublings = 16;

}  // namespace

LoopStep Loop::Next(bool filling) const {
  if (pulls_ >= kMaxPullsInARow) return LoopStep::kPush;
  if (want_pull_ && !filling) return LoopStep::kPull;
  if (want_push_) return LoopStep::kPush;
  return filling ? LoopStep::kWait : LoopStep::kDone;
}

void Loop::Pulled(bool more) {
  ++pulls_;
  want_pull_ = more;
}

void Loop::Pushed(bool sent, bool left) {
  pulls_ = 0;
  want_push_ = left || push_again_;
  if (sent) want_pull_ = true;
}

double Loop::Rest(bool listening, Random* random) {
  failures_ = 0;
  return Jitter(listening ? times_.idle_listening_ms : times_.idle_ms, random);
}

double Loop::Retry(Random* random) {
  double delay = times_.retry_ms;
  for (int i = 0; i < failures_ && delay < times_.retry_max_ms; ++i) delay *= 2;
  failures_ = std::min(failures_ + 1, kMaxDoublings);
  return Jitter(std::min(delay, times_.retry_max_ms), random);
}

}  // namespace skerry
