// What a pull's answer says of realms: which are revoked, which are lost, and how far each was
// read.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "model/members.h"
#include "sync/chain.h"
#include "sync/pull.h"
#include "sync/records.h"

namespace skerry {

// The server says which realms are revoked of those that the request had a cursor of. A realm that
// is to be read again has none: it is revoked if an answer that reaches the heads does not have it.
void PullFold::FindRevoked() {
  revoked_ = answer_->revoked;
  for (const std::string& realm : sync_.refill) {
    const bool is_there = answer_->cursors.contains(realm) || Contains(revoked_, realm);
    // The server had it again, and it was revoked then.
    const bool was_there = sync_.Offered(realm) && !Contains(answer_->lost, realm);
    if (!is_there && HasAllOf(realm) && (was_there || !IsLost(realm))) revoked_.push_back(realm);
  }
}

void PullFold::Revoke() {
  for (const std::string& realm : revoked_) {
    InboxReason refusal;
    refusal.reason = "revoked";
    refusal.code = "revoked";
    refusal.detail = "The right to the realm " + realm + " was withdrawn.";
    quarantine_.RefuseRealm(realm, std::move(refusal));
    // An update that was sent keeps its id and place until its outcome is known; one that was never
    // sent need not.
    for (size_t i = 0; i < outbox_.size(); ++i) {
      if (outbox_[i].state != OutboxState::kNew || !outbox_[i].after.contains(realm)) continue;
      for (const OutboxRecord& undone : UndoFrom(i, &outbox_, &sync_.chain)) {
        quarantine_.Undo(undone, SentAt(undone));
        writes_.push_back(DeleteWrite(Store::kOutbox, undone.id));
      }
      break;
    }
  }
}

bool PullFold::IsLost(const std::string& realm) const {
  if (answer_->cursors.contains(realm)) return false;
  return Contains(answer_->lost, realm) || (sync_.lost.has_value() && Contains(*sync_.lost, realm));
}

bool PullFold::IsNewlyLost(const std::string& realm) const {
  return IsLost(realm) && !(sync_.lost.has_value() && Contains(*sync_.lost, realm));
}

// Whether the server was restored from a backup since the last pull that was folded, as far as its
// realms show.
bool PullFold::ShowsOtherHistory() const {
  const auto is_back = [&](const auto& lost) {
    return lost.second.offered.has_value() && answer_->cursors.contains(lost.first);
  };
  return std::any_of(sync_.lost_at.begin(), sync_.lost_at.end(), is_back) ||
         std::any_of(answer_->lost.begin(), answer_->lost.end(),
                     [&](const std::string& realm) { return IsNewlyLost(realm); });
}

// Notes that the server has lost the realm, or what its log was. The updates that the lost log may
// have had are undone: their outcomes will never be known. That an action was in the lost log does
// not count any more. Nothing of the realm is sent until it exists, but for what founds it.
void PullFold::Lose(const std::string& realm) {
  Vector<std::string>& lost = sync_.lost.has_value() ? *sync_.lost : sync_.lost.emplace();
  if (Contains(lost, realm)) return LoseAgain(realm);
  lost.push_back(realm);
  const auto cursor = sync_.cursors.find(realm);
  if (cursor != sync_.cursors.end()) sync_.lost_at[realm].cursor = cursor->second;
  if (!Contains(sync_.refill, realm)) sync_.refill.push_back(realm);
  UndoUpdates(realm);
}

// The server had the realm again, and was then restored once more, to a state without it, or without what was given
// back: all of it is given back again.
void PullFold::LoseAgain(const std::string& realm) {
  const auto place = sync_.lost_at.find(realm);
  if (place == sync_.lost_at.end() || !place->second.offered.has_value()) return;
  place->second.offered.reset();
  place->second.founded.reset();
  place->second.given.reset();
  lost_ = sync_.lost;
  UndoUpdates(realm);
}

void PullFold::UndoUpdates(const std::string& realm) {
  for (size_t i = 0; i < outbox_.size();) {
    if (!outbox_[i].after.contains(realm)) {
      ++i;
      continue;
    }
    for (const OutboxRecord& undone : UndoFrom(i, &outbox_, &sync_.chain)) {
      quarantine_.Undo(undone, SentAt(undone));
      writes_.push_back(DeleteWrite(Store::kOutbox, undone.id));
      if (undone.state == OutboxState::kNew || !undone.after.contains(realm)) continue;
      for (const NamedMutation& sent : undone.mutations) quarantine_.Doubt(sent.id, realm);
    }
  }
  erase_if(sync_.known, [&](const KnownMutation& known) {
    if (!known.realms.contains(realm)) return false;
    quarantine_.Forget(known.id);
    quarantine_.Doubt(known.id, realm);
    return true;
  });
  sync_.chain.links.erase(realm);
  sync_.seen.erase(realm);
}

// A realm that is back, or goes on from another point of its history, may lack rows that this client
// has. They are offered before they are replaced, and only a window has them. Returns
// whether the answer has to wait for that.
bool PullFold::WaitsForOffers() {
  for (const auto& [realm, cursor] : answer_->cursors) AskForOffers(realm);
  for (const wire::Image& image : answer_->images) AskForOffers(image.realm);
  return waits_;
}

void PullFold::AskForOffers(const std::string& realm) {
  const bool is_known = sync_.lost.has_value() && Contains(*sync_.lost, realm);
  const bool is_reset =
      Contains(answer_->reset, realm) && (is_known || sync_.cursors.contains(realm));
  if (!is_known && !is_reset) return;
  if (is_reset) {
    Lose(realm);
    sync_.cursors.erase(realm);
  }
  const std::optional<bool> offered = sync_.Offered(realm);
  if (offered == true) return;
  waits_ = true;
  if (offered) return;
  sync_.lost_at[realm].offered = false;
  lost_ = sync_.lost;
}

// A realm that was lost is no longer asked for. Its rows stay until the server has it again; then
// they are replaced by the server's.
void PullFold::MoveLost() {
  const size_t before = sync_.lost.has_value() ? sync_.lost->size() : 0;
  for (const std::string& realm : answer_->lost) Lose(realm);
  bool is_changed = sync_.lost.has_value() && sync_.lost->size() != before;
  const auto is_there = [&](const std::string& realm) {
    return answer_->cursors.contains(realm) || Contains(revoked_, realm);
  };
  for (const std::string& realm : sync_.lost.value_or(Vector<std::string>())) {
    if (!is_there(realm)) continue;
    // What was given back is in the log that the server has now (client/tab_offers.cc).
    const auto place = sync_.lost_at.find(realm);
    const double lost_at = place == sync_.lost_at.end() ? 0 : CursorTime(place->second.cursor);
    own_.Drop(realm, lost_at > 0 ? lost_at : kMaxTimeMs);
    // Its rows are still those that were lost, until its image is there (SyncJob::PublishFill).
    if (AwaitsImage(realm)) continue;
    sync_.Regain(realm);
    is_changed = true;
  }
  if (!is_changed) return;
  lost_ = sync_.lost;
  if (sync_.lost->empty()) sync_.lost.reset();
}

void PullFold::TakeInvitations() {
  // Windows check each of them: they are stored, and any script of the origin may write there.
  if (!answer_->invitations.has_value() || !answer_->invitations->is_array()) return;
  const Data& told = *answer_->invitations;
  Data now = told.items().empty() ? Data() : told;
  if (now == sync_.invitations) return;
  sync_.invitations = now;
  invitations_ = std::move(now);
}

void PullFold::MoveCursors() {
  Cursors cursors = sync_.cursors;
  for (const auto& [realm, cursor] : answer_->cursors) {
    if (!AwaitsImage(realm)) cursors[realm] = cursor;
  }
  for (const std::string& realm : revoked_) cursors.erase(realm);
  for (const std::string& realm : answer_->lost) cursors.erase(realm);
  if (!(cursors == sync_.cursors)) {
    sync_.older.insert(sync_.older.begin(), sync_.cursors);
    if (sync_.older.size() > kMaxOlderCursors) sync_.older.resize(kMaxOlderCursors);
    for (Cursors& older : sync_.older) {
      for (const std::string& realm : revoked_) older.erase(realm);
    }
    moved_ = true;
  }
  erase_if(sync_.refill, [&](const std::string& realm) {
    return (answer_->cursors.contains(realm) && !AwaitsImage(realm)) || Contains(revoked_, realm);
  });
  sync_.cursors = std::move(cursors);
}

// Where the log has it, as far as that is known.
Revisions PullFold::RevisionsOf(const OutboxRecord& update) const {
  Revisions revisions = update.revisions.value_or(Revisions());
  const auto own = answer_->own.find(update.id);
  if (own == answer_->own.end()) return revisions;
  for (const auto& [realm, entry] : own->second) revisions[realm] = entry.revision;
  return revisions;
}

Times PullFold::TimesOf(const OutboxRecord& update) const {
  Times times;
  const auto own = answer_->own.find(update.id);
  if (own == answer_->own.end()) return times;
  for (const auto& [realm, entry] : own->second) times[realm] = entry.at;
  return times;
}

// The revisions of a realm that is gone say nothing any more. Those of one that is lost say what was
// lost, until it is back (MoveLost).
void PullFold::WatchOwn() {
  for (const std::string& realm : revoked_) own_.Drop(realm);
  own_.Compare(answer_->changes);
}

bool PullFold::IsForgotten(const std::string& realm, uint64_t revision) const {
  if (!answer_->floors.has_value()) return false;
  const auto floor = answer_->floors->find(realm);
  return floor != answer_->floors->end() && revision <= floor->second.revision;
}

void PullFold::MoveFloors() {
  if (!answer_->floors.has_value()) return;
  ForgottenUpTo forgotten;
  for (const auto& [realm, floor] : *answer_->floors) forgotten[realm] = floor.at;
  if (forgotten == sync_.forgotten.value_or(ForgottenUpTo())) return;
  sync_.forgotten = forgotten;
  forgotten_ = std::move(forgotten);
}

}  // namespace skerry
