// Push: what is sent, and what an answer does (docs/design.md, "Grouping" and "Refusals"). These
// are pure functions over records, which the sync worker runs inside its transactions. Update
// bodies are sent as they were stored, byte for byte; only the envelope around them differs.
#ifndef SKERRY_SYNC_PUSH_H_
#define SKERRY_SYNC_PUSH_H_

#include <optional>
#include <string>

#include "base/data.h"
#include "base/id.h"
#include "base/vector.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "model/schema.h"
#include "sync/push_result.h"
#include "sync/quarantine.h"

namespace skerry {

struct PushBatch {
  std::string client;       // the identity under which all of them were grouped
  Vector<std::string> ids;  // in chain order; empty: nothing to send
  Times sent;               // as wire::PushRequest::sent
};

// Chooses the updates to send next: those that are new or await an answer, of one identity (that of
// the oldest update). At most `most` of them, and no more than fit into a body; a request that was
// too large is halved by a smaller `most`. `outbox`: in chain order.
PushBatch ChooseBatch(const Vector<OutboxRecord>& outbox, size_t most);

// Marks the updates of the batch as sent under the epoch. Returns the writes.
Data::Array MarkSent(const PushBatch& batch, uint64_t epoch, const SyncRecord& sync,
                     Vector<OutboxRecord>* outbox);

std::string PushBody(const PushBatch& batch, const Vector<OutboxRecord>& outbox,
                     const SyncRecord& sync, uint32_t schema_version, uint64_t epoch);

// Applies an answer, inside a transaction, to those of its updates that are still in the outbox.
class PushAnswer {
 public:
  // `user`: of the database. `asked`: what was in the request; results for any other id are ignored.
  PushAnswer(const Schema* schema, std::string user, PushBatch asked, PushResults results,
             double now);

  // To be called in the first round. `outbox`: in chain order.
  void Decide(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids);
  // Instead of Decide, if the server says that the identity is another user's: takes a new
  // identity, under which what was grouped is grouped again. Returns false if something was sent
  // under the old one, because the log may have it as the other user's. Then nothing may be
  // written.
  bool Rebind(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids);
  bool needs_mutations() const { return !quarantine_.empty(); }
  void AddMutations(const Data& range) { quarantine_.Add(range, &writes_); }
  // Returns the writes of the transaction. Afterwards `record()` is the record to broadcast (none:
  // nothing was removed).
  Data::Array Finish();

  const std::optional<UpdateRecord>& record() const { return record_; }
  const SyncRecord& sync() const { return sync_; }
  const Vector<PushedItem>& pushed() const { return pushed_; }  // the results, for the windows
  // Updates were only undone: none was received, refused or known.
  bool only_undone() const {
    return regrouped() && !received_ && !quarantine_.removed_any() && quarantine_.known().empty();
  }
  bool progress() const { return progress_; }  // something changed: another push makes sense
  bool unanswered() const;                     // an update of the request still awaits its answer
  // Mutations are ungrouped again, so there is more to push.
  bool regrouped() const { return quarantine_.undoes(); }

 private:
  void Result(size_t index, const PushResult& result);
  void Received(size_t index, const PushResult& result);
  void Rejected(size_t index, const PushResult& result);
  void SetCulprits(const OutboxRecord& update, const PushResult& result);
  void Forked(size_t index);
  void Undo(size_t index);
  std::optional<double> SentBefore(const OutboxRecord& update) const;
  void Report(const OutboxRecord& update, PushStatus status);

  const Schema* schema_;
  PushBatch asked_;
  PushResults results_;
  double now_;
  UuidGenerator* ids_ = nullptr;
  Vector<OutboxRecord> outbox_;
  SyncRecord sync_;
  Quarantine quarantine_;
  bool rebinds_ = false;
  Data::Array writes_;
  std::optional<UpdateRecord> record_;
  Vector<PushedItem> pushed_;
  bool progress_ = false;
  bool received_ = false;
  bool identity_changed_ = false;
};

// The record of `updates`, under the next n, that removes the mutations which were moved to the
// inbox. Raises goneUpTo. Changes `sync`.
UpdateRecord RefusalRecord(const Quarantine& quarantine, const Schema& schema, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_SYNC_PUSH_H_
