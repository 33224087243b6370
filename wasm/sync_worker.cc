// The part of the module skerry that is the core of a sync worker (docs/sync-worker.md, section 1).
// Bindings only. Handles are small numbers; 0 is none.
#include "sync/sync_worker.h"

#include <memory>
#include <utility>

#include "abi.h"
#include "base/data.h"

namespace skerry::abi {
namespace {

Handles<SyncWorker>& Workers() {
  static Handles<SyncWorker> workers;
  return workers;
}

}  // namespace
}  // namespace skerry::abi

using skerry::Data;
using skerry::Result;
using skerry::SyncWorker;
namespace abi = skerry::abi;

SKERRY_EXPORT int32_t sk_worker_new(int32_t length) {
  Result<Data> config = skerry::DecodeData(abi::Input(length));
  if (!config.ok()) return abi::Fail(config.status());
  Result<std::unique_ptr<SyncWorker>> worker = SyncWorker::Create(config.value());
  if (!worker.ok()) return abi::Fail(worker.status());
  return abi::Workers().Add(std::move(worker.value()));
}

SKERRY_EXPORT int32_t sk_worker_free(int32_t handle) { return abi::Workers().Remove(handle); }

SKERRY_EXPORT int32_t sk_worker_handle(int32_t handle, int32_t length) {
  return abi::Workers().WithData(handle, length, [](SyncWorker* worker, const Data& event) {
    return abi::OutputData(worker->Handle(event));
  });
}
