#include "sync/push.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/wire.h"
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

// The server's detail for `forbidden` does not name the realm, so add it.
std::string WithRealm(const OutboxRecord& update, const Data& entry) {
  const std::string& detail = entry["detail"].as_string();
  if (!entry["code"].Is("forbidden") || !entry["op"].is_number()) return detail;
  const Result<Data> body = ParseJson(update.body);
  if (!body.ok()) return detail;
  const Data::Array& ops = body.value()["ops"].items();
  const size_t index = entry["op"].as_u64(ops.size());
  if (index >= ops.size()) return detail;
  std::string named = detail + ": " + Quote(ops[index]["realm"].as_string());
  if (ops[index]["to"].is_string()) named += " or " + Quote(ops[index]["to"].as_string());
  return named;
}

// {realm: revision} of a `known` entry. The entry is a bare number if the update is of one realm.
Revisions KnownRevisions(const OutboxRecord& update, const Data& known) {
  Revisions revisions;
  for (const auto& [realm, revision] : known.members()) revisions[realm] = revision.as_u64();
  if (!known.is_object() && !update.after.empty())
    revisions[update.after.begin()->first] = known.as_u64();
  return revisions;
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
  }
  return batch;
}

Data::Array MarkSent(const PushBatch& batch, uint64_t epoch, Vector<OutboxRecord>* outbox) {
  Data::Array writes;
  for (const std::string& id : batch.ids) {
    OutboxRecord& update = (*outbox)[IndexOf(*outbox, id)];
    if (update.state == OutboxState::kSent) continue;
    update.state = OutboxState::kSent;
    update.epoch = epoch;
    writes.push_back(PutWrite(Store::kOutbox, id, update.Write()));
  }
  return writes;
}

std::string PushBody(const PushBatch& batch, const Vector<OutboxRecord>& outbox,
                     const SyncRecord& sync, uint32_t schema_version, uint64_t epoch) {
  Data head = Data::MakeObject();
  head.Set("client", batch.client).Set("schema", schema_version).Set("epoch", epoch);
  // `seen` is only kept for the present identity: an earlier one claims nothing.
  head.Set("seen", sync.client == batch.client ? ToData(sync.seen) : Data::MakeObject());
  std::string body = WriteJson(head);
  body.pop_back();
  body += ",\"updates\":[";
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    if (i > 0) body += ',';
    body += outbox[IndexOf(outbox, batch.ids[i])].body;
  }
  body += "]}";
  return body;
}

PushAnswer::PushAnswer(const Schema* schema, const Vector<std::string>& asked, const Data& results,
                       double now)
    : schema_(schema), asked_(asked), results_(results), now_(now), aside_(schema, now) {}

Data PushAnswer::RejectedWhole(const std::string& id, std::string_view code,
                               std::string_view detail) {
  Data entry = Data::MakeObject();
  entry.Set("code", code).Set("detail", detail);
  Data result = Data::MakeObject();
  result.Set("id", id).Set("status", "rejected").Set("rejected", Data(Data::Array{entry}));
  return Data(Data::Array{result});
}

void PushAnswer::Decide(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids) {
  outbox_ = std::move(outbox);
  sync_ = std::move(sync);
  ids_ = ids;
  // In the order of the request, so that an update is handled after those that it follows.
  for (const std::string& id : asked_) {
    const size_t index = IndexOf(outbox_, id);
    // Skip an update whose answer is not awaited any more: another worker's answer or pull may have
    // come first.
    if (index == outbox_.size() || outbox_[index].received()) {
      progress_ = true;
      continue;
    }
    for (const Data& result : results_.items()) {
      if (result["id"].as_string() != id) continue;
      Result(index, result);
      break;
    }
  }
}

bool PushAnswer::Rebind(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids) {
  sync_ = std::move(sync);
  ids_ = ids;
  for (const OutboxRecord& update : outbox) {
    if (update.state != OutboxState::kNew) return false;
  }
  outbox_ = std::move(outbox);
  while (!outbox_.empty()) Undo(0);
  identity_changed_ = progress_ = sync_.chain.links.empty();
  return identity_changed_;
}

void PushAnswer::Result(size_t index, const Data& result) {
  const std::string& status = result["status"].as_string();
  if (status == "applied" || status == "duplicate") {
    Received(index, result);
  } else if (status == "rejected") {
    Rejected(index, result);
  } else if (status == "forked") {
    Forked(index);
  } else if (status == "unknown_client" || status == "held") {
    // An update that it follows may have been undone by this answer, or be on its way. But if all
    // before it were confirmed, the server and this client disagree about the past: a fork.
    if (!FollowsAny(outbox_[index], outbox_)) Forked(index);
  }
}

void PushAnswer::Received(size_t index, const Data& result) {
  OutboxRecord& update = outbox_[index];
  received_ = true;
  update.state = OutboxState::kReceived;
  update.revisions.emplace();
  for (const auto& [realm, revision] : result["revisions"].members())
    (*update.revisions)[realm] = revision.as_u64();
  writes_.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
  TellGone(*schema_, update, result["gone"], now_, &writes_);
  Tell(update, result["status"].as_string(), "", "");
  progress_ = true;
}

bool PushAnswer::unanswered() const {
  return std::any_of(asked_.begin(), asked_.end(), [this](const std::string& id) {
    const size_t index = IndexOf(outbox_, id);
    return index < outbox_.size() && !outbox_[index].received();
  });
}

void PushAnswer::Rejected(size_t index, const Data& result) {
  // An update under an earlier schema may name something that was dropped. No mutation is at fault:
  // they are grouped again, without it.
  const bool is_former = result["known"].members().empty() && !IsOfNewer(*schema_, sync_) &&
                         !IsReadable(*schema_, outbox_[index]);
  if (!is_former) SetCulprits(outbox_[index], result);
  Undo(index);
}

void PushAnswer::SetCulprits(const OutboxRecord& update, const Data& result) {
  for (const auto& [action, revision] : result["known"].members()) {
    aside_.Know(action, KnownRevisions(update, revision));
  }
  const Vector<NamedMutation>& members = update.mutations;
  bool named = !result["known"].members().empty();
  for (const Data& entry : result["rejected"].items()) {
    if (entry["code"].Is("known_action") && named) continue;
    named = true;
    Data actions = entry["actions"];
    if (actions.items().empty()) {
      actions = Data::MakeArray();
      for (const NamedMutation& member : members) actions.Push(member.id);
    }
    InboxReason refusal;
    refusal.code = entry["code"].is_string() ? entry["code"].as_string() : "rejected";
    refusal.detail = WithRealm(update, entry);
    refusal.theirs = entry["theirs"];
    // Several actions were folded into one op. Each is sent alone next, to find which one is at
    // fault.
    for (const Data& action : actions.items()) {
      if (actions.items().size() == 1) {
        aside_.Refuse(action.as_string(), refusal);
      } else {
        aside_.Alone(action.as_string());
      }
    }
  }
  if (named) return;
  for (const NamedMutation& member : members) {
    if (members.size() == 1) {
      InboxReason refusal;
      refusal.code = "rejected";
      aside_.Refuse(member.id, refusal);
    } else {
      aside_.Alone(member.id);
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

void PushAnswer::Undo(size_t index) {
  for (const OutboxRecord& undone : UndoFrom(index, &outbox_, &sync_.chain)) {
    aside_.Undo(undone);
    writes_.push_back(DeleteWrite(Store::kOutbox, undone.id));
    Tell(undone, "regrouped", "", "");
  }
  progress_ = true;
}

void PushAnswer::Tell(const OutboxRecord& update, std::string_view status, std::string_view code,
                      std::string_view detail) {
  Data mutations = Data::MakeArray();
  for (const NamedMutation& member : update.mutations) mutations.Push(member.id);
  Data result = Data::MakeObject();
  result.Set("update", update.id).Set("mutations", std::move(mutations)).Set("status", status);
  if (!code.empty()) result.Set("code", code).Set("detail", detail);
  pushed_.Push(std::move(result));
}

Data::Array PushAnswer::Finish() {
  if (identity_changed_) NewIdentity(ids_->Next(now_), &sync_);
  for (const KnownMutation& entry : aside_.known()) {
    sync_.known.push_back(entry);
    Data result = Data::MakeObject();
    result.Set("mutations", Data(Data::Array{entry.id})).Set("status", "known");
    pushed_.Push(std::move(result));
  }
  for (const RefusedMutation& refused : aside_.refused()) {
    Data result = Data::MakeObject();
    result.Set("mutations", Data(Data::Array{refused.id})).Set("status", "rejected");
    result.Set("code", refused.code).Set("detail", refused.detail);
    pushed_.Push(std::move(result));
  }
  if (aside_.refused_any()) {
    record_ = RefusalRecord(aside_, *schema_, &sync_);
    writes_.push_back(PutWrite(Store::kUpdates, record_->n, record_->Write()));
  }
  if (!aside_.empty() || identity_changed_)
    writes_.push_back(PutWrite(Store::kSync, kSyncKey, sync_.Write()));
  return std::move(writes_);
}

UpdateRecord RefusalRecord(const SetAside& aside, const Schema& schema, SyncRecord* sync) {
  UpdateRecord record;
  record.n = ++sync->n;
  record.kind = UpdateKind::kRefusal;
  record.refused = aside.refused();
  record.cursors = sync->cursors;
  record.body = EncodeSteps(schema, {});
  sync->gone_up_to = std::max(sync->gone_up_to, aside.highest_refused_key());
  sync->record_bytes += record.body->size();
  return record;
}

}  // namespace skerry
