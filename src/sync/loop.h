// Loop: what the sync worker does next, and how long it pauses (docs/design.md, "The sync loop").
// It has no effects; it only counts. The order of work: pull until there is no more, at most
// kMaxPullsInARow times in a row; then push one batch, whether there is more to pull or not.
#ifndef SKERRY_SYNC_LOOP_H_
#define SKERRY_SYNC_LOOP_H_

#include "base/random.h"
#include "sync/backoff.h"
#include "sync/times.h"

namespace skerry {

enum class LoopStep : uint8_t { kPull, kPush, kWait, kDone };

class Loop {
 public:
  explicit Loop(const SyncTimes& times) : times_(times) {}

  void WantPull() { want_pull_ = true; }
  // Also if one is under way: its answer may be of before.
  void WantAnotherPull() { want_pull_ = pull_again_ = true; }
  // A pull begins.
  void Pulling() { pull_again_ = false; }
  void WantPush() { want_push_ = push_again_ = true; }
  // A push begins. A mutation that is reported from now on may have come too late for it.
  void Pushing() { push_again_ = false; }
  bool push_again() const { return push_again_; }
  bool wants_pull() const { return want_pull_; }
  bool wants_push() const { return want_push_; }
  bool wants_anything() const { return want_pull_ || want_push_; }
  void Forget() { want_pull_ = pull_again_ = want_push_ = push_again_ = false; }
  void ForgetPush() { want_push_ = push_again_ = false; }

  void Begin() { pulls_ = 0; }
  // `filling`: a server's image is being fetched. Nothing is pulled until it is in place.
  LoopStep Next(bool filling) const;
  void Pulled(bool more);
  // `sent`: something was sent and answered, so the next pull confirms it. `left`: there is more to
  // send.
  void Pushed(bool sent, bool left);

  // The pause after a job that did all its work, with jitter.
  double Rest(bool listening, Random* random);
  // The pause after a failure: it doubles, with jitter, and is at least as long as the server has
  // asked for.
  double Retry(double retry_after_ms, Random* random);

 private:
  SyncTimes times_;
  bool want_pull_ = false;
  bool pull_again_ = false;
  bool want_push_ = false;
  bool push_again_ = false;
  int pulls_ = 0;  // in a row
  Backoff backoff_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_LOOP_H_
