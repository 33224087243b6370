// Helper: what a window's dedicated Worker does while a service worker pushes and pulls
// (docs/design.md, "With a service worker"): it wakes it, keeps its pauses (a service worker that
// has nothing to do is stopped, with its timers), and finds out when it does not answer.
//
// A wake is answered by a status, whatever comes of it; anything else that a pushing worker tells
// is an answer too. Two wakes that nobody answers within `service`, or a service worker that fails
// to reach the server for `serviceStuck` while something is pending, end it: the windows push
// themselves.
#ifndef SKERRY_SYNC_HELPER_H_
#define SKERRY_SYNC_HELPER_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "sync/sync_job.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

class Helper {
 public:
  explicit Helper(WorkerState* state) : state_(state) {}

  // Effects `wakeService`. A mutation needs none: the window has woken it before it told us.
  void Wake(WakeReason reason, Turn* turn);
  void Mutated(Turn* turn);
  void Poked(std::string_view realm, uint64_t revision, Turn* turn);
  void Ask(const Data& id, Turn* turn);
  void HandToken(const Data& token, Turn* turn);

  // A message of the channel by which a worker that pushes shows that it lives; `status` where it
  // is one.
  void Heard(const Data* status, Turn* turn);
  void Answered(const Data& id);
  // Offline, paused, or the mode has changed: waits for nothing any more.
  void Rest(Turn* turn);
  bool Timer(std::string_view name, Turn* turn);

  // Why the service worker is given up; empty: it is not.
  const std::string& given_up() const { return given_up_; }
  Data::Array TakeAsked();

 private:
  static constexpr double kNever = -1;

  bool MayWake() const;
  void Send(Data message, Turn* turn);
  void Expect(Turn* turn);
  void Schedule(const Data& status, Turn* turn);
  void OnLook(Turn* turn);
  void Stuck(const Data& status, Turn* turn);
  void OnWatch(Turn* turn);

  WorkerState* state_;
  Data asked_ = Data::MakeArray();
  std::string instance_;         // of the service worker that answered last
  double expected_ms_ = kNever;  // monotonic: since then an answer is awaited
  bool asked_again_ = false;     // a second wake was sent
  double stuck_ms_ = kNever;     // monotonic: since then it fails to reach the server
  double calm_ms_ = kNever;      // monotonic: since then it has nothing to do, as it last said
  bool mutated_ = false;         // something was, since it was looked after last
  double blocked_ms_ = 0;        // the pause of looks while it wants a token; 0: it does not
  std::string given_up_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_HELPER_H_
