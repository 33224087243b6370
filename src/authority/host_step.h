// What comes from outside, read by the structs of log/wire, and what is said to the host in them.
#ifndef SKERRY_AUTHORITY_HOST_STEP_H_
#define SKERRY_AUTHORITY_HOST_STEP_H_

#include <string>
#include <utility>

#include "authority/misuse.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/members.h"

namespace skerry {

// What a client has sent. kInvalidArgument, with the path of the first member that is wrong.
template <typename T>
Status ReadSent(Data data, T* out) {
  const WrongAt wrong = ReadStrictly(std::move(data), out);
  if (!wrong.found()) return Status::Ok();
  return {Code::kInvalidArgument, "`" + wrong.path() + "` is missing or wrong"};
}

inline Vector<std::string> ListOf(const Set<std::string>& names) {
  return {names.begin(), names.end()};
}

// What the host has sent.
template <typename T>
Status ReadStep(Data data, T* out) {
  const WrongAt wrong = ReadStrictly(std::move(data), out);
  return wrong.found() ? Misuse("`" + wrong.path() + "` is missing or wrong") : Status::Ok();
}

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_HOST_STEP_H_
