// SyncWorker: the sync worker of one window, or of all of them (connection.h, Mode), without I/O:
// Handle(event) -> effects. It pushes and pulls, and holds no tables. docs/sync-worker.md fixes its
// events, effects, states and status. This class mostly routes: its parts (sync_job.h, helper.h,
// image_keeper.h, poke_socket.h, lease.h) and the pure functions below them decide.
//
// Parts: sync_worker.cc (events), sync_worker_tx.cc (its own transactions), sync_worker_kept.cc (what
// is kept for a service worker), sync_worker_messages.cc, sync_worker_status.cc.
#ifndef SKERRY_SYNC_SYNC_WORKER_H_
#define SKERRY_SYNC_SYNC_WORKER_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "sync/event.h"
#include "sync/helper.h"
#include "sync/history.h"
#include "sync/image_keeper.h"
#include "sync/poke_socket.h"
#include "sync/sync_job.h"
#include "sync/worker_state.h"
#include "sync/worker_tx.h"

namespace skerry {

class SyncWorker {
 public:
  // `config` as in docs/sync-worker.md, section 1. Errors: kSchema, kInvalidArgument.
  static Result<std::unique_ptr<SyncWorker>> Create(Data config);

  // Returns the effects, an array. An event that is unknown or stale has none.
  Data Handle(Data event);

  // For the simulator, which counts the states that it has seen.
  const SyncJob& job() const { return job_; }
  const Lease& listen() const { return listen_; }
  Mode mode() const { return state_->connection.mode(); }

 private:
  explicit SyncWorker(std::unique_ptr<WorkerState> state);

  // One overload for each kind of event (sync/event.h).
  void OnEvent(const StartEvent& event, Turn* turn);
  void OnEvent(const DoneEvent& event, Turn* turn);
  void OnEvent(const FailedEvent& event, Turn* turn);
  void OnEvent(PostEvent event, Turn* turn);
  void OnEvent(MessageEvent event, Turn* turn);
  void OnEvent(const WorkerTimerEvent& event, Turn* turn);
  void OnEvent(const LockEvent& event, Turn* turn);
  void OnEvent(const ResponseEvent& event, Turn* turn);
  void OnEvent(const TokenMessage& event, Turn* turn);
  void OnEvent(const SocketEvent& event, Turn* turn);
  void OnEvent(const ImageEvent& event, Turn* turn);

  // One for each message of the own window, or, to a service worker, of any window.
  void OnPost(const MutatedMessage& message, Turn* turn);
  void OnPost(const WakeMessage& message, Turn* turn);
  void OnPost(const VisibleMessage& message, Turn* turn);
  void OnPost(const OnlineMessage& message, Turn* turn);
  void OnPost(const PauseMessage& message, Turn* turn);
  void OnPost(const ResumeMessage& message, Turn* turn);
  void OnPost(const SyncMessage& message, Turn* turn);
  void OnPost(const ScopesMessage& message, Turn* turn);
  void OnPost(const StreamsMessage& message, Turn* turn);
  void OnPost(const HistoryMessage& message, Turn* turn);
  void OnPost(const TokenMessage& message, Turn* turn);
  void OnPost(const ServiceMessage& message, Turn* turn);
  void OnPost(const StopMessage& message, Turn* turn);

  // One for each message of the channel.
  void OnChannel(const AddedNotice& message, Turn* turn);
  void OnChannel(const LeftMessage& message, Turn* turn);
  void OnChannel(const WakeMessage& message, Turn* turn);
  void OnChannel(const LeaseMessage& message, Turn* turn);
  void OnChannel(const StatusMessage& message, Turn* turn);
  void OnChannel(const PushedNotice& message, Turn* turn);
  void OnChannel(const ServiceFailedMessage& message, Turn* turn);
  void OnChannel(const FillMessage& message, Turn* turn);
  void OnChannel(const NeedTokenMessage& message, Turn* turn);
  void OnChannel(const HelperSyncedMessage& message, Turn* turn);
  void OnChannel(const LoggedMessage& message, Turn* turn);
  void OnChannel(const RecordMessage& message, Turn* turn);
  void OnChannel(const ReachMessage& message, Turn* turn);
  void OnChannel(const CheckSocketMessage& message, Turn* turn);
  void OnChannel(const ValidatedMessage& message, Turn* turn);

  // For each kind of transaction (worker_tx.h): what its `read` leads to, and what follows when it
  // is done or has failed.
  // sync_worker_tx.cc
  void Read(CountTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply);
  void Done(const CountTx& tx, Turn* turn);
  void Failed(const CountTx& tx, const HostError& error, Turn* turn);
  void Read(StartTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply);
  void Done(const StartTx& tx, Turn* turn);
  void Failed(const StartTx& tx, const HostError& error, Turn* turn);
  void Read(ScopesTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply);
  void Done(const ScopesTx& tx, Turn* turn);
  void Failed(const ScopesTx& tx, const HostError& error, Turn* turn);
  // sync_worker_kept.cc
  void Read(TokenTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply);
  void Done(const TokenTx& tx, Turn* turn);
  void Failed(const TokenTx& tx, const HostError& error, Turn* turn);
  void Read(RefusalTx* tx, const Data::Array& read, Turn* turn, ReadReply* reply);
  void Done(const RefusalTx& tx, Turn* turn);
  void Failed(const RefusalTx& tx, const HostError& error, Turn* turn);

  // sync_worker_tx.cc
  void Start(Turn* turn);
  // Begins a transaction that stores something. What it needs is set in the result.
  template <typename Kind>
  Kind& Begin(Turn* turn) {
    return Open(BeginStoring(turn))->emplace<Kind>();
  }
  static uint64_t BeginStoring(Turn* turn);
  WorkerTx* Open(uint64_t id);
  // Null if there is none.
  std::unique_ptr<OpenTx>* FindTx(uint64_t id);
  std::unique_ptr<OpenTx> TakeTx(uint64_t id);
  template <typename Kind>
  bool IsUnderWay() const {
    return std::any_of(txs_.begin(), txs_.end(),
                       [](const auto& tx) { return std::holds_alternative<Kind>(tx->tx); });
  }
  void CountPending(Turn* turn);
  ReadReply ReadTx(WorkerTx* tx, const Data::Array& read, Turn* turn);
  void DoneTx(WorkerTx* tx, Turn* turn);
  void ReadWanted(const WantedChange& change, const Data::Array& read, double now, WantedTx* tx,
                  LeftOut* left_out, ReadReply* reply);
  void DoneWanted(const WantedTx& tx, Turn* turn);
  bool MayRetry(const HostError& error);

  // sync_worker_kept.cc
  void KeepService(const Data::Array& read, Data::Array* writes);
  void TakeKeptToken(const Data& stored, Turn* turn);
  void KeepRefusal(Turn* turn);

  void OnRead(const ReadEvent& event, Turn* turn);
  void ListenHappened(LeaseEvent event, Turn* turn);
  void Wake(WakeReason reason, Turn* turn);
  bool LacksScope() const;
  void WantScopes(const Vector<WantedScope>& add, const Vector<WantedScope>& drop, Turn* turn,
                  Vector<WantedStream> again = {});
  void OnWake(const WakeMessage& message, Turn* turn);
  void NoteMutations(Turn* turn);
  void OnPoke(const std::string& realm, uint64_t revision, Turn* turn);
  void SetMode(Mode mode, std::string reason, Turn* turn);
  void TakeStatus(const StatusRecord& status, Turn* turn);
  void OnHolderTimeout(Turn* turn);
  void OnToken(const Token& token, Turn* turn);
  void OnTokenTimeout(Turn* turn);
  void Switch(Condition condition, bool value, WakeReason reason, Turn* turn);
  void Stop(Turn* turn);
  void Upkeep(Turn* turn);
  void CheckSocket(Revisions brought, Turn* turn);
  void NoteReach(Turn* turn);
  void EmitStatus(Turn* turn);

  std::unique_ptr<WorkerState> state_;
  SyncJob job_;
  Helper helper_;
  ImageKeeper keeper_;
  Lease listen_;
  PokeSocket socket_;
  HistoryReader history_;
  uint64_t last_id_ = 0;
  Vector<std::unique_ptr<OpenTx>> txs_;  // that are under way
  Vector<WantedScope> wanted_;           // the scopes of this worker's window
  Vector<WantedStream> wanted_streams_;
  Vector<WantedStream> left_out_streams_;  // of them
  bool scopes_failed_ = false;             // they could not be stored, or were left out
  Phase shared_phase_ = Phase::kNone;      // what the worker that works does, as it reported
  Data shown_status_;
  bool was_holder_ = false;
  bool listen_pausing_ = false;  // pausing because storage failed a claim of `listen`
  Token kept_refusal_;           // the token that storage marks as refused
  double refused_rest_ms_ = 0;   // at the start: for how long that token is not sent
  // A timer counts pending mutations, because a socket replaces polling.
  bool counts_pending_ = false;
  // The first wake waits until the scopes of the window are stored: a pull without them would leave
  // no realm to an image.
  bool owes_start_ = false;
  bool awaits_proof_ = false;      // the timer `proof` is set
  bool status_reply_due_ = false;  // a wake must be answered, even if nothing has changed
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_WORKER_H_
