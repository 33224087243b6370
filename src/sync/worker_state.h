// What the parts of one sync worker share, each with its owner: how it was set up, its connection, its
// sign-in, what it reports, and the `sync` record as it was last seen.
#ifndef SKERRY_SYNC_WORKER_STATE_H_
#define SKERRY_SYNC_WORKER_STATE_H_

#include <string>

#include "base/data.h"
#include "base/id.h"
#include "base/random.h"
#include "model/schema.h"
#include "sync/connection.h"
#include "sync/reach.h"
#include "sync/reported.h"
#include "sync/seen_sync.h"
#include "sync/sign_in.h"
#include "sync/times.h"

namespace skerry {

struct WorkerConfig;

// What a worker is given at its start.
struct WorkerSetup {
  Schema schema;
  Data description;  // the schema as Data, for the image module
  SyncTimes times;
  SyncLimits limits;
  std::string tab;
  std::string user;  // the user of the database; empty: not known
  Data service;      // of a helper: what is stored for a service worker that starts by itself
  bool keeps_token = false;  // the token may be stored, too
  bool locks = false;
  bool socket = false;
  bool images = false;         // this worker loads and makes images
  bool device_images = false;  // a worker of this device does: for a service worker, its windows'
};

struct WorkerState {
  // Takes what it needs out of both.
  WorkerState(Schema* schema, WorkerConfig* config);
  WorkerState(const WorkerState&) = delete;
  WorkerState& operator=(const WorkerState&) = delete;

  const WorkerSetup setup;
  Random random;
  UuidGenerator ids;
  Connection connection;
  SignIn sign_in;
  Reach reach;
  Reported reported;
  SeenSync seen;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_WORKER_STATE_H_
