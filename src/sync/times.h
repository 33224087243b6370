// The sync worker's times (milliseconds) and limits. They are part of its configuration, so that
// tests can use short ones; docs/design.md, "The sync loop" and "The lease", explains the defaults.
#ifndef SKERRY_SYNC_TIMES_H_
#define SKERRY_SYNC_TIMES_H_

#include "base/data.h"
#include "base/limits.h"

namespace skerry {

struct SyncTimes {
  double heartbeat_ms = 1000;  // heartbeats of the leases `push` and `image`
  double look_ms = 1000;       // how often a waiter reads the record
  double timeout_ms = 5000;    // the holder is dead if (epoch, heartbeat) is unchanged for so long
  double listen_heartbeat_ms = 5000;  // slower, because `listen` is held for hours
  double listen_look_ms = 5000;
  double listen_timeout_ms = 25000;
  double retry_ms = 5000;  // the first pause after a failure; it doubles
  double retry_max_ms = 60000;
  double idle_ms = 60000;             // the interval of polls, or of counts of pending mutations
  double idle_listening_ms = 300000;  // the interval of polls while a socket is open
  double fetch_ms = 30000;
  double image_fetch_ms = 600000;
  double token_ms = 20000;      // within which the window must answer needToken
  double validate_ms = 1000;    // within which a window must have judged what a pull has brought
  double image_calm_ms = 1000;  // without a new record, before compaction
  double socket_retry_ms = 1000;
  double socket_retry_max_ms = 60000;
  double hello_ms = 10000;    // within which a socket must open
  double ping_ms = 25000;     // without a message of an open socket, before it is asked for one
  double pong_ms = 10000;     // within which it must answer, or announce what a pull has brought
  double service_ms = 20000;  // within which a service worker must answer
  // Within which it must reach the server while something is pending.
  double service_stuck_ms = 60000;
  double service_look_ms = 10000;  // how often it is woken while it works

  // For how long an answer shows that the server is reachable: without a socket the next poll would
  // fail within that time.
  double proof_ms() const { return 2 * idle_ms; }
};

struct SyncLimits {
  uint64_t pull = 10000;                        // changes in an answer
  uint64_t mutations = kMaxMutationsPerUpdate;  // mutations in an update
  uint64_t image_records = 200;  // compaction begins at this many records since the image
  // Or at this many bytes of them. For a small image: at a quarter of its bytes, at least at a
  // sixteenth of this limit.
  uint64_t image_bytes = 4u << 20;
  uint64_t image_overdue = 8;  // at this many times either limit, compaction does not wait for calm
};

// A member that is missing, or is not a positive number, keeps its default.
SyncTimes ParseSyncTimes(const Data& data);
SyncLimits ParseSyncLimits(const Data& data);

}  // namespace skerry

#endif  // SKERRY_SYNC_TIMES_H_
