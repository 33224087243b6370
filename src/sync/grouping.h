// Grouping (docs/design.md, "Grouping"): takes ungrouped mutations in key order and makes updates
// of them, immutable from then on: their wire JSON is written once, here. Held mutations stay, and
// later ones on the same objects; `known` ones stay until they are confirmed. An update has
// mutations of one realm; one that spans realms, or is marked `alone`, goes by itself. Within a
// realm the order of keys is the order of updates.
//
// A Grouping is fed pages of the store `mutations`, in key order, inside one transaction; Finish
// gives the writes.
#ifndef SKERRY_SYNC_GROUPING_H_
#define SKERRY_SYNC_GROUPING_H_

#include <string>

#include "base/data.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/mutation_record.h"
#include "log/op.h"
#include "log/outbox_record.h"
#include "model/schema.h"

namespace skerry {

// A mutation whose body this build cannot read: it is damaged.
struct Unreadable {
  Key key;
  MutationRecord record;
  Status status;
};

// Whether this schema understands an update of the outbox: it may have been made under another.
bool IsReadable(const Schema& schema, const OutboxRecord& update);

class Grouping {
 public:
  // `outbox_size`: updates there already; at most kMaxOutboxUpdates are there at once. `most`:
  // mutations of an update. `of_newer`: what this version does not know may be a newer one's, which
  // waits for that; else it was dropped, and is left out.
  Grouping(const Schema* schema, size_t outbox_size, uint64_t most = kMaxMutationsPerUpdate,
           bool of_newer = false);

  // The updates that are there. A mutation that says it is in another is in none: its record, or
  // that update, was damaged.
  void Know(const Vector<OutboxRecord>& outbox);
  // [{key, value}..], ascending, above all earlier pages.
  void Add(const Data& mutations_range);
  // Whether another page could still join an update.
  bool wants_more() const;

  // The new outbox records, in the order of the chain, with state "new" (empty: nothing to group).
  // Appends the writes of the marked mutations; the outbox records are left to the caller, who may
  // mark them sent at once. `chain` goes on.
  Vector<OutboxRecord> Finish(double at, double now, UuidGenerator* ids, Chain* chain,
                              Data::Array* writes);

  const Vector<Unreadable>& unreadable() const { return unreadable_; }
  bool saw_newer() const {
    return saw_newer_;
  }  // a record of a newer version of the package, or of the application, is there
  size_t left_over() const { return left_over_; }  // mutations that were ready but found no room
  bool set_apart() const { return set_apart_; }    // some, which the next grouping takes alone

 private:
  struct Candidate {
    Vector<std::string> realms;
    Vector<Key> keys;
    Vector<MutationRecord> records;
    Vector<Mutation> mutations;
    size_t bytes = 0;
    size_t ops = 0;
    bool closed = false;
  };

  void AddOne(const Key& key, MutationRecord record);
  bool IsGrouped(const MutationRecord& record) const;
  bool Touches(const MutationRecord& record) const;
  void Hold(const MutationRecord& record);
  Candidate* PlaceFor(const Vector<std::string>& realms, bool alone, size_t bytes, size_t ops);
  void SetApart(const Candidate& candidate, Data::Array* writes);
  OutboxRecord MakeRecord(const Candidate& candidate, double at, double now, UuidGenerator* ids,
                          const Chain& chain) const;

  const Schema* schema_;
  size_t slots_;
  uint64_t most_;
  bool of_newer_;
  Vector<Candidate> candidates_;
  Set<std::string> held_keys_;
  Set<std::string> outbox_;
  bool knows_outbox_ = false;
  Vector<Unreadable> unreadable_;
  bool saw_newer_ = false;
  size_t left_over_ = 0;
  bool set_apart_ = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_GROUPING_H_
