// Comparison: what the server is asked, and what becomes of its answer.
#include <algorithm>
#include <utility>

#include "base/checksum.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/sort.h"
#include "client/comparison.h"
#include "log/codec.h"

namespace skerry {
namespace {

constexpr size_t kMaxMended = 10'000;

}  // namespace

std::optional<uint64_t> Comparison::DigestOf(const std::string& realm,
                                             const std::string& id) const {
  const std::optional<Row> row = view_->GetBase(realm, {table_, id});
  if (!row) return std::nullopt;
  RowStore one(&schema_->table(table_));
  return DigestRow(one, one.Put(id, *row), props_);
}

// Too many listed rows are left to the next round, by buckets.
Data Comparison::Describe(Part* part) {
  const TableDef& table = schema_->table(table_);
  Data props = Data::MakeArray();
  for (const PropIndex prop : props_) props.Push(table.props[prop].name);
  Data described = Fields{{"realm", part->realm}, {"table", table.name}, {"above", part->above}};
  described.Set("props", std::move(props)).Set("count", part->count);
  if (part->upto.has_value()) described.Set("upto", *part->upto);
  if (part->count > kFewRows && !part->sums.empty()) {
    Data sums = Data::MakeArray();
    for (const uint64_t sum : part->sums) sums.Push(sum == 0 ? "0" : Hex16(sum));
    return std::move(described.Set("sums", std::move(sums)));
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
  Data rows = Data::MakeArray();
  for (const std::string& id : part->ids) {
    if (const std::optional<uint64_t> digest = DigestOf(part->realm, id))
      rows.Push(Data::MakeArray().Push(id).Push(Hex16(*digest)));
  }
  described.Set("rows", std::move(rows));
  if (part->buckets.empty()) return described;
  Data buckets = Data::MakeArray();
  for (const uint64_t bucket : part->buckets) buckets.Push(bucket);
  return std::move(described.Set("buckets", std::move(buckets)));
}

std::string Comparison::Ask(const Cursors& cursors) {
  asked_at_.clear();
  asked_props_ = props_;
  Data parts = Data::MakeArray();
  size_t rows = 0;
  for (end_ = first_; end_ < parts_.size() && end_ - first_ < kMaxDiffParts; ++end_) {
    Part& part = parts_[end_];
    const size_t more = std::max<size_t>(part.count, part.ids.size());
    if (end_ > first_ && rows + more > kMaxDiffRows) break;
    rows += more;
    const auto cursor = cursors.find(part.realm);
    if (cursor != cursors.end()) asked_at_[part.realm] = cursor->second;
    parts.Push(Describe(&part));
  }
  Data scopes = Data::MakeArray();
  for (const SyncScope& scope : scopes_) {
    if (scope.table == schema_->table(table_).name)
      scopes.Push(Fields{{"table", scope.table}, {"where", scope.where}, {"filled", true}});
  }
  const Data at = ToData(asked_at_);
  return WriteJson(Fields{{"client", client_},
                          {"schema", schema_->version()},
                          {"cursors", at},
                          {"scopes", scopes},
                          {"tables", parts}});
}

Vector<Step> Comparison::Take(const Data& answer, const Cursors& cursors) {
  Vector<Step> steps;
  mending_ = {table_, {}};
  const Data::Array& results = answer["tables"].items();
  for (size_t i = first_; i < end_; ++i) {
    Part& part = parts_[i];
    const auto now = cursors.find(part.realm);
    const auto then = asked_at_.find(part.realm);
    const bool is_current =
        now != cursors.end() && then != asked_at_.end() && now->second == then->second;
    const size_t place = i - first_;
    TakeResult(std::move(part), place < results.size() ? results[place] : Data(), is_current,
               &steps);
  }
  first_ = end_;
  if (end_ == parts_.size()) {
    NextRound();
  } else {
    next_ = CompareNext::kAsk;
  }
  return steps;
}

void Comparison::TakeResult(Part part, const Data& result, bool is_current, Vector<Step>* steps) {
  if (result["same"].as_bool()) {
    checked_ += std::max<uint64_t>(part.count, part.ids.size());
    return;
  }
  if (const Data& unknown = result["unknown"]; unknown.is_array()) {
    if (TakeUnknown(unknown)) later_.push_back(NewPart(part.realm, part.above, part.upto));
    return;
  }
  if (const Data& upto = result["upto"]; upto.is_string()) return Split(part, upto.as_string());
  const bool is_listed = part.sums.empty() || part.count <= kFewRows;
  if (const Data& differ = result["differ"]; differ.is_array() && !is_listed) {
    for (const Data& bucket : differ.items()) part.buckets.push_back(bucket.as_u64());
    Sort(part.buckets.begin(), part.buckets.end());
    ListAgain(std::move(part));
    return;
  }
  const bool has_changes = result["changes"].is_array() && result["absent"].is_array();
  if (!has_changes && !result["more"].as_bool()) return Wait(std::move(part));
  if (!has_changes || !is_current) return ListAgain(std::move(part));
  for (const Data& data : result["changes"].items()) TakeChange(data, part.realm, steps);
  for (const Data& id : result["absent"].items())
    TakeRow({table_, id.as_string()}, part.realm, std::nullopt, steps);
  checked_ += std::max<uint64_t>(part.count, part.ids.size());
  if (result["more"].as_bool()) ListAgain(part);
  part.ids.clear();
  part.sums.clear();
  mending_.parts.push_back(std::move(part));
}

// Its rows, or those in its buckets, are listed in the next round.
void Comparison::ListAgain(Part part) {
  part.ids.clear();
  part.sums.clear();
  later_.push_back(std::move(part));
}

void Comparison::TakeChange(const Data& data, const std::string& realm, Vector<Step>* steps) {
  // What this release cannot hold has its default, as in a pull.
  bool left_out = false;
  const Result<Change> change = ChangeFromData(*schema_, data, &left_out);
  const bool fits = change.ok() && change.value().kind == ChangeKind::kCreate &&
                    change.value().key.table == table_ && change.value().realm == realm;
  if (!fits) {
    ++left_;
    return;
  }
  const Change& made = change.value();
  std::optional<Row> row = view_->GetBase(realm, made.key);
  if (!row) row.emplace().props.resize(schema_->table(table_).props.size());
  for (const PropIndex prop : props_) row->props[prop] = {};
  for (const PropValue& set : made.set) {
    if (std::binary_search(props_.begin(), props_.end(), set.prop))
      row->props[set.prop] = set.value;
  }
  row->realm = realm;
  row->created_at = made.created_at;
  row->modified_at = made.modified_at;
  row->revision = made.revision;
  TakeRow(made.key, realm, row, steps);
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
  const std::string place = realm + '\0' + schema_->table(table_).name + '\0' + key.id;
  const auto [before, is_new] = mended_.try_emplace(place, digest);
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

// Returns whether the server has the table at all, and what it lacks was among what was asked for.
bool Comparison::TakeUnknown(const Data& names) {
  const TableDef& table = schema_->table(table_);
  bool is_known = false;
  for (const Data& name : names.items()) {
    const PropIndex prop = table.FindProp(name.as_string());
    is_known = is_known || std::binary_search(asked_props_.begin(), asked_props_.end(), prop);
    erase(props_, prop);
  }
  return is_known;
}

}  // namespace skerry
