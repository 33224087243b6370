// Grouping (docs/design.md, "Grouping"): collects ungrouped mutations, in key order, into updates.
// An update is immutable from then on: its wire JSON is written once, here. A held mutation stays
// ungrouped, and so does what waits for it (held_back.h). A `known`
// mutation stays until it is confirmed. An update has mutations of one realm, which were made over the
// same revision: so it says what their author had seen. A mutation that spans several realms, or is
// marked `alone`, gets an update of its own. Within a realm, updates are in
// the order of the keys of their mutations.
//
// A Grouping receives pages of the store `mutations`, in key order, inside one transaction; Finish
// returns the new updates.
#ifndef SKERRY_SYNC_GROUPING_H_
#define SKERRY_SYNC_GROUPING_H_

#include <string>
#include <utility>

#include "base/data.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/mutation_record.h"
#include "log/op.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "model/schema.h"
#include "sync/held_back.h"

namespace skerry {

// A mutation that must not be sent: this build cannot read its body, it does not match its record,
// it exceeds a limit of requests, or the schema has no place for anything that it does.
struct Unreadable {
  Key key;
  MutationRecord record;
  Status status;
  bool is_dropped = false;  // there is no place for it
};

// Whether this schema can read an update of the outbox, which may have been made under another one.
bool IsReadable(const Schema& schema, const OutboxRecord& update);

class Grouping {
 public:
  // `outbox_size`: the number of updates in the outbox, which holds at most kMaxOutboxUpdates.
  // `most`: the greatest number of mutations in an update. `of_newer`: a table or prop that this
  // schema does not know may have been added by a newer version of the application. A mutation that
  // names one then waits for that version. Otherwise the table or prop was dropped from the schema:
  // what it has of it goes to the inbox, and the rest is sent.
  Grouping(const Schema* schema, size_t outbox_size, uint64_t most = kMaxMutationsPerUpdate,
           bool of_newer = false, double now = 0);

  // The updates in the outbox. A mutation that names an update which is not among them counts as
  // ungrouped: one of the two records was damaged.
  void Know(const Vector<OutboxRecord>& outbox);
  // The user of the database. A held mutation on the user's membership in a realm, which may found
  // the realm, holds the later ones in it.
  void OfUser(std::string user) {
    user_ = user;
    held_back_.OfUser(std::move(user));
  }
  // Realms that the server has lost. Mutations in them wait, but for one that founds the realm
  // again, and so do later ones on the same objects.
  void Lose(const Vector<std::string>& realms) { lost_.insert(realms.begin(), realms.end()); }
  // Of earlier schemas (log/left_out.h).
  void KnowDefaults(OldDefaults defaults) { defaults_ = std::move(defaults); }
  // A page: [{key, value}..], ascending, above all earlier pages.
  void Add(const Data& mutations_range);
  // Whether mutations of another page could still join an update.
  bool wants_more() const;

  // Returns the new outbox records in chain order, with the state "new"; empty if there is nothing
  // to group. Appends to `writes` those of the grouped mutations, and of what was left out. The caller writes the outbox
  // records, because it may mark them as sent first. Advances `chain`.
  Vector<OutboxRecord> Finish(double at, double now, UuidGenerator* ids, Chain* chain,
                              Data::Array* writes);

  const Vector<Unreadable>& unreadable() const { return unreadable_; }
  // One of them is dropped.
  bool dropped_any() const { return dropped_any_; }
  // A record of a newer version of the package, or of the application, is there.
  bool saw_newer() const { return saw_newer_; }
  // Mutations that were ready but are in no update yet.
  size_t left_over() const { return left_over_; }
  // Some were marked `alone`: the next grouping takes each by itself.
  bool set_apart() const { return set_apart_; }

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
  bool LeaveOut(const Key& key, const Status& why, const Mutation& rest, MutationRecord* record);
  bool IsGrouped(const MutationRecord& record) const;
  bool IsInLostRealm(const MutationRecord& record) const;
  bool IsHeld(const MutationRecord& record) const;
  bool BringsBack(const MutationRecord& record) const;
  Candidate* PlaceFor(const Vector<std::string>& realms, bool alone, size_t bytes,
                      const Mutation& mutation);
  void SetApart(const Candidate& candidate, Data::Array* writes);
  OutboxRecord MakeRecord(const Candidate& candidate, double at, double now, UuidGenerator* ids,
                          const Chain& chain) const;

  const Schema* schema_;
  HeldBack held_back_;
  OldDefaults defaults_;
  Data::Array writes_;  // of what was left out
  size_t slots_;
  uint64_t most_;
  bool of_newer_;
  double now_;
  Vector<Candidate> candidates_;
  std::string user_;
  Set<std::string> lost_;
  Set<std::string> outbox_;
  bool knows_outbox_ = false;
  Vector<Unreadable> unreadable_;
  bool saw_newer_ = false;
  size_t left_over_ = 0;
  bool set_apart_ = false;
  bool dropped_any_ = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_GROUPING_H_
