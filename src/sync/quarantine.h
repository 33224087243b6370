// Quarantine: what becomes of mutations when updates are undone or refused (docs/design.md,
// "Refusals"). It receives pages of the store `mutations`, in key order, inside one transaction.
//
// - Mutations of an undone update become ungrouped.
// - A refused mutation moves to the conflict inbox. So do later ungrouped mutations on the same
//   objects, or with a ref to an object that a refused mutation would have created: if they were
//   pushed without that object, the server would delete their own objects at once. So do those in a
//   realm that a refused mutation would have founded, whatever else the server said of them.
// - What founds a lost realm again, or offers its rows, depends on no refused mutation: it has all
//   that it needs. What comes after it finds the realm and the objects there.
// - If the user is no longer a member of the realm that a mutation leaves, that mutation is done.
// - An `inc` that may have been in a log that is lost goes to the inbox.
// - The marks `known` and `alone` are set.
// - What the schema has no place for goes to the inbox by itself: no other mutation is refused for
//   that.
#ifndef SKERRY_SYNC_QUARANTINE_H_
#define SKERRY_SYNC_QUARANTINE_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "log/conflict_record.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "model/row.h"
#include "model/schema.h"
#include "sync/inbox_entry.h"
#include "sync/lost_work.h"
#include "sync/push_result.h"

namespace skerry {

class Quarantine {
 public:
  // `user`: of the database; empty: not known.
  Quarantine(const Schema* schema, std::string user, double now)
      : schema_(schema), user_(std::move(user)), now_(now), lost_(schema, now) {}

  // What is to happen; to be called before the first page. Undo: the update was taken out of the
  // outbox, and its mutations become ungrouped.
  // `sent`: as OutboxRecord::sent, if the log of that time may have it.
  void Undo(const OutboxRecord& update, const std::optional<double>& sent) {
    undone_[update.id] = sent;
  }
  void Refuse(const std::string& mutation, InboxReason refusal) {
    rejected_.emplace(mutation, std::move(refusal));
  }
  void Know(const std::string& mutation, Revisions revisions) {
    known_.emplace(mutation, std::move(revisions));
  }
  // It was known, but the log no longer has it: it becomes pending like any other mutation.
  void Forget(const std::string& mutation) { forgotten_.insert(mutation); }
  void Alone(const std::string& mutation) { alone_.insert(mutation); }
  // Not all of the applied update took effect. `is_done`: this transaction removes its mutations.
  void Lose(const OutboxRecord& update, const LostOps& ops, bool is_done) {
    lost_.Add(update, ops, is_done);
  }
  void KnowDefaults(const OldDefaults& defaults) {
    defaults_ = defaults;
    lost_.KnowDefaults(defaults);
  }
  // The log that the server has lost may have had the mutation. Whether it is in the rows that
  // clients give back is not known, so an `inc` in that realm could count twice.
  void Doubt(const std::string& mutation, const std::string& realm) {
    doubted_[mutation].insert(realm);
  }
  // Every ungrouped mutation that touches the realm goes to the inbox, for this reason.
  void RefuseRealm(const std::string& realm, InboxReason refusal) {
    realms_.emplace(realm, std::move(refusal));
  }

  bool empty() const {
    return undone_.empty() && rejected_.empty() && known_.empty() && forgotten_.empty() &&
           alone_.empty() && realms_.empty() && doubted_.empty() && lost_.empty();
  }
  void Add(const Data& mutations_range, Data::Array* writes);
  // To be called after the last page.
  void Finish(Data::Array* writes) { lost_.Finish(writes); }
  const LostWork& lost_work() const { return lost_; }

  const Vector<RefusedMutation>& refused() const { return refused_; }
  // Mutations that leave a realm of which the user is no longer a member.
  const Vector<NamedMutation>& done() const { return done_; }
  uint64_t highest_removed_key() const { return highest_; }
  uint64_t last_key() const { return last_key_; }  // of all mutations
  const Vector<KnownMutation>& known() const { return now_known_; }
  bool undoes() const { return !undone_.empty(); }
  bool removed_any() const { return !refused_.empty() || !done_.empty(); }

 private:
  void AddOne(const Key& key, MutationRecord record, Data::Array* writes);
  void Reject(const Key& key, const MutationRecord& record, const InboxReason& why,
              Data::Array* writes);
  const InboxReason* WhyRefused(const MutationRecord& record, InboxReason* dependant) const;
  bool GivesBack(const MutationRecord& record) const;
  const std::string* RefersToRefused(const MutationRecord& record) const;
  bool MayCountTwice(const MutationRecord& record) const;
  void NoteSent(const std::optional<double>& sent, MutationRecord* record) const;
  bool OnlyLeaves(const MutationRecord& record, const InboxReason& why) const;
  void NoteCreated(const MutationRecord& record);

  const Schema* schema_;
  std::string user_;
  double now_;
  OldDefaults defaults_;
  LostWork lost_;
  Map<std::string, std::optional<double>> undone_;  // by id of an update: OutboxRecord::sent
  Map<std::string, InboxReason> rejected_;
  Map<std::string, InboxReason> realms_;
  Map<std::string, Revisions> known_;
  Set<std::string> forgotten_;
  Map<std::string, Set<std::string>> doubted_;  // mutation -> realms
  Set<std::string> alone_;
  Map<std::string, std::string> refused_keys_;  // object -> the refused mutation that touched it
  // Object -> the refused mutation that would have created it.
  Map<ObjectKey, std::string> refused_creates_;
  Map<std::string, std::string> refused_foundings_;  // realm -> the refused mutation
  Vector<RefusedMutation> refused_;
  Vector<NamedMutation> done_;
  Vector<KnownMutation> now_known_;
  uint64_t highest_ = 0;
  uint64_t last_key_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_QUARANTINE_H_
