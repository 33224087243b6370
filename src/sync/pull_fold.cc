// The transaction that folds a pull's answer: steps in the order of folding, confirmations by
// position in the log, and cursors.
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "sync/chain.h"
#include "sync/pull.h"
#include "sync/records.h"
#include "sync/scopes.h"
#include "sync/streams.h"

namespace skerry {
namespace {

struct OwnPlace {
  std::string realm;
  uint64_t revision = 0;
  double at = 0;
  const OutboxRecord* update = nullptr;
  const wire::OwnEntry* entry = nullptr;
  bool has_rows = true;  // base does not have its rows yet
};

// The revision at which the log of the realm has the action, as the answer says; null: it does not.
const uint64_t* KnownRevision(const PullAnswer& answer, const std::string& action,
                              const std::string& realm) {
  if (!answer.known.has_value()) return nullptr;
  const auto known = answer.known->find(action);
  if (known == answer.known->end()) return nullptr;
  const auto revision = known->second.find(realm);
  return revision == known->second.end() ? nullptr : &revision->second;
}

}  // namespace

PullFold::PullFold(const Schema* schema, std::string user, const PullRequest* request,
                   const PullAnswer* answer, double now, double clock_offset)
    : schema_(schema),
      user_(user),
      request_(request),
      answer_(answer),
      now_(now),
      clock_offset_(clock_offset),
      quarantine_(schema, std::move(user), now),
      own_(schema, now) {}

bool PullFold::StillAsAsked() const {
  if (!(sync_.cursors == request_->cursors) || !(sync_.scopes == request_->scopes)) return false;
  if (sync_.scope_version != request_->scope_version) return false;
  if (!(sync_.streams == request_->streams)) return false;
  // An update that the answer expects to be folded must still be in the outbox.
  for (const auto& [id, realms] : answer_->own) {
    if (request_->have.count(id) == 0) continue;
    const bool here = std::any_of(outbox_.begin(), outbox_.end(),
                                  [&id = id](const OutboxRecord& u) { return u.id == id; });
    if (!here) return false;
  }
  return true;
}

bool PullFold::Decide(Vector<OutboxRecord> outbox, SyncRecord sync) {
  outbox_ = std::move(outbox);
  sync_ = std::move(sync);
  if (!StillAsAsked()) return false;
  quarantine_.KnowDefaults(sync_.defaults.value_or(OldDefaults()));
  if (WaitsForOffers()) return true;
  FindRevoked();
  DropSteps();
  OwnSteps();
  for (const Change& change : answer_->changes) {
    steps_.emplace_back();
    steps_.back().change = change;
  }
  for (const PageRange& page : answer_->pages) {
    steps_.emplace_back();
    steps_.back().kind = StepKind::kPage;
    steps_.back().page = page;
  }
  MoveScopes();
  KeepSteps();
  StreamSteps();
  ConfirmOwn();
  Revoke();
  MoveLost();
  TakeInvitations();
  MoveCursors();
  MoveFloors();
  ConfirmKnown();
  WatchOwn();
  return true;
}

// A realm that is read again from its start: its rows are dropped.
bool PullFold::IsDropped(const std::string& realm) const { return Contains(sync_.refill, realm); }

// A realm that is read again: its rows stay until its image is there.
bool PullFold::AwaitsImage(const std::string& realm) const {
  return ComesByImage(realm) && IsDropped(realm);
}

// The answer has nothing of the realm then, and its cursor is at the start.
bool PullFold::ComesByImage(const std::string& realm) const {
  return std::any_of(answer_->images.begin(), answer_->images.end(),
                     [&](const wire::Image& image) { return image.realm == realm; });
}

void PullFold::DropSteps() {
  Vector<std::string> dropped = revoked_;
  for (const auto& [realm, cursor] : answer_->cursors) {
    if (!IsDropped(realm) || Contains(dropped, realm) || AwaitsImage(realm)) continue;
    dropped.push_back(realm);
  }
  for (const std::string& realm : dropped) {
    steps_.emplace_back();
    steps_.back().kind = StepKind::kDropRealm;
    steps_.back().realm = realm;
    DropStreamsOf(realm, &writes_);
  }
}

void PullFold::OwnSteps() {
  Vector<OwnPlace> places;
  for (const OutboxRecord& update : outbox_) {
    const std::string& id = update.id;
    // An update that was not in `have` comes in full, among the changes.
    if (request_->have.count(id) == 0) continue;
    const auto own = answer_->own.find(id);
    if (own == answer_->own.end()) continue;
    for (const auto& [realm, entry] : own->second) {
      // At or below the cursor, an image or a page already had its rows. A dropped realm has no
      // cursor: the answer has everything but own updates.
      const bool has_rows =
          IsDropped(realm) || entry.revision > CursorRevision(request_->cursors, realm);
      if (has_rows || sync_.streams.has_value())
        places.push_back({realm, entry.revision, entry.at, &update, &entry, has_rows});
    }
  }
  Sort(places.begin(), places.end(), [](const OwnPlace& a, const OwnPlace& b) {
    if (a.realm != b.realm) return a.realm < b.realm;
    return a.revision != b.revision ? a.revision < b.revision : a.update < b.update;
  });
  for (const OwnPlace& place : places) {
    Result<Data> body = ParseJson(place.update->body);
    if (!body.ok()) continue;  // cannot happen: `have` names only updates that can be read
    Result<Update> update = UpdateFromData(*schema_, body.value());
    if (!update.ok()) continue;
    const bool was_stored = !place.has_rows && Contains(place.update->confirmed, place.realm);
    AddOwnActions(update.value(), place.realm, *place.entry, was_stored);
    if (!place.has_rows) continue;
    Step step;
    step.kind = StepKind::kOwnOps;
    step.realm = place.realm;
    step.at = place.at;
    step.revision = place.revision;
    RemoveDropped(*schema_, place.entry->lost.dropped, &update.value().ops);
    for (Op& op : update.value().ops) {
      if (op.Has(kOnRow) && op.realm == place.realm) step.ops.push_back(std::move(op));
    }
    if (!step.ops.empty()) steps_.push_back(std::move(step));
  }
}

// Whether the server has said that it has applied the update in the realm, and this client may not
// read the realm: it never could, or it was revoked, or the server has lost it.
bool PullFold::IsUnreadable(const OutboxRecord& update, const std::string& realm) const {
  return request_->received.contains(update.id) && HasAllOf(realm) &&
         !answer_->cursors.contains(realm) && update.revisions.has_value() &&
         update.revisions->contains(realm);
}

// The realms in which an update is confirmed, including those of this answer.
Vector<std::string> PullFold::NowConfirmed(const OutboxRecord& update) const {
  Vector<std::string> confirmed = update.confirmed;
  const auto own = answer_->own.find(update.id);
  for (const auto& [realm, link] : update.after) {
    if (Contains(confirmed, realm)) continue;
    const bool is_own = own != answer_->own.end() && own->second.contains(realm);
    // In a realm that cannot be read, there is no other confirmation than that it was applied. A
    // server that was restored from a backup may have lost that again, so it is asked once more,
    // unless it says that the realm was revoked; and again if it was restored since.
    const bool was_asked =
        (update.checked.has_value() && !ShowsOtherHistory()) || Contains(revoked_, realm);
    const bool is_last_word = was_asked && IsUnreadable(update, realm) && !IsNewlyLost(realm);
    if (is_own || is_last_word || IsInLog(update, realm)) confirmed.push_back(realm);
  }
  return confirmed;
}

// For an update that was requested by an action: whether the cursor after this answer is at or
// above its revision in the realm.
bool PullFold::IsInLog(const OutboxRecord& update, const std::string& realm) const {
  if (!request_->unread.contains(update.id)) return false;
  const uint64_t there =
      CursorRevision(answer_->cursors.contains(realm) ? answer_->cursors : sync_.cursors, realm);
  const uint64_t* revision = KnownRevision(*answer_, update.mutations[0].id, realm);
  return revision != nullptr && *revision <= there;
}

void PullFold::Confirm(NamedMutation mutation) {
  highest_ = std::max(highest_, mutation.key.number());
  writes_.push_back(DeleteWrite(Store::kMutations, mutation.key));
  confirmed_.push_back(std::move(mutation));
}

void PullFold::ConfirmOwn() {
  Vector<OutboxRecord> kept;
  for (OutboxRecord& update : outbox_) {
    Vector<std::string> confirmed = NowConfirmed(update);
    if (update.client == sync_.client) {
      for (const std::string& realm : confirmed) {
        uint64_t& seen = sync_.seen[realm];
        seen = std::max(seen, SeqOf(update, realm));
      }
    }
    const bool has_more = confirmed.size() != update.confirmed.size();
    if (confirmed.size() == update.after.size()) {
      const Revisions revisions = RevisionsOf(update);
      const Times times = TimesOf(update);
      for (const NamedMutation& member : update.mutations) {
        own_.Confirm(member, revisions, times);
        Confirm(member);
      }
      ReportLost(update);
      writes_.push_back(DeleteWrite(Store::kOutbox, update.id));
      moved_ = true;
      continue;
    }
    if (has_more) {
      for (const NamedMutation& member : update.mutations)
        partly_.push_back({member.id, confirmed, {}});
      moved_ = true;
    }
    update.confirmed = std::move(confirmed);
    const bool is_resent = ResendIfMissing(&update);
    if (has_more || is_resent)
      writes_.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
    grouped_ += update.mutations.size();
    kept.push_back(std::move(update));
  }
  outbox_ = std::move(kept);
}

// The answer to the push was lost; or it is yet to come, and will not find the update. What it
// would have reported is reported here.
void PullFold::ReportLost(const OutboxRecord& update) {
  if (update.received()) return;
  const auto own = answer_->own.find(update.id);
  // Each realm says the same.
  if (own == answer_->own.end() || own->second.empty()) return;
  quarantine_.Lose(update, own->second.begin()->second.lost, true);
}

// For an update of which the server has said that it is in the log at some revision: if the log up
// to there does not have it, the server was restored from an older state. The update is then sent
// again. Returns whether it is.
bool PullFold::ResendIfMissing(OutboxRecord* update) {
  const std::string& id = update->id;
  const bool asked = request_->unread.contains(id) && answer_->known.has_value() && !answer_->more;
  const bool is_told = request_->have.contains(id) || asked;
  if (!request_->received.contains(id)) return false;
  for (const auto& [realm, revision] : update->revisions.value_or(Revisions())) {
    if (Contains(update->confirmed, realm) || ComesByImage(realm)) continue;
    // Pushed again, the update gets its outcome: a duplicate, if the log still has it.
    const bool is_unreadable = IsUnreadable(*update, realm);
    if (!is_unreadable && !(is_told && answer_->cursors.contains(realm))) continue;
    if (is_unreadable) update->checked = true;
    // If there is more to pull, the update may still come. At the head of the log it cannot,
    // whatever that revision was.
    if (answer_->more && CursorRevision(answer_->cursors, realm) < revision) continue;
    update->state = OutboxState::kSent;
    update->revisions.reset();
    resend_ = true;
    return true;
  }
  return false;
}

// Where the action is, in all realms that the answer to the push named. A server that was restored
// from an older state may not have it any more, and may have another entry at its revision. So the
// server says whether it has the action, by its id. An older server does not say; it is believed
// unless it shows another history.
PullFold::KnownMutationState PullFold::Find(const KnownMutation& known) const {
  bool is_found = false, is_forgotten = false;
  const bool asked = request_->known.contains(known.id);
  for (const auto& [realm, revision] : known.realms) {
    const uint64_t there = CursorRevision(sync_.cursors, realm);
    const uint64_t* found = KnownRevision(*answer_, known.id, realm);
    if (!answer_->known.has_value()) {
      if (there < revision) return KnownMutationState::kNotReached;
      // The realm was pulled from the start, from the history that the server has now.
      if (CursorRevision(request_->cursors, realm) == 0) return KnownMutationState::kMissing;
    } else if (!asked) {
      return KnownMutationState::kNotReached;
    } else if (found != nullptr) {
      if (there < *found) return KnownMutationState::kNotReached;
      is_found = true;
    } else if (!HasAllOf(realm)) {
      return KnownMutationState::kNotReached;
    } else if (IsForgotten(realm, revision)) {
      is_forgotten = true;
    } else if (answer_->cursors.contains(realm)) {
      return KnownMutationState::kMissing;
    } else if (IsLost(realm)) {
      // The server has the realm, but it is not the one that this client holds: it waits for that.
      return KnownMutationState::kNotReached;
    }
    // In a realm that this client may not read, the answer to the push is all that it will ever
    // see.
  }
  return is_forgotten && !is_found ? KnownMutationState::kExpired : KnownMutationState::kConfirmed;
}

void PullFold::ConfirmKnown() {
  Vector<KnownMutation> left;
  for (const KnownMutation& known : sync_.known) {
    switch (Find(known)) {
      case KnownMutationState::kConfirmed:
        Confirm({known.id, known.key, {}});
        break;
      case KnownMutationState::kNotReached:
        left.push_back(known);
        break;
      case KnownMutationState::kMissing:  // it becomes pending like any other, and is pushed again
        quarantine_.Forget(known.id);
        resend_ = true;
        break;
      case KnownMutationState::kExpired: {
        // The log had it, unless the server was restored from a backup meanwhile.
        InboxReason why;
        why.code = "outcome_unknown";
        why.detail = "The log of that time is forgotten.";
        quarantine_.Forget(known.id);
        quarantine_.Refuse(known.id, std::move(why));
        break;
      }
    }
  }
  sync_.known = std::move(left);
}

Data::Array PullFold::Finish() {
  quarantine_.Finish(&writes_);
  if (waits_) {
    WriteRecord();
    writes_.push_back(PutWrite(Store::kSync, kSyncKey, sync_.Write()));
    return std::move(writes_);
  }
  if (answer_->realms_token.has_value()) sync_.realms_token = answer_->realms_token;
  sync_.clock_offset = clock_offset_;
  if (answer_->left_out || request_->left_out || unjudged_) NoteLeftOut(Layout(*schema_), &sync_);
  if (!answer_->more && answer_->images.empty()) sync_.last_synced_at = now_;
  if (!sync_.compared_at.has_value()) sync_.compared_at = now_;
  WriteRecord();
  writes_.push_back(PutWrite(Store::kSync, kSyncKey, sync_.Write()));
  return std::move(writes_);
}

void PullFold::WriteRecord() {
  for (const NamedMutation& left : quarantine_.done()) confirmed_.push_back(left);
  const bool same = steps_.empty() && sync_.cursors == request_->cursors && confirmed_.empty() &&
                    !lost_.has_value() && !streams_.has_value() && !forgotten_.has_value() &&
                    !invitations_.has_value() && partly_.empty() && !quarantine_.removed_any();
  if (same) return;
  moved_ = true;
  UpdateRecord record;
  record.n = ++sync_.n;
  if (!revoked_.empty()) {
    sync_.revoked_at = record.n;
    record.revokes = true;
  }
  record.confirmed = std::move(confirmed_);
  record.refused = quarantine_.refused();
  record.partly = std::move(partly_);
  record.cursors = sync_.cursors;
  record.lost = std::move(lost_);
  record.streams = std::move(streams_);
  record.invitations = std::move(invitations_);
  record.forgotten = std::move(forgotten_);
  record.body = EncodeSteps(*schema_, steps_);
  sync_.record_bytes += record.body->size();
  sync_.removed_up_to =
      std::max({sync_.removed_up_to, highest_, quarantine_.highest_removed_key()});
  writes_.push_back(PutWrite(Store::kUpdates, record.n, record.Write()));
  record_ = std::move(record);
}

}  // namespace skerry
