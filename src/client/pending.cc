#include "client/pending.h"

#include <algorithm>

#include "base/status.h"
#include "base/vector.h"

namespace skerry {

bool Pending::IsLive(const Op& op) const {
  return !std::binary_search(confirmed_realms.begin(), confirmed_realms.end(), op.realm);
}

bool FoldsBefore(const Pending& a, const Pending& b) {
  if ((a.key == 0) != (b.key == 0)) return a.key != 0;
  return a.key != 0 ? a.key < b.key : a.serial < b.serial;
}

Pending* PendingList::Add(std::unique_ptr<Pending> pending) {
  ++version_;
  Pending* p = pending.get();
  const bool is_new = by_id_.emplace(p->mutation.action.id, std::move(pending)).second;
  SKERRY_CHECK(is_new);
  highest_seen_ = std::max(highest_seen_, p->key);
  if (p->key != 0) {
    keyed_[p->key] = p;
  } else {
    unkeyed_[p->serial] = p;
  }
  return p;
}

Pending* PendingList::Find(std::string_view id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : it->second.get();
}

void PendingList::SetKey(Pending* pending, uint64_t key) {
  if (pending->key != 0) {
    keyed_.erase(pending->key);
  } else {
    unkeyed_.erase(pending->serial);
  }
  pending->key = key;
  keyed_[key] = pending;
  highest_seen_ = std::max(highest_seen_, key);
}

std::unique_ptr<Pending> PendingList::Remove(std::string_view id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return nullptr;
  ++version_;
  std::unique_ptr<Pending> pending = std::move(it->second);
  by_id_.erase(it);
  if (pending->key != 0) {
    keyed_.erase(pending->key);
  } else {
    unkeyed_.erase(pending->serial);
  }
  return pending;
}

Vector<Pending*> PendingList::InOrder() const {
  Vector<Pending*> all = Keyed();
  for (const auto& [serial, p] : unkeyed_) all.push_back(p);
  return all;
}

Vector<Pending*> PendingList::Keyed() const {
  Vector<Pending*> all;
  all.reserve(by_id_.size());
  for (const auto& [key, p] : keyed_) all.push_back(p);
  return all;
}

Vector<Pending*> PendingList::Unkeyed() const {
  Vector<Pending*> all;
  all.reserve(unkeyed_.size());
  for (const auto& [serial, p] : unkeyed_) all.push_back(p);
  return all;
}

const Pending* PendingList::First() const {
  if (!keyed_.empty()) return keyed_.begin()->second;
  return unkeyed_.empty() ? nullptr : unkeyed_.begin()->second;
}

}  // namespace skerry
