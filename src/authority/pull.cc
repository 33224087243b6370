#include "authority/pull.h"

#include <algorithm>

#include "authority/diff.h"
#include "authority/pull_joins.h"
#include "authority/row_data.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/fold.h"

namespace skerry {

void Pull::Begin(PullInput request, Map<std::string, PullRealm> realms) {
  request_ = std::move(request);
  answer_.time = request_.now;
  for (const auto& [name, cursor] : request_.cursors) {
    if (!realms.contains(name)) answer_.revoked.push_back(name);
  }
  is_whole_ = request_.scopes.HaveAllTables(*schema_);
  FindJoins();
  for (const auto& [name, now] : realms) {
    Realm& realm = realms_[name];
    realm.now = now;
    const auto cursor = request_.cursors.find(name);
    if (cursor != request_.cursors.end()) realm.from = cursor->second;
    if (realm.from.revision == 0) realm.mode = InitialMode(now);
    AskFor(name, &realm);
  }
  needs_.own.assign(request_.have.begin(), request_.have.end());
  if (request_.known) {
    needs_.actions.assign(request_.known->begin(), request_.known->end());
    answer_.known.emplace();
  }
  if (request_.asks_for_floors) {
    answer_.floors.emplace();
    for (const auto& [name, now] : realms) {
      const Cursor& floor = now.floor;
      if (floor.revision > 0) (*answer_.floors)[name] = {floor.revision, floor.at};
    }
  }
  needs_.pages = request_.scopes.PagesAtOnce();
  asked_pages_ = needs_.pages;
  pages_.resize(asked_pages_.size());
}

Pull::Mode Pull::InitialMode(const PullRealm& realm) const {
  const bool is_large = realm.rows > kMaxRowsWithoutImage;
  return is_whole_ && is_large && request_.accepts_images ? Mode::kImage : Mode::kState;
}

void Pull::AskFor(const std::string& name, Realm* realm) {
  if (realm->mode == Mode::kImage) {
    needs_.images.push_back(name);
    image_realms_.push_back(name);
    return;
  }
  if (IsForgotten(*realm)) return;
  needs_.page_realms.push_back(name);
  if (realm->mode == Mode::kState) return AskForState(name, realm);
  uint64_t limit = kMaxPullEntries;
  if (request_.limit) limit = std::min(limit, request_.limit);
  needs_.entries.push_back({name, realm->from.revision, limit + 1, ""});  // one is the cursor's own
  needs_.changes.emplace_back(name, realm->from.revision);
}

void Pull::AskForState(const std::string& name, Realm* realm) {
  if (realm->now.head == 0) return;
  needs_.entries.push_back({name, 0, kMaxPullEntries, request_.client});
  PullNeeds::State state{name, {}};
  const TableIndex members = request_.scopes.members();
  for (const Scope& scope : request_.scopes.list()) {
    if (scope.has_begun()) state.tables.insert(scope.table);
  }
  state.tables.erase(members);
  if (realm->now.rows > kMaxWholeRealmRows && !state.tables.empty()) {
    // One answer cannot hold so many rows. `refill` sets the scopes back, so that pages bring them.
    LoadUnread(name, std::move(state.tables));
    state.tables.clear();
  }
  if (members != kNone) state.tables.insert(members);
  if (!state.tables.empty()) needs_.state.push_back(std::move(state));
}

void Pull::LoadEntry(const std::string& realm, PulledEntry entry) {
  const auto found = realms_.find(realm);
  if (found != realms_.end()) found->second.entries[entry.revision] = std::move(entry);
}

void Pull::LoadChange(const std::string& realm, uint64_t revision, const ObjectKey& key,
                      std::optional<Row> before) {
  const auto found = realms_.find(realm);
  if (found == realms_.end() || revision <= found->second.from.revision) return;
  found->second.changes[key].try_emplace(revision, std::move(before));
}

void Pull::LoadOwn(const std::string& realm, PulledOwn own) {
  const auto found = realms_.find(realm);
  if (found == realms_.end() || !request_.have.contains(own.update)) return;
  // What the client folds is not known then. No range has it: it is not above a cursor.
  if (own.is_forgotten && found->second.mode == Mode::kState) LoadUnread(realm, std::nullopt);
  for (const PulledOwn& other : found->second.own) {
    if (other.revision == own.revision) return;  // loaded before: a reset realm asked for it again
  }
  found->second.own.push_back(std::move(own));
}

void Pull::LoadAction(const std::string& realm, const std::string& action, uint64_t revision) {
  const auto found = realms_.find(realm);
  if (found == realms_.end() || !request_.known || !request_.known->contains(action)) return;
  found->second.actions[action] = revision;
}

void Pull::LoadState(const ObjectKey& key, Row row) {
  const auto found = realms_.find(row.realm);
  if (found != realms_.end()) found->second.state.insert_or_assign(key, std::move(row));
}

void Pull::LoadPage(size_t place, PulledPage page) {
  if (place < pages_.size()) pages_[place] = std::move(page);
}

void Pull::LoadRow(const RealmKey& key, std::optional<Row> row) {
  const auto found = realms_.find(key.first);
  if (found == realms_.end()) return;
  if (row && row->realm != key.first) row.reset();
  found->second.rows[key.second] = std::move(row);
}

void Pull::LoadImage(wire::Image image) {
  const auto end = image_realms_.end();
  if (std::find(image_realms_.begin(), end, image.realm) != end)
    answer_.fills.emplace_back(std::move(image));
}

wire::Scope Pull::NameOf(const Scope& scope) const {
  return {schema_->table(scope.table).name, scope.where};
}

void Pull::Run() {
  needs_ = {};
  if (phase_ == Phase::kLog) {
    if (FindOtherHistories()) return;
    if (BeginAnew()) return;
    ChooseEnds();
    CutSpanning();
    CollectOwn();
    CollectOmitted();
    if (is_too_large_) return;
    phase_ = Phase::kRows;
    const bool asks_for_streams = AskForStreams();
    if (AskForRows() || asks_for_streams) return;
  }
  if (phase_ == Phase::kRows) {
    phase_ = Phase::kCandidates;
    if (AskForCandidates()) return;
  }
  if (phase_ == Phase::kCandidates) {
    CollectOmitted();
    if (is_too_large_) return;
    phase_ = Phase::kSelected;
    if (AskForSelected()) return;
  }
  ChoosePages();
  for (const auto& [name, realm] : realms_) {
    if (realm.mode != Mode::kImage) DiffRealm(name, realm);
  }
  JoinMoves();
  NameLeaves();
  WriteLost();
  WriteChanges();
  WriteStreams();
}

void Pull::ChooseEnds() {
  for (auto& [name, realm] : realms_) {
    realm.to = realm.from.revision;
    if (realm.mode == Mode::kState) realm.to = realm.now.head;
    if (realm.mode != Mode::kRange || IsForgotten(realm)) continue;
    while (realm.entries.contains(realm.to + 1)) ++realm.to;
  }
}

// Cuts the ranges so that an entry that spans realms is in all of their ranges or in none, as far
// as the cursors allow. Each entry is looked at once for each realm that it spans.
void Pull::CutSpanning() {
  struct Dependent {
    uint64_t needs = 0;  // a revision of the realm on which it depends
    std::string realm;
    uint64_t revision = 0;
  };
  Map<std::string, Vector<Dependent>> dependents;  // by that realm
  for (const auto& [name, realm] : realms_) {
    if (realm.mode != Mode::kRange) continue;
    for (auto entry = realm.entries.upper_bound(realm.from.revision);
         entry != realm.entries.end() && entry->first <= realm.to; ++entry) {
      for (const auto& [other, revision] : entry->second.spans) {
        const auto found = realms_.find(other);
        if (found == realms_.end() || found->second.mode != Mode::kRange) continue;
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
      Realm& cut = realms_.at(dependent.realm);
      if (cut.to < dependent.revision) continue;
      cut.to = dependent.revision - 1;
      waiting.push_back(dependent.realm);
      if (dependent.realm == name) break;  // its own end has changed
    }
  }
}

// Of a table that is left out (LoadUnread), only the objects of own updates: an object that the
// user has just made must not vanish until its page comes.
Vector<ObjectKey> Pull::KeysOf(const Realm& realm) const {
  Vector<ObjectKey> keys;
  for (const auto& [key, befores] : realm.changes) {
    if (befores.begin()->first <= realm.to && !IsUnread(key.table)) keys.push_back(key);
  }
  // Without the ops of own updates, `state` and `candidates` have only memberships.
  const size_t changed = keys.size();
  for (const auto& [key, row] : realm.state) {
    if (!IsUnread(key.table)) keys.push_back(key);
  }
  for (const PulledOwn& own : realm.own) {
    for (const Op& op : RowOps(own.ops)) keys.push_back(op.key());
  }
  for (const ObjectKey& key : realm.candidates) {
    if (!IsUnread(key.table)) keys.push_back(key);
  }
  if (keys.size() == changed) return keys;
  Sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

void Pull::AskForRow(const std::string& name, const Realm& realm, const ObjectKey& key) {
  if (realm.state.contains(key)) return;
  const auto changes = realm.changes.find(key);
  if (changes != realm.changes.end() && changes->second.rbegin()->first > realm.to) return;
  // Loaded along with the changes: the row has not changed since the last of them.
  if (realm.rows.contains(key)) return;
  needs_.rows.push_back({{name, key}, realm.to});
}

bool Pull::AskForRows() {
  for (const auto& [name, realm] : realms_) {
    if (realm.mode == Mode::kImage) continue;
    Vector<ObjectKey> keys = KeysOf(realm);
    for (const auto& [key, befores] : realm.changes) {
      if (IsSelectedFrom(key.table) && befores.begin()->first <= realm.to) keys.push_back(key);
    }
    Sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const ObjectKey& key : keys) AskForRow(name, realm, key);
  }
  return !needs_.rows.empty();
}

const Row* Pull::RowAtEnd(const Realm& realm, const ObjectKey& key) {
  const auto there = [](const std::optional<Row>& row) { return row ? &*row : nullptr; };
  if (const auto row = realm.state.find(key); row != realm.state.end()) return &row->second;
  if (const auto changes = realm.changes.find(key); changes != realm.changes.end()) {
    const auto next = changes->second.upper_bound(realm.to);
    if (next != changes->second.end()) return there(next->second);
  }
  const auto row = realm.rows.find(key);
  return row == realm.rows.end() ? nullptr : there(row->second);
}

const Row* Pull::RowAtStart(const Realm& realm, const ObjectKey& key) {
  if (realm.mode == Mode::kState) return nullptr;
  const auto changes = realm.changes.find(key);
  if (changes == realm.changes.end()) return RowAtEnd(realm, key);
  const std::optional<Row>& before = changes->second.begin()->second;
  return before ? &*before : nullptr;
}

// Adds pages to the answer if its ranges reach the heads of all realms; else they come with a later
// pull.
void Pull::ChoosePages() {
  bool is_at_head = !request_.is_partial;
  for (const auto& [name, realm] : realms_) {
    if (realm.mode == Mode::kRange && realm.to < realm.now.head) is_at_head = false;
  }
  if (answer_.refill) is_at_head = false;
  answer_.more = !is_at_head;
  if (!is_at_head) return;
  Vector<std::string> covered;
  for (const auto& [name, realm] : realms_) {
    if (realm.mode != Mode::kImage) covered.push_back(name);
  }
  if (covered.empty()) return;
  answer_.more = asked_pages_.size() < request_.scopes.CountUnfilled();
  for (size_t i = 0; i < asked_pages_.size(); ++i) {
    if (!pages_[i]) {
      answer_.more = true;
      continue;
    }
    const Scope& scope = request_.scopes.list()[asked_pages_[i]];
    wire::Page page;
    page.scope = NameOf(scope);
    page.above = scope.filled;
    page.realms = covered;
    for (const auto& [key, row] : pages_[i]->rows) {
      // The page was asked for before it turned out that the realm comes by image.
      const auto realm = realms_.find(row.realm);
      if (realm != realms_.end() && realm->second.mode == Mode::kImage) continue;
      page.ids.push_back(key.id);
      std::optional<Row> filled;
      page_rows_.insert_or_assign({row.realm, key},
                                  *WithDefaults(schema_->table(key.table), &row, &filled));
    }
    if (pages_[i]->has_more && (pages_[i]->upto || !pages_[i]->rows.empty())) {
      page.upto = pages_[i]->upto ? *pages_[i]->upto : pages_[i]->rows.back().first.id;
      answer_.more = true;
    }
    Sort(page.ids.begin(), page.ids.end());
    answer_.fills.emplace_back(std::move(page));
  }
}

void Pull::ClearUnknownDefaults(const Realm& realm, const ObjectKey& key, Row* row) const {
  const auto changes = realm.changes.find(key);
  if (changes == realm.changes.end()) return;
  for (const auto& [revision, before] : changes->second) {
    if (revision > realm.to) break;
    if (before) ClearUnknownDefault(schema_->table(key.table), *before, row);
  }
}

void Pull::DiffRealm(const std::string& name, const Realm& realm) {
  const Vector<ObjectKey> keys = KeysOf(realm);
  const InnerRows at_start(*this, realm, /*is_end=*/false);
  const InnerRows at_end(*this, realm, /*is_end=*/true);
  Set<ObjectKey> own_keys;
  Map<ObjectKey, std::optional<Row>> held;
  for (const ObjectKey& key : keys) {
    // If the stored row has no value for a prop, the client holds the default of its own schema
    // version, which is not known here. So the prop stays null in `held`. It then differs from the
    // row at the end, which has our default, and is sent.
    const Row* row = RowAtStart(realm, key);
    std::optional<Row> filled;
    if (row && request_.scopes.Hold(key, *WithDefaults(schema_->table(key.table), row, &filled),
                                    true, at_start)) {
      held[key] = *row;
      ClearUnknownDefaults(realm, key, &*held[key]);
    }
  }
  for (const PulledOwn& own : realm.own) {
    for (const Op& op : RowOps(own.ops)) own_keys.insert(op.key());
  }
  FoldOwn(name, realm, &held);
  for (const ObjectKey& key : keys) {
    const bool is_covered = !IsUnread(key.table) && request_.scopes.Cover(key);
    // Without the ops of own updates it is not known what the client holds.
    const bool is_whole = unread_.is_all || (!is_covered && own_keys.contains(key));
    std::optional<Row> filled;
    const Row* row = WithDefaults(schema_->table(key.table), RowAtEnd(realm, key), &filled);
    Outcome& outcome = outcomes_[{name, key}];
    outcome.lives = row != nullptr;
    if (row && !request_.scopes.Hold(key, *row, !is_whole, at_end)) row = nullptr;
    if (const auto from = held.find(key); from != held.end()) outcome.from = from->second;
    const Row* from = outcome.from ? &*outcome.from : nullptr;
    if (!is_whole) {
      outcome.change = DiffRow(key, name, from, row, realm.to);
    } else if (row) {
      // The fill has not reached this id, so it is not known what the client holds of the object:
      // the whole row is sent.
      outcome.change = WholeRow(key, *row);
    } else {
      const Row unknown;
      outcome.change = DiffRow(key, name, &unknown, nullptr, realm.to);
    }
  }
}

}  // namespace skerry
