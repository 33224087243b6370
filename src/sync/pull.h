// Pull: the request, the answer's reading, and what the transaction does that folds it
// (docs/design.md, "The answer to a pull"). Pure functions over records. Base itself is in the
// windows and in images; what is written here is the record of steps, under a new n.
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
#include "model/schema.h"
#include "sync/set_aside.h"

namespace skerry {

// What was asked: the answer is folded only if all of it still holds.
struct PullRequest {
  Cursors cursors;
  uint64_t scope_version = 0;
  Vector<SyncScope> scopes;
  Set<std::string> have;      // updates in the outbox
  Set<std::string> received;  // those of them that were applied before the request was made
  Set<std::string>
      known;  // actions that are asked for by their ids: a push was told that they are in
              // the log already, under other updates, or it is the first of one of `unread`
  Set<std::string> unread;  // updates that were applied, and that this schema cannot read any more
  bool left_out = false;    // a scope that this schema does not understand, a newer version's
  std::string body;
};

// `outbox` in chain order. Updates whose body this build cannot read are left out of `have`: their
// changes then come in full, like another client's. Those that were applied are asked for by the id
// of an action, since an image, or all rows anew, may bring their changes and not their names.
PullRequest MakePullRequest(const Schema& schema, const SyncRecord& sync,
                            const Vector<OutboxRecord>& outbox, uint64_t limit);

// A server's image that fills a whole realm.
struct ImageFill {
  std::string realm;
  uint64_t revision = 0;
  double at = 0;
  std::string hash;
  uint64_t bytes = 0;
  std::string url;
};

struct PullAnswer {
  double time = 0;
  Cursors cursors;
  bool more = false;
  Data own;    // {update: {realm: {revision, at, gone?}}}
  Data known;  // {action: {realm: revision}}; null: the server does not say
  Vector<std::string> revoked;
  Vector<std::string> reset;  // realms whose rows are dropped before the changes are folded
  // Scopes that are filled again: the answer tells nothing of their tables.
  std::optional<Vector<WantedScope>> refill;
  std::optional<std::string> realms_token;  // none: unchanged
  Vector<Change> changes;
  Vector<PageRange> pages;
  Vector<ImageFill> images;
  bool left_out = false;  // something that this schema has no place for
};

// kInvalidArgument where a member is missing or has the wrong shape: nothing of such an answer is
// used.
Result<PullAnswer> ReadPullAnswer(const Schema& schema, const Data& json);

// The transaction: Decide with outbox and sync as they are now, then mutation pages as far as
// needed, then Finish.
class PullFold {
 public:
  PullFold(const Schema* schema, const PullRequest* request, const PullAnswer* answer, double now,
           double clock_offset);

  // False: another tab was faster, or the outbox is another than the one that was asked with:
  // nothing is to be written.
  bool Decide(Vector<OutboxRecord> outbox, SyncRecord sync);
  bool needs_mutations() const { return !aside_.empty(); }
  void AddMutations(const Data& range) { aside_.Add(range, &writes_); }
  Data::Array Finish();

  // None: nothing changed that windows see.
  const std::optional<UpdateRecord>& record() const { return record_; }
  const SyncRecord& sync() const { return sync_; }
  bool resend() const {
    return resend_;
  }  // the log does not hold what a push said that it does: it is sent again
  size_t unconfirmed() const { return outbox_.size(); }
  size_t grouped() const { return grouped_; }  // mutations of what is left of the outbox
  bool moved() const { return moved_; }        // a cursor, a fill or an update moved

 private:
  // Of an action that a push was told is in the log already.
  enum class Whereabouts : uint8_t { kBeyond, kHeld, kLost };

  bool StillAsAsked() const;
  bool IsDropped(const std::string& realm) const;
  void DropSteps();
  void OwnSteps();
  void ConfirmOwn();
  Vector<std::string> NowConfirmed(const OutboxRecord& update) const;
  bool IsInLog(const OutboxRecord& update, const std::string& realm) const;
  bool IsWhole() const { return !answer_->more && answer_->images.empty(); }
  bool CheckPassed(OutboxRecord* update);
  void TellLost(const OutboxRecord& update);
  void Confirm(NamedMutation mutation);
  void ConfirmKnown();
  Whereabouts Find(const KnownMutation& known) const;
  void Revoke();
  bool IsRefilled(const SyncScope& scope) const;
  void KeepSteps();
  void MoveScopes();
  void MoveCursors();
  void WriteRecord();

  const Schema* schema_;
  const PullRequest* request_;
  const PullAnswer* answer_;
  double now_;
  double clock_offset_;
  Vector<OutboxRecord> outbox_;
  SyncRecord sync_;
  SetAside aside_;
  Vector<Step> steps_;
  Vector<NamedMutation> confirmed_;
  Vector<PartlyConfirmed> partly_;
  uint64_t highest_ = 0;
  Data::Array writes_;
  std::optional<UpdateRecord> record_;
  bool resend_ = false;
  bool unjudged_ = false;
  bool moved_ = false;
  size_t grouped_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_PULL_H_
