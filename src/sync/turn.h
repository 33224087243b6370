// Turn: one event while it is handled: its clocks, and the effects of its handling, in their order.
// Every state machine of the sync worker is passed the turn, so none of them has a clock or an
// output of its own.
#ifndef SKERRY_SYNC_TURN_H_
#define SKERRY_SYNC_TURN_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/data.h"
#include "log/transaction_builder.h"
#include "sync/records.h"

namespace skerry {

class Turn {
 public:
  Turn(double now_ms, double mono_ms, uint64_t* last_id)
      : now(now_ms), mono(mono_ms), last_id_(last_id) {}
  const double now;
  const double mono;

  void Emit(Data effect) { effects_.Push(std::move(effect)); }
  void Timer(std::string_view name, double delay_ms) {
    Emit(Message("timer").Set("name", name).Set("delayMs", delay_ms));
  }
  void Cancel(std::string_view name) { Emit(Message("cancel").Set("name", name)); }
  void Broadcast(Data message) { Emit(Message("broadcast").Set("message", std::move(message))); }
  void Post(Data message) { Emit(Message("post").Set("message", std::move(message))); }

  // The next id of a transaction, fetch or image job. Ids are never reused.
  uint64_t NextId() { return ++*last_id_; }

  // Emits a transaction and returns its id.
  uint64_t Transact(std::initializer_list<Store> stores, TransactionMode mode, Data::Array reads);

  Data TakeEffects() { return std::exchange(effects_, Data::MakeArray()); }

 private:
  uint64_t* last_id_;
  Data effects_ = Data::MakeArray();
};

}  // namespace skerry

#endif  // SKERRY_SYNC_TURN_H_
