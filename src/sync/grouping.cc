#include "sync/grouping.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/left_out.h"
#include "log/membership_op.h"
#include "log/wire.h"
#include "model/members.h"
#include "sync/cancelled.h"
#include "sync/chain.h"
#include "sync/quarantine.h"
#include "sync/records.h"

namespace skerry {
namespace {

// An update that is made here must never exceed what a server accepts.
static_assert(kMaxMutationsPerUpdate <= kMaxActionsPerUpdate);
static_assert(kMaxMutationBytes <= kMaxActionBytesTimesRealms &&
              kMaxUpdateBytes <= kMaxActionBytesTimesRealms);

bool Intersect(const Vector<std::string>& a, const Vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& x) {
    return std::binary_search(b.begin(), b.end(), x);
  });
}

// REQUIRES: both are sorted.
bool Covers(const Vector<std::string>& all, const Vector<std::string>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

// The revision of the realm on which the mutation is based.
uint64_t BaseOf(const Mutation& mutation, const std::string& realm) {
  for (const auto& [name, revision] : mutation.base) {
    if (name == realm) return revision;
  }
  return 0;
}

Status CheckDepth(std::string_view json) {
  if (JsonDepth(json) <= kMaxValueDepth) return Status::Ok();
  return {Code::kLimit, "It is nested more deeply than a request may be."};
}

// Windows check this as well, but a window of an older version may not have.
Status CanBeSent(const Mutation& mutation, const Vector<std::string>& realms) {
  if (realms.size() > kMaxRealmsPerUpdate ||
      realms.size() * mutation.action.arg.size() > kMaxActionBytesTimesRealms) {
    return {Code::kLimit, "It spans more realms than an update may."};
  }
  const std::string& arg = mutation.action.arg;
  SKERRY_RETURN_IF_ERROR(CheckDepth(arg));
  if (!arg.empty() && !(IsJson(arg) && IsStorableJson(arg)))
    return {Code::kWrongType, "Its argument holds text that no database can hold."};
  SKERRY_RETURN_IF_ERROR(CheckTime(Data(mutation.action.at)));
  for (const Op& op : mutation.ops) {
    for (const PropValue& set : op.set) {
      if (set.value.kind() != ValueKind::kJson) continue;
      SKERRY_RETURN_IF_ERROR(CheckDepth(set.value.text()));
      SKERRY_RETURN_IF_ERROR(CheckEnvelopesIn(set.value.text()));
    }
  }
  return Status::Ok();
}

}  // namespace

bool IsReadable(const Schema& schema, const OutboxRecord& update) {
  Result<Data> body = ParseJson(update.body);
  return body.ok() && UpdateFromData(schema, body.value()).ok();
}

Grouping::Grouping(const Schema* schema, size_t outbox_size, uint64_t most, bool of_newer,
                   double now)
    : schema_(schema),
      held_back_(schema),
      slots_(outbox_size < kMaxOutboxUpdates ? kMaxOutboxUpdates - outbox_size : 0),
      most_(most),
      of_newer_(of_newer),
      now_(now) {}

bool Grouping::wants_more() const {
  if (slots_ > 0) return true;
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const Candidate& c) { return !c.closed; });
}

void Grouping::Add(const Data& mutations_range) {
  for (const Data& row : mutations_range.items()) {
    AddOne(RowKey(row), MutationRecord::Read(RowValue(row)));
  }
}

void Grouping::Know(const Vector<OutboxRecord>& outbox) {
  knows_outbox_ = true;
  for (const OutboxRecord& update : outbox) outbox_.insert(update.id);
}

bool Grouping::IsGrouped(const MutationRecord& record) const {
  if (!record.update.has_value()) return false;
  return !knows_outbox_ || outbox_.contains(*record.update);
}

bool Grouping::IsInLostRealm(const MutationRecord& record) const {
  return std::any_of(record.realms.begin(), record.realms.end(),
                     [&](const std::string& realm) { return lost_.contains(realm); });
}

// Whether the mutation founds every realm again in which it is, of those that the server has lost, or
// accepts the membership of one that another has founded again.
bool Grouping::BringsBack(const MutationRecord& record) const {
  const Result<Mutation> mutation = DecodeMutation(*schema_, record.body);
  if (!mutation.ok() || user_.empty()) return false;
  const Vector<Op>& ops = mutation.value().ops;
  return std::all_of(record.realms.begin(), record.realms.end(), [&](const std::string& realm) {
    return !lost_.contains(realm) || std::any_of(ops.begin(), ops.end(), [&](const Op& op) {
      return op.realm == realm &&
             (MakesOwner(*schema_, op, user_) || IsAcceptance(*schema_, op, user_));
    });
  });
}

// A release without rules holds nothing back for an earlier one. Its windows have no reason to look at
// what an earlier one's, still open, has judged.
bool Grouping::IsHeld(const MutationRecord& record) const {
  const bool is_of_earlier =
      record.judged.has_value() && record.judged->version < schema_->version();
  return record.held && (schema_->validates() || !is_of_earlier);
}

void Grouping::AddOne(const Key& key, MutationRecord record) {
  if (IsNewer(record)) {
    saw_newer_ = true;
    held_back_.Hold({record.keys, record.realms});
    return;
  }
  if (IsGrouped(record) || record.known.has_value()) return;
  Status left_out;
  Result<Mutation> mutation = DecodeMutation(*schema_, record.body, &left_out);
  const bool is_newer = left_out.ok() ? mutation.status().code() == Code::kVersion : of_newer_;
  if (is_newer) {
    saw_newer_ = true;
    held_back_.Hold({record.keys, record.realms});
    return;
  }
  // This is done for mutations that wait, too.
  if (!left_out.ok() && LeaveOut(key, left_out, mutation.value(), &record)) return;
  // What brings a realm back does not wait for the mutations that wait for it.
  const bool is_in_lost = IsInLostRealm(record);
  const NamedObjects named{record.keys, record.realms,
                           mutation.ok() ? &mutation.value().ops : nullptr};
  const bool waits = is_in_lost ? !BringsBack(record) : held_back_.Waits(named);
  if (IsHeld(record) || waits) {
    held_back_.Hold(named);
    return;
  }
  Vector<std::string> realms = record.realms;
  Sort(realms.begin(), realms.end());
  // The body is protected by a checksum; the fields beside it may be damaged.
  if (mutation.ok() && !Covers(realms, RealmsOf(mutation.value().ops)))
    realms = RealmsOf(mutation.value().ops);
  // An update with the wrong id or key would be taken for a damaged one, and its mutations would be
  // grouped again and again.
  if (mutation.ok() && (key.number() == 0 || record.id != mutation.value().action.id))
    mutation = Status(Code::kCorrupt, "It is stored under a name or key that is not its own.");
  if (mutation.ok() && realms.empty())
    mutation = Status(Code::kCorrupt, "The mutation names no realm.");
  if (mutation.ok()) {
    if (Status fits = CanBeSent(mutation.value(), realms); !fits.ok()) mutation = std::move(fits);
  }
  if (!mutation.ok()) {
    held_back_.Hold({record.keys, record.realms});
    unreadable_.push_back({key, std::move(record), mutation.status()});
    return;
  }
  const size_t bytes = record.body.size();
  Candidate* place = PlaceFor(realms, record.alone.value_or(false), bytes, mutation.value());
  if (place == nullptr) {
    // Later mutations of its realms find no room either: the candidates that they could have joined
    // were closed just now.
    ++left_over_;
    return;
  }
  mutation.value().action.is_replayed = record.replayed.value_or(false);
  mutation.value().action.is_again = record.again.value_or(false);
  place->keys.push_back(key);
  place->records.push_back(std::move(record));
  place->bytes += bytes;
  place->ops += mutation.value().ops.size();
  place->mutations.push_back(std::move(mutation.value()));
}

// Moves what the schema has no place for to the inbox, out of the record. Returns true if nothing
// else is in the mutation: then it is removed as a whole, and windows are notified.
bool Grouping::LeaveOut(const Key& key, const Status& why, const Mutation& rest,
                        MutationRecord* record) {
  const Result<Vector<LeftOutPart>> parts = FindLeftOut(*schema_, record->body, defaults_);
  if (!parts.ok() || parts.value().empty()) return false;
  if (rest.ops.empty()) {
    dropped_any_ = true;
    unreadable_.push_back({key, std::move(*record), why, true});
    return true;
  }
  AddDroppedToInbox(parts.value(), *record, now_, &writes_);
  MutationRecord kept = MakeMutationRecord(*schema_, rest);
  record->body = std::move(kept.body);
  record->keys = std::move(kept.keys);
  record->realms = std::move(kept.realms);
  writes_.push_back(PutWrite(Store::kMutations, key, record->Write()));
  return false;
}

Grouping::Candidate* Grouping::PlaceFor(const Vector<std::string>& realms, bool alone, size_t bytes,
                                        const Mutation& mutation) {
  alone = alone || realms.size() > 1;
  for (Candidate& candidate : candidates_) {
    if (candidate.closed || !Intersect(candidate.realms, realms)) continue;
    const bool fits = candidate.mutations.size() < most_ &&
                      candidate.bytes + bytes <= kMaxUpdateBytes &&
                      candidate.ops + mutation.ops.size() <= kMaxOpsPerUpdate &&
                      BaseOf(candidate.mutations[0], realms[0]) == BaseOf(mutation, realms[0]);
    if (!alone && fits) return &candidate;
    candidate.closed = true;
  }
  if (slots_ == 0) return nullptr;
  --slots_;
  candidates_.emplace_back();
  candidates_.back().realms = realms;
  candidates_.back().closed = alone;
  return &candidates_.back();
}

OutboxRecord Grouping::MakeRecord(const Candidate& candidate, double at, double now,
                                  UuidGenerator* ids, const Chain& chain) const {
  Update update;
  update.id = ids->Next(now);
  update.at = at;
  Vector<Op> ops;
  const Vector<bool> cancelled = FindCancelled(*schema_, candidate.mutations);
  for (size_t i = 0; i < candidate.mutations.size(); ++i) {
    const Mutation& mutation = candidate.mutations[i];
    const uint32_t action = static_cast<uint32_t>(update.actions.size());
    update.actions.push_back(mutation.action);
    if (cancelled[i]) continue;
    for (Op op : mutation.ops) {
      op.by = {action};
      ops.push_back(std::move(op));
    }
  }
  update.ops = FoldOps(*schema_, ops);
  OutboxRecord record;
  record.id = update.id;
  record.client = chain.client;
  record.after = NextAfter(chain, candidate.realms);
  record.at = at;
  record.state = OutboxState::kNew;
  for (const std::string& realm : candidate.realms) {
    const ChainLink& link = record.after.at(realm);
    const uint64_t base = BaseOf(candidate.mutations[0], realm);
    update.after.emplace_back(realm, Link{link.seq, link.id});
    update.base.emplace_back(realm, base);
    record.base[realm] = base;
  }
  for (size_t i = 0; i < candidate.keys.size(); ++i) {
    record.mutations.push_back({candidate.records[i].id, candidate.keys[i], {}});
    // It is alone.
    if (candidate.records[i].sent.has_value()) record.sent = candidate.records[i].sent;
  }
  record.body = WriteJson(UpdateToData(*schema_, update));
  return record;
}

// No server could read this update, and every server would reject it for ever: something in it is
// damaged. To find which of several mutations that is, each is grouped alone next.
void Grouping::SetApart(const Candidate& candidate, Data::Array* writes) {
  for (size_t i = 0; i < candidate.keys.size(); ++i) {
    MutationRecord record = candidate.records[i];
    if (candidate.keys.size() == 1) {
      const Status why(Code::kCorrupt, "No server could read it.");
      unreadable_.push_back({candidate.keys[i], std::move(record), why});
      continue;
    }
    ++left_over_;
    set_apart_ = true;
    record.alone = true;
    writes->push_back(PutWrite(Store::kMutations, candidate.keys[i], record.Write()));
  }
}

Vector<OutboxRecord> Grouping::Finish(double at, double now, UuidGenerator* ids, Chain* chain,
                                      Data::Array* writes) {
  Vector<OutboxRecord> updates;
  for (Data& write : writes_) writes->push_back(std::move(write));
  writes_.clear();
  // Realms of candidates that were set apart: later ones in these realms wait with them.
  Set<std::string> waiting;
  for (Candidate& candidate : candidates_) {
    const Vector<std::string>& realms = candidate.realms;
    const bool waits = std::any_of(realms.begin(), realms.end(), [&](const std::string& realm) {
      return waiting.contains(realm);
    });
    if (waits) {
      waiting.insert(realms.begin(), realms.end());
      left_over_ += candidate.keys.size();
      continue;
    }
    OutboxRecord update = MakeRecord(candidate, at, now, ids, *chain);
    if (!IsReadable(*schema_, update)) {
      if (candidate.keys.size() > 1) waiting.insert(realms.begin(), realms.end());
      SetApart(candidate, writes);
      continue;
    }
    AdvanceChain(update.after, update.id, chain);
    for (size_t i = 0; i < candidate.keys.size(); ++i) {
      MutationRecord& marked = candidate.records[i];
      marked.state = MutationState::kGrouped;
      marked.update = update.id;
      writes->push_back(PutWrite(Store::kMutations, candidate.keys[i], marked.Write()));
    }
    updates.push_back(std::move(update));
  }
  candidates_.clear();
  return updates;
}

}  // namespace skerry
