// Sorts the server's response into what the worker has to do (AnswerKind), and turns a failure into
// a typed error (docs/sync-worker.md, section 7). A body that is not JSON did not come from the
// sync server (from a proxy, for example), and is never treated as its answer.
#ifndef SKERRY_SYNC_ANSWER_H_
#define SKERRY_SYNC_ANSWER_H_

#include <string>

#include "base/data.h"

namespace skerry {

struct SyncError {
  std::string code;  // empty: no error
  std::string message;
  bool retryable = true;
  double retry_after_ms = 0;  // the server asks for no other request before that
  Data ToData() const;        // null where there is no error
};

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
  Data json;
  SyncError error;
};

// `event`: a `response` event.
Answer ReadAnswer(const Data& event);

// The typed error of a failed IndexedDB transaction, from the DOM's name for it.
SyncError StorageError(const Data& error);

}  // namespace skerry

#endif  // SKERRY_SYNC_ANSWER_H_
