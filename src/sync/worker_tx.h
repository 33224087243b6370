// The transactions of a sync worker itself, beside those of its parts: one struct for each kind, with
// what it needs until it has ended. SyncWorker has three handlers for each kind: Read (what is
// written), Done, and Failed.
//
// To add a kind: its struct, its place in WorkerTx, and its handlers (sync_worker.h). Without one of
// them it does not compile.
#ifndef SKERRY_SYNC_WORKER_TX_H_
#define SKERRY_SYNC_WORKER_TX_H_

#include <cstdint>
#include <optional>
#include <variant>

#include "base/vector.h"
#include "log/message.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "sync/message.h"

namespace skerry {

// Counts pending mutations.
struct CountTx {
  double pending = 0;
};

// One that writes to the record `sync` or beside it. Where a newer version has written that record,
// it writes nothing. The status shows that it has failed, until another one has not.
struct StoringTx {};

// Stores a token for a service worker.
struct TokenTx : StoringTx {
  Token token;
};
// Marks the stored token as one that the server has refused, or has accepted.
struct RefusalTx : StoringTx {
  Token refused;
};

struct WantedChange {
  Vector<WantedScope> add, drop;
  Vector<WantedStream> streams;
};
// What found no room.
struct LeftOut {
  Vector<SyncScope> scopes;
  Vector<WantedStream> streams;
};
// One that completes the record `sync`, and changes in it what is wanted.
struct WantedTx : StoringTx {
  std::optional<UpdateRecord> record;  // by which windows drop rows
  bool changed = false;
};
struct StartTx : WantedTx {};
struct ScopesTx : WantedTx {
  WantedChange change;
  LeftOut left_out;
};

using WorkerTx = std::variant<CountTx, TokenTx, RefusalTx, StartTx, ScopesTx>;
struct OpenTx {
  uint64_t id = 0;
  WorkerTx tx;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_WORKER_TX_H_
