// Push: what is sent, and what an answer does (docs/design.md, "Grouping" and "Refusals"). Pure
// functions over records; the sync worker runs them inside its transactions. Bodies are sent as
// they were stored, byte for byte; only the envelope around them differs.
#ifndef SKERRY_SYNC_PUSH_H_
#define SKERRY_SYNC_PUSH_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/id.h"
#include "base/vector.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "model/schema.h"
#include "sync/set_aside.h"

namespace skerry {

struct PushBatch {
  std::string client;       // the identity that all of them were grouped under
  Vector<std::string> ids;  // in chain order; empty: nothing to send
};

// The updates to send next: those whose answer is awaited or that are new, of one identity, the
// oldest one's, as many as fit into a body and at most `most`. `outbox` in chain order. `only`:
// leave out others than these (empty: all), which is how a request that was too large is halved.
PushBatch ChooseBatch(const Vector<OutboxRecord>& outbox, size_t most);

// Marks them sent, under the epoch; returns the writes.
Data::Array MarkSent(const PushBatch& batch, uint64_t epoch, Vector<OutboxRecord>* outbox);

std::string PushBody(const PushBatch& batch, const Vector<OutboxRecord>& outbox,
                     const SyncRecord& sync, uint32_t schema_version, uint64_t epoch);

// An answer, applied in a transaction that still finds the updates.
class PushAnswer {
 public:
  // `asked`: the ids of the request; results of others are ignored.
  PushAnswer(const Schema* schema, const Vector<std::string>& asked, const Data& results,
             double now);
  // The whole request was refused (400, 413, 422) and held one update: as if it had been rejected.
  static Data RejectedWhole(const std::string& id, std::string_view code, std::string_view detail);

  // First round: outbox in chain order, and the sync record.
  void Decide(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids);
  // Instead of Decide, where the server says that the identity is another user's: takes a new one,
  // under which what was grouped is grouped again. False, and nothing is to be written, where
  // something was sent under the old one: it may be in the log as the other user's.
  bool Rebind(Vector<OutboxRecord> outbox, SyncRecord sync, UuidGenerator* ids);
  bool needs_mutations() const { return !aside_.empty(); }
  void AddMutations(const Data& range) { aside_.Add(range, &writes_); }
  // Gives the writes of the transaction; `record()` is then what is to be broadcast (none: nothing
  // was removed).
  Data::Array Finish();

  const std::optional<UpdateRecord>& record() const { return record_; }
  const SyncRecord& sync() const { return sync_; }
  const Data& pushed() const { return pushed_; }  // results for the windows
  // Something was only undone: nothing was taken, refused or known.
  bool fruitless() const {
    return regrouped() && !received_ && !aside_.refused_any() && aside_.known().empty();
  }
  bool progress() const { return progress_; }  // something moved: trying on is worth it
  bool unanswered() const;                     // something that was asked is still awaited
  bool regrouped() const {
    return !aside_.undone().empty();
  }  // mutations are ungrouped again: there is more to push

 private:
  void Result(size_t index, const Data& result);
  void Received(size_t index, const Data& result);
  void Rejected(size_t index, const Data& result);
  void SetCulprits(const OutboxRecord& update, const Data& result);
  void Forked(size_t index);
  void Undo(size_t index);
  void Tell(const OutboxRecord& update, std::string_view status, std::string_view code,
            std::string_view detail);

  const Schema* schema_;
  Vector<std::string> asked_;
  Data results_;
  double now_;
  UuidGenerator* ids_ = nullptr;
  Vector<OutboxRecord> outbox_;
  SyncRecord sync_;
  SetAside aside_;
  Data::Array writes_;
  std::optional<UpdateRecord> record_;
  Data pushed_ = Data::MakeArray();
  bool progress_ = false;
  bool received_ = false;
  bool identity_changed_ = false;
};

// A record of `updates` for mutations that were set aside, under the next n; raises goneUpTo.
// Changes `sync`.
UpdateRecord RefusalRecord(const SetAside& aside, const Schema& schema, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_SYNC_PUSH_H_
