// The sync worker's times and limits. All of them come in with the configuration, so that tests use
// short ones; the defaults are those of docs/design.md, "The sync loop" and "The lease".
// Milliseconds.
#ifndef SKERRY_SYNC_TIMES_H_
#define SKERRY_SYNC_TIMES_H_

#include "base/data.h"
#include "base/limits.h"

namespace skerry {

struct SyncTimes {
  double beat_ms = 1000;         // proof of life of the leases `push` and `image`
  double look_ms = 1000;         // how often a waiter looks
  double timeout_ms = 5000;      // an unchanged (epoch, beat) for so long is a dead holder
  double listen_beat_ms = 5000;  // the lease `listen` is held for hours: slower
  double listen_look_ms = 5000;
  double listen_timeout_ms = 25000;
  double retry_ms = 5000;  // after a failure, doubling
  double retry_max_ms = 60000;
  double idle_ms = 60000;  // polls when nothing happens; while it listens: looks at storage
  double idle_listening_ms = 300000;  // where a socket tells when something does
  double fetch_ms = 30000;
  double image_fetch_ms = 600000;
  double token_ms = 15000;      // for the window to answer needToken
  double image_calm_ms = 1000;  // without a new record, before records are rolled up
  double socket_retry_ms = 1000;
  double socket_retry_max_ms = 60000;
  double hello_ms = 10000;          // for a socket to open
  double service_ms = 20000;        // for a service worker to give a sign of life
  double service_stuck_ms = 60000;  // for it to push what is pending, though it lives
  double service_look_ms = 10000;   // how often it is woken while it works
};

struct SyncLimits {
  uint64_t pull = 10000;                        // changes an answer
  uint64_t mutations = kMaxMutationsPerUpdate;  // of an update
  uint64_t image_records = 200;                 // records since the image; more are rolled up
  // Their bytes; more are rolled up. Of a small image, a quarter of it; at least a sixteenth of
  // this.
  uint64_t image_bytes = 4u << 20;
  uint64_t image_overdue = 8;  // times either: rolled up at once, whether it is calm or not
};

// Members that are absent, or no positive number, keep their default.
SyncTimes ParseSyncTimes(const Data& data);
SyncLimits ParseSyncLimits(const Data& data);

}  // namespace skerry

#endif  // SKERRY_SYNC_TIMES_H_
