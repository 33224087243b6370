#include "sync/push.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/wire.h"
#include "log/wire/push.h"
#include "sync/chain.h"
#include "sync/grouping.h"
#include "sync/records.h"

namespace skerry {
namespace {

size_t IndexOf(const Vector<OutboxRecord>& outbox, std::string_view id) {
  size_t i = 0;
  while (i < outbox.size() && outbox[i].id != id) ++i;
  return i;
}

// The places of a batch's updates: both are in chain order, so one walk finds all.
Vector<size_t> PlacesOf(const PushBatch& batch, const Vector<OutboxRecord>& outbox) {
  Vector<size_t> places;
  for (size_t i = 0; i < outbox.size() && places.size() < batch.ids.size(); ++i) {
    if (outbox[i].id == batch.ids[places.size()]) places.push_back(i);
  }
  return places;
}

// With the object of the op that was rejected. The server's detail for `forbidden` does not name the
// realm, so it is added.
InboxReason ReasonOf(const OutboxRecord& update, const PushRejection& entry) {
  InboxReason reason;
  reason.code = entry.code.value_or("rejected");
  reason.detail = entry.detail;
  if (!entry.op.has_value()) return reason;
  const Result<Data> body = ParseJson(update.body);
  if (!body.ok()) return reason;
  const Data::Array& ops = body.value()["ops"].items();
  if (*entry.op >= ops.size()) return reason;
  const Data& op = ops[*entry.op];
  reason.table = op["table"].as_string();
  reason.id = op["id"].as_string();
  if (entry.code != "forbidden") return reason;
  reason.detail += ": " + QuoteForDetail(op["realm"].as_string());
  if (op["to"].is_string()) reason.detail += " or " + QuoteForDetail(op["to"].as_string());
  return reason;
}

Revisions KnownRevisions(const OutboxRecord& update, const KnownAt& known) {
  Revisions revisions = known.by_realm;
  if (known.bare.has_value() && !update.after.empty())
    revisions[update.after.begin()->first] = *known.bare;
  return revisions;
}

// Whether the batch has mutations of the time of the former identity.
bool HasFormer(const PushBatch& batch, const Vector<OutboxRecord>& outbox, const SyncRecord& sync) {
  if (!sync.follows.has_value() || sync.client != batch.client) return false;
  for (const size_t place : PlacesOf(batch, outbox)) {
    for (const NamedMutation& mutation : outbox[place].mutations) {
      if (mutation.key.number() <= sync.follows->up_to) return true;
    }
  }
  return false;
}

}  // namespace

PushBatch ChooseBatch(const Vector<OutboxRecord>& outbox, size_t most) {
  PushBatch batch;
  size_t bytes = 0;
  for (const OutboxRecord& update : outbox) {
    if (update.received() || IsNewer(update)) continue;
    if (batch.ids.empty()) batch.client = update.client;
    if (update.client != batch.client) continue;
    bytes += update.body.size() + 1;
    if (!batch.ids.empty() && (bytes > kMaxBodyBytes / 2 || batch.ids.size() >= most)) break;
    batch.ids.push_back(update.id);
    if (const auto sent = SentAt(update); sent.has_value()) batch.sent[update.id] = *sent;
  }
  return batch;
}

Data::Array MarkSent(const PushBatch& batch, uint64_t epoch, const SyncRecord& sync,
                     Vector<OutboxRecord>* outbox) {
  Data::Array writes;
  const double known = LatestTime(sync.cursors);
  for (const size_t place : PlacesOf(batch, *outbox)) {
    OutboxRecord& update = (*outbox)[place];
    if (update.state == OutboxState::kSent) continue;
    update.state = OutboxState::kSent;
    update.epoch = epoch;
    if (!update.sent.has_value()) update.sent = known;
    writes.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
  }
  return writes;
}

std::string PushBody(const PushBatch& batch, const Vector<OutboxRecord>& outbox,
                     const SyncRecord& sync, uint32_t schema_version, uint64_t epoch) {
  wire::PushRequest body;
  body.client = batch.client;
  body.schema = schema_version;
  body.epoch = epoch;
  // `seen` is only kept for the present identity: an earlier one claims nothing.
  if (sync.client == batch.client) body.seen = sync.seen;
  if (HasFormer(batch, outbox, sync)) body.follows = {sync.follows->client, sync.follows->seen};
  if (!batch.sent.empty()) body.sent = batch.sent;
  std::string updates = "[";
  for (const size_t place : PlacesOf(batch, outbox)) {
    if (updates.size() > 1) updates += ',';
    updates += outbox[place].body;
  }
  updates += ']';
  body.updates = Data::Json(std::move(updates));
  return WriteJson(WriteMembers(body));
}

PushAnswer::PushAnswer(const Schema* schema, std::string user, PushBatch asked, PushResults results,
                       double now)
    : schema_(schema),
      asked_(std::move(asked)),
      results_(std::move(results)),
      now_(now),
      quarantine_(schema, std::move(user), now) {}

void PushAnswer::Decide(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids) {
  outbox_ = std::move(outbox);
  sync_ = std::move(sync);
  ids_ = ids;
  quarantine_.KnowDefaults(sync_.defaults.value_or(OldDefaults()));
  // In the order of the request, so that an update is handled after those that it follows.
  for (const std::string& id : asked_.ids) {
    const size_t index = IndexOf(outbox_, id);
    // Skip an update whose answer is not awaited any more: another worker's answer or pull may have
    // come first.
    if (index == outbox_.size() || outbox_[index].received()) {
      progress_ = true;
      continue;
    }
    for (const PushResult& result : results_) {
      if (result.id != id) continue;
      Result(index, result);
      break;
    }
  }
}

bool PushAnswer::Rebind(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids) {
  sync_ = std::move(sync);
  ids_ = ids;
  rebinds_ = true;
  for (const OutboxRecord& update : outbox) {
    if (update.state != OutboxState::kNew) return false;
  }
  outbox_ = std::move(outbox);
  while (!outbox_.empty()) Undo(0);
  identity_changed_ = progress_ = sync_.chain.links.empty();
  return identity_changed_;
}

void PushAnswer::Result(size_t index, const PushResult& result) {
  switch (result.status) {
    case PushStatus::kApplied:
    case PushStatus::kDuplicate:
      return Received(index, result);
    case PushStatus::kRejected:
      return Rejected(index, result);
    case PushStatus::kForked:
      return Forked(index);
    case PushStatus::kUnknownClient:
    case PushStatus::kHeld:
      // An update that it follows may have been undone by this answer, or be on its way. But if all
      // before it were confirmed, the server and this client disagree about the past: a fork.
      if (!FollowsAny(outbox_[index], outbox_)) Forked(index);
      return;
    case PushStatus::kOther:
    case PushStatus::kRegrouped:
    case PushStatus::kKnown:
      return;
  }
}

void PushAnswer::Received(size_t index, const PushResult& result) {
  OutboxRecord& update = outbox_[index];
  received_ = true;
  update.state = OutboxState::kReceived;
  update.revisions = result.revisions;
  // The log did not have it, so whatever was asked about it before was asked of another log.
  if (result.status == PushStatus::kApplied) update.checked.reset();
  quarantine_.Lose(update, result.lost, false);
  writes_.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
  Report(update, result.status);
  progress_ = true;
}

bool PushAnswer::unanswered() const {
  return std::any_of(asked_.ids.begin(), asked_.ids.end(), [this](const std::string& id) {
    const size_t index = IndexOf(outbox_, id);
    return index < outbox_.size() && !outbox_[index].received();
  });
}

void PushAnswer::Rejected(size_t index, const PushResult& result) {
  // An update under an earlier schema may name something that was dropped. No mutation is at fault:
  // they are grouped again, without it.
  const bool is_former = result.known.empty() && !IsFromNewerVersion(*schema_, sync_) &&
                         !IsReadable(*schema_, outbox_[index]);
  if (!is_former) SetCulprits(outbox_[index], result);
  Undo(index);
}

void PushAnswer::SetCulprits(const OutboxRecord& update, const PushResult& result) {
  for (const auto& [action, known] : result.known) {
    quarantine_.Know(action, KnownRevisions(update, known));
  }
  const Vector<NamedMutation>& members = update.mutations;
  bool named = !result.known.empty();
  for (const PushRejection& entry : result.rejected) {
    if (entry.code == "known_action" && named) continue;
    named = true;
    Vector<std::string> actions = entry.actions;
    if (actions.empty()) {
      for (const NamedMutation& member : members) actions.push_back(member.id);
    }
    const InboxReason refusal = ReasonOf(update, entry);
    // Several actions were folded into one op. Each is sent alone next, to find which one is at
    // fault.
    for (const std::string& action : actions) {
      if (actions.size() == 1) {
        quarantine_.Refuse(action, refusal);
      } else {
        quarantine_.Alone(action);
      }
    }
  }
  if (named) return;
  for (const NamedMutation& member : members) {
    if (members.size() == 1) {
      InboxReason refusal;
      refusal.code = "rejected";
      quarantine_.Refuse(member.id, refusal);
    } else {
      quarantine_.Alone(member.id);
    }
  }
}

void PushAnswer::Forked(size_t index) {
  const bool current = outbox_[index].client == sync_.client;
  Undo(index);
  // An identity that was already given up needs no successor: what was undone is grouped under the
  // present one.
  if (current) identity_changed_ = true;
}

// The answer says of this request's updates that the log does not have them. But an earlier log may.
std::optional<double> PushAnswer::SentBefore(const OutboxRecord& update) const {
  if (!Contains(asked_.ids, update.id)) return SentAt(update);
  const auto before = asked_.sent.find(update.id);
  return before == asked_.sent.end() ? std::nullopt : std::optional(before->second);
}

void PushAnswer::Undo(size_t index) {
  for (const OutboxRecord& undone : UndoFrom(index, &outbox_, &sync_.chain)) {
    quarantine_.Undo(undone, SentBefore(undone));
    writes_.push_back(DeleteWrite(Store::kOutbox, undone.id));
    Report(undone, PushStatus::kRegrouped);
  }
  progress_ = true;
}

void PushAnswer::Report(const OutboxRecord& update, PushStatus status) {
  PushedItem& item = pushed_.emplace_back();
  item.update = update.id;
  for (const NamedMutation& member : update.mutations) item.mutations.push_back(member.id);
  item.status = status;
}

Data::Array PushAnswer::Finish() {
  quarantine_.Finish(&writes_);
  if (identity_changed_) {
    // What was never pushed follows nothing.
    if (!rebinds_)
      sync_.follows = FormerIdentity{sync_.client, sync_.seen, quarantine_.last_key(), {}};
    NewIdentity(ids_->Next(now_), &sync_);
  }
  for (const KnownMutation& entry : quarantine_.known()) {
    sync_.known.push_back(entry);
    PushedItem& item = pushed_.emplace_back();
    item.mutations.push_back(entry.id);
    item.status = PushStatus::kKnown;
  }
  for (const RefusedMutation& refused : quarantine_.refused()) {
    PushedItem& item = pushed_.emplace_back();
    item.mutations.push_back(refused.id);
    item.status = PushStatus::kRejected;
    item.code = refused.code;
    item.detail = refused.detail;
  }
  if (quarantine_.removed_any()) {
    record_ = RefusalRecord(quarantine_, *schema_, &sync_);
    writes_.push_back(PutWrite(Store::kUpdates, record_->n, record_->Write()));
  }
  if (!quarantine_.empty() || identity_changed_)
    writes_.push_back(PutWrite(Store::kSync, kSyncKey, sync_.Write()));
  return std::move(writes_);
}

UpdateRecord RefusalRecord(const Quarantine& quarantine, const Schema& schema, SyncRecord* sync) {
  UpdateRecord record;
  record.n = ++sync->n;
  record.kind = UpdateKind::kRefusal;
  record.confirmed = quarantine.done();
  record.refused = quarantine.refused();
  record.cursors = sync->cursors;
  record.body = EncodeSteps(schema, {});
  sync->removed_up_to = std::max(sync->removed_up_to, quarantine.highest_removed_key());
  sync->record_bytes += record.body->size();
  return record;
}

}  // namespace skerry
