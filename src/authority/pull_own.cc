// Pull: whether the cursors belong to this history and to what is not forgotten, and which own updates
// are in the log.
#include <algorithm>

#include "authority/pull.h"
#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"

namespace skerry {

// If the entry of a cursor is missing, or has another time, the cursor belongs to a history that
// the database has lost.
bool Pull::FindOtherHistories() {
  for (auto& [name, realm] : realms_) {
    if (realm.mode != Mode::kRange || IsForgotten(realm)) continue;
    const auto entry = realm.entries.find(realm.from.revision);
    if (entry != realm.entries.end() && entry->second.at == realm.from.at) continue;
    answer_.reset.push_back(name);
    realm.mode = InitialMode(realm.now);
    realm.from = {};
    realm.entries.clear();
    realm.changes.clear();
    realm.own.clear();
    realm.omitted = {};
    AskFor(name, &realm);
  }
  needs_.page_realms.clear();
  if (needs_.empty()) return false;
  // In the first round the ops of own updates may have been loaded for the range only.
  needs_.own.assign(request_.have.begin(), request_.have.end());
  return true;
}

// If the log has forgotten what came after a cursor, the client begins anew with everything. First
// it must know which realms belong to another history, because it gives their rows back.
bool Pull::BeginAnew() {
  const bool is_any = std::any_of(realms_.begin(), realms_.end(),
                                  [&](const auto& item) { return IsForgotten(item.second); });
  is_too_large_ = is_any && answer_.reset.empty();
  return is_too_large_;
}

void Pull::AddOwn(const std::string& realm, const std::string& update, uint64_t revision, double at,
                  const LostOps& lost) {
  answer_.own[update][realm] = {revision, at, {}};
  if (!lost.empty()) lost_[update] = lost;
}

// What an update has lost is said in each of its realms.
void Pull::WriteLost() {
  for (const auto& [update, lost] : lost_) {
    for (auto& [realm, entry] : answer_.own[update]) entry.lost = lost;
  }
}

// The entries of an update are in the log of each of its realms, or forgotten there.
void Pull::CollectSpans(const PulledOwn& own) {
  for (const auto& [name, revision] : own.spans) {
    const auto found = realms_.find(name);
    if (found == realms_.end() || found->second.mode == Mode::kImage) continue;
    const Realm& realm = found->second;
    const bool is_there =
        realm.entries.contains(revision) ||
        std::any_of(realm.own.begin(), realm.own.end(),
                    [&](const PulledOwn& one) { return one.update == own.update; });
    if (is_there || revision > realm.to) continue;
    AddOwn(name, own.update, revision, own.at, {});
    if (realm.mode == Mode::kState) LoadUnread(name, std::nullopt);
  }
}

void Pull::CollectOwn() {
  for (const auto& [name, realm] : realms_) {
    for (const PulledOwn& own : realm.own) CollectSpans(own);
  }
  for (auto& [name, realm] : realms_) {
    if (realm.mode == Mode::kImage) continue;
    for (const auto& [action, revision] : realm.actions) {
      if (answer_.known && revision <= realm.to) (*answer_.known)[action][name] = revision;
    }
    for (const auto& [revision, entry] : realm.entries) {
      if (revision <= realm.from.revision || revision > realm.to || !entry.is_declared) continue;
      if (entry.client != request_.client) continue;
      AddOwn(name, entry.update, revision, entry.at, entry.lost);
    }
    Sort(realm.own.begin(), realm.own.end(),
         [](const PulledOwn& a, const PulledOwn& b) { return a.revision < b.revision; });
    for (const PulledOwn& own : realm.own) {
      if (own.revision > realm.to) continue;
      AddOwn(name, own.update, own.revision, own.at, own.lost);
    }
    // From here on, `own` has only the updates that the client folds.
    erase_if(realm.own, [&](const PulledOwn& own) {
      return own.revision <= realm.from.revision || own.revision > realm.to;
    });
  }
}

}  // namespace skerry
