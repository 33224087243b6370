#include "sync/fenced_transaction.h"

#include <utility>

namespace skerry {
namespace {

constexpr uint32_t kPageSize = 256;

Data PageAfter(const Key& key) { return PageRead(Store::kMutations, key, kPageSize); }

}  // namespace

FencedTransaction::FencedTransaction(WorkerState* state, const Lease* lease,
                                     std::initializer_list<Store> stores, TransactionMode mode,
                                     FencedReads reads, Turn* turn)
    : state_(state), lease_(lease), reads_(reads) {
  Data::Array list{GetRead(Store::kSync, lease->name()), GetRead(Store::kSync, kSyncKey)};
  if (reads.push_lease) list.push_back(GetRead(Store::kSync, "push"));
  if (reads.outbox) list.push_back(RangeRead(Store::kOutbox));
  if (reads.counts) {
    list.push_back(CountRead(Store::kMutations));
    list.push_back(CountRead(Store::kConflicts));
  }
  if (reads.mutations) list.push_back(PageAfter(Key()));
  id_ = turn->Transact(stores, mode, std::move(list));
}

std::optional<FencedRound> FencedTransaction::Read(const Data& results, const Turn* turn) {
  const Data* next = results.items().data();
  FencedRound round;
  round.is_first = results.items().size() > 1;
  if (!round.is_first) {
    round.mutations = next;
    return round;
  }
  round.lease = LeaseRecord::Read(*next++);
  const Data& sync = *next++;
  const bool holds = !lease_->persisted() || Holds(round.lease, state_->tab, lease_->epoch());
  refusal_ = !holds ? Refusal::kFencedOut : IsNewer(sync) ? Refusal::kNewer : Refusal::kNone;
  round.sync = state_->Sound(sync, turn->now);
  if (refusal_ != Refusal::kNone) return std::nullopt;
  if (reads_.push_lease) round.push_lease = LeaseRecord::Read(*next++);
  if (reads_.outbox) round.outbox = next++;
  if (reads_.counts) {
    mutation_count_ = (next++)->as_number();
    conflict_count_ = (next++)->as_number();
  }
  if (reads_.mutations) round.mutations = next++;
  return round;
}

SyncError FencedTransaction::ErrorOf(const Data& error) const {
  return refusal_ == Refusal::kNewer ? NewerTabError() : StorageError(error);
}

void ReadFirstPage(ReadReply* reply) { reply->more.push_back(PageAfter(Key())); }

void ReadNextPage(const Data& page, ReadReply* reply) {
  if (page.items().size() < kPageSize) return;
  reply->more.push_back(PageAfter(Key(page.items().back()["key"])));
}

}  // namespace skerry
