// Pull: the request, the parsing of the answer, and the decisions of the transaction that folds it
// (docs/design.md, "The answer to a pull"). These are pure functions over records. The confirmed
// rows (base) are in the windows and in images; what is written here is a record of the steps,
// under a new n.
#ifndef SKERRY_SYNC_PULL_H_
#define SKERRY_SYNC_PULL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/outbox_record.h"
#include "log/record.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "log/wire/pull_answer.h"
#include "log/wire/pull_request.h"
#include "model/schema.h"
#include "sync/own_changes.h"
#include "sync/quarantine.h"

namespace skerry {

// What was requested. The answer is folded only if all of it still holds.
struct PullRequest {
  Cursors cursors;
  uint64_t scope_version = 0;
  Vector<SyncScope> scopes;
  std::optional<Vector<SyncStream>> streams;
  Set<std::string> have;      // those updates in the outbox that this schema can read
  Set<std::string> received;  // updates that the server had applied before the request
  // Actions that are requested by id: the server said of them that the log has them already, under
  // other updates; or it is the first action of an update in `unread`.
  Set<std::string> known;
  Set<std::string> unread;  // updates that were applied, and that this schema can no longer read
  bool left_out = false;    // it leaves out a scope that this schema does not understand
  std::string body;
};
struct PullAsks {
  bool floors = false;  // what the server has forgotten
  bool images = true;   // this host can load images of large realms
};

// `outbox`: in chain order. An update whose body this build cannot read is left out of `have`: its
// changes then come in full, like another client's. If such an update was applied, it is requested
// by the id of one of its actions, because an image or a refill can bring its changes without its
// id.
PullRequest MakePullRequest(const Schema& schema, const SyncRecord& sync,
                            const Vector<OutboxRecord>& outbox, uint64_t limit, PullAsks asks = {});

// Actions that one entry appended to a stream, with the snapshot that is in place of all actions up
// to this entry.
struct AnsweredActions {
  std::string realm;
  std::string stream;
  Vector<StreamAction> actions;
  std::optional<wire::Snapshot> snapshot;
  std::string state;  // of the snapshot: JSON text, which is fetched before the answer is folded
};

// An answer that was checked, and what of it depends on the schema.
struct PullAnswer : wire::PullAnswer {
  Vector<Change> changes;
  Vector<PageRange> pages;
  Vector<wire::Image> images;
  Vector<AnsweredActions> actions;
  bool left_out = false;  // the answer has something that this schema does not have
};
template <>
inline constexpr bool kRelocatable<PullAnswer> = false;

// kInvalidArgument if a member is missing or wrong: then nothing of the answer may be used.
Result<PullAnswer> ReadPullAnswer(const Schema& schema, Data json);
// The part about streams.
Status ReadStreams(PullAnswer* answer);
// Where the state of its snapshot is, below the remote's URL.
std::string SnapshotPath(const AnsweredActions& item);
// `streams` of a request.
Vector<wire::PulledStream> StreamsOfRequest(const SyncRecord& sync);

// What the transaction does: call Decide with the outbox and `sync` as they are now; TakeOwn, if there
// are OwnReads; then AddMutations with as many pages as are needed, then Finish.
class PullFold {
 public:
  // `user`: of the database.
  PullFold(const Schema* schema, std::string user, const PullRequest* request,
           const PullAnswer* answer, double now, double clock_offset);

  // False: another window's pull was faster, or the outbox is not the one of the request. Then
  // nothing may be written.
  bool Decide(Vector<OutboxRecord> outbox, SyncRecord sync);
  Data::Array OwnReads() const { return own_.Reads(); }
  void TakeOwn(const Data& results) { own_.Take(results, quarantine_.lost_work(), &writes_); }
  bool needs_mutations() const { return !quarantine_.empty(); }
  void AddMutations(const Data& range) { quarantine_.Add(range, &writes_); }
  Data::Array Finish();

  // None: nothing changed that windows can see.
  const std::optional<UpdateRecord>& record() const { return record_; }
  const SyncRecord& sync() const { return sync_; }
  // The log does not have what the server said that it has: it is pushed again.
  bool resend() const { return resend_; }
  size_t unconfirmed() const { return outbox_.size(); }
  size_t grouped() const { return grouped_; }  // mutations in the updates that stay in the outbox
  bool moved() const { return moved_; }        // a cursor, a fill or an update changed
  // Nothing of the answer was folded: windows make offers first.
  bool waits() const { return waits_; }

 private:
  // Of an action that the log already has, according to the answer to a push: above the cursors
  // after this pull (wait for it), at or below them (confirm it), or no longer in the log (push it
  // again).
  enum class KnownMutationState : uint8_t { kNotReached, kConfirmed, kMissing, kExpired };

  bool StillAsAsked() const;
  bool AwaitsImage(const std::string& realm) const;
  bool IsDropped(const std::string& realm) const;
  void DropSteps();
  void OwnSteps();
  void ConfirmOwn();
  Vector<std::string> NowConfirmed(const OutboxRecord& update) const;
  bool IsInLog(const OutboxRecord& update, const std::string& realm) const;
  bool ComesByImage(const std::string& realm) const;
  // Whether the answer has everything of the realm, or shows that it cannot be read.
  bool HasAllOf(const std::string& realm) const { return !answer_->more && !ComesByImage(realm); }
  bool IsUnreadable(const OutboxRecord& update, const std::string& realm) const;
  bool ResendIfMissing(OutboxRecord* update);
  void ReportLost(const OutboxRecord& update);
  void WatchOwn();
  Times TimesOf(const OutboxRecord& update) const;
  Revisions RevisionsOf(const OutboxRecord& update) const;
  void Confirm(NamedMutation mutation);
  void ConfirmKnown();
  KnownMutationState Find(const KnownMutation& known) const;
  bool IsForgotten(const std::string& realm, uint64_t revision) const;
  void FindRevoked();
  void Revoke();
  bool IsLost(const std::string& realm) const;
  bool IsNewlyLost(const std::string& realm) const;
  bool ShowsOtherHistory() const;
  bool WaitsForOffers();
  void AskForOffers(const std::string& realm);
  void Lose(const std::string& realm);
  void LoseAgain(const std::string& realm);
  void UndoUpdates(const std::string& realm);
  void MoveLost();
  void TakeInvitations();
  bool IsRefilled(const SyncScope& scope) const;
  void KeepSteps();
  void MoveScopes();
  bool RefillOuter();
  void MoveCursors();
  void MoveFloors();
  void AddOwnActions(const Update& update, const std::string& realm, const wire::OwnEntry& entry,
                     bool was_stored);
  std::optional<uint64_t> AnsweredUpTo(const SyncStream& stream, const std::string& realm) const;
  const wire::StreamFilled* FillOf(const SyncStream& stream) const;
  std::optional<uint64_t> FilledBefore(const SyncStream& stream, const std::string& realm) const;
  void ClearFilled(const SyncStream& stream, const std::string& realm, uint64_t filled);
  void MoveStream(SyncStream* stream);
  void StoreSnapshot(const AnsweredActions& item);
  void WriteFloor(const SyncStream& stream, const std::string& realm,
                  const wire::StreamFilled& fill);
  void StreamSteps();
  void WriteRecord();

  const Schema* schema_;
  std::string user_;
  const PullRequest* request_;
  const PullAnswer* answer_;
  double now_;
  double clock_offset_;
  Vector<OutboxRecord> outbox_;
  SyncRecord sync_;
  Quarantine quarantine_;
  OwnChanges own_;
  Vector<std::string> revoked_;
  Vector<Step> steps_;
  Vector<NamedMutation> confirmed_;
  Vector<PartlyConfirmed> partly_;
  uint64_t highest_ = 0;
  std::optional<ForgottenUpTo> forgotten_;   // of the record, if it has changed
  std::optional<Vector<std::string>> lost_;  // of the record, if there is news about lost realms
  std::optional<Data> invitations_;          // of the record, if they have changed
  // By realm and stream.
  Map<std::pair<std::string, std::string>, Map<ActionPlace, StreamAction>> found_actions_;
  std::optional<Vector<SyncStream>> streams_;  // of the record, if they have changed
  Data::Array writes_;
  std::optional<UpdateRecord> record_;
  bool resend_ = false;
  bool unjudged_ = false;
  bool moved_ = false;
  bool waits_ = false;
  size_t grouped_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_PULL_H_
