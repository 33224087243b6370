// skerry-sync: the core of a sync worker (docs/sync-worker.md, section 1). Bindings only. Buffers
// are those of abi.h. Handles are small numbers; 0 is none.
#include "sync/sync_worker.h"

#include <memory>
#include <utility>

#include "abi.h"
#include "base/data.h"
#include "base/map.h"

namespace skerry::abi {
namespace {

Map<int32_t, std::unique_ptr<SyncWorker>>& Workers() {
  static Map<int32_t, std::unique_ptr<SyncWorker>> workers;
  return workers;
}

}  // namespace
}  // namespace skerry::abi

using skerry::Data;
using skerry::Result;
using skerry::SyncWorker;
namespace abi = skerry::abi;

SKERRY_EXPORT int32_t sk_worker_new(int32_t length) {
  static int32_t last = 0;
  Result<Data> config = skerry::DecodeData(abi::Input(length));
  if (!config.ok()) return abi::Fail(config.status());
  Result<std::unique_ptr<SyncWorker>> worker = SyncWorker::Create(config.value());
  if (!worker.ok()) return abi::Fail(worker.status());
  abi::Workers().emplace(++last, std::move(worker.value()));
  return last;
}

SKERRY_EXPORT int32_t sk_worker_free(int32_t handle) {
  abi::Workers().erase(handle);
  return 0;
}

SKERRY_EXPORT int32_t sk_worker_handle(int32_t handle, int32_t length) {
  const auto it = abi::Workers().find(handle);
  if (it == abi::Workers().end()) return abi::Fail({skerry::Code::kClosed, "no such worker"});
  Result<Data> event = skerry::DecodeData(abi::Input(length));
  if (!event.ok()) return abi::Fail(event.status());
  return abi::OutputData(it->second->Handle(event.value()));
}
