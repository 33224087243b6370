// Tab: the state machine of one window, without I/O (docs/window.md). It opens (pointer, image,
// records and mutations), commits the window's mutations in groups, handles the messages of other
// windows and workers, reads again when it must, and settles promises. Mirror and View decide what
// the window holds; this class decides when to read and write, and is the only one that emits
// effects.
//
// Its state is that of three small machines, each in a file of its own: `loading.h` (if the image
// is damaged, the previous one is loaded; if the records do not continue an image, loading begins
// again; if no image can be used, a reset makes an empty one and puts the cursors back),
// `committing.h`, and `page_freeze.h` (mutations that no transaction writes are added without a
// read, and found by the reading that comes first after the resume).
//
// A transaction's `read` decides what is written; what was read is applied at `done`. Between these
// two events of a full reading, messages wait, because they may be newer than what was read.
#ifndef SKERRY_CLIENT_TAB_H_
#define SKERRY_CLIENT_TAB_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "client/committing.h"
#include "client/comparison.h"
#include "client/event.h"
#include "client/inbox.h"
#include "client/loading.h"
#include "client/mirror.h"
#include "client/offers.h"
#include "client/page_freeze.h"
#include "client/promises.h"
#include "client/streams.h"
#include "client/tab_tx.h"
#include "client/undo_stack.h"
#include "client/view.h"
#include "log/conflict_record.h"
#include "log/steps_writer.h"
#include "log/transaction_builder.h"

namespace skerry {

// Own mutations without a key; at so many, CanWrite fails.
inline constexpr size_t kMaxUnsaved = 10'000;
inline constexpr size_t kMaxHeldMessages = 1'000;  // more are dropped, and a full reading follows
inline constexpr double kRereadMs = 1'000;

struct TabOptions {
  std::string tab;
  bool remote = true;
  UuidGenerator* ids = nullptr;  // for actions that a retry creates again
  std::optional<std::string> user;
  std::string default_realm;
};

class Tab {
 public:
  Tab(const Schema* schema, View* view, TabOptions options);

  // Appends effects. Moves data out of `event`.
  void Handle(Data event, Data* effects);
  // One part of the image that the effect `loadImage` requested.
  Status LoadPart(SharedBytes bytes);

  // Whether a transaction may begin: kClosed before the window is ready, kLimit with too many
  // unsaved mutations.
  Status CanWrite() const;
  // Takes over an own mutation, which the view has already attached.
  void Commit(std::unique_ptr<Pending> pending, Data* effects);
  // Makes this mutation in place of that of an entry of the inbox, if the entry is still there. It is
  // shown when it is durable. REQUIRES: the view does not hold it.
  void Amend(uint64_t entry, std::unique_ptr<Pending> pending, Data* effects);
  // Asks for the application's rules, if something has changed. After Commit and each event.
  void RequestValidation(Data* effects);
  uint64_t NextSerial() { return ++serial_; }
  UndoStack& undo() { return undo_; }
  // Says what can be undone and redone, if that has changed.
  void ShowUndo(Data* effects);

  bool ready() const { return ready_; }
  double clock_offset() const { return clock_offset_; }
  const Mirror& mirror() const { return mirror_; }
  Streams& streams() { return streams_; }
  const Streams& streams() const { return streams_; }

 private:
  // tab.cc. One overload for each kind of event (client/event.h).
  void OnEvent(const DoneEvent& event, Data* effects);
  void OnEvent(const FailedEvent& event, Data* effects);
  void OnEvent(MessageEvent event, Data* effects);
  void OnEvent(PostEvent event, Data* effects);
  void OnEvent(const OpenEvent& event, Data* effects);
  void OnEvent(const StateEvent& event, Data* effects);
  void OnEvent(const ImageLoadedEvent& event, Data* effects);
  void OnEvent(const WindowTimerEvent& event, Data* effects);
  void OnEvent(const FreezeEvent& event, Data* effects);
  void OnEvent(const StillEvent& event, Data* effects);
  void OnEvent(const LeaveEvent& event, Data* effects);
  void OnEvent(const ResumeEvent& event, Data* effects);
  void OnEvent(const ScopesMessage& event, Data* effects);
  void OnEvent(const ResolveEvent& event, Data* effects);
  void OnEvent(const JudgeEvent& event, Data* effects);
  void OnEvent(const StreamsMessage& event, Data* effects);
  void OnEvent(const StreamOpenEvent& event, Data* effects);
  void OnEvent(const StreamCloseEvent& event, Data* effects);
  void OnEvent(const StreamPageEvent& event, Data* effects);
  void OnEvent(const StreamStateEvent& event, Data* effects);
  void OnEvent(const KeepUndoEvent& event, Data* effects);
  void OnEvent(const TakeUndoEvent& event, Data* effects);
  void OnEvent(CompareEvent event, Data* effects);
  void OnEvent(const OfferedEvent& event, Data* effects);
  void OnMessage(Data message, Data* effects);
  // One for each kind of message that a window handles.
  void OnMessage(const PushedMessage& message, Data* effects);
  void OnMessage(const StatusNews& message, Data* effects);
  void OnMessage(const KeptMessage& message, Data* effects);
  void OnMessage(const LeftMessage& message, Data* effects);
  void OnMessage(const AddedMessage& message, Data* effects);
  void OnMessage(const RecordMessage& message, Data* effects);
  void OnMessage(const ConflictsMessage& message, Data* effects);
  void OnMessage(const UnreadableMessage& message, Data* effects);
  void OnMessage(const ValidateMessage& message, Data* effects);
  bool follows() const { return ready_ && !loading_.active(); }
  void TakeTimes(const StatusTimes& times);
  void OnApplied(ApplyResult result, Data* effects);
  Vector<WantedScope> Accept(const Vector<WantedScope>& scopes, Data* effects) const;
  Status CheckScope(const WantedScope& scope) const;
  void ReleaseMessages(Data* effects);
  void SettlePromises(Data* effects);
  void EmitState(Data* effects);
  void TakeSync(const SyncProgress& sync, Data* effects);
  bool AllFilled() const;

  // For each kind of transaction (tab_tx.h): what its `read` leads to, and what follows when it is
  // done, with the keys of its adds, or has failed.
  // tab_load.cc
  void Read(PointerTx* tx, Data* results, TxReply* reply);
  void Done(PointerTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const PointerTx& tx, const HostError& error, Data* effects);
  void Read(CatchUpTx* tx, Data* results, TxReply* reply);
  void Done(CatchUpTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const CatchUpTx& tx, const HostError& error, Data* effects);
  void Read(ResetTx* tx, Data* results, TxReply* reply);
  void Done(ResetTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const ResetTx& tx, const HostError& error, Data* effects);
  // tab_transactions.cc
  void Read(ReadingTx* tx, Data* results, TxReply* reply);
  void Done(ReadingTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const ReadingTx& tx, const HostError& error, Data* effects);
  void Read(SyncTx* tx, Data* results, TxReply* reply);
  void Done(SyncTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const SyncTx& tx, const HostError& error, Data* effects);
  // tab_commit.cc
  void Read(CommitTx* tx, Data* results, TxReply* reply);
  void Done(CommitTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const CommitTx& tx, const HostError& error, Data* effects);
  void Read(LocalCommitTx* tx, Data* results, TxReply* reply);
  void Done(LocalCommitTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const LocalCommitTx& tx, const HostError& error, Data* effects);
  // tab_inbox.cc
  void Read(ConflictsTx* tx, Data* results, TxReply* reply);
  void Done(ConflictsTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const ConflictsTx& tx, const HostError& error, Data* effects);
  void Read(ResolveTx* tx, Data* results, TxReply* reply);
  void Done(ResolveTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const ResolveTx& tx, const HostError& error, Data* effects);
  // tab_validation.cc
  void Read(JudgeTx* tx, Data* results, TxReply* reply);
  void Done(JudgeTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const JudgeTx& tx, const HostError& error, Data* effects);
  // tab_offers.cc
  void Read(OffersTx* tx, Data* results, TxReply* reply);
  void Done(OffersTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const OffersTx& tx, const HostError& error, Data* effects);
  // tab_compare.cc
  void Read(CompareTx* tx, Data* results, TxReply* reply);
  void Done(CompareTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const CompareTx& tx, const HostError& error, Data* effects);
  void Read(MendTx* tx, Data* results, TxReply* reply);
  void Done(MendTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const MendTx& tx, const HostError& error, Data* effects);
  // tab_streams.cc
  void Read(StreamTx* tx, Data* results, TxReply* reply);
  void Done(StreamTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const StreamTx& tx, const HostError& error, Data* effects);
  void Read(StreamPageTx* tx, Data* results, TxReply* reply);
  void Done(StreamPageTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const StreamPageTx& tx, const HostError& error, Data* effects);
  void Read(StreamStateTx* tx, Data* results, TxReply* reply);
  void Done(StreamStateTx* tx, const Vector<Key>& keys, Data* effects);
  void Failed(const StreamStateTx& tx, const HostError& error, Data* effects);

  // tab_transactions.cc
  // Begins a transaction. What it needs is set in the result, before the next event.
  template <typename Kind>
  Kind& Transact(std::initializer_list<Store> stores, Data reads, TransactionMode mode,
                 Data* effects) {
    Kind& kind = Begin(stores, std::move(reads), mode, effects)->emplace<Kind>();
    kind.least_results = Kind::kReads;
    return kind;
  }
  TabTx* Begin(std::initializer_list<Store> stores, Data reads, TransactionMode mode,
               Data* effects);
  void OnRead(uint64_t id, Data results, Data* effects);
  void OnEnd(uint64_t id, const Vector<Key>* keys, const HostError& error, Data* effects);
  void ReadLater(Data* effects) const;
  static Data OneRead(Data read);
  static Data SyncRead();  // the read of the record `sync` alone
  static Data FullReads(uint64_t above);
  void RequestReading(Data* effects);
  void RequestConflicts(Data* effects);
  void RequestSync(Data* effects);

  // tab_inbox.cc
  void SettleGone(const ConflictsTx& tx, Data* effects);
  void TakeInbox(const Data& rows, Data* effects);
  ResolveTx& Resolve(uint64_t entry, Data* effects);
  void WriteRetry(const StoredConflict& entry, ResolveTx* tx, Data* writes);
  void WriteTake(const StoredConflict& entry, ResolveTx* tx, Data* writes);
  void WriteAmendment(const StoredConflict& entry, Amendment amendment, ResolveTx* tx,
                      Data* writes);
  void WriteDependants(ResolveTx* tx, Data* writes);
  void AddRetried(Mutation mutation, const ConflictRecord& entry, ResolveTx* tx, Data* writes);
  std::optional<Refusal> Retry(const StoredConflict& stored, ResolveTx* tx, Data* writes);
  std::optional<Refusal> WhyUnreadable(const ConflictRecord& entry, bool is_remade,
                                       Mutation* mutation) const;
  std::optional<Refusal> WhyNotMade(const ConflictRecord& entry, const Vector<Op>& ops) const;
  std::optional<Refusal> WhyNotRetried(const ConflictRecord& entry, Mutation* mutation) const;

  // tab_load.cc
  void StartLoading(Data* effects);
  void LoadCandidate(Data* effects);
  void NextCandidate(Data* effects);
  void StopLoading(const HostError& error, Data* effects);
  void StopAtNewer(Data* effects);
  void CatchUp(Data* effects);

  // tab_streams.cc
  void LoadStreams(Data* effects);
  Data ReadLast(const Data& rows, LastActions* last) const;
  uint64_t LastRemoved(const Data& rows, uint64_t* floor) const;
  void AppendSteps(uint64_t n, LocalCommitTx* tx, StepsWriter* steps, Data* writes) const;

  // tab_offers.cc
  void StartOffers(Data* effects);
  void DecideOffers(std::optional<NotTaken> done, Data* effects);
  void AskOffering(Data* effects);
  void SettleOwn(const Data& own, OffersTx* tx, TxReply* reply);
  void Found(const std::string& realm, SyncProgress* sync, OffersTx* tx, TxReply* reply);

  // tab_compare.cc
  void BeginComparing(bool if_due, bool claims, Data* effects);
  void SayCompared(CompareNext otherwise, Data* effects);
  void SayMended(const UpdateRecord& record, Data* effects) const;

  // tab_validation.cc
  MutationRecord NewRecord(const Mutation& mutation, const std::string& before) const;
  MutationRecord RecordOf(const Pending& pending) const;
  void Judge(const Set<ObjectKey>& wrong, Data* effects);
  void CheckHeld(const AddedItem& stored);
  void Unjudge(Pending* pending);
  bool IsWrong(const Mutation& mutation, const Set<ObjectKey>& wrong) const;
  void AnswerValidated(Data* effects);

  // tab_commit.cc
  void SetBase(Mutation* mutation) const;
  void TryCommit(Data* effects);
  bool IsStale(const GroupTx& tx) const;
  bool FollowsOwn(const SyncProgress& sync) const;
  Vector<NamedMutation> ConfirmAll(LocalCommitTx* tx, SyncProgress* sync, Data* writes);
  void CommitDone(const GroupTx& tx, Data* effects);
  void BroadcastAdded(Vector<AddedItem> items, Data* effects);
  void AnnounceLeaving(Data* effects);
  void BroadcastLeft(Data* effects);
  void Freeze(bool ends, Data* effects);
  void Keep(Data* effects);
  void StandStill(Data* effects);
  bool MayBeStoring() const;
  void FailCommit(const GroupTx& tx, const HostError& error, Data* effects);
  void Withdraw(const Vector<std::string>& ids, std::string_view code, std::string_view detail,
                Data* effects);

  const Schema* schema_;
  View* view_;
  TabOptions options_;
  Mirror mirror_;
  Streams streams_;
  Promises promises_;

  double now_ = 0;
  double clock_offset_ = 0;
  uint64_t serial_ = 0;
  uint64_t next_tx_ = 1;
  // Transactions whose effect was emitted, and that are not done or failed yet.
  Map<uint64_t, TabTx> open_;
  uint64_t unapplied_reading_ = 0;  // the id of the full reading that is between read and done
  Vector<Data> messages_;           // messages that wait for it
  bool messages_lost_ = false;

  bool ready_ = false;
  Loading loading_;
  Committing committing_;
  PageFreeze freeze_;
  bool page_may_end_ = false;  // other windows may never be notified of what is stored from now on
  std::optional<LoggedMessage> logged_;  // the next message for workers

  bool reading_queued_ = false;  // a full reading was requested, and has not begun to read
  bool conflicts_queued_ = false;
  bool sync_queued_ = false;
  bool stream_queued_ = false;  // a stream is being read
  Inbox inbox_;
  Set<uint64_t> tried_again_;  // entries of the inbox, because of an earlier release
  UndoStack undo_;
  uint64_t undo_shown_ = 0;  // UndoStack::version at the last UndoEffect
  uint64_t asked_n_ = 0;     // of the last ValidateMessage
  uint64_t answered_n_ = 0;  // of the last ValidatedMessage
  JudgedAt judged_at_;       // the last one
  uint64_t held_ = 0;        // mutations, by it
  static constexpr uint64_t kNoList = ~uint64_t{0};
  uint64_t judged_list_ = kNoList;  // PendingList::version at the last ValidateEffect
  Vector<std::string> refused_;     // own mutations whose code must still be read from the inbox
  Vector<std::string> unknown_;     // own mutations that are gone without a record
  bool newer_reported_ = false;

  Offering offering_;
  Comparison comparison_;
  bool comparing_ = false;  // it has begun
  bool doubts_ = false;     // the image could not be read: an earlier one was loaded
  Vector<SyncScope> scopes_;
  std::optional<double> last_synced_;
  Data last_state_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_TAB_H_
