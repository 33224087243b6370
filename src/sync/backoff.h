// Backoff: the pause after a failure, which doubles with each further failure.
#ifndef SKERRY_SYNC_BACKOFF_H_
#define SKERRY_SYNC_BACKOFF_H_

#include "base/random.h"

namespace skerry {

// A quarter to either side, so that windows and clients that failed at the same moment do not retry
// at the same moment.
inline double Jitter(double delay_ms, Random* random) {
  return delay_ms * (0.75 + 0.5 * random->Unit());
}

class Backoff {
 public:
  // `first_ms` after the first failure, doubling up to `most_ms`, with jitter.
  double Next(double first_ms, double most_ms, Random* random);
  void Reset() { failures_ = 0; }

 private:
  int failures_ = 0;  // since the last success
};

}  // namespace skerry

#endif  // SKERRY_SYNC_BACKOFF_H_
