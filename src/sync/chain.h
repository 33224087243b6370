// The chain that makes pushes exactly once (docs/design.md, "The chain"): each update names, per
// realm that it touches, this client's update that it follows. These are pure functions over outbox
// records and the `chain` member of the `sync` record ({client, links: {realm: {seq, id}}}), which
// belongs to one identity and is not derived from the outbox.
#ifndef SKERRY_SYNC_CHAIN_H_
#define SKERRY_SYNC_CHAIN_H_

#include "base/data.h"
#include "base/string.h"
#include "base/vector.h"

namespace skerry {

// The values of an outbox range ([{key, value}..]) so that each comes after those that it follows,
// whatever the order of their ids (clocks step back). Damaged ones (sync/sound.h) are left out.
Vector<Data> InChainOrder(const Data& outbox_range);

// The keys of those that are left out.
Data DamagedUpdates(const Data& outbox_range);

// What an update that touches `realms` (sorted) follows: {realm: {seq, id} or null}.
Data NextAfter(const Data& chain, const Vector<String>& realms);

// Makes `id`, which follows `after`, the last link of every realm that it touches.
void AdvanceChain(const Data& after, const String& id, Data* chain);

uint64_t SeqOf(const Data& outbox, const String& realm);

// Whether something in `outbox` is what `update` follows in some realm.
bool FollowsAny(const Data& update, const Vector<Data>& outbox);

// Takes outbox[index], and all that follow it (transitively over realms, under the same identity),
// out of `outbox`, and sets the chain back to what the first of them in each realm followed, if the
// chain is of that identity. Returns the records taken out. REQUIRES: chain order.
Vector<Data> UndoFrom(size_t index, Vector<Data>* outbox, Data* chain);

}  // namespace skerry

#endif  // SKERRY_SYNC_CHAIN_H_
