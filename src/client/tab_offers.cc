// What a restored server has lost, given back (offers.h). An owner's window founds a lost realm again by a
// mutation. Rows are offered by requests, one realm after the other; that this is done is noted in the
// record `sync`, and only then does a pull replace them. What is offered twice changes nothing.
#include <utility>

#include "client/effect.h"
#include "client/offers.h"
#include "client/tab.h"
#include "log/mutation_record.h"
#include "log/own_record.h"

namespace skerry {

void Tab::StartOffers(Data* effects) {
  const bool may = options_.remote && follows() && !freeze_.is_frozen() && unapplied_reading_ == 0;
  if (!may || offering_.active() || !mirror_.TakeOffersDue()) return;
  DecideOffers({}, effects);
}

// `done`: what came of the offers of a realm; none: of no one.
void Tab::DecideOffers(std::optional<NotTaken> done, Data* effects) {
  Data reads = SyncRead();
  reads.Push(RangeRead(Store::kOwn));
  OffersTx& tx =
      Transact<OffersTx>({Store::kSync, Store::kMutations, Store::kOwn, Store::kConflicts},
                         std::move(reads), TransactionMode::kWriteStrict, effects);
  tx.done = std::move(done);
}

void Tab::Read(OffersTx* tx, Data* results, TxReply* reply) {
  tx->client = results->items()[0]["client"].as_string();
  SyncProgress sync = SyncProgress::Read(results->items()[0]);
  tx->lacks = !FollowsOwn(sync);
  if (!sync.lost.has_value() || tx->lacks) return;
  for (const std::string& realm : *sync.lost) {
    Found(realm, &sync, tx, reply);
    if (sync.Offered(realm) != false) continue;
    LostPlace& place = sync.lost_at[realm];
    const bool is_done = tx->done && tx->done->realm == realm;
    if (is_done || place.cursor.empty()) {
      place.offered = true;
      tx->settles = true;
      if (!is_done) continue;
      if (!tx->done->head.empty()) place.given = tx->done->head;
      SettleOwn(results->items()[1], tx, reply);
    } else if (tx->realm.empty()) {
      tx->realm = realm;
      tx->cursor = place.cursor;
      tx->own = {OwnDeletes(*schema_, results->items()[1], realm),
                 OwnAppends(*schema_, results->items()[1], realm)};
    }
  }
  if (!tx->settles) return;
  reply->writes.Push(PutWrite(Store::kSync, kSyncKey, sync.Write()));
}

// Own changes that the log has again are kept with their new places, because it may be lost once more. Of the others,
// the inbox tells.
void Tab::SettleOwn(const Data& own, OffersTx* tx, TxReply* reply) {
  const NotTaken& done = *tx->done;
  for (const Data& row : own.items()) {
    OwnRecord record = OwnRecord::Read(RowValue(row));
    if (!record.revisions.contains(done.realm)) continue;
    const Vector<ConflictRecord> lost = TakeLostChanges(*view_, done, now_, &record);
    for (const ConflictRecord& entry : lost)
      reply->writes.Push(AddWrite(Store::kConflicts, entry.Write()));
    tx->tells = tx->tells || !lost.empty();
    const auto given = done.given.find(record.id);
    if (given != done.given.end()) {
      record.revisions[done.realm] = given->second.revision;
      if (!record.times) record.times.emplace();
      (*record.times)[done.realm] = given->second.at;
    } else if (lost.empty()) {
      continue;
    }
    reply->writes.Push(PutWrite(Store::kOwn, RowKey(row), record.Write()));
  }
}

// An owner founds a realm again, once, also where the server has it, but not all of its members.
void Tab::Found(const std::string& realm, SyncProgress* sync, OffersTx* tx, TxReply* reply) {
  const OfferedRealm offered{realm, options_.user, now_ + clock_offset_};
  LostPlace& place = sync->lost_at[realm];
  if (place.founded.value_or(false) || !IsOwnRealm(*view_, offered)) return;
  const Mutation founding = MakeFounding(*view_, offered, options_.ids);
  reply->writes.Push(AddWrite(Store::kMutations, NewRecord(founding, {}).Write()));
  place.founded = true;
  tx->gives = true;
  tx->settles = true;
}

void Tab::Done(OffersTx* tx, const Vector<Key>&, Data* effects) {
  // A window that lacked a record, which may have come meanwhile, makes the offers after a reading.
  if (tx->lacks) return RequestReading(effects);
  if (tx->gives) {
    RequestReading(effects);
    BroadcastLeft(effects);
  }
  if (tx->tells) {
    Broadcast(ConflictsMessage(), effects);
    RequestConflicts(effects);
  }
  // Also where nothing was to be given back: a worker waits for the decision.
  if (tx->settles) Broadcast(WakeMessage{WakeFor::kRefill, {}, {}}, effects);
  if (tx->realm.empty()) return;
  offering_.Begin(std::move(tx->realm), std::move(tx->cursor), std::move(tx->client),
                  std::move(tx->own));
  AskOffering(effects);
}

void Tab::AskOffering(Data* effects) {
  Offering::Request request = offering_.Ask(options_.ids, now_ + clock_offset_);
  effects->Push(OfferEffect(std::move(request.path), std::move(request.body)));
}

// The reading finds that they are still due.
void Tab::Failed(const OffersTx&, const HostError&, Data* effects) { ReadLater(effects); }

void Tab::OnEvent(const OfferedEvent& event, Data* effects) {
  if (!offering_.active()) return;
  // Another window was faster, and base is no longer what was lost.
  if (!mirror_.IsLost(offering_.realm())) return offering_.Stop();
  // A server of an earlier release takes no offers.
  const bool is_over = event.code == std::string_view("not_found");
  if (event.answer.is_null() && !is_over) {
    offering_.Stop();
    return ReadLater(effects);
  }
  if (!is_over && offering_.Take(event.answer)) {
    return AskOffering(effects);
  }
  DecideOffers(offering_.not_taken(), effects);
  offering_.Stop();
}

}  // namespace skerry
