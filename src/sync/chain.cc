#include "sync/chain.h"

#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "log/transaction_builder.h"

namespace skerry {
namespace {

bool Has(const Vector<OutboxRecord>& outbox, const std::string& id) {
  for (const OutboxRecord& update : outbox) {
    if (update.id == id) return true;
  }
  return false;
}

bool ShareRealm(const ChainLinks& after, const Set<std::string>& touched) {
  for (const auto& [realm, link] : after) {
    if (touched.contains(realm)) return true;
  }
  return false;
}

}  // namespace

bool FollowsAny(const OutboxRecord& update, const Vector<OutboxRecord>& outbox) {
  for (const auto& [realm, link] : update.after) {
    if (!link.id.empty() && Has(outbox, link.id)) return true;
  }
  return false;
}

Vector<OutboxRecord> InChainOrder(const Data& outbox_range) {
  Vector<OutboxRecord> left;
  for (const Data& row : outbox_range.items()) {
    std::optional<OutboxRecord> update = OutboxRecord::ReadRow(row);
    if (update.has_value()) left.push_back(std::move(*update));
  }
  Vector<OutboxRecord> ordered;
  while (!left.empty()) {
    size_t next = 0;
    for (size_t i = 0; i < left.size(); ++i) {
      if (!FollowsAny(left[i], left)) {
        next = i;
        break;
      }
    }
    ordered.push_back(std::move(left[next]));
    left.erase(left.begin() + static_cast<ptrdiff_t>(next));
  }
  return ordered;
}

Vector<Key> DamagedUpdates(const Data& outbox_range) {
  Vector<Key> keys;
  for (const Data& row : outbox_range.items()) {
    if (!OutboxRecord::ReadRow(row).has_value()) keys.push_back(RowKey(row));
  }
  return keys;
}

ChainLinks NextAfter(const Chain& chain, const Vector<std::string>& realms) {
  ChainLinks after;
  for (const std::string& realm : realms) {
    const auto last = chain.links.find(realm);
    after[realm] = last == chain.links.end() ? ChainLink() : last->second;
  }
  return after;
}

void AdvanceChain(const ChainLinks& after, const std::string& id, Chain* chain) {
  for (const auto& [realm, link] : after) {
    ChainLink next;
    next.seq = link.seq + 1;
    next.id = id;
    chain->links[realm] = std::move(next);
  }
}

uint64_t SeqOf(const OutboxRecord& update, const std::string& realm) {
  const auto link = update.after.find(realm);
  return link == update.after.end() ? 1 : link->second.seq + 1;
}

Vector<OutboxRecord> UndoFrom(size_t index, Vector<OutboxRecord>* outbox, Chain* chain) {
  const std::string client = (*outbox)[index].client;
  const bool own_chain = chain->client == client;
  Set<std::string> touched;
  Vector<OutboxRecord> undone;
  Vector<OutboxRecord> kept(outbox->begin(), outbox->begin() + static_cast<ptrdiff_t>(index));
  for (size_t i = index; i < outbox->size(); ++i) {
    OutboxRecord& update = (*outbox)[i];
    const bool follows = update.client == client && ShareRealm(update.after, touched);
    if (i != index && !follows) {
      kept.push_back(std::move(update));
      continue;
    }
    for (const auto& [realm, link] : update.after) {
      if (!touched.insert(realm).second || !own_chain) continue;
      if (link.id.empty()) {
        chain->links.erase(realm);
      } else {
        chain->links[realm] = link;
      }
    }
    undone.push_back(std::move(update));
  }
  *outbox = std::move(kept);
  return undone;
}

}  // namespace skerry
