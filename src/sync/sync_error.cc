#include "sync/sync_error.h"

namespace skerry {

Data ToData(const SyncError& error) { return error.code.empty() ? Data() : WriteMembers(error); }

SyncError NewerTabError() {
  return {"newer_tab", "Another window runs a newer version of this application.", false};
}

SyncError StorageError(const HostError& error) {
  if (error.name == "QuotaExceededError")
    return {"quota", "The browser's storage is full. " + error.message, true};
  if (error.name == "NewerError") return NewerTabError();
  return {"storage", error.name + ": " + error.message, true};
}

}  // namespace skerry
