// The addition of `inc`, for rows (fold_op.cc) and for folded ops (fold_ops.cc), which must agree.
#ifndef SKERRY_LOG_NUMBER_ADD_H_
#define SKERRY_LOG_NUMBER_ADD_H_

#include <algorithm>
#include <limits>

#include "model/value.h"

namespace skerry {

// A sum stops at the greatest finite number, because infinities cannot be stored, and an inc must
// not be rejected because of what other clients have added before.
inline double AddNumbers(double a, double b) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::clamp(a + b, -kMost, kMost);
}

// Null counts as 0. So does a value that is not a number (the prop may have had another type in an
// older schema).
inline Value AddToValue(const Value& value, double by) {
  return Value::Number(AddNumbers(value.kind() == ValueKind::kNumber ? value.number() : 0, by));
}

}  // namespace skerry

#endif  // SKERRY_LOG_NUMBER_ADD_H_
