// What a pull's answer says of realms: which are revoked, which are lost, and how far each was read.
#include <utility>

#include "base/vector.h"
#include "sync/chain.h"
#include "sync/pull.h"
#include "sync/records.h"

namespace skerry {

void PullFold::Revoke() {
  for (const std::string& realm : answer_->revoked) {
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
        quarantine_.Undo(undone);
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

// A realm that was lost is no longer asked for. Its rows stay until the server has it again; then
// they are replaced by the server's.
void PullFold::MoveLost() {
  Vector<std::string> lost;
  for (const std::string& realm : sync_.lost.value_or(Vector<std::string>())) {
    if (IsLost(realm)) lost.push_back(realm);
  }
  for (const std::string& realm : answer_->lost) {
    if (!Contains(lost, realm)) lost.push_back(realm);
    if (!Contains(sync_.refill, realm)) sync_.refill.push_back(realm);
  }
  if (lost == sync_.lost.value_or(Vector<std::string>())) return;
  sync_.lost.reset();
  if (!lost.empty()) sync_.lost = lost;
  lost_ = std::move(lost);
}

void PullFold::MoveCursors() {
  Cursors cursors = sync_.cursors;
  for (const auto& [realm, cursor] : answer_->cursors) cursors[realm] = cursor;
  for (const std::string& realm : answer_->revoked) cursors.erase(realm);
  for (const std::string& realm : answer_->lost) cursors.erase(realm);
  if (!(cursors == sync_.cursors)) {
    sync_.older.insert(sync_.older.begin(), sync_.cursors);
    if (sync_.older.size() > kMaxOlderCursors) sync_.older.resize(kMaxOlderCursors);
    moved_ = true;
  }
  erase_if(sync_.refill,
           [&](const std::string& realm) { return answer_->cursors.contains(realm); });
  sync_.cursors = std::move(cursors);
}

}  // namespace skerry
