// The chain that makes pushes exactly-once (docs/design.md, "The chain"): for each realm that it
// touches, an update names this client's update that it follows. These are pure functions over
// outbox records and over the chain in the `sync` record, which belongs to one client identity and
// is stored on its own, not derived from the outbox.
#ifndef SKERRY_SYNC_CHAIN_H_
#define SKERRY_SYNC_CHAIN_H_

#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/outbox_record.h"

namespace skerry {

// The records of an outbox range ([{key, value}..]), ordered so that each comes after those that it
// follows. The order of their ids does not matter: a clock may have stepped back. Damaged records
// are left out.
Vector<OutboxRecord> InChainOrder(const Data& outbox_range);

// The keys of the damaged records, which InChainOrder leaves out.
Vector<Key> DamagedUpdates(const Data& outbox_range);

// The links of a new update that touches `realms`: for each, the last update of the chain.
ChainLinks NextAfter(const Chain& chain, const Vector<std::string>& realms);

// Makes `id`, which follows `after`, the last link of every realm that it touches.
void AdvanceChain(const ChainLinks& after, const std::string& id, Chain* chain);

uint64_t SeqOf(const OutboxRecord& update, const std::string& realm);

// Whether `outbox` has an update that `update` follows in some realm.
bool FollowsAny(const OutboxRecord& update, const Vector<OutboxRecord>& outbox);

// Removes outbox[index] from `outbox`, together with all updates of the same identity that follow
// it, transitively over realms. If the chain is of that identity, sets it back, in each realm, to
// what the first removed update followed. Returns the removed records. REQUIRES: chain order.
Vector<OutboxRecord> UndoFrom(size_t index, Vector<OutboxRecord>* outbox, Chain* chain);

}  // namespace skerry

#endif  // SKERRY_SYNC_CHAIN_H_
