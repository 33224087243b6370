#include "client/comparison.h"

#include <algorithm>

#include "base/sort.h"
#include "model/filter.h"

namespace skerry {
namespace {

// One of so many rows is a sample, by which a large table is divided.
constexpr uint64_t kSampleEvery = 256;
constexpr size_t kPartRows = 16'384;
constexpr size_t kPartBytes = 4u << 20;
// After so many rounds over a table, or pulls, what still differs is left.
constexpr size_t kMaxRounds = 200;
constexpr size_t kMaxPulls = 3;

bool Has(const Vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::string_view RealmAt(const RowStore& store, Slot slot) {
  const Column& column = store.column(kRealmColumn);
  return column.pool->Get(RowStore::TextCode(column, store.bytes(slot)));
}

}  // namespace

void Comparison::Begin(const SyncProgress& sync, std::string client) {
  client_ = std::move(client);
  scopes_ = sync.scopes;
  realms_.clear();
  for (const auto& [realm, cursor] : sync.cursors) {
    const bool is_lost = sync.lost.has_value() && Has(*sync.lost, realm);
    // A realm without a log has a cursor, too: it should have no rows.
    if (!cursor.empty() && !Has(sync.refill, realm) && !is_lost) realms_.push_back(realm);
  }
  todo_.clear();
  waiting_.clear();
  mending_ = {};
  pulls_ = checked_ = left_ = hopeless_ = 0;
  for (const TableDef& table : schema_->tables()) {
    if (IsComparable(table) && !realms_.empty()) todo_.push_back({table.index, {}});
  }
  NextTable();
}

// Whether every scope of the table is filled; those of its sub-selects, too.
bool Comparison::IsComparable(const TableDef& table) const {
  bool all_filled = true;
  for (const SyncScope& scope : scopes_) all_filled = all_filled && scope.filled.whole;
  bool is_wanted = table.index == schema_->members();
  for (const SyncScope& scope : scopes_) {
    if (scope.table != table.name) continue;
    is_wanted = true;
    const Result<Filter> filter = ParseFilter(*schema_, table, scope.where, false);
    if (!filter.ok() || !scope.filled.whole) return false;
    if (!all_filled && !FindSubSelects(filter.value(), scope.where).empty()) return false;
  }
  return is_wanted;
}

Comparison::Part Comparison::NewPart(std::string realm, std::string above,
                                     std::optional<std::string> upto) const {
  Part part;
  part.realm = std::move(realm);
  part.above = std::move(above);
  part.upto = std::move(upto);
  part.sums.resize(kDigestBuckets);
  return part;
}

void Comparison::NextTable() {
  parts_.clear();
  later_.clear();
  rounds_ = 0;
  if (todo_.empty()) {
    next_ = waiting_.empty() ? CompareNext::kDone : CompareNext::kPull;
    if (next_ == CompareNext::kDone || ++pulls_ <= kMaxPulls) return;
    for (const Todo& todo : waiting_) left_ += todo.parts.size();
    waiting_.clear();
    next_ = CompareNext::kDone;
    return;
  }
  Todo todo = std::move(todo_.back());
  todo_.pop_back();
  if (todo.table != table_) props_.clear();
  table_ = todo.table;
  if (props_.empty()) {
    const size_t count = schema_->table(table_).props.size();
    for (size_t i = 0; i < count; ++i) props_.push_back(static_cast<PropIndex>(i));
  }
  parts_ = std::move(todo.parts);
  if (!parts_.empty()) return BeginRound(Round::kSums);
  for (const std::string& realm : realms_) parts_.push_back(NewPart(realm, {}, std::nullopt));
  const RowStore& store = view_->rows(table_);
  const bool is_large = store.size() > kPartRows || store.MemoryBytes() > kPartBytes;
  BeginRound(is_large ? Round::kBorders : Round::kSums);
}

// After all parts were asked for.
void Comparison::NextRound() {
  if (!later_.empty() && ++rounds_ > kMaxRounds) {
    left_ += later_.size();
    later_.clear();
  }
  if (later_.empty()) return NextTable();
  parts_ = std::move(later_);
  later_.clear();
  BeginRound(Round::kSums);
}

void Comparison::BeginRound(Round round) {
  Sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
    return a.realm != b.realm ? a.realm < b.realm : a.above < b.above;
  });
  round_ = round;
  slot_ = 0;
  sampled_ = 0;
  samples_.clear();
  first_ = end_ = 0;
  next_ = CompareNext::kWork;
}

void Comparison::Work(size_t rows) {
  if (next_ == CompareNext::kPull) {
    todo_ = std::move(waiting_);
    waiting_.clear();
    return NextTable();
  }
  const RowStore& store = view_->rows(table_);
  char buffer[kIdTextBuffer];
  for (; slot_ < store.slot_limit() && rows > 0; ++slot_) {
    if (!store.IsLive(slot_)) continue;
    --rows;
    if (round_ == Round::kBorders) {
      if (++sampled_ % kSampleEvery == 0)
        samples_[std::string(RealmAt(store, slot_))].push_back(store.Id(slot_));
    } else if (view_->shadow_count() == 0 || !view_->IsKeptAside(store.Key(slot_))) {
      AddRow(RealmAt(store, slot_), store.IdView(slot_, buffer), store, slot_);
    }
  }
  if (slot_ < store.slot_limit()) return;
  if (round_ == Round::kBorders) return Divide();
  AddKeptAside();
  next_ = CompareNext::kAsk;
}

// Each part gets about so many rows that it has neither too many nor too many bytes.
void Comparison::Divide() {
  const RowStore& store = view_->rows(table_);
  const size_t row_bytes = store.MemoryBytes() / std::max<size_t>(store.size(), 1) + 1;
  const size_t rows = std::min(kPartRows, kPartBytes / row_bytes);
  const size_t step = std::max<size_t>(rows / kSampleEvery, 1);
  parts_.clear();
  for (const std::string& realm : realms_) {
    Vector<std::string>& ids = samples_[realm];
    Sort(ids.begin(), ids.end());
    std::string above;
    for (size_t i = step; i < ids.size(); i += step) {
      if (ids[i] == above) continue;
      parts_.push_back(NewPart(realm, above, ids[i]));
      above = ids[i];
    }
    parts_.push_back(NewPart(realm, above, std::nullopt));
  }
  BeginRound(Round::kSums);
}

Comparison::Part* Comparison::PartOf(std::string_view realm, std::string_view id) {
  // The last one that begins below the row.
  const auto begins_above = [](const std::pair<std::string_view, std::string_view>& row,
                               const Part& part) {
    return row.first != part.realm ? row.first < part.realm : row.second <= part.above;
  };
  const auto next =
      std::upper_bound(parts_.begin(), parts_.end(), std::pair(realm, id), begins_above);
  if (next == parts_.begin()) return nullptr;
  Part* part = next - 1;
  if (part->realm != realm || (part->upto.has_value() && id > *part->upto)) return nullptr;
  return part;
}

void Comparison::AddRow(std::string_view realm, std::string_view id, const RowStore& store,
                        Slot slot) {
  Part* part = PartOf(realm, id);
  if (part == nullptr) return;
  const uint8_t bucket = DigestBucket(id);
  if (!part->sums.empty()) {
    ++part->count;
    part->sums[bucket] += DigestRow(store, slot, props_);
    if (part->count > kFewRows) return part->ids.clear();
  } else if (!part->buckets.empty() &&
             !std::binary_search(part->buckets.begin(), part->buckets.end(), uint64_t{bucket})) {
    return;
  }
  part->ids.push_back(std::string(id));
}

void Comparison::AddKeptAside() {
  RowStore one(&schema_->table(table_));
  view_->EachKeptAside(table_, [&](const std::string& id, const Row& row) {
    one.Clear();
    AddRow(row.realm, id, one, one.Put(id, row));
  });
}

}  // namespace skerry
