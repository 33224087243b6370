// FencedTransaction: one transaction of a job that runs under a lease. Its first round of reads
// begins with the record of the lease and the record `sync`. It aborts, and writes nothing, if the
// lease has been lost (the fence) or if a newer build has written `sync`, which this build would
// damage. The other results have names here, so that no job indexes the results by position. Each
// later round reads one page of mutations.
#ifndef SKERRY_SYNC_FENCED_TRANSACTION_H_
#define SKERRY_SYNC_FENCED_TRANSACTION_H_

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "base/data.h"
#include "log/lease_record.h"
#include "log/sync_record.h"
#include "log/transaction_builder.h"
#include "sync/lease.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

// What the first round reads in addition to the lease's record and `sync`.
struct FencedReads {
  bool outbox = false;
  bool counts = false;     // the numbers of mutations and conflicts
  bool mutations = false;  // their first page
};

// What a round has read. The pointers refer to the results that were passed to Read.
struct FencedRound {
  bool is_first = true;
  LeaseRecord lease;  // this and the next two: first round only
  SyncRecord sync;
  const Data* outbox = nullptr;
  const Data* mutations = nullptr;  // one page: [{key, value}..], ascending
  const Data* results = nullptr;    // later rounds: all of them
};

class FencedTransaction {
 public:
  enum class Obstacle : uint8_t { kNone, kFencedOut, kNewer };

  FencedTransaction() = default;  // no transaction: id() is 0
  // Emits the transaction into `turn`. `state` and `lease` outlive this object.
  FencedTransaction(WorkerState* state, const Lease* lease, std::initializer_list<Store> stores,
                    TransactionMode mode, FencedReads reads, Turn* turn);

  uint64_t id() const { return id_; }  // 0: no transaction
  // Interprets the results of a round. Returns none if the transaction must abort; obstacle() says
  // why.
  std::optional<FencedRound> Read(const Data& results, const Turn* turn);
  Obstacle obstacle() const { return obstacle_; }
  bool is_fenced_out() const { return obstacle_ == Obstacle::kFencedOut; }
  // The typed error for a transaction that failed. `error` is the host's.
  SyncError ErrorOf(const HostError& error) const;

  // REQUIRES: `counts` is among the reads.
  double mutation_count() const { return mutation_count_; }  // as of the first round
  // Updates the counts in `state` to what remains once `writes` are stored.
  void Count(const Data::Array& writes);
  bool inbox_changed() const { return inbox_changed_; }

 private:
  uint64_t id_ = 0;
  WorkerState* state_ = nullptr;
  const Lease* lease_ = nullptr;
  FencedReads reads_;
  bool has_begun_ = false;
  Obstacle obstacle_ = Obstacle::kNone;
  double mutation_count_ = 0;
  double conflict_count_ = 0;
  bool inbox_changed_ = false;
};

// Requests the first page of mutations for the next round; or the page after `page`, unless that
// was the last one.
void ReadFirstPage(ReadReply* reply);
void ReadNextPage(const Data& page, ReadReply* reply);

}  // namespace skerry

#endif  // SKERRY_SYNC_FENCED_TRANSACTION_H_
