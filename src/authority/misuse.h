// Misuse: the error for a host that breaks the contract of docs/authority.md.
#ifndef SKERRY_AUTHORITY_MISUSE_H_
#define SKERRY_AUTHORITY_MISUSE_H_

#include <string>
#include <utility>

#include "base/status.h"

namespace skerry {

inline Status Misuse(std::string detail) { return {Code::kClosed, std::move(detail)}; }

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_MISUSE_H_
