#include "authority/pull_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "authority/diff.h"
#include "authority/row_data.h"
#include "base/sort.h"
#include "log/fold.h"

namespace skerry {

void PullRows::Begin() {
  for (const auto& [name, range] : ranges_->all()) realms_[name].range = &range;
  io_->needs.pages = io_->request.scopes.PagesAtOnce();
  asked_pages_ = io_->needs.pages;
  pages_.resize(asked_pages_.size());
}

void PullRows::AddCandidate(const std::string& realm, const ObjectKey& key, Row row) {
  PulledRows& rows = realms_.at(realm);
  rows.candidates.insert(key);
  // A row that has changed is known from its changes.
  if (!rows.changes.contains(key)) rows.rows.try_emplace(key, std::move(row));
}

void PullRows::LoadChange(const std::string& realm, uint64_t revision, const ObjectKey& key,
                          std::optional<Row> before) {
  const auto found = realms_.find(realm);
  if (found == realms_.end() || revision <= found->second.range->from.revision) return;
  found->second.changes[key].try_emplace(revision, std::move(before));
}

void PullRows::LoadState(const ObjectKey& key, Row row) {
  const auto found = realms_.find(row.realm);
  if (found != realms_.end()) found->second.state.insert_or_assign(key, std::move(row));
}

void PullRows::LoadPage(size_t place, PulledPage page) {
  if (place < pages_.size()) pages_[place] = std::move(page);
}

void PullRows::LoadRow(const PlacedKey& key, std::optional<Row> row) {
  const auto found = realms_.find(key.realm);
  if (found == realms_.end()) return;
  if (row && row->realm != key.realm) row.reset();
  found->second.rows[key.object] = std::move(row);
}

// Of a table that is left out (LoadUnread), only the objects of own updates: an object that the
// user has just made must not vanish until its page comes.
Vector<ObjectKey> PullRows::KeysOf(const PulledRows& realm) const {
  Vector<ObjectKey> keys;
  for (const auto& [key, befores] : realm.changes) {
    if (befores.begin()->first <= realm.range->to && !ranges_->IsUnread(key.table))
      keys.push_back(key);
  }
  // Without the ops of own updates, `state` and `candidates` have only memberships.
  const size_t changed = keys.size();
  for (const auto& [key, row] : realm.state) {
    if (!ranges_->IsUnread(key.table)) keys.push_back(key);
  }
  for (const PulledOwn& own : realm.range->own) {
    for (const Op& op : RowOps(own.ops)) keys.push_back(op.key());
  }
  for (const ObjectKey& key : realm.candidates) {
    if (!ranges_->IsUnread(key.table)) keys.push_back(key);
  }
  if (keys.size() == changed) return keys;
  Sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

void PullRows::AskForRow(const std::string& name, const PulledRows& realm, const ObjectKey& key) {
  if (realm.state.contains(key)) return;
  const auto changes = realm.changes.find(key);
  if (changes != realm.changes.end() && changes->second.rbegin()->first > realm.range->to) return;
  // Loaded along with the changes: the row has not changed since the last of them.
  if (realm.rows.contains(key)) return;
  io_->needs.rows.push_back({{name, key}, realm.range->to});
}

bool PullRows::AskForRows(const Set<TableIndex>& inner) {
  for (const auto& [name, realm] : realms_) {
    if (realm.range->mode == RealmMode::kImage) continue;
    Vector<ObjectKey> keys = KeysOf(realm);
    for (const auto& [key, befores] : realm.changes) {
      if (inner.contains(key.table) && befores.begin()->first <= realm.range->to)
        keys.push_back(key);
    }
    Sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const ObjectKey& key : keys) AskForRow(name, realm, key);
  }
  return !io_->needs.rows.empty();
}

const Row* PulledRows::RowAtEnd(const ObjectKey& key) const {
  const auto there = [](const std::optional<Row>& row) { return row ? &*row : nullptr; };
  if (const auto row = state.find(key); row != state.end()) return &row->second;
  if (const auto found = changes.find(key); found != changes.end()) {
    const auto next = found->second.upper_bound(range->to);
    if (next != found->second.end()) return there(next->second);
  }
  const auto row = rows.find(key);
  return row == rows.end() ? nullptr : there(row->second);
}

const Row* PulledRows::RowAtStart(const ObjectKey& key) const {
  if (range->mode == RealmMode::kState) return nullptr;
  const auto found = changes.find(key);
  if (found == changes.end()) return RowAtEnd(key);
  const std::optional<Row>& before = found->second.begin()->second;
  return before ? &*before : nullptr;
}

uint64_t PulledRows::LastChangeOf(const ObjectKey& key) const {
  const auto found = changes.find(key);
  if (found == changes.end()) return range->to;
  const auto next = found->second.upper_bound(range->to);
  return next == found->second.begin() ? range->to : std::prev(next)->first;
}

// Adds pages to the answer if its ranges reach the heads of all realms; else they come with a later
// pull.
void PullRows::ChoosePages() {
  bool is_at_head = !io_->request.is_partial;
  for (const auto& [name, realm] : ranges_->all()) {
    if (realm.mode == RealmMode::kRange && realm.to < realm.now.head) is_at_head = false;
  }
  if (io_->answer.refill) is_at_head = false;
  io_->answer.more = !is_at_head;
  if (!is_at_head) return;
  Vector<std::string> covered;
  for (const auto& [name, realm] : ranges_->all()) {
    if (realm.mode != RealmMode::kImage) covered.push_back(name);
  }
  if (covered.empty()) return;
  io_->answer.more = asked_pages_.size() < io_->request.scopes.CountUnfilled();
  for (size_t i = 0; i < asked_pages_.size(); ++i) {
    if (!pages_[i]) {
      io_->answer.more = true;
      continue;
    }
    const Scope& scope = io_->request.scopes.list()[asked_pages_[i]];
    wire::Page page;
    page.scope = NameOf(*io_, scope);
    page.above = scope.filled;
    page.realms = covered;
    for (const auto& [key, row] : pages_[i]->rows) {
      // The page was asked for before it turned out that the realm comes by image.
      const PullRange* realm = ranges_->Find(row.realm);
      if (realm != nullptr && realm->mode == RealmMode::kImage) continue;
      page.ids.push_back(key.id);
      std::optional<Row> filled;
      page_rows_.insert_or_assign({row.realm, key},
                                  *WithDefaults(io_->schema->table(key.table), &row, &filled));
    }
    if (pages_[i]->has_more && (pages_[i]->upto || !pages_[i]->rows.empty())) {
      page.upto = pages_[i]->upto ? *pages_[i]->upto : pages_[i]->rows.back().first.id;
      io_->answer.more = true;
    }
    Sort(page.ids.begin(), page.ids.end());
    io_->answer.fills.emplace_back(std::move(page));
  }
}

void PullRows::ClearUnknownDefaults(const PulledRows& realm, const ObjectKey& key, Row* row) const {
  const auto changes = realm.changes.find(key);
  if (changes == realm.changes.end()) return;
  for (const auto& [revision, before] : changes->second) {
    if (revision > realm.range->to) break;
    if (before) ClearUnknownDefault(io_->schema->table(key.table), *before, row);
  }
}

namespace {

// The client's entries in the range, ascending.
Vector<uint64_t> OwnRevisions(const PullRange& range, const std::string& client) {
  Vector<uint64_t> own;
  for (const auto& [revision, entry] : range.entries) {
    if (revision > range.from.revision && entry.client == client) own.push_back(revision);
  }
  return own;
}

}  // namespace

std::optional<uint64_t> PullRows::OverOf(const PulledRows& realm, const Vector<uint64_t>& own,
                                         const ObjectKey& key) const {
  const PullRange& range = *realm.range;
  const std::string& client = io_->request.client;
  const auto changes = realm.changes.find(key);
  if (range.mode != RealmMode::kRange || changes == realm.changes.end()) return std::nullopt;
  std::optional<uint64_t> lowest;
  bool may_concern = false;
  for (const auto& [revision, before] : changes->second) {
    if (revision > range.to) break;
    const auto entry = range.entries.find(revision);
    if (entry == range.entries.end() || entry->second.client == client) continue;
    const std::optional<uint64_t>& base = entry->second.base;
    if (!base.has_value()) continue;
    lowest = std::min(lowest.value_or(*base), *base);
    // Own updates at or below the cursor are not known here.
    const uint64_t* unseen = std::upper_bound(own.begin(), own.end(), *base);
    const bool has_own = unseen != own.end() && *unseen < revision;
    may_concern = may_concern || *base < range.from.revision || has_own;
  }
  return may_concern ? lowest : std::nullopt;
}

void PullRows::DiffRealm(const std::string& name, const FilterContext& at_start,
                         const FilterContext& at_end) {
  const PulledRows& realm = realms_.at(name);
  const Vector<ObjectKey> keys = KeysOf(realm);
  Set<ObjectKey> own_keys;
  Map<ObjectKey, std::optional<Row>> held;
  for (const ObjectKey& key : keys) {
    // If the stored row has no value for a prop, the client holds the default of its own schema
    // version, which is not known here. So the prop stays null in `held`. It then differs from the
    // row at the end, which has our default, and is sent.
    const Row* row = realm.RowAtStart(key);
    std::optional<Row> filled;
    if (row &&
        io_->request.scopes.Hold(key, *WithDefaults(io_->schema->table(key.table), row, &filled),
                                 true, at_start)) {
      held[key] = *row;
      ClearUnknownDefaults(realm, key, &*held[key]);
    }
  }
  for (const PulledOwn& own : realm.range->own) {
    for (const Op& op : RowOps(own.ops)) own_keys.insert(op.key());
  }
  FoldOwn(name, *realm.range, &held);
  const Vector<uint64_t> own_revisions = OwnRevisions(*realm.range, io_->request.client);
  for (const ObjectKey& key : keys) {
    const bool is_covered = !ranges_->IsUnread(key.table) && io_->request.scopes.Cover(key);
    // Without the ops of own updates it is not known what the client holds.
    const bool is_whole = ranges_->unread().is_all || (!is_covered && own_keys.contains(key));
    std::optional<Row> filled;
    const Row* row = WithDefaults(io_->schema->table(key.table), realm.RowAtEnd(key), &filled);
    Outcome& outcome = outcomes_[{name, key}];
    outcome.lives = row != nullptr;
    if (row && !io_->request.scopes.Hold(key, *row, !is_whole, at_end)) row = nullptr;
    if (const auto from = held.find(key); from != held.end()) outcome.from = from->second;
    const Row* from = outcome.from ? &*outcome.from : nullptr;
    if (!is_whole) {
      outcome.change = DiffRow(key, name, from, row);
    } else if (row) {
      // The fill has not reached this id, so it is not known what the client holds of the object:
      // the whole row is sent.
      outcome.change = WholeRow(key, *row);
    } else {
      const Row unknown;
      outcome.change = DiffRow(key, name, &unknown, nullptr);
    }
    if (!outcome.change) continue;
    if (outcome.change->kind == ChangeKind::kDelete)
      outcome.change->revision = realm.LastChangeOf(key);
    outcome.change->over = OverOf(realm, own_revisions, key);
  }
}

}  // namespace skerry
