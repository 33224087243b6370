#include "client/mirror.h"

#include <algorithm>
#include <cstdlib>

#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/cursor.h"
#include "model/members.h"

namespace skerry {

Mirror::Mirror(const Schema* schema, View* view, Streams* streams)
    : schema_(schema), view_(view), streams_(streams) {}

uint64_t Mirror::CursorRevision(const std::string& realm) const {
  return skerry::CursorRevision(cursors_, realm);
}

void Mirror::StartAt(const ImagePointer& pointer) {
  n_ = pointer.n;
  generation_ = pointer.generation;
  cursors_ = pointer.cursors;
  streams_->LoadAgain();
}

bool Mirror::NeedsOtherImage(const UpdateRecord& record, std::string_view generation) {
  return record.generation.has_value() && *record.generation != generation;
}

bool Mirror::Continues(uint64_t n, std::string_view generation, const Reading& reading) {
  const uint64_t last = reading.sync.n;
  for (const auto& [key, record] : reading.updates) {
    // Records above sync.n do not belong to this client.
    if (key <= n || key > last) continue;
    if (key != n + 1 || NeedsOtherImage(record, generation)) return false;
    n = key;
  }
  return n == last;
}

ApplyResult Mirror::DecodeSteps(const UpdateRecord& record, Vector<Step>* steps) const {
  if (IsNewer(record)) return ApplyResult::kNewer;
  if (!record.body.has_value()) return ApplyResult::kDamaged;
  Result<Vector<Step>> decoded = skerry::DecodeSteps(*schema_, *record.body);
  if (!decoded.ok()) {
    return decoded.status().code() == Code::kVersion ? ApplyResult::kNewer : ApplyResult::kDamaged;
  }
  *steps = std::move(decoded.value());
  return ApplyResult::kApplied;
}

// Returns false if a step cannot be applied (a filter of another schema, for example). Base must
// then be loaded again.
bool Mirror::Apply(const UpdateRecord& record, const Vector<Step>& steps) {
  if (!ApplySteps(*schema_, steps, view_, view_).ok()) return false;
  TakeCursors(record);
  FollowStreams(record, steps);
  for (const PartlyConfirmed& partly : record.partly) SetPartly(partly.id, partly.realms);
  for (const NamedMutation& item : record.confirmed) {
    Gone(item.id, item.key.number());
    outcomes_.confirmed.push_back(item.id);
  }
  for (const RefusedMutation& item : record.refused) {
    Gone(item.id, item.key.number());
    outcomes_.refused.push_back({item.id, item.code, item.detail});
  }
  return true;
}

void Mirror::TakeCursors(const UpdateRecord& record) {
  for (const auto& [realm, cursor] : record.cursors) cursors_[realm] = cursor;
  if (record.lost.has_value()) TakeLost(*record.lost);
  if (record.invitations.has_value()) invitations_ = *record.invitations;
  if (record.forgotten.has_value()) forgotten_ = *record.forgotten;
  n_ = record.n;
}

void Mirror::FollowStreams(const UpdateRecord& record, const Vector<Step>& steps) {
  streams_->Apply(steps, record.n);
  if (record.streams.has_value()) streams_->SetWanted(*record.streams);
  streams_->SetCursors(record.cursors);
}

void Mirror::TakeLost(const Vector<std::string>& realms) {
  lost_ = Set<std::string>(realms.begin(), realms.end());
  offers_due_ = !realms.empty();
  // What needs no founding is there, and is written as ever: that is sent after the offers.
  Set<std::string> frozen;
  for (const std::string& realm : realms) {
    if (IsFoundable(realm)) frozen.insert(realm);
  }
  view_->SetFrozen(std::move(frozen));
}

void Mirror::OwnRecord(const UpdateRecord& record, const Vector<Step>& appended) {
  TakeCursors(record);
  FollowStreams(record, appended);
  for (const Pending* pending : pending_.InOrder()) streams_->Removed(*pending);
  for (const NamedMutation& item : record.confirmed) {
    RememberRemoved(item.id, item.key.number());
    outcomes_.confirmed.push_back(item.id);
  }
  partly_.clear();
  view_->ShownIsBase(n_);
  pending_ = PendingList();
  streams_->Reached(n_);
}

// A mutation without a key was never in the store, so no message can name it again.
void Mirror::RememberRemoved(const std::string& id, uint64_t key) {
  if (key == 0) return;
  uint64_t& known = gone_[id];
  known = std::max(known, key);
}

// A mutation that was retried meanwhile is pending under a new key, and stays.
void Mirror::Gone(const std::string& id, uint64_t key) {
  RememberRemoved(id, key);
  const Pending* pending = pending_.Find(id);
  if (pending == nullptr || pending->key <= key) Remove(id);
}

void Mirror::SetPartly(const std::string& id, const Vector<std::string>& realms) {
  Vector<std::string>& known = partly_[id];
  for (const std::string& realm : realms) known.push_back(realm);
  Sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  if (Pending* pending = pending_.Find(id)) {
    pending->confirmed_realms = known;
    view_->Reordered(*pending);
    streams_->Reordered(*pending);
  }
}

void Mirror::Remove(std::string_view id) {
  if (const auto it = partly_.find(id); it != partly_.end()) partly_.erase(it);
  const std::unique_ptr<Pending> pending = pending_.Remove(id);
  if (pending == nullptr) return;
  view_->Detach(pending.get());
  streams_->Removed(*pending);
}

ApplyResult Mirror::Record(const UpdateRecord& record) {
  const uint64_t n = record.n;
  if (n == 0) return ApplyResult::kDamaged;
  if (n <= n_) return ApplyResult::kKnown;
  if (n > n_ + 1 || NeedsOtherImage(record, generation_)) return ApplyResult::kGap;
  Vector<Step> steps;
  const ApplyResult result = DecodeSteps(record, &steps);
  if (result != ApplyResult::kApplied) return result;
  const bool applied = Apply(record, steps);
  view_->Derive();
  streams_->Reached(n_);
  return applied ? ApplyResult::kApplied : ApplyResult::kDamaged;
}

void Mirror::TakeHeld(const MutationRecord& record, Pending* pending) {
  pending_.SetHeld(pending, record.held, record.judged.value_or(JudgedAt()).version);
}

ApplyResult Mirror::AddStored(uint64_t key, const MutationRecord& record) {
  if (IsNewer(record)) return ApplyResult::kNewer;
  Result<Mutation> mutation = DecodeMutation(*schema_, record.body);
  if (!mutation.ok())
    return mutation.status().code() == Code::kVersion ? ApplyResult::kNewer : ApplyResult::kDamaged;
  // If the record and the body name different ids, the mutation could not be found again.
  const std::string& id = mutation.value().action.id;
  if (id != record.id || pending_.HasKey(key)) return ApplyResult::kDamaged;
  auto pending = std::make_unique<Pending>();
  pending->mutation = std::move(mutation.value());
  pending->key = key;
  TakeHeld(record, pending.get());
  const auto partly = partly_.find(pending->mutation.action.id);
  if (partly != partly_.end()) pending->confirmed_realms = partly->second;
  Pending* added = pending_.Add(std::move(pending));
  view_->Attach(added);
  streams_->Added(*added);
  return ApplyResult::kApplied;
}

ApplyResult Mirror::Added(const AddedItem& item) {
  const std::string& id = item.id;
  const uint64_t key = item.key.number();
  if (id.empty() || key == 0) return ApplyResult::kDamaged;
  if (Pending* pending = pending_.Find(id)) {
    // A retry, whose message came before the record of the refusal.
    if (pending->key < key) {
      pending_.SetKey(pending, key);
      TakeHeld(item.record, pending);
      view_->Reordered(*pending);
      streams_->Reordered(*pending);
      view_->Derive();
    }
    return ApplyResult::kKnown;
  }
  const auto gone = gone_.find(id);
  if (gone != gone_.end() && key <= gone->second) return ApplyResult::kKnown;
  if (key <= gone_up_to_) return ApplyResult::kKnown;
  if (item.record.id != id) return ApplyResult::kDamaged;
  const ApplyResult result = AddStored(key, item.record);
  if (result == ApplyResult::kApplied) view_->Derive();
  return result;
}

bool Mirror::Completed(std::string_view id, uint64_t key) {
  outcomes_.durable.emplace_back(id);
  Pending* pending = pending_.Find(id);
  if (pending == nullptr || pending->key != 0) return false;
  // One that was made before may have failed in the very moment in which a frozen page kept this one.
  const bool changes_order = pending_.HighestKey() > key || !pending_.IsFirstUnkeyed(*pending);
  pending_.SetKey(pending, key);
  if (changes_order) {
    view_->Reordered(*pending);
    streams_->Reordered(*pending);
    view_->Derive();
  }
  return true;
}

void Mirror::AddOwn(std::unique_ptr<Pending> pending) {
  streams_->Added(*pending_.Add(std::move(pending)));
}

void Mirror::FindStored(const Vector<StoredMutation>& mutations) {
  for (const auto& [key, record] : mutations) {
    Pending* pending = pending_.Find(record.id);
    if (pending == nullptr || pending->key != 0) continue;
    TakeHeld(record, pending);
    Completed(record.id, key.number());
    outcomes_.found.push_back({record.id, record, key});
  }
}

void Mirror::FindNamed(const Vector<StoredUpdate>& updates) {
  const auto complete = [this](const std::string& id, const Key& key) {
    const Pending* pending = pending_.Find(id);
    if (pending != nullptr && pending->key == 0) Completed(id, key.number());
  };
  for (const StoredUpdate& update : updates) {
    for (const NamedMutation& named : update.record.confirmed) complete(named.id, named.key);
    for (const RefusedMutation& named : update.record.refused) complete(named.id, named.key);
  }
}

bool Mirror::TakeMutations(const Vector<StoredMutation>& mutations) {
  FindStored(mutations);
  Map<std::string_view, uint64_t> stored;
  for (const auto& [key, record] : mutations) stored[record.id] = key.number();
  for (Pending* pending : pending_.Keyed()) {
    const std::string id = pending->mutation.action.id;
    const auto it = stored.find(id);
    if (it != stored.end() && it->second == pending->key) continue;
    if (it == stored.end()) outcomes_.unknown.push_back(id);
    Remove(id);
  }
  bool newer = false;
  for (const auto& [key, record] : mutations) {
    if (pending_.Find(record.id) != nullptr) continue;
    // A mutation that cannot be decoded stays in storage, for a version that can read it. It is not
    // shown.
    newer |= AddStored(key.number(), record) == ApplyResult::kNewer;
  }
  return newer;
}

ApplyResult Mirror::Take(const Reading& reading, bool skip_damaged) {
  if (!Continues(n_, generation_, reading)) return ApplyResult::kGap;
  Vector<std::pair<const UpdateRecord*, Vector<Step>>> records;
  for (const auto& [key, record] : reading.updates) {
    if (key <= n_ || key > reading.sync.n) continue;
    Vector<Step> steps;
    const ApplyResult result = DecodeSteps(record, &steps);
    if (result == ApplyResult::kNewer || (result == ApplyResult::kDamaged && !skip_damaged))
      return result;
    records.emplace_back(&record, std::move(steps));
  }
  for (const auto& [record, steps] : records) {
    if (Apply(*record, steps) || skip_damaged) continue;
    view_->Derive();
    return ApplyResult::kDamaged;
  }
  TakeLost(reading.sync.lost.value_or(Vector<std::string>()));
  invitations_ = reading.sync.invitations;
  forgotten_ = reading.sync.forgotten.value_or(ForgottenUpTo());
  n_ = reading.sync.n;
  partly_.clear();
  for (const SentUpdate& update : reading.sent) {
    if (update.confirmed.empty()) continue;
    for (const NamedMutation& named : update.mutations) SetPartly(named.id, update.confirmed);
  }
  streams_->SetWanted(reading.sync.streams.value_or(Vector<SyncStream>()));
  streams_->SetCursors(reading.sync.cursors);
  const bool newer = TakeMutations(reading.mutations);
  gone_up_to_ = reading.sync.removed_up_to;
  gone_.clear();
  view_->Derive();
  streams_->Reached(n_);
  return newer ? ApplyResult::kNewer : ApplyResult::kApplied;
}

Outcomes Mirror::TakeOutcomes() {
  Outcomes outcomes = std::move(outcomes_);
  outcomes_ = {};
  return outcomes;
}

}  // namespace skerry
