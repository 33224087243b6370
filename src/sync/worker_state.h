// What the parts of one sync worker share: its configuration, what it knows of its surroundings,
// and the `sync` record as it was last seen. The latter is for the status and for requests only;
// decisions read the record again, inside their transaction.
#ifndef SKERRY_SYNC_WORKER_STATE_H_
#define SKERRY_SYNC_WORKER_STATE_H_

#include <optional>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/random.h"
#include "log/sync_record.h"
#include "model/schema.h"
#include "sync/message.h"
#include "sync/reach.h"
#include "sync/times.h"
#include "sync/turn.h"

namespace skerry {

// Where a sync worker runs, and what follows from that (docs/service-worker.md).
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
  Data description;  // the schema as Data, for the image module
  Random random;
  UuidGenerator ids;
  SyncTimes times;
  SyncLimits limits;
  std::string tab;
  std::string user;  // the user of the database; empty: not known
  Mode mode = Mode::kLease;
  std::string mode_reason;
  Data service;  // of a helper: what is stored for a service worker that starts by itself
  bool keeps_token = false;  // the token may be stored, too
  bool locks = false;
  bool auth = false;
  bool socket = false;
  bool images = false;         // this worker loads and makes images
  bool device_images = false;  // a worker of this device does: for a service worker, its windows'

  bool started = false;  // the `sync` record exists and was read
  bool stopped = false;
  bool visible = true;
  bool online = true;
  bool paused = false;
  // A first round has ended, here or, as its messages say, in another worker.
  bool first_round_ended = false;
  bool knows_floors = false;  // the server was asked what it has forgotten

  SyncRecord sync;  // as last seen
  // The record `sync` was damaged: windows must be notified, and check whether they can go on.
  bool must_report_damage = false;
  bool loss_reported = false;  // it is still damaged, and that was reported
  // No image could be built on the newest one: the next is built on the one before it.
  bool builds_on_previous_image = false;
  bool listening = false;  // a window of this client has an open poke socket
  Reach reach;
  double pending = 0;
  double conflicts = 0;
  Map<std::string, uint64_t> poked;  // realm -> the highest revision in a poke

  // The token. `token_asked`: the window was asked for one and has not answered yet.
  Token token;
  bool token_asked = false;
  bool needs_auth = false;
  bool shows_needs_auth = false;  // for the status: true until the server has accepted a token
  Token refused_token;     // the last one that the server refused; none once it has accepted one
  int token_refusals = 0;  // answers 401 in a row

  SyncError error;      // of the last round, here or as another worker reported it
  SyncError own_error;  // of this worker's own transactions, until one succeeds again
  std::optional<Progress> progress;
  std::optional<StatusLease> service_lease;  // of a helper: that in the service worker's status
  std::optional<double> next_try_at;

  // The record `sync` as it was read; completed if it is damaged or missing. Then no n is used
  // twice: n is at least the last one that was seen.
  SyncRecord Sound(const Data& stored, double now);

  void NeedAuth() { needs_auth = shows_needs_auth = true; }
  void ForgetAuth() { needs_auth = shows_needs_auth = false; }
  // The server has accepted the token, or there is a new token, about which nothing is known.
  void ForgetRefusals() {
    refused_token.reset();
    token_refusals = 0;
    shows_needs_auth = false;
  }

  const SyncError& shown_error() const { return own_error.code.empty() ? error : own_error; }
  void ForgetErrors() { error = own_error = {}; }

  bool has_token() const { return !auth || token.has_value(); }
  bool CanRun() const { return started && !stopped && visible && online && !paused; }

  // Whether a request can be made now. If not, asks the window for a token, once.
  bool EnsureToken(TokenNeed why, Turn* turn) {
    if (has_token()) return true;
    if (!token_asked) {
      token_asked = true;
      turn->NeedToken(why);
      turn->Timer(WorkerTimer::kToken, times.token_ms);
    }
    return false;
  }

  // The server refused this token, so it is not used again. Returns whether the application has
  // provided another one since it was sent.
  bool TokenRefused(const Token& refused) {
    if (token == refused) token.reset();
    return token.has_value();
  }
};

// The core's answer to a `read` event.
struct ReadReply {
  Data::Array writes;
  Data::Array more;  // another round of reads, instead of writes
  bool abort = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_WORKER_STATE_H_
