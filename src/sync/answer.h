// What came back from the server, or did not: an answer is sorted into what the worker has to do,
// and a failure becomes a typed error (docs/sync-worker.md, section 7). An answer that is no JSON
// is never taken for one of the server's.
#ifndef SKERRY_SYNC_ANSWER_H_
#define SKERRY_SYNC_ANSWER_H_

#include <string>

#include "base/data.h"

namespace skerry {

struct SyncError {
  std::string code;  // empty: none
  std::string message;
  bool retryable = true;
  double retry_after_ms = 0;  // the server's wish: no other request before
  Data ToData() const;        // null where there is none
};

enum class AnswerKind : uint8_t {
  kOk,        // a JSON object
  kAuth,      // 401
  kBound,     // 403: the client identity is another user's
  kGone,      // 410: the log no longer reaches back, or the history is another
  kTooLarge,  // 413: send less at once
  kUnread,    // its answer is longer than may be read
  kInvalid,   // 400 or 422 by the server itself: what was sent is wrong
  kFailed,    // anything else: `error` says what, and whether trying again helps
};

struct Answer {
  AnswerKind kind = AnswerKind::kFailed;
  Data json;
  SyncError error;
};

// `event`: a `response` event.
Answer ReadAnswer(const Data& event);

// The typed error of a failed transaction, by the DOM's name for it.
SyncError StorageError(const Data& error);

}  // namespace skerry

#endif  // SKERRY_SYNC_ANSWER_H_
