// SyncError: a failure as the application sees it (docs/sync-worker.md, section 7). In a message it
// is `{code, message, retryable}`, or null if there is none.
#ifndef SKERRY_SYNC_SYNC_ERROR_H_
#define SKERRY_SYNC_SYNC_ERROR_H_

#include <string>

#include "log/event.h"
#include "log/members.h"

namespace skerry {

struct SyncError {
  std::string code;  // empty: no error
  std::string message;
  bool retryable = true;
  double retry_after_ms = 0;  // the server asks for no other request before that

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("code", self.code);
    member("message", self.message);
    member("retryable", self.retryable);
  }
};
inline bool CanRead(const Data&, const SyncError*) { return true; }  // null: no error
Data ToData(const SyncError& error);

// The data was written by a newer version of the package or of the application, and is left to that
// version.
SyncError NewerTabError();

// The typed error of a failed IndexedDB transaction, from the DOM's name for it.
SyncError StorageError(const HostError& error);

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_ERROR_H_
