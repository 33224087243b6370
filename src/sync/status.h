// Status: what windows show of the sync worker (docs/sync-worker.md, section 7).
#ifndef SKERRY_SYNC_STATUS_H_
#define SKERRY_SYNC_STATUS_H_

#include <string>

#include "base/data.h"
#include "sync/sync_job.h"
#include "sync/worker_state.h"

namespace skerry {

// `shared_phase`: what the holder of the lease told, where this worker is none; empty: nothing was
// told.
Data MakeStatus(const WorkerState& state, const SyncJob& job, const std::string& shared_phase);

}  // namespace skerry

#endif  // SKERRY_SYNC_STATUS_H_
