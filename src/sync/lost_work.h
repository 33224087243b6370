// LostWork: the inbox entries of what an applied update has not brought about: an object was deleted
// with its parent, an edit met no row, or the server's release has no place for a part. The update
// stays, and the rest of it took effect, but its author must know.
//
// An entry is of one action and one object, has all ops of the action on that object, and is made
// once: the mutation notes of what there is one, because a restored server may report the same
// again, of this update or of the next one with the mutation. There is none if the user has deleted
// the object later.
#ifndef SKERRY_SYNC_LOST_WORK_H_
#define SKERRY_SYNC_LOST_WORK_H_

#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/conflict_record.h"
#include "log/left_out.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "model/schema.h"
#include "sync/inbox_entry.h"
#include "sync/push_result.h"

namespace skerry {

class LostWork {
 public:
  LostWork(const Schema* schema, double now) : schema_(schema), now_(now) {}

  void KnowDefaults(const OldDefaults& defaults) { defaults_ = defaults; }
  // `is_done`: this transaction removes the mutations of the update.
  void Add(const OutboxRecord& update, const LostOps& ops, bool is_done);
  bool empty() const { return lost_.empty(); }
  // Whether the inbox says that the op has met no row, or that this was deleted; or this transaction adds that.
  bool IsTold(const MutationRecord& record, const Op& op) const;

  // To be called with every stored mutation, in their order. Returns whether `record` has changed,
  // and must be stored.
  bool See(MutationRecord* record);
  // Writes the entries.
  void Finish(Data::Array* writes);

 private:
  struct Lost {
    Set<std::string> gone, missing;  // objects, by ObjectName of the schema
    ServerLeftOut dropped;
    bool is_done = false;
  };
  struct Entry {
    ConflictRecord record;
    std::string realm;
  };

  void Tell(const InboxReason& why, const Result<Vector<LeftOutPart>>& parts,
            MutationRecord* record);
  void LeaveOutDeleted(const MutationRecord& later);
  bool Deletes(const Schema& names, const Op& op, const Entry& entry) const;

  const Schema* schema_;
  double now_;
  OldDefaults defaults_;
  Map<std::string, Lost> lost_;  // by mutation
  Vector<Entry> entries_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_LOST_WORK_H_
