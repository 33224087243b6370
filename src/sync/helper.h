// Helper: what a window's dedicated Worker does while a service worker pushes and pulls
// (docs/design.md, "With a service worker"). The helper wakes the service worker, keeps the timers
// of its pauses (the browser stops an idle service worker, and its timers with it), and detects
// when it no longer answers.
//
// The service worker answers each wake with a status, whatever the result; any other message of a
// worker that pushes counts as an answer, too. The helper gives the service worker up, and the
// windows push themselves, in two cases: two wakes in a row stay unanswered within `service`; or
// the service worker fails to reach the server for `serviceStuck` while something is pending.
#ifndef SKERRY_SYNC_HELPER_H_
#define SKERRY_SYNC_HELPER_H_

#include <optional>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "sync/sync_job.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

class Helper {
 public:
  explicit Helper(WorkerState* state) : state_(state) {}

  // These emit effects `wakeService`. Only Mutated does not: the window has already woken the
  // service worker itself.
  void Wake(WakeReason reason, Turn* turn);
  void Mutated(Turn* turn);
  void Poked(const std::string& realm, uint64_t revision, Turn* turn);
  void Ask(const Data& id, Turn* turn);
  void HandToken(const Token& token, Turn* turn);

  // A message of the channel that shows that the worker which pushes is alive. `status`: its
  // content if the message is a status; else null.
  void Heard(const StatusRecord* status, Turn* turn);
  void Answered(const Data& id);
  // Offline, paused, or the mode has changed: stops waiting for answers.
  void Rest(Turn* turn);
  bool Timer(WorkerTimer timer, Turn* turn);

  // Why the service worker was given up; empty if it was not.
  const std::string& given_up() const { return given_up_; }
  Data::Array TakeAsked() { return std::exchange(asked_, {}); }

 private:
  static constexpr double kNever = -1;

  bool MayWake() const;
  template <Kind T>
  void Send(const T& message, Turn* turn) {
    SendData(WriteKind(message), turn);
  }
  void SendData(Data message, Turn* turn);
  void Expect(Turn* turn);
  void Schedule(const StatusRecord& status, Turn* turn);
  void OnLook(Turn* turn);
  void Stuck(const StatusRecord& status, Turn* turn);
  void OnWatch(Turn* turn);

  WorkerState* state_;
  Data::Array asked_;                     // the ids of sync.now() calls
  std::string instance_;                  // the id of the service worker that answered last
  double expected_ms_ = kNever;           // monotonic: an answer has been awaited since then
  bool asked_again_ = false;              // a second wake was sent
  double unreachable_since_ms_ = kNever;  // monotonic: it has failed to reach the server since then
  double failed_ms_ = kNever;             // monotonic: it last reported that it fails to
  double pause_since_ms_ = kNever;        // monotonic: since then it has reported the same pause
  std::optional<double> pause_until_;     // the end of that pause, as it reports it
  bool is_idle_ = false;                  // it pauses because it has nothing to do
  bool mutated_ = false;                  // a mutation was made since the last wake by the timer
  double token_pause_ms_ = 0;  // the pause between wakes while it needs a token; 0: it needs none
  std::string given_up_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_HELPER_H_
