// OwnChanges: what this client has changed and a pull has confirmed. It is kept for a while in the
// store `own`, so that the author learns when somebody who had not seen a change has overwritten it:
// an entry in the inbox (docs/design.md, "Overwritten changes").
//
// The pull's transaction calls Confirm, Compare and Drop while it decides, reads what Reads says, and
// passes the results to Take.
#ifndef SKERRY_SYNC_OWN_CHANGES_H_
#define SKERRY_SYNC_OWN_CHANGES_H_

#include <cstdint>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/conflict_record.h"
#include "log/mutation_record.h"
#include "log/own_record.h"
#include "log/record.h"
#include "model/schema.h"
#include "sync/lost_work.h"

namespace skerry {

class OwnChanges {
 public:
  OwnChanges(const Schema* schema, double now) : schema_(schema), now_(now) {}

  // The mutation is in the log, at these revisions and times, and is removed by this transaction.
  void Confirm(const NamedMutation& mutation, const Revisions& revisions, const Times& times);
  // Others' changes. REQUIRES: `changes` outlives this object.
  void Compare(const Vector<Change>& changes);
  // The revisions of the realm mean something else from now on, or nothing; but for those of later entries than
  // `up_to`, ms.
  void Drop(const std::string& realm, double up_to = kMaxTimeMs) { dropped_[realm] = up_to; }

  // None: there is nothing to do.
  Data::Array Reads() const;
  // The results of Reads. `told`: what the inbox has of it already.
  void Take(const Data& results, const LostWork& told, Data::Array* writes);

 private:
  struct Kept {
    Key key;  // none: it is new
    OwnRecord record;
    bool has_changed = false;
    bool is_done = false;  // nothing of it is to be watched any more
  };
  bool reads_all() const { return !changes_.empty() || !dropped_.empty(); }
  void TakeNew(const Data& mutations, const LostWork& told, Vector<Kept>* list) const;
  void LeaveOld(size_t too_many, Vector<Kept>* list) const;
  void Forget(Vector<Kept>* list) const;
  // `set_later`: what later own changes have set, object and prop.
  void Tell(Kept* kept, Set<std::string>* set_later, Vector<ConflictRecord>* entries) const;
  ConflictRecord EntryOf(const OwnRecord& own, Vector<Op> ops, const Action& action) const;
  static void AddToInbox(const Data& inbox, const Vector<ConflictRecord>& entries,
                         Data::Array* writes);
  bool IsOverwritten(const Change& change, const OwnRecord& own, const PropValue& set) const;
  static void Write(const Vector<Kept>& list, Data::Array* writes);

  const Schema* schema_;
  double now_;
  Map<std::string, std::pair<Revisions, Times>> confirmed_;  // by mutation
  uint64_t lowest_ = UINT64_MAX;                             // of their keys
  uint64_t highest_ = 0;
  const Vector<Change>* all_ = nullptr;
  Map<std::string, uint64_t> changes_;  // by object, the places of those with `over`
  Map<std::string, double> dropped_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_OWN_CHANGES_H_
