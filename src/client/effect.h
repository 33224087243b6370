// Small makers of the effects that a window gives its host (docs/window.md).
#ifndef SKERRY_CLIENT_EFFECT_H_
#define SKERRY_CLIENT_EFFECT_H_

#include <string_view>
#include <utility>

#include "base/data.h"

namespace skerry {

inline Data BroadcastEffect(Data message) {
  return Data::Object{{"type", "broadcast"}, {"message", std::move(message)}};
}
inline Data PostEffect(Data message) {
  return Data::Object{{"type", "post"}, {"message", std::move(message)}};
}
inline Data TimerEffect(const char* name, double delay_ms) {
  return Data::Object{{"type", "timer"}, {"name", name}, {"delayMs", delay_ms}};
}
inline Data ProblemEffect(int code, std::string_view detail) {
  return Data::Object{{"type", "problem"}, {"code", code}, {"detail", detail}};
}
inline Data PutWrite(const char* store, Data value, Data key) {
  return Data::Object{{"store", store}, {"put", std::move(value)}, {"key", std::move(key)}};
}
inline Data GetRead(const char* store, const char* key) {
  return Data::Object{{"store", store}, {"get", key}};
}
inline Data RangeRead(const char* store) {
  return Data::Object{{"store", store}, {"range", Data::MakeObject()}};
}
inline Data RangeAbove(const char* store, uint64_t above) {
  return Data::Object{{"store", store}, {"range", Data::Object{{"above", above}}}};
}

}  // namespace skerry

#endif  // SKERRY_CLIENT_EFFECT_H_
