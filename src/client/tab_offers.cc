// Rows of lost realms, given back: one transaction logs them as mutations and notes that in the
// record `sync`, so that one window does it, once. Only then does a pull replace them.
#include <utility>

#include "client/effect.h"
#include "client/offers.h"
#include "client/tab.h"
#include "log/mutation_record.h"

namespace skerry {

void Tab::StartOffers(Data* effects) {
  const bool may = options_.remote && follows() && !freeze_.is_frozen() && unapplied_reading_ == 0;
  if (!may || !mirror_.TakeOffersDue()) return;
  Transact(Kind::kOffers, {Store::kSync, Store::kMutations}, SyncRead(),
           TransactionMode::kWriteStrict, effects);
}

void Tab::WriteOffers(Tx* tx, Data* writes) {
  tx->ids.clear();
  SyncProgress sync = SyncProgress::Read(tx->results.items()[0]);
  if (!sync.lost.has_value() || !FollowsOwn(sync)) return;
  Map<std::string, bool> offers = sync.offers.value_or(Map<std::string, bool>());
  bool is_changed = false;
  for (const std::string& realm : *sync.lost) {
    const OfferedRealm offered{realm, options_.user, now_ + clock_offset_};
    const auto known = offers.find(realm);
    const bool is_due = known == offers.end() ? IsOwnRealm(*view_, offered) : !known->second;
    if (!is_due) continue;
    for (const Mutation& mutation : MakeOffers(*view_, offered, options_.ids)) {
      tx->ids.push_back(mutation.action.id);
      writes->Push(AddWrite(Store::kMutations, MakeMutationRecord(*schema_, mutation).Write()));
    }
    offers[realm] = true;
    is_changed = true;
  }
  if (!is_changed) return;
  sync.offers = std::move(offers);
  writes->Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

void Tab::FinishOffers(const Tx& tx, Data* effects) {
  // If this window lacks a record, it makes the offers when it has read that.
  const bool lacks = !FollowsOwn(SyncProgress::Read(tx.results.items()[0]));
  if (tx.ids.empty() && !lacks) return;
  RequestReading(effects);
  if (tx.ids.empty()) return;
  BroadcastLeft(effects);
  Broadcast(WakeMessage{WakeFor::kRefill, {}, {}}, effects);
}

}  // namespace skerry
