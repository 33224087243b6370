// The answer to a push for one update (docs/protocol.md, "`POST /v1/push`"; docs/authority.md,
// section 3).
#ifndef SKERRY_AUTHORITY_RESULT_H_
#define SKERRY_AUTHORITY_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/wire/update_result.h"

namespace skerry {

struct Rejection {
  std::optional<uint32_t> op;  // empty: the update as a whole is at fault
  std::string code;
  std::string detail;
  std::optional<uint32_t> action = {};  // the one that is at fault, if no op is
};
// Whether the mutation was applied, or to what, can no longer be known.
Rejection OutcomeUnknown(std::string detail);

// Rejections are stored with the chain, so their number is bounded. A client that corrects these
// gets the next hundred when it pushes again.
inline constexpr size_t kMaxRejections = 100;

// action -> realm -> revision.
using KnownActions = Map<std::string, Map<std::string, uint64_t>>;
PushResult RejectedResult(const std::string& id, const Vector<Action>& actions,
                          const Vector<Op>& ops, const Vector<Rejection>& rejections,
                          const KnownActions& known, bool one_realm);

// The results that have only a status: `held`, `forked`, `unknown_client`.
Data PlainResult(const std::string& id, PushStatus status);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_RESULT_H_
