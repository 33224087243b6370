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
  Transact<OffersTx>({Store::kSync, Store::kMutations}, SyncRead(), TransactionMode::kWriteStrict,
                     effects);
}

void Tab::Read(OffersTx* tx, Data* results, TxReply* reply) {
  SyncProgress sync = SyncProgress::Read(results->items()[0]);
  tx->lacks = !FollowsOwn(sync);
  if (!sync.lost.has_value() || tx->lacks) return;
  Map<std::string, bool> offers = sync.offers.value_or(Map<std::string, bool>());
  for (const std::string& realm : *sync.lost) {
    const OfferedRealm offered{realm, options_.user, now_ + clock_offset_};
    const auto known = offers.find(realm);
    const bool is_due = known == offers.end() ? IsOwnRealm(*view_, offered) : !known->second;
    if (!is_due) continue;
    for (const Mutation& mutation : MakeOffers(*view_, offered, options_.ids)) {
      tx->gives = true;
      reply->writes.Push(AddWrite(Store::kMutations, NewRecord(mutation, {}).Write()));
    }
    offers[realm] = true;
    tx->settles = true;
  }
  if (!tx->settles) return;
  sync.offers = std::move(offers);
  reply->writes.Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

void Tab::Done(OffersTx* tx, const Vector<Key>&, Data* effects) {
  // A window that lacked a record, which may have come meanwhile, makes the offers after a reading.
  if (tx->lacks) return RequestReading(effects);
  if (!tx->settles) return;
  if (tx->gives) {
    RequestReading(effects);
    BroadcastLeft(effects);
  }
  // Also where nothing was to be given back: a worker waits for the decision.
  Broadcast(WakeMessage{WakeFor::kRefill, {}, {}}, effects);
}

// The reading finds that they are still due.
void Tab::Failed(const OffersTx&, const HostError&, Data* effects) { ReadLater(effects); }

}  // namespace skerry
