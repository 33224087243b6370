// The part of the module skerry that is the core of a sync worker (docs/sync-worker.md, section 1).
// Bindings only. Handles are small numbers; 0 is none.
#include "sync/sync_worker.h"

#include <emscripten/bind.h>

#include <memory>
#include <string>
#include <utility>

#include "abi.h"
#include "base/data.h"

namespace skerry::abi {
namespace {

Handles<SyncWorker>& Workers() {
  static Handles<SyncWorker> workers;
  return workers;
}

// Data of WorkerConfig -> handle.
int32_t NewWorker(const std::string& config) {
  return Workers().AddMade(config, SyncWorker::Create);
}

int32_t FreeWorker(int32_t handle) { return Workers().Remove(handle); }

EMSCRIPTEN_BINDINGS(skerry_worker) {
  emscripten::function("newWorker", &NewWorker);
  emscripten::function("freeWorker", &FreeWorker);
}

}  // namespace
}  // namespace skerry::abi

using skerry::Data;
using skerry::SyncWorker;
namespace abi = skerry::abi;

// It happens for every event, so it is a raw export.
SKERRY_EXPORT int32_t sk_worker_handle(int32_t handle, int32_t length) {
  return abi::Workers().WithData(handle, length, [](SyncWorker* worker, const Data& event) {
    return abi::OutputData(worker->Handle(event));
  });
}
