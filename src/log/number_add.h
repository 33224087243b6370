// How `inc` adds, in one place, because rows (fold_op.cc) and folded ops (fold_ops.cc) must agree.
#ifndef SKERRY_LOG_NUMBER_ADD_H_
#define SKERRY_LOG_NUMBER_ADD_H_

#include <algorithm>
#include <limits>

#include "model/value.h"

namespace skerry {

// A sum past the greatest finite number stops there: infinities cannot be stored, and an inc must
// never be refused for what others have added before it.
inline double AddNumbers(double a, double b) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::clamp(a + b, -kMost, kMost);
}

// Null, and anything that is no number (a prop whose type an older schema knew differently), counts
// from 0.
inline Value AddToValue(const Value& value, double by) {
  return Value::Number(AddNumbers(value.kind() == ValueKind::kNumber ? value.number() : 0, by));
}

}  // namespace skerry

#endif  // SKERRY_LOG_NUMBER_ADD_H_
