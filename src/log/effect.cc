#include "log/effect.h"

#include <utility>

#include "base/fields.h"

namespace skerry {

Data WriteEffect(uint64_t id, Data writes) {
  return Fields{{"type", "write"}, {"id", id}, {"writes", std::move(writes)}};
}

Data MoreEffect(uint64_t id, Data reads) {
  return Fields{{"type", "more"}, {"id", id}, {"reads", std::move(reads)}};
}

Data AbortEffect(uint64_t id) { return Fields{{"type", "abort"}, {"id", id}}; }

Data TimerEffect(const char* name, double delay_ms) {
  return Fields{{"type", "timer"}, {"name", name}, {"delayMs", delay_ms}};
}

Data CancelEffect(const char* name) { return Fields{{"type", "cancel"}, {"name", name}}; }

Data BroadcastEffect(Data message) {
  return Fields{{"type", "broadcast"}, {"message", std::move(message)}};
}

Data PostEffect(Data message) { return Fields{{"type", "post"}, {"message", std::move(message)}}; }

}  // namespace skerry
