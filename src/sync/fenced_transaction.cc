#include "sync/fenced_transaction.h"

#include <algorithm>
#include <utility>

namespace skerry {
namespace {

constexpr uint32_t kPageSize = 256;

double Removed(const Data::Array& writes, Store store) {
  double removed = 0;
  for (const Data& write : writes) {
    if (!write["store"].Is(NameOf(store))) continue;
    if (write.Find("delete") != nullptr) ++removed;
    if (write.Find("add") != nullptr) --removed;
  }
  return removed;
}

Data PageAfter(const Key& key) { return PageRead(Store::kMutations, key, kPageSize); }

}  // namespace

FencedTransaction::FencedTransaction(WorkerState* state, const Lease* lease,
                                     std::initializer_list<Store> stores, TransactionMode mode,
                                     FencedReads reads, Turn* turn)
    : state_(state), lease_(lease), reads_(reads) {
  Data::Array list{GetRead(Store::kSync, lease->name()), GetRead(Store::kSync, kSyncKey)};
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
  round.is_first = !has_begun_;
  has_begun_ = true;
  if (!round.is_first) {
    round.results = &results;
    round.mutations = next;
    return round;
  }
  round.lease = LeaseRecord::Read(*next++);
  const Data& sync = *next++;
  const bool holds = !lease_->persisted() || Holds(round.lease, state_->setup.tab, lease_->epoch());
  obstacle_ = !holds ? Obstacle::kFencedOut : IsNewer(sync) ? Obstacle::kNewer : Obstacle::kNone;
  round.sync = state_->seen.Repair(sync, turn->now);
  if (obstacle_ != Obstacle::kNone) return std::nullopt;
  if (reads_.outbox) round.outbox = next++;
  if (reads_.counts) {
    mutation_count_ = (next++)->as_number();
    conflict_count_ = (next++)->as_number();
  }
  if (reads_.mutations) round.mutations = next++;
  return round;
}

void FencedTransaction::Count(const Data::Array& writes) {
  const double moved = -Removed(writes, Store::kConflicts);
  state_->reported.SetCounts(mutation_count_ - Removed(writes, Store::kMutations),
                             conflict_count_ + moved);
  inbox_changed_ = std::any_of(writes.begin(), writes.end(), [](const Data& write) {
    return write["store"].Is(NameOf(Store::kConflicts));
  });
}

SyncError FencedTransaction::ErrorOf(const HostError& error) const {
  return obstacle_ == Obstacle::kNewer ? NewerTabError() : StorageError(error);
}

void ReadFirstPage(ReadReply* reply) { reply->more.push_back(PageAfter(Key())); }

void ReadNextPage(const Data& page, ReadReply* reply) {
  if (page.items().size() < kPageSize) return;
  reply->more.push_back(PageAfter(RowKey(page.items().back())));
}

}  // namespace skerry
