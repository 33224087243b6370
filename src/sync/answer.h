// Sorts the server's response into what the worker has to do (AnswerKind), and turns a failure into
// a typed error (docs/sync-worker.md, section 7). A body that is not JSON did not come from the
// sync server (from a proxy, for example), and is never treated as its answer.
#ifndef SKERRY_SYNC_ANSWER_H_
#define SKERRY_SYNC_ANSWER_H_

#include "base/data.h"
#include "sync/event.h"
#include "sync/sync_error.h"

namespace skerry {

enum class AnswerKind : uint8_t {
  kOk,        // a JSON object
  kAuth,      // 401
  kBound,     // 403: the client identity is another user's
  kGone,      // 410: the log no longer reaches back so far, or its history was replaced
  kTooLarge,  // 413: the request is too large
  kUnread,    // the answer is longer than a client accepts
  kInvalid,   // 400 or 422, from the server itself: the request is wrong
  kFailed,    // anything else: `error` says what, and whether a retry may help
};

struct Answer {
  AnswerKind kind = AnswerKind::kFailed;
  // It shows that the server is reachable: it is from the server itself, and not because the server
  // has failed (5xx).
  bool is_of_server = false;
  Data json;
  SyncError error;
};

Answer ReadAnswer(const ResponseEvent& event);

}  // namespace skerry

#endif  // SKERRY_SYNC_ANSWER_H_
