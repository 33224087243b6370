// The stages of a SyncJob: what is in flight, and the data that is needed until it has ended. There
// is one stage at a time, and beside it at most one fill by an image. A stage stays in place while
// its result is handled; then another follows, or none (ValidTransition; docs/sync-worker.md,
// section 8, has the diagram).
#ifndef SKERRY_SYNC_SYNC_STAGE_H_
#define SKERRY_SYNC_SYNC_STAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/data.h"
#include "base/vector.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "sync/fenced_transaction.h"
#include "sync/grouping.h"
#include "sync/image_draft.h"
#include "sync/pull.h"
#include "sync/push.h"
#include "sync/quarantine.h"

namespace skerry {

enum class SyncStep : uint8_t {
  kNone,
  kPullAsk,
  kPullFetch,
  kPullStates,
  kPullFold,
  kPushAsk,
  kPushFetch,
  kPushAnswer,
  kQuarantine,
  kRefill,
  kCheck,
};

// Every change of stage is checked against this.
bool ValidTransition(SyncStep from, SyncStep to);

struct TransactionStage {
  FencedTransaction transaction;
};
struct RequestStage {
  uint64_t fetch = 0;  // the id of the request; 0: its answer has come
};

struct NoStage {
  static constexpr SyncStep kStep = SyncStep::kNone;
};

// Reads what the request of a pull is made from.
struct PullAskStage : TransactionStage {
  static constexpr SyncStep kStep = SyncStep::kPullAsk;
  std::unique_ptr<PullRequest> request;  // none: missing rows must be pulled again first
};

struct PullFetchStage : RequestStage {
  static constexpr SyncStep kStep = SyncStep::kPullFetch;
  std::unique_ptr<PullRequest> request;
  double sent_at = 0;
};

// Fetches the states of the snapshots that an answer names, one after the other.
struct PullStatesStage : RequestStage {
  static constexpr SyncStep kStep = SyncStep::kPullStates;
  std::unique_ptr<PullRequest> request;
  std::unique_ptr<PullAnswer> answer;
  size_t next = 0;  // index of answer->actions
  double clock_offset = 0;
};

// Writes the result of a pull.
struct PullFoldStage : TransactionStage {
  static constexpr SyncStep kStep = SyncStep::kPullFold;
  std::unique_ptr<PullRequest> request;  // `fold` refers to this and to the answer
  std::unique_ptr<PullAnswer> answer;
  std::unique_ptr<PullFold> fold;
  bool discarded = false;  // another window had moved the cursors
  bool reads_own = false;  // the next round has what it reads of own changes
};

// Groups mutations into updates, and marks the updates to send as sent.
struct PushAskStage : TransactionStage {
  static constexpr SyncStep kStep = SyncStep::kPushAsk;
  std::unique_ptr<Grouping> grouping;
  SyncRecord sync;
  Vector<OutboxRecord> outbox;
  Vector<Key> damaged;                 // the keys of outbox records that cannot be used
  std::optional<LeaseRecord> counted;  // the record to write for a new epoch (Lease::Count)
  PushBatch batch;
  std::string body;
};

struct PushFetchStage : RequestStage {
  static constexpr SyncStep kStep = SyncStep::kPushFetch;
  PushBatch batch;
  size_t left_over = 0;  // updates and mutations that were not sent
};

// Writes the results of a push, or a new identity.
struct PushAnswerStage : TransactionStage {
  static constexpr SyncStep kStep = SyncStep::kPushAnswer;
  enum class Rebinding : uint8_t { kNo, kAsked, kRefused, kDone };

  std::unique_ptr<PushAnswer> answer;
  size_t left_over = 0;
  // Whether another identity is taken, because the server says that this one is another user's.
  Rebinding rebinding = Rebinding::kNo;
};

// Moves mutations that cannot be read to the inbox.
struct QuarantineStage : TransactionStage {
  static constexpr SyncStep kStep = SyncStep::kQuarantine;
  std::unique_ptr<Quarantine> quarantine;
  SyncRecord sync;
  Data::Array writes;
  std::optional<UpdateRecord> record;
};

// Marks everything as to be pulled again.
struct RefillStage : TransactionStage {
  static constexpr SyncStep kStep = SyncStep::kRefill;
};

// Checks, without the lease, whether another window has already done all the work.
struct CheckStage {
  static constexpr SyncStep kStep = SyncStep::kCheck;
  uint64_t transaction = 0;
  bool saw_newer = false;  // a record that a newer build has written
};

// In the order of SyncStep.
using SyncStage = std::variant<NoStage, PullAskStage, PullFetchStage, PullStatesStage,
                               PullFoldStage, PushAskStage, PushFetchStage, PushAnswerStage,
                               QuarantineStage, RefillStage, CheckStage>;

inline SyncStep StepOf(const SyncStage& stage) { return static_cast<SyncStep>(stage.index()); }
// Null if the stage is of another kind.
FencedTransaction* TransactionOf(SyncStage* stage);
RequestStage* RequestOf(SyncStage* stage);
// The id of the transaction or request; 0: nothing is in flight.
uint64_t InFlight(const SyncStage& stage);

// The fill of a whole realm by the server's image: a transaction begins the draft, the host
// fetches and stores the file, and a second transaction publishes it.
enum class FillStep : uint8_t { kNone, kEnter, kFetch, kPublish };
bool ValidTransition(FillStep from, FillStep to);

struct Fill {
  FillStep step = FillStep::kNone;
  wire::Image image;
  uint64_t scope_version = 0;     // the version of the scopes that were requested
  bool is_last = false;           // whether no other realm's image is missing
  FencedTransaction transaction;  // kEnter, kPublish
  bool is_dropped = false;        // given up, but its transaction is still in flight
  ImageDraft draft;
  // Image and records are compacted into a part of its own, beside the server's file.
  bool compacts = false;
  std::string cursor;  // of the realm, when the file was asked for; empty: there was none
  uint64_t job = 0;    // kFetch: the id of the image job; 0: it has ended
  // kPublish. None: the pointer, the scopes or the cursor changed meanwhile, and nothing was
  // written.
  std::optional<UpdateRecord> record;

  bool active() const { return step != FillStep::kNone; }
  void Move(FillStep to);
  // Ends the fill and resets all of its data.
  void End();
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_STAGE_H_
