// Connection: where a sync worker runs, whether it may work there, and what it is told of the server
// by others: pokes, and whether a window has a socket for them.
#ifndef SKERRY_SYNC_CONNECTION_H_
#define SKERRY_SYNC_CONNECTION_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "base/map.h"

namespace skerry {

// Where a sync worker runs, and what follows from that (docs/service-worker.md).
enum class Mode : uint8_t {
  kLease,    // in a window's dedicated Worker, which pushes when it holds the lease
  kService,  // in the service worker: pushes, without a persisted lease; no images, no socket
  kHelper,   // in a window's dedicated Worker, while the service worker pushes
};

// What the window, or the application, says of itself.
enum class Condition : uint8_t { kVisible, kOnline, kPaused };

class Connection {
 public:
  Connection(Mode mode, std::string reason, bool visible, bool online)
      : mode_(mode), mode_reason_(std::move(reason)), visible_(visible), online_(online) {}

  Mode mode() const { return mode_; }
  const std::string& mode_reason() const { return mode_reason_; }
  void SetMode(Mode mode) { mode_ = mode; }
  void SetModeReason(std::string reason) { mode_reason_ = std::move(reason); }

  // The `sync` record exists and was read.
  bool started() const { return started_; }
  void Start() { started_ = true; }
  bool stopped() const { return stopped_; }
  void Stop() { stopped_ = true; }
  bool visible() const { return visible_; }
  bool online() const { return online_; }
  bool paused() const { return paused_; }
  // Returns whether it was another value.
  bool Set(Condition condition, bool value) {
    bool& now = condition == Condition::kVisible  ? visible_
                : condition == Condition::kOnline ? online_
                                                  : paused_;
    return std::exchange(now, value) != value;
  }
  bool CanRun() const { return started_ && !stopped_ && visible_ && online_ && !paused_; }

  // A window of this client has an open poke socket.
  bool listening() const { return listening_; }
  void SetListening(bool listening) { listening_ = listening; }

  // By realm, the highest revision in a poke since the last pull.
  const Map<std::string, uint64_t>& poked() const { return poked_; }
  void Poked(const std::string& realm, uint64_t revision) {
    uint64_t& known = poked_[realm];
    known = std::max(known, revision);
  }
  void ForgetPokes() { poked_.clear(); }

 private:
  Mode mode_;
  std::string mode_reason_;
  bool started_ = false;
  bool stopped_ = false;
  bool visible_;
  bool online_;
  bool paused_ = false;
  bool listening_ = false;
  Map<std::string, uint64_t> poked_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_CONNECTION_H_
