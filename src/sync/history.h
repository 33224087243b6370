// HistoryReader: pages of streams that are older than what the device has, for the window. They are
// read and passed on; nothing is stored.
#ifndef SKERRY_SYNC_HISTORY_H_
#define SKERRY_SYNC_HISTORY_H_

#include <cstdint>

#include "base/map.h"
#include "sync/event.h"
#include "sync/message.h"
#include "sync/turn.h"
#include "sync/worker_state.h"

namespace skerry {

class HistoryReader {
 public:
  explicit HistoryReader(WorkerState* state) : state_(state) {}
  void Ask(const HistoryMessage& message, Turn* turn);
  // Returns whether the response is to one of its requests.
  bool Response(const ResponseEvent& event, Turn* turn);

 private:
  WorkerState* state_;
  Map<uint64_t, uint64_t> asked_;  // by request: the id of the window's message
};

}  // namespace skerry

#endif  // SKERRY_SYNC_HISTORY_H_
