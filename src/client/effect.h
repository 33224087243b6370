// Functions that make the effects which a window passes to its host (docs/window.md).
#ifndef SKERRY_CLIENT_EFFECT_H_
#define SKERRY_CLIENT_EFFECT_H_

#include <string_view>
#include <utility>

#include "base/data.h"
#include "base/fields.h"
#include "log/effect.h"

namespace skerry {

inline Data ProblemEffect(int code, std::string_view detail) {
  return Fields{{"type", "problem"}, {"code", code}, {"detail", detail}};
}

}  // namespace skerry

#endif  // SKERRY_CLIENT_EFFECT_H_
