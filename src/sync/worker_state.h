// What the parts of one sync worker share: its configuration, what it knows of the world, and the
// last state of the `sync` record that it saw (for status and requests; decisions read the record
// anew, in their transaction).
#ifndef SKERRY_SYNC_WORKER_STATE_H_
#define SKERRY_SYNC_WORKER_STATE_H_

#include <string>
#include <utility>

#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/random.h"
#include "log/sync_record.h"
#include "model/schema.h"
#include "sync/answer.h"
#include "sync/times.h"
#include "sync/turn.h"

namespace skerry {

// Where a sync worker runs, and what that makes of it (docs/service-worker.md).
enum class Mode : uint8_t {
  kLease,    // in a window's dedicated Worker, which pushes when it holds the lease
  kService,  // in the service worker: pushes, without a persisted lease; no images, no socket
  kHelper,   // in a window's dedicated Worker, while the service worker pushes
};

struct WorkerState {
  WorkerState(Schema schema_in, Data description_in, std::string_view seed)
      : schema(std::move(schema_in)),
        description(std::move(description_in)),
        random{seed},
        ids{&random} {}

  Schema schema;
  Data description;  // the schema's, for the image module
  Random random;
  UuidGenerator ids;
  SyncTimes times;
  SyncLimits limits;
  std::string tab;
  std::string user;  // whose database it is; empty: not known
  Mode mode = Mode::kLease;
  std::string mode_reason;
  Data service;              // of a helper: what a service worker has to know, kept in storage
  bool keeps_token = false;  // it may be kept in storage too
  bool locks = false;
  bool auth = false;
  bool socket = false;
  bool images = false;

  bool started = false;  // the `sync` record is there
  bool stopped = false;
  bool visible = true;
  bool online = true;
  bool paused = false;
  bool first_round_ended =
      false;  // a first round has ended, here or where another worker tells of it

  SyncRecord sync;              // as last seen
  bool loss_to_report = false;  // it was damaged: windows are told to look whether they can go on
  bool loss_reported = false;   // and it is not whole yet
  bool passes_over_newest_image =
      false;  // an image could not be built on the newest: the next is on the one before
  bool listening = false;  // a window of this client has an open poke socket
  double pending = 0;
  double conflicts = 0;
  Map<std::string, uint64_t> poked;  // realm -> revision that a poke told of

  // The token. `asked`: the window was asked and has not answered yet.
  Data token;
  bool token_asked = false;
  bool needs_auth = false;
  bool shows_needs_auth = false;  // as the status says it: until the server has taken a token
  Data refused_token;      // the last one that the server refused; null once it has taken one
  int token_refusals = 0;  // 401s since the last answer that was none

  SyncError error;      // of the rounds, here or as another worker tells of them
  SyncError own_error;  // of this worker's own transactions, until storage takes something again
  Data progress;
  Data service_lease;  // of a helper: what the service worker's status says
  Data next_try_at;

  // The record `sync` as it was read, made whole where somebody has damaged it, or it is gone.
  // Whatever n it had is not used again.
  SyncRecord Sound(const Data& stored, double now);

  void NeedAuth() { needs_auth = shows_needs_auth = true; }
  void ForgetAuth() { needs_auth = shows_needs_auth = false; }
  // The server took the token, or there is a new one of which nothing is known.
  void ForgetRefusals() {
    refused_token = nullptr;
    token_refusals = 0;
    shows_needs_auth = false;
  }

  const SyncError& shown_error() const { return own_error.code.empty() ? error : own_error; }
  void ForgetErrors() { error = own_error = {}; }

  bool has_token() const { return !auth || token.is_string(); }
  bool CanRun() const { return started && !stopped && visible && online && !paused; }

  // Whether a request can be made now; else the window is asked for a token, once.
  bool EnsureToken(std::string_view why, Turn* turn) {
    if (has_token()) return true;
    if (!token_asked) {
      token_asked = true;
      turn->Emit(Message("needToken").Set("why", why));
      turn->Timer("token", times.token_ms);
    }
    return false;
  }

  // The server refused this token: it is used no more. Whether the application has given another
  // since it was sent.
  bool TokenRefused(const Data& refused) {
    if (token == refused) token = nullptr;
    return token.is_string();
  }
};

// What a newer version of the package, or of the application, has written: it is left to that one.
SyncError NewerTabError();

// What a core answers to a `read` event.
struct ReadReply {
  Data::Array writes;
  Data::Array more;  // another round of reads, instead of writes
  bool abort = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_WORKER_STATE_H_
