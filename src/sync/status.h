// Status: what windows show about the sync worker (docs/sync-worker.md, section 7).
#ifndef SKERRY_SYNC_STATUS_H_
#define SKERRY_SYNC_STATUS_H_

#include <string>

#include "base/data.h"
#include "sync/sync_job.h"
#include "sync/worker_state.h"

namespace skerry {

// `shared_phase`: the phase that the holder of the lease reported, if this worker is not the
// holder; empty: none was reported.
Data MakeStatus(const WorkerState& state, const SyncJob& job, const std::string& shared_phase);

}  // namespace skerry

#endif  // SKERRY_SYNC_STATUS_H_
