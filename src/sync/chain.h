// The chain that makes pushes exactly once (docs/design.md, "The chain"): each update names, per
// realm that it touches, this client's update that it follows. These are pure functions over outbox
// records and the chain of the `sync` record, which belongs to one identity and is not derived from
// the outbox.
#ifndef SKERRY_SYNC_CHAIN_H_
#define SKERRY_SYNC_CHAIN_H_

#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/outbox_record.h"

namespace skerry {

// The records of an outbox range ([{key, value}..]) so that each comes after those that it follows,
// whatever the order of their ids (clocks step back). Damaged ones are left out.
Vector<OutboxRecord> InChainOrder(const Data& outbox_range);

// The keys of those that are left out.
Vector<Key> DamagedUpdates(const Data& outbox_range);

// What an update that touches `realms` follows.
ChainLinks NextAfter(const Chain& chain, const Vector<std::string>& realms);

// Makes `id`, which follows `after`, the last link of every realm that it touches.
void AdvanceChain(const ChainLinks& after, const std::string& id, Chain* chain);

uint64_t SeqOf(const OutboxRecord& update, const std::string& realm);

// Whether something in `outbox` is what `update` follows in some realm.
bool FollowsAny(const OutboxRecord& update, const Vector<OutboxRecord>& outbox);

// Takes outbox[index], and all that follow it (transitively over realms, under the same identity),
// out of `outbox`, and sets the chain back to what the first of them in each realm followed, if the
// chain is of that identity. Returns the records taken out. REQUIRES: chain order.
Vector<OutboxRecord> UndoFrom(size_t index, Vector<OutboxRecord>* outbox, Chain* chain);

}  // namespace skerry

#endif  // SKERRY_SYNC_CHAIN_H_
