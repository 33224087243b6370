// SyncWorker: the sync worker of one window, or of all of them (worker_state.h, Mode), without I/O:
// Handle(event) -> effects. It pushes and pulls, and holds no tables. docs/sync-worker.md fixes its
// events, effects, states and status. This class mostly routes: its parts (sync_job.h, helper.h,
// image_keeper.h, poke_socket.h, lease.h) and the pure functions below them decide.
//
// Parts: sync_worker.cc (events, transactions, the status), sync_worker_kept.cc (what is kept for a
// service worker), sync_worker_messages.cc.
#ifndef SKERRY_SYNC_SYNC_WORKER_H_
#define SKERRY_SYNC_SYNC_WORKER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "sync/helper.h"
#include "sync/image_keeper.h"
#include "sync/poke_socket.h"
#include "sync/sync_job.h"
#include "sync/worker_state.h"

namespace skerry {

class SyncWorker {
 public:
  // `config` as in docs/sync-worker.md, section 1. Errors: kSchema, kInvalidArgument.
  static Result<std::unique_ptr<SyncWorker>> Create(const Data& config);

  // Returns the effects, an array. An event that is unknown or stale has none.
  Data Handle(const Data& event);

  // For the simulator, which counts the states that it has seen.
  const SyncJob& job() const { return job_; }
  const Lease& listen() const { return listen_; }
  Mode mode() const { return state_->mode; }

 private:
  explicit SyncWorker(std::unique_ptr<WorkerState> state);

  // A transaction of the worker itself: the start, a change of scopes, a token to store, a token
  // that the server refused, or a count of pending mutations.
  enum class OwnKind : uint8_t { kStart, kScopes, kToken, kRefusal, kLook };
  struct Own {
    uint64_t id = 0;
    OwnKind kind = OwnKind::kStart;
    Data token;                     // kToken, kRefusal
    Vector<WantedScope> add, drop;  // kScopes
    std::optional<UpdateRecord> record;
    bool changed = false;
    Vector<SyncScope> left_out;
    double pending = 0;  // kLook
  };

  void Route(const Data& event, Turn* turn);
  void Start(Turn* turn);
  void BeginOwn(Own own, Turn* turn);
  void Look(Turn* turn);
  void OnRead(const Data& event, Turn* turn);
  ReadReply ReadOwn(Own* own, const Data& results, Turn* turn);
  void KeepService(const Data::Array& read, Data::Array* writes);
  void TakeKeptToken(const Data& kept, Turn* turn);
  void KeepRefusal(Turn* turn);
  void WriteRefusal(const Data& refused, const Data& kept, double now, Data::Array* writes) const;
  void OnDone(uint64_t id, Turn* turn);
  void DoneOwn(const Own& own, Turn* turn);
  void OnFailed(uint64_t id, const Data& error, Turn* turn);
  void ListenHappened(LeaseEvent event, Turn* turn);
  void OnLock(const Data& event, Turn* turn);
  void Wake(WakeReason reason, Turn* turn);
  void OnPost(const Data& message, Turn* turn);
  bool LacksScope() const;
  void WantScopes(const Vector<WantedScope>& add, const Vector<WantedScope>& drop, Turn* turn);
  void OnWake(const Data& message, Turn* turn);
  void OnPoke(const std::string& realm, uint64_t revision, Turn* turn);
  void SetMode(Mode mode, std::string reason, Turn* turn);
  void OnNeedToken(const std::string& why, Turn* turn);
  void OnChannel(const Data& message, Turn* turn);
  void OnLogged(uint64_t n, Cursors cursors, uint64_t record_bytes);
  void OnStatus(const Data& message, Turn* turn);
  void OnSilence(Turn* turn);
  void OnTimer(const std::string& name, Turn* turn);
  void OnToken(const Data& token, Turn* turn);
  void OnSocket(const Data& event, Turn* turn);
  void Switch(bool* flag, bool value, WakeReason reason, Turn* turn);
  void Stop(Turn* turn);
  void Upkeep(Turn* turn);
  void TellStatus(Turn* turn);
  Own* FindOwn(uint64_t id);

  std::unique_ptr<WorkerState> state_;
  SyncJob job_;
  Helper helper_;
  ImageKeeper keeper_;
  Lease listen_;
  PokeSocket socket_;
  uint64_t last_id_ = 0;
  Vector<Own> own_;
  Vector<WantedScope> wanted_;  // the scopes of this worker's window
  bool scopes_failed_ = false;  // they could not be stored, or were left out
  std::string shared_phase_;
  Data shown_status_;
  bool was_holder_ = false;
  bool listen_pausing_ = false;  // pausing because storage failed a claim of `listen`
  Data kept_refusal_;            // the token that storage marks as refused
  double refused_rest_ms_ = 0;   // at the start: for how long that token is not sent
  // A timer counts pending mutations, because a socket replaces polling.
  bool counts_pending_ = false;
  bool owes_status_ = false;  // a wake must be answered, even if nothing has changed
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SYNC_WORKER_H_
