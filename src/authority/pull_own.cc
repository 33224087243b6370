// PullRanges: whether the cursors belong to this history and to what is not forgotten, and which own
// updates are in the log.
#include <algorithm>
#include <utility>

#include "authority/pull_ranges.h"
#include "base/sort.h"

namespace skerry {

void PullRanges::LoadOwn(PulledOwn own) {
  const std::string& realm = own.entry.realm;
  const auto found = realms_.find(realm);
  if (found == realms_.end() || !io_->request.have.contains(own.entry.update)) return;
  // What the client folds is not known then. No range has it: it is not above a cursor.
  if (own.entry.forgotten && found->second.mode == RealmMode::kState)
    LoadUnread(realm, std::nullopt);
  for (const PulledOwn& other : found->second.own) {
    if (other.entry.revision == own.entry.revision)
      return;  // loaded before: a reset realm asked for it again
  }
  found->second.own.push_back(std::move(own));
}

// If the entry of a cursor is missing, or has another time, the cursor belongs to a history that
// the database has lost. So does what was given back up to such an entry.
bool PullRanges::FindOtherHistories(Vector<std::string>* reset) {
  for (auto& [name, realm] : realms_) {
    if (realm.given) {
      // Nothing was read from there, so nothing more is to be read.
      io_->answer.reset.push_back(name);
      realm.given.reset();
    }
    if (realm.mode != RealmMode::kRange || IsForgotten(realm)) continue;
    const auto entry = realm.entries.find(realm.from.revision);
    if (entry != realm.entries.end() && entry->second.at == realm.from.at) continue;
    io_->answer.reset.push_back(name);
    reset->push_back(name);
    realm.mode = InitialMode(realm.now);
    realm.from = {};
    realm.entries.clear();
    realm.own.clear();
    realm.omitted = {};
    AskFor(name, &realm);
  }
  io_->needs.page_realms.clear();
  if (io_->needs.empty()) return false;
  // In the first round the ops of own updates may have been loaded for the range only.
  io_->needs.own.assign(io_->request.have.begin(), io_->request.have.end());
  return true;
}

// If the log has forgotten what came after a cursor, the client begins anew with everything. First
// it must know which realms belong to another history, because it gives their rows back.
bool PullRanges::NeedsFullResync() {
  const bool is_any = std::any_of(realms_.begin(), realms_.end(),
                                  [&](const auto& item) { return IsForgotten(item.second); });
  is_too_large_ = is_any && io_->answer.reset.empty();
  return is_too_large_;
}

void PullRanges::AddOwn(const std::string& realm, const std::string& update, uint64_t revision,
                        double at, const LostOps& lost) {
  io_->answer.own[update][realm] = {revision, at, {}};
  if (!lost.empty()) lost_[update] = lost;
}

// What an update has lost is said in each of its realms.
void PullRanges::WriteLost() {
  for (const auto& [update, lost] : lost_) {
    for (auto& [realm, entry] : io_->answer.own[update]) entry.lost = lost;
  }
}

// The entries of an update are in the log of each of its realms, or forgotten there.
void PullRanges::CollectSpans(const wire::LoadedOwn& own) {
  if (!own.revisions.has_value()) return;
  for (const auto& [name, revision] : *own.revisions) {
    const auto found = realms_.find(name);
    if (found == realms_.end() || found->second.mode == RealmMode::kImage) continue;
    const PullRange& realm = found->second;
    const bool is_there =
        realm.entries.contains(revision) ||
        std::any_of(realm.own.begin(), realm.own.end(),
                    [&](const PulledOwn& one) { return one.entry.update == own.update; });
    if (is_there || revision > realm.to) continue;
    AddOwn(name, own.update, revision, own.at, {});
    if (realm.mode == RealmMode::kState) LoadUnread(name, std::nullopt);
  }
}

void PullRanges::CollectOwn() {
  for (const auto& [name, realm] : realms_) {
    for (const PulledOwn& own : realm.own) CollectSpans(own.entry);
  }
  for (auto& [name, realm] : realms_) {
    if (realm.mode == RealmMode::kImage) continue;
    for (const auto& [action, revision] : realm.actions) {
      if (io_->answer.known && revision <= realm.to) (*io_->answer.known)[action][name] = revision;
    }
    for (const auto& [revision, entry] : realm.entries) {
      if (revision <= realm.from.revision || revision > realm.to || !entry.declared) continue;
      if (entry.client != io_->request.client) continue;
      AddOwn(name, entry.update, revision, entry.at, entry.lost);
    }
    Sort(realm.own.begin(), realm.own.end(), [](const PulledOwn& a, const PulledOwn& b) {
      return a.entry.revision < b.entry.revision;
    });
    for (const auto& [own, ops] : realm.own) {
      if (own.revision > realm.to) continue;
      AddOwn(name, own.update, own.revision, own.at, own.lost);
    }
    // From here on, `own` has only the updates that the client folds.
    erase_if(realm.own, [&](const PulledOwn& own) {
      return own.entry.revision <= realm.from.revision || own.entry.revision > realm.to;
    });
  }
}

}  // namespace skerry
