#include "client/mirror.h"

#include <algorithm>
#include <cstdlib>

#include "base/fields.h"
#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"

namespace skerry {
namespace {

constexpr uint64_t kRecordVersion = 1;

bool HasNewerForm(const Data& record) {
  return record["v"].as_u64(kRecordVersion) > kRecordVersion;
}

}  // namespace

Mirror::Mirror(const Schema* schema, View* view) : schema_(schema), view_(view) {}

uint64_t Mirror::CursorRevision(const String& realm) const {
  const auto it = cursors_.find(realm);
  return it == cursors_.end() ? 0 : LeadingNumber(it->second);
}

void Mirror::StartAt(const Data& pointer) {
  n_ = pointer["n"].as_u64();
  generation_ = pointer["generation"].as_string();
  cursors_.clear();
  for (const auto& [realm, cursor] : pointer["cursors"].members())
    cursors_[realm] = cursor.as_string();
}

bool Mirror::NeedsOtherImage(const Data& record, std::string_view generation) {
  const Data& filled = record["generation"];
  return filled.is_string() && filled.as_string() != generation;
}

bool Mirror::Continues(uint64_t n, std::string_view generation, const Reading& reading) {
  const uint64_t last = (*reading.sync)["n"].as_u64();
  for (const Data& item : reading.updates->items()) {
    const uint64_t key = item["key"].as_u64();
    // Beyond the last there is none of ours.
    if (key <= n || key > last) continue;
    if (key != n + 1 || NeedsOtherImage(item["value"], generation)) return false;
    n = key;
  }
  return n == last;
}

Fit Mirror::DecodeSteps(const Data& record, Vector<Step>* steps) const {
  if (HasNewerForm(record)) return Fit::kNewer;
  if (!record["body"].is_bytes()) return Fit::kDamaged;
  Result<Vector<Step>> decoded = skerry::DecodeSteps(*schema_, record["body"].as_bytes());
  if (!decoded.ok()) {
    return decoded.status().code() == Code::kVersion ? Fit::kNewer : Fit::kDamaged;
  }
  *steps = std::move(decoded.value());
  return Fit::kApplied;
}

// False: a step cannot be applied (a filter of another schema, say). Base is then to be loaded
// anew.
bool Mirror::Apply(const Data& record, const Vector<Step>& steps) {
  if (!ApplySteps(*schema_, steps, view_, view_).ok()) return false;
  TakeCursors(record);
  for (const Data& partly : record["partly"].items()) {
    SetPartly(partly["id"].as_string(), partly["realms"]);
  }
  for (const Data& item : record["confirmed"].items()) {
    Gone(item);
    told_.confirmed.push_back(item["id"].as_string());
  }
  for (const Data& item : record["refused"].items()) {
    Gone(item);
    told_.refused.push_back(
        {item["id"].as_string(), item["code"].as_string(), item["detail"].as_string()});
  }
  return true;
}

void Mirror::TakeCursors(const Data& record) {
  for (const auto& [realm, cursor] : record["cursors"].members())
    cursors_[realm] = cursor.as_string();
  n_ = record["n"].as_u64();
}

void Mirror::OwnRecord(const Data& record) {
  TakeCursors(record);
  for (const Data& item : record["confirmed"].items()) {
    RememberGone(item);
    told_.confirmed.push_back(item["id"].as_string());
  }
  partly_.clear();
  view_->ShownIsBase(n_);
  pending_ = PendingList();
}

// Without a key it was never in the store, and nobody can tell of it.
void Mirror::RememberGone(const Data& item) {
  const uint64_t key = item["key"].as_u64();
  if (key == 0) return;
  uint64_t& known = gone_[item["id"].as_string()];
  known = std::max(known, key);
}

// What was retried meanwhile is pending under a new key, and stays.
void Mirror::Gone(const Data& item) {
  RememberGone(item);
  const String& id = item["id"].as_string();
  const Pending* pending = pending_.Find(id);
  if (pending == nullptr || pending->key <= item["key"].as_u64()) Remove(id);
}

void Mirror::SetPartly(const String& id, const Data& realms) {
  Vector<String>& known = partly_[id];
  for (const Data& realm : realms.items()) known.push_back(realm.as_string());
  Sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  if (Pending* pending = pending_.Find(id)) {
    pending->confirmed_realms = known;
    view_->Reordered(*pending);
  }
}

void Mirror::Remove(std::string_view id) {
  if (const auto it = partly_.find(id); it != partly_.end()) partly_.erase(it);
  if (const std::unique_ptr<Pending> pending = pending_.Remove(id)) view_->Detach(pending.get());
}

Fit Mirror::Record(const Data& record) {
  const uint64_t n = record["n"].as_u64();
  if (n == 0) return Fit::kDamaged;
  if (n <= n_) return Fit::kKnown;
  if (n > n_ + 1 || NeedsOtherImage(record, generation_)) return Fit::kGap;
  Vector<Step> steps;
  const Fit fit = DecodeSteps(record, &steps);
  if (fit != Fit::kApplied) return fit;
  const bool applied = Apply(record, steps);
  view_->Derive();
  return applied ? Fit::kApplied : Fit::kDamaged;
}

Fit Mirror::AddStored(uint64_t key, const Data& record) {
  if (HasNewerForm(record)) return Fit::kNewer;
  Result<Mutation> mutation = DecodeMutation(*schema_, record["body"].as_bytes());
  if (!mutation.ok())
    return mutation.status().code() == Code::kVersion ? Fit::kNewer : Fit::kDamaged;
  // One whose record says other things than its body would be looked for under the wrong name.
  const String& id = mutation.value().action.id;
  if (id != record["id"].as_string() || pending_.HasKey(key)) return Fit::kDamaged;
  auto pending = std::make_unique<Pending>();
  pending->mutation = std::move(mutation.value());
  pending->key = key;
  pending->held = record["held"].as_bool();
  const auto partly = partly_.find(pending->mutation.action.id);
  if (partly != partly_.end()) pending->confirmed_realms = partly->second;
  view_->Attach(pending_.Add(std::move(pending)));
  return Fit::kApplied;
}

Fit Mirror::Added(const Data& item) {
  const String& id = item["id"].as_string();
  const uint64_t key = item["key"].as_u64();
  if (id.empty() || key == 0) return Fit::kDamaged;
  if (Pending* pending = pending_.Find(id)) {
    // A retry, which is heard before the record that refuses what it retries.
    if (pending->key < key) {
      pending_.SetKey(pending, key);
      view_->Reordered(*pending);
      view_->Derive();
    }
    return Fit::kKnown;
  }
  const auto gone = gone_.find(id);
  if (gone != gone_.end() && key <= gone->second) return Fit::kKnown;
  if (key <= gone_up_to_) return Fit::kKnown;
  if (item["record"]["id"].as_string() != id) return Fit::kDamaged;
  const Fit fit = AddStored(key, item["record"]);
  if (fit == Fit::kApplied) view_->Derive();
  return fit;
}

bool Mirror::Completed(std::string_view id, uint64_t key) {
  told_.durable.emplace_back(id);
  Pending* pending = pending_.Find(id);
  if (pending == nullptr || pending->key != 0) return false;
  const bool overtaken = pending_.HighestKey() > key;
  pending_.SetKey(pending, key);
  if (overtaken) {
    view_->Reordered(*pending);
    view_->Derive();
  }
  return true;
}

void Mirror::AddOwn(std::unique_ptr<Pending> pending) { pending_.Add(std::move(pending)); }

void Mirror::FindStored(const Data& mutations) {
  for (const Data& item : mutations.items()) {
    const String& id = item["value"]["id"].as_string();
    const Pending* pending = pending_.Find(id);
    if (pending == nullptr || pending->key != 0) continue;
    Completed(id, item["key"].as_u64());
    told_.found.Push(Fields{{"id", id}, {"key", item["key"]}, {"record", item["value"]}});
  }
}

bool Mirror::TakeMutations(const Data& mutations) {
  FindStored(mutations);
  Map<std::string_view, uint64_t> stored;
  for (const Data& item : mutations.items()) {
    stored[item["value"]["id"].as_string()] = item["key"].as_u64();
  }
  for (Pending* pending : pending_.Keyed()) {
    const String id = pending->mutation.action.id;
    const auto it = stored.find(id);
    if (it != stored.end() && it->second == pending->key) continue;
    if (it == stored.end()) told_.unknown.push_back(id);
    Remove(id);
  }
  bool newer = false;
  for (const Data& item : mutations.items()) {
    const String& id = item["value"]["id"].as_string();
    if (Pending* pending = pending_.Find(id)) {
      pending->held = item["value"]["held"].as_bool();
      continue;
    }
    // One that does not decode stays in storage, for a version that reads it; it is not shown.
    newer |= AddStored(item["key"].as_u64(), item["value"]) == Fit::kNewer;
  }
  return newer;
}

void Mirror::TakeOutbox(const Data& outbox) {
  for (const Data& item : outbox.items()) {
    const Data& realms = item["value"]["confirmed"];
    if (realms.items().empty()) continue;
    for (const Data& named : item["value"]["mutations"].items()) {
      SetPartly(named["id"].as_string(), realms);
    }
  }
}

Fit Mirror::Take(const Reading& reading, bool skip_damaged) {
  if (!Continues(n_, generation_, reading)) return Fit::kGap;
  Vector<std::pair<const Data*, Vector<Step>>> records;
  for (const Data& item : reading.updates->items()) {
    const uint64_t key = item["key"].as_u64();
    if (key <= n_ || key > (*reading.sync)["n"].as_u64()) continue;
    Vector<Step> steps;
    const Fit fit = DecodeSteps(item["value"], &steps);
    if (fit == Fit::kNewer || (fit == Fit::kDamaged && !skip_damaged)) return fit;
    records.emplace_back(&item["value"], std::move(steps));
  }
  for (const auto& [record, steps] : records) {
    if (Apply(*record, steps) || skip_damaged) continue;
    view_->Derive();
    return Fit::kDamaged;
  }
  n_ = (*reading.sync)["n"].as_u64();
  partly_.clear();
  TakeOutbox(*reading.outbox);
  const bool newer = TakeMutations(*reading.mutations);
  gone_up_to_ = (*reading.sync)["goneUpTo"].as_u64();
  gone_.clear();
  view_->Derive();
  return newer ? Fit::kNewer : Fit::kApplied;
}

Told Mirror::TakeTold() {
  Told told = std::move(told_);
  told_ = {};
  return told;
}

}  // namespace skerry
