#include "sync/backoff.h"

#include <algorithm>

namespace skerry {
namespace {

constexpr int kMaxDoublings = 16;

}  // namespace

double Backoff::Next(double first_ms, double most_ms, Random* random) {
  double delay = first_ms;
  for (int i = 0; i < failures_ && delay < most_ms; ++i) delay *= 2;
  failures_ = std::min(failures_ + 1, kMaxDoublings);
  return Jitter(std::min(delay, most_ms), random);
}

}  // namespace skerry
