#include "authority/pull_ranges.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/sort.h"

namespace skerry {

void PullRanges::Begin(const Map<std::string, PullRealm>& realms) {
  const PullInput& request = io_->request;
  wire::PullAnswer& answer = io_->answer;
  for (const auto& [name, cursor] : request.cursors) {
    if (!realms.contains(name)) answer.revoked.push_back(name);
  }
  is_whole_ = request.scopes.HaveAllTables(*io_->schema);
  for (const auto& [name, now] : realms) {
    PullRange& realm = realms_[name];
    realm.now = now;
    const auto cursor = request.cursors.find(name);
    if (cursor != request.cursors.end()) realm.from = cursor->second;
    if (realm.from.revision == 0) realm.mode = InitialMode(now);
    AskForGiven(name, &realm);
    AskFor(name, &realm);
  }
  io_->needs.own.assign(request.have.begin(), request.have.end());
  if (request.known) {
    io_->needs.actions.assign(request.known->begin(), request.known->end());
    answer.known.emplace();
  }
  if (request.asks_for_floors) {
    answer.floors.emplace();
    for (const auto& [name, now] : realms) {
      const Cursor& floor = now.floor;
      if (floor.revision > 0) (*answer.floors)[name] = {floor.revision, floor.at};
    }
  }
}

RealmMode PullRanges::InitialMode(const PullRealm& realm) const {
  const bool is_large = realm.rows > kMaxRowsWithoutImage;
  return is_whole_ && is_large && io_->request.accepts_images ? RealmMode::kImage
                                                              : RealmMode::kState;
}

// What was forgotten is in the log no longer, and nothing tells.
void PullRanges::AskForGiven(const std::string& name, PullRange* realm) {
  const auto given = io_->request.given.find(name);
  if (given == io_->request.given.end() || realm->from.revision > 0) return;
  if (given->second.revision < realm->now.floor.revision) return;
  realm->given = given->second;
  if (realm->now.head > 0) io_->needs.entries.push_back({name, given->second.revision, 1, ""});
}

void PullRanges::AskFor(const std::string& name, PullRange* realm) {
  if (realm->mode == RealmMode::kImage) {
    // An older one would replace what was given back by a state without it.
    io_->needs.images.emplace_back(name, realm->given ? realm->given->revision : 0);
    image_realms_.push_back(name);
    return;
  }
  if (IsForgotten(*realm)) return;
  io_->needs.page_realms.push_back(name);
  if (realm->mode == RealmMode::kState) return AskForState(name, realm);
  uint64_t limit = kMaxPullEntries;
  if (io_->request.limit) limit = std::min(limit, io_->request.limit);
  io_->needs.entries.push_back(
      {name, realm->from.revision, limit + 1, ""});  // one is the cursor's own
  io_->needs.changes.emplace_back(name, realm->from.revision);
}

void PullRanges::AskForState(const std::string& name, PullRange* realm) {
  if (realm->now.head == 0) return;
  io_->needs.entries.push_back({name, 0, kMaxPullEntries, io_->request.client});
  PullNeeds::State state{name, {}};
  const TableIndex members = io_->request.scopes.members();
  for (const Scope& scope : io_->request.scopes.list()) {
    if (scope.has_begun()) state.tables.insert(scope.table);
  }
  state.tables.erase(members);
  if (realm->now.rows > kMaxWholeRealmRows && !state.tables.empty()) {
    // One answer cannot hold so many rows. `refill` sets the scopes back, so that pages bring them.
    LoadUnread(name, std::move(state.tables));
    state.tables.clear();
  }
  if (members != kNone) state.tables.insert(members);
  if (!state.tables.empty()) io_->needs.state.push_back(std::move(state));
}

void PullRanges::LoadEntry(wire::LoadedEntry entry) {
  const auto found = realms_.find(entry.realm);
  if (found == realms_.end()) return;
  PullRange& realm = found->second;
  if (realm.given == Cursor{entry.revision, entry.at}) realm.given.reset();
  // Of a realm that comes whole, one that only proves the history names no client.
  if (realm.mode != RealmMode::kRange && entry.client.empty()) return;
  realm.entries[entry.revision] = std::move(entry);
}

void PullRanges::LoadAction(const std::string& realm, const std::string& action,
                            uint64_t revision) {
  const auto found = realms_.find(realm);
  if (found == realms_.end() || !io_->request.known || !io_->request.known->contains(action))
    return;
  found->second.actions[action] = revision;
}

void PullRanges::LoadImage(wire::Image image) {
  const auto end = image_realms_.end();
  if (std::find(image_realms_.begin(), end, image.realm) != end)
    io_->answer.fills.emplace_back(std::move(image));
}

void PullRanges::ChooseEnds() {
  for (auto& [name, realm] : realms_) {
    realm.to = realm.from.revision;
    if (realm.mode == RealmMode::kState) realm.to = realm.now.head;
    if (realm.mode != RealmMode::kRange || IsForgotten(realm)) continue;
    while (realm.entries.contains(realm.to + 1)) ++realm.to;
  }
}

// Cuts the ranges so that an entry that spans realms is in all of their ranges or in none, as far
// as the cursors allow. Each entry is looked at once for each realm that it spans.
void PullRanges::CutSpanning() {
  struct Dependent {
    uint64_t needs = 0;  // a revision of the realm on which it depends
    std::string realm;
    uint64_t revision = 0;
  };
  Map<std::string, Vector<Dependent>> dependents;  // by that realm
  for (const auto& [name, realm] : realms_) {
    if (realm.mode != RealmMode::kRange) continue;
    for (auto entry = realm.entries.upper_bound(realm.from.revision);
         entry != realm.entries.end() && entry->first <= realm.to; ++entry) {
      for (const auto& [other, revision] : entry->second.AllOfUpdate()) {
        const auto found = realms_.find(other);
        if (found == realms_.end() || found->second.mode != RealmMode::kRange) continue;
        dependents[other].push_back({revision, name, entry->first});
      }
    }
  }
  Vector<std::string> waiting;
  for (auto& [name, list] : dependents) {
    Sort(list.begin(), list.end(),
         [](const Dependent& a, const Dependent& b) { return a.needs < b.needs; });
    waiting.push_back(name);
  }
  while (!waiting.empty()) {
    const std::string name = std::move(waiting.back());
    waiting.pop_back();
    const uint64_t to = realms_.at(name).to;
    const auto found = dependents.find(name);
    if (found == dependents.end()) continue;
    for (Vector<Dependent>& list = found->second; !list.empty() && list.back().needs > to;) {
      const Dependent dependent = std::move(list.back());
      list.pop_back();
      PullRange& cut = realms_.at(dependent.realm);
      if (cut.to < dependent.revision) continue;
      cut.to = dependent.revision - 1;
      waiting.push_back(dependent.realm);
      if (dependent.realm == name) break;  // its own end has changed
    }
  }
}

void PullRanges::WriteCursors() {
  for (const auto& [name, realm] : realms_) {
    Cursor cursor = realm.from;
    if (realm.mode == RealmMode::kState) cursor = {realm.to, realm.to ? realm.now.head_at : 0};
    if (realm.mode == RealmMode::kRange && realm.to != realm.from.revision) {
      cursor = {realm.to, realm.entries.at(realm.to).at};
    }
    io_->answer.cursors[name] = CursorText(cursor);
  }
}

}  // namespace skerry
