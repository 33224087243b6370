// Misuse: what a host that does not keep to docs/authority.md is told.
#ifndef SKERRY_AUTHORITY_MISUSE_H_
#define SKERRY_AUTHORITY_MISUSE_H_

#include <utility>

#include "base/status.h"
#include "base/string.h"

namespace skerry {

inline Status Misuse(String detail) { return {Code::kClosed, std::move(detail)}; }

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_MISUSE_H_
