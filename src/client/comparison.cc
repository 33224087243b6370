#include "client/comparison.h"

#include <algorithm>
#include <cstdlib>

#include "base/checksum.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/sort.h"
#include "log/codec.h"
#include "model/filter.h"

namespace skerry {
namespace {

// One of so many rows is a sample, by which a large table is divided.
constexpr uint64_t kSampleEvery = 256;
constexpr size_t kPartRows = 16'384;
constexpr size_t kPartBytes = 4u << 20;
// A part with at most so many rows sends these instead of sums, which are longer.
constexpr size_t kFewRows = 64;
// After so many rounds over a table, or pulls, what still differs is left.
constexpr size_t kMaxRounds = 1'000;
constexpr size_t kMaxPulls = 3;
constexpr size_t kMaxMended = 10'000;

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
    if (CursorRevision(cursor) > 0 && !Has(sync.refill, realm) && !is_lost)
      realms_.push_back(realm);
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

std::optional<uint64_t> Comparison::DigestOf(const std::string& realm,
                                             const std::string& id) const {
  const std::optional<Row> row = view_->GetBase(realm, {table_, id});
  if (!row) return std::nullopt;
  RowStore one(&schema_->table(table_));
  return DigestRow(one, one.Put(id, *row), props_);
}

// Too many listed rows are left to the next round, by buckets.
wire::DiffPart Comparison::Describe(Part* part) {
  const TableDef& table = schema_->table(table_);
  wire::DiffPart described;
  described.realm = part->realm;
  described.table = table.name;
  described.above = part->above;
  described.upto = part->upto;
  described.count = part->count;
  for (const PropIndex prop : props_) described.props.push_back(table.props[prop].name);
  if (part->count > kFewRows && !part->sums.empty()) {
    described.sums.emplace();
    for (const uint64_t sum : part->sums) described.sums->push_back(sum == 0 ? "0" : Hex16(sum));
    return described;
  }
  if (part->ids.size() > kMaxDiffListed && part->buckets.size() > 1) {
    Part rest = *part;
    rest.ids.clear();
    part->buckets.resize(part->buckets.size() / 2);
    rest.buckets.erase(rest.buckets.begin(), rest.buckets.begin() + part->buckets.size());
    later_.push_back(std::move(rest));
    erase_if(part->ids, [&](const std::string& id) {
      return !std::binary_search(part->buckets.begin(), part->buckets.end(),
                                 uint64_t{DigestBucket(id)});
    });
  }
  Vector<wire::DigestedRow>& rows = described.rows.emplace();
  for (const std::string& id : part->ids) {
    if (const std::optional<uint64_t> digest = DigestOf(part->realm, id))
      rows.push_back({id, Hex16(*digest)});
  }
  if (!part->buckets.empty()) described.buckets = part->buckets;
  return described;
}

std::string Comparison::Ask(const Cursors& cursors) {
  wire::DiffRequest request;
  request.client = client_;
  request.schema = schema_->version();
  asked_at_.clear();
  size_t rows = 0;
  for (end_ = first_; end_ < parts_.size() && end_ - first_ < kMaxDiffParts; ++end_) {
    Part& part = parts_[end_];
    const size_t more = std::max<size_t>(part.count, part.ids.size());
    if (end_ > first_ && rows + more > kMaxDiffRows) break;
    rows += more;
    const auto cursor = cursors.find(part.realm);
    if (cursor != cursors.end()) asked_at_[part.realm] = cursor->second;
    request.parts.push_back(Describe(&part));
  }
  request.cursors = asked_at_;
  for (const SyncScope& scope : scopes_) {
    if (scope.table == schema_->table(table_).name)
      request.scopes.push_back({scope.table, scope.where, scope.filled});
  }
  return WriteJson(WriteMembers(request));
}

Vector<Step> Comparison::Take(wire::DiffAnswer answer, const Cursors& cursors) {
  Vector<Step> steps;
  mending_ = {table_, {}};
  answer.results.resize(end_ - first_);
  for (size_t i = first_; i < end_; ++i) {
    Part& part = parts_[i];
    const auto now = cursors.find(part.realm);
    const auto then = asked_at_.find(part.realm);
    const bool is_current =
        now != cursors.end() && then != asked_at_.end() && now->second == then->second;
    TakeResult(std::move(part), std::move(answer.results[i - first_]), is_current, &steps);
  }
  first_ = end_;
  if (end_ == parts_.size()) {
    NextRound();
  } else {
    next_ = CompareNext::kAsk;
  }
  return steps;
}

void Comparison::TakeResult(Part part, wire::DiffResult result, bool is_current,
                            Vector<Step>* steps) {
  if (result.same.value_or(false)) {
    checked_ += std::max<uint64_t>(part.count, part.ids.size());
    return;
  }
  if (result.unknown.has_value()) {
    if (TakeUnknown(*result.unknown)) later_.push_back(NewPart(part.realm, part.above, part.upto));
    return;
  }
  if (result.upto.has_value()) return Split(part, *result.upto);
  if (result.differ.has_value()) {
    part.buckets = std::move(*result.differ);
    part.sums.clear();
    part.ids.clear();
    later_.push_back(std::move(part));
    return;
  }
  if (!result.changes.has_value() && !result.absent.has_value()) return Wait(std::move(part));
  if (!is_current) {
    part.ids.clear();
    part.sums.clear();
    later_.push_back(std::move(part));
    return;
  }
  const Data changes = result.changes.value_or(Data());
  for (const Data& data : changes.items()) {
    const Result<Change> change = ChangeFromData(*schema_, data);
    const bool fits = change.ok() && change.value().kind == ChangeKind::kCreate &&
                      change.value().key.table == table_ && change.value().realm == part.realm;
    if (!fits) {
      ++left_;
      continue;
    }
    const Change& made = change.value();
    std::optional<Row> row = view_->GetBase(part.realm, made.key);
    if (!row) row.emplace().props.resize(schema_->table(table_).props.size());
    for (const PropIndex prop : props_) row->props[prop] = {};
    for (const PropValue& set : made.set) row->props[set.prop] = set.value;
    row->realm = part.realm;
    row->created_at = made.created_at;
    row->modified_at = made.modified_at;
    row->revision = made.revision;
    TakeRow(made.key, part.realm, row, steps);
  }
  for (const std::string& id : result.absent.value_or(Vector<std::string>()))
    TakeRow({table_, id}, part.realm, std::nullopt, steps);
  checked_ += std::max<uint64_t>(part.count, part.ids.size());
  part.ids.clear();
  part.sums.clear();
  if (result.more.value_or(false)) later_.push_back(part);
  mending_.parts.push_back(std::move(part));
}

// A row that was mended to the same before, and is different again, is one that this client cannot hold:
// it is left as it is.
void Comparison::TakeRow(const ObjectKey& key, const std::string& realm,
                         const std::optional<Row>& row, Vector<Step>* steps) {
  std::optional<Row> base = view_->GetBase(realm, key);
  if (base && row) base->revision = row->revision;
  if (base == row) return;
  RowStore one(&schema_->table(table_));
  const uint64_t digest = row ? DigestRow(one, one.Put(key.id, *row), props_) : 0;
  if (mended_.size() >= kMaxMended) mended_.clear();
  const auto [before, is_new] = mended_.try_emplace({realm, key}, digest);
  if (!is_new && before->second == digest) {
    ++hopeless_;
    return;
  }
  before->second = digest;
  Step step;
  step.kind = StepKind::kChange;
  step.change.kind = row ? ChangeKind::kCreate : ChangeKind::kLeave;
  step.change.key = key;
  step.change.realm = realm;
  if (row) {
    step.change.set = SetOf(*row);
    step.change.created_at = row->created_at;
    step.change.modified_at = row->modified_at;
    step.change.revision = row->revision;
  }
  steps->push_back(std::move(step));
}

void Comparison::Retry() {
  mended_.clear();
  if (mending_.parts.empty()) return;
  todo_.push_back(std::move(mending_));
  mending_ = {};
  if (next_ == CompareNext::kDone || next_ == CompareNext::kPull) NextTable();
}

void Comparison::Wait(Part part) {
  if (waiting_.empty() || waiting_.back().table != table_) waiting_.push_back({table_, {}});
  waiting_.back().parts.push_back(NewPart(part.realm, part.above, part.upto));
}

// The server has more rows in the part than it reads at once.
void Comparison::Split(const Part& part, const std::string& at) {
  const bool is_within = at > part.above && (!part.upto.has_value() || at < *part.upto);
  if (!is_within) {
    ++left_;
    return;
  }
  later_.push_back(NewPart(part.realm, part.above, at));
  later_.push_back(NewPart(part.realm, at, part.upto));
}

// Returns whether the server has the table at all.
bool Comparison::TakeUnknown(const Vector<std::string>& names) {
  const TableDef& table = schema_->table(table_);
  erase_if(props_, [&](PropIndex prop) { return Has(names, table.props[prop].name); });
  return !names.empty();
}

}  // namespace skerry
