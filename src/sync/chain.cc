#include "sync/chain.h"

#include <utility>

#include "base/vector.h"
#include "sync/sound.h"

namespace skerry {
namespace {

bool Has(const Vector<Data>& outbox, const String& id) {
  for (const Data& update : outbox) {
    if (update["id"].as_string() == id) return true;
  }
  return false;
}

bool ShareRealm(const Data& after, const Data& touched) {
  for (const auto& [realm, link] : after.members()) {
    if (touched.Find(realm) != nullptr) return true;
  }
  return false;
}

}  // namespace

bool FollowsAny(const Data& update, const Vector<Data>& outbox) {
  for (const auto& [realm, link] : update["after"].members()) {
    if (link.is_object() && Has(outbox, link["id"].as_string())) return true;
  }
  return false;
}

Vector<Data> InChainOrder(const Data& outbox_range) {
  Vector<Data> left;
  for (const Data& row : outbox_range.items()) {
    if (IsSoundUpdate(row)) left.push_back(row["value"]);
  }
  Vector<Data> ordered;
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

Data DamagedUpdates(const Data& outbox_range) {
  Data keys = Data::MakeArray();
  for (const Data& row : outbox_range.items()) {
    if (!IsSoundUpdate(row)) keys.Push(row["key"]);
  }
  return keys;
}

Data NextAfter(const Data& chain, const Vector<String>& realms) {
  Data after = Data::MakeObject();
  for (const String& realm : realms) after.Set(realm, chain["links"][realm]);
  return after;
}

void AdvanceChain(const Data& after, const String& id, Data* chain) {
  Data links = (*chain)["links"].is_object() ? (*chain)["links"] : Data::MakeObject();
  for (const auto& [realm, link] : after.members()) {
    Data next = Data::MakeObject();
    next.Set("seq", link["seq"].as_u64() + 1).Set("id", id);
    links.Set(realm, std::move(next));
  }
  chain->Set("links", std::move(links));
}

uint64_t SeqOf(const Data& outbox, const String& realm) {
  return outbox["after"][realm]["seq"].as_u64() + 1;
}

Vector<Data> UndoFrom(size_t index, Vector<Data>* outbox, Data* chain) {
  const String client = (*outbox)[index]["client"].as_string();
  const bool own_chain = (*chain)["client"].as_string() == client;
  Data links = (*chain)["links"];
  Data touched = Data::MakeObject();
  Vector<Data> undone;
  Vector<Data> kept(outbox->begin(), outbox->begin() + static_cast<ptrdiff_t>(index));
  for (size_t i = index; i < outbox->size(); ++i) {
    Data& update = (*outbox)[i];
    const bool follows =
        update["client"].as_string() == client && ShareRealm(update["after"], touched);
    if (i != index && !follows) {
      kept.push_back(std::move(update));
      continue;
    }
    for (const auto& [realm, link] : update["after"].members()) {
      if (touched.Find(realm) != nullptr) continue;
      touched.Set(realm, true);
      if (!own_chain) continue;
      if (link.is_null()) {
        links.Remove(realm);
      } else {
        links.Set(realm, link);
      }
    }
    undone.push_back(std::move(update));
  }
  *outbox = std::move(kept);
  if (own_chain) chain->Set("links", std::move(links));
  return undone;
}

}  // namespace skerry
