// Turn: one event while it is handled: its clocks, and the effects of its handling, in their order.
// Every state machine of the sync worker is passed the turn, so none of them has a clock or an
// output of its own. Only this class writes a worker's effects (docs/sync-worker.md, section 3).
#ifndef SKERRY_SYNC_TURN_H_
#define SKERRY_SYNC_TURN_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/data.h"
#include "log/effect.h"
#include "log/kinds.h"
#include "log/transaction_builder.h"
#include "sync/names.h"

namespace skerry {

enum class LockAction : uint8_t { kRequest, kSteal, kRelease };

struct FetchRequest {
  std::string path;  // below the remote's URL
  std::string body;
  Token token;
  double timeout_ms = 0;
  bool is_get = false;
  uint64_t max_bytes = 0;  // of the answer, inflated; 0: those of any other
};

class Turn {
 public:
  Turn(double now_ms, double mono_ms, uint64_t* last_id)
      : now(now_ms), mono(mono_ms), last_id_(last_id) {}
  const double now;
  const double mono;

  void Timer(WorkerTimer timer, double delay_ms);  // replaces the timer of that name
  void Cancel(WorkerTimer timer);
  template <Kind T>
  void Broadcast(const T& message) {
    Broadcast(&message, ListMembersOf<T>(), T::kType);
  }
  template <Kind T>
  void Post(const T& message) {
    Post(&message, ListMembersOf<T>(), T::kType);
  }

  // These emit what they start, and return its id. Ids are never reused.
  uint64_t Transact(std::initializer_list<Store> stores, TransactionMode mode, Data::Array reads);
  uint64_t Fetch(FetchRequest request);
  uint64_t StartImageJob(Data job);
  void AbortFetch(uint64_t id);
  void AbortImageJob(uint64_t id);

  // The replies to a read.
  void Write(uint64_t id, Data::Array writes) { Emit(WriteEffect(id, Data(std::move(writes)))); }
  void More(uint64_t id, Data::Array reads) { Emit(MoreEffect(id, Data(std::move(reads)))); }
  void Abort(uint64_t id) { Emit(AbortEffect(id)); }

  void Lock(LeaseName name, LockAction action);
  void NeedToken(TokenNeed why);
  void OpenSocket();
  void SendToSocket(const std::string& text);
  void CloseSocket();
  void WakeService(Data message);
  void ShowStatus(const Data& status);

  Data TakeEffects() { return std::exchange(effects_, Data::MakeArray()); }

 private:
  void Emit(Data effect) { effects_.Push(std::move(effect)); }
  void Broadcast(const void* message, ListMembers list, const char* type);
  void Post(const void* message, ListMembers list, const char* type);

  uint64_t* last_id_;
  Data effects_ = Data::MakeArray();
};

}  // namespace skerry

#endif  // SKERRY_SYNC_TURN_H_
