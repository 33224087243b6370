// What the parts of one sync worker share: its configuration, what it knows of the world, and the
// last state of the `sync` record that it saw (for status and requests; decisions read the record
// anew, in their transaction).
#ifndef SKERRY_SYNC_WORKER_STATE_H_
#define SKERRY_SYNC_WORKER_STATE_H_

#include <utility>

#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/random.h"
#include "base/string.h"
#include "model/schema.h"
#include "sync/answer.h"
#include "sync/times.h"
#include "sync/turn.h"

namespace skerry {

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
  String tab;
  bool locks = false;
  bool auth = false;
  bool socket = false;
  bool images = false;

  bool started = false;  // the `sync` record is there
  bool stopped = false;
  bool visible = true;
  bool online = true;
  bool paused = false;

  Data sync;  // as last seen
  bool passes_over =
      false;  // an image could not be built on the newest: the next is on the one before
  double pending = 0;
  double conflicts = 0;
  Map<String, uint64_t> poked;  // realm -> revision that a poke told of

  // The token. `asked`: the window was asked and has not answered yet.
  Data token;
  bool token_asked = false;
  bool needs_auth = false;
  int token_refusals = 0;  // 401s since the last answer that was none

  SyncError error;
  Data progress;
  Data next_try_at;

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

// What a core answers to a `read` event.
struct ReadReply {
  Data::Array writes;
  Data::Array more;  // another round of reads, instead of writes
  bool abort = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_WORKER_STATE_H_
