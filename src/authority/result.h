// What a push answers for one update (docs/protocol.md, "`POST /v1/push`"; docs/authority.md,
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

namespace skerry {

struct Rejection {
  std::optional<uint32_t> op;  // none: the update as a whole
  std::string code;
  std::string detail;
};

// Refusals are kept, so that one must not be large. Who mends these hears of the next hundred.
inline constexpr size_t kMaxRejections = 100;

struct Applied {
  ByRealm<uint64_t> revisions;  // of the declared realms
  double at = 0;
  Vector<uint32_t> noops;  // ops that found nothing to change
  Vector<uint32_t> gone;   // ops whose object went with its deleted or missing parent
};

Data AppliedResult(const std::string& id, const Applied& applied);

// action -> realm -> revision.
using KnownActions = Map<std::string, Map<std::string, uint64_t>>;
Data RejectedResult(const std::string& id, const Vector<Action>& actions, const Vector<Op>& ops,
                    const Vector<Rejection>& rejections, const KnownActions& known, bool one_realm);

// held, forked, unknown_client; and a stored answer under another status.
Data PlainResult(const std::string& id, const char* status);
Data WithStatus(Data answer, const char* status);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_RESULT_H_
